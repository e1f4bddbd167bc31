//! How often a bot may start gateway sessions: per day, and how many at a time.
//!
//! Counted on this node and in memory; a restart forgives.

use guildhall_model::account::Credential;
use guildhall_model::limits::{SESSION_STARTS_DAY_MS, SESSION_STARTS_WINDOW_MS};
use guildhall_model::{Rate, Timestamp, UserId};
use parking_lot::Mutex;

use crate::allowance::{Allowances, Taken};
use crate::{App, Context};

/// What an operator may set about the starts of sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionStarts {
    /// How many sessions a bot may start per day.
    pub per_day: u32,
    /// How many of them within [`SESSION_STARTS_WINDOW_MS`].
    pub max_concurrency: u32,
    /// Whether anybody is held to it. Libraries keep to what they are told in either case.
    pub is_enforced: bool,
}

/// How many sessions a bot may still start, as `GET /gateway/bot` tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionStartLimit {
    /// Per day.
    pub total: u32,
    /// Of this day.
    pub remaining: u32,
    /// Milliseconds until all of them are allowed again; 0 while all are.
    pub reset_after_ms: u64,
    /// How many within five seconds.
    pub max_concurrency: u32,
}

/// Why a session may not be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartRefused {
    /// Too many at a time: it may be tried again a few seconds later.
    #[error("too many sessions are started at a time")]
    TooFast,
    /// Too many on this day.
    #[error("too many sessions were started on this day")]
    DayIsUsedUp,
}

/// What was started lately.
#[derive(Debug, Default)]
pub(crate) struct StartCounts {
    days: Mutex<Allowances<UserId>>,
    windows: Mutex<Allowances<UserId>>,
}

impl SessionStarts {
    /// The values that Discord gives to most bots, with room for more shards at a time.
    pub const DEFAULT: Self = Self {
        per_day: 1_000,
        max_concurrency: 16,
        is_enforced: true,
    };

    fn day(self) -> Rate {
        rate(self.per_day, SESSION_STARTS_DAY_MS)
    }

    fn window(self) -> Rate {
        rate(self.max_concurrency, SESSION_STARTS_WINDOW_MS)
    }
}

/// A setting beyond its bounds is as strict as a rate can be.
fn rate(count: u32, window_ms: u32) -> Rate {
    const STRICTEST: Rate = Rate::new(1, 1_000).expect("one per second is a rate");
    Rate::new(count, window_ms).unwrap_or(STRICTEST)
}

impl App {
    /// How many sessions the caller may still start.
    pub fn session_start_limit(&self, ctx: &Context) -> SessionStartLimit {
        let (settings, now) = (self.0.parts.settings.session_starts, self.env().steady());
        let days = self.0.starts.days.lock();
        limit(
            settings,
            days.look(&ctx.user_id(), settings.day(), now),
            now,
        )
    }

    /// Counts the start of a session of a bot, or refuses it. People have a bound on their sessions
    /// instead.
    pub fn count_session_start(&self, ctx: &Context) -> Result<(), StartRefused> {
        let settings = self.0.parts.settings.session_starts;
        match ctx.caller.credential {
            Credential::Bot { .. } if settings.is_enforced => {
                let now = self.env().steady();
                self.0.starts.count(ctx.user_id(), settings, now)
            }
            _ => Ok(()),
        }
    }
}

impl StartCounts {
    /// What is refused for its haste does not use the day up.
    fn count(
        &self,
        bot: UserId,
        settings: SessionStarts,
        now: Timestamp,
    ) -> Result<(), StartRefused> {
        let (mut days, mut windows) = (self.days.lock(), self.windows.lock());
        if !days.look(&bot, settings.day(), now).is_allowed {
            return Err(StartRefused::DayIsUsedUp);
        }
        if !windows.take(bot, settings.window(), now).is_allowed {
            return Err(StartRefused::TooFast);
        }
        days.take(bot, settings.day(), now);
        Ok(())
    }
}

fn limit(settings: SessionStarts, day: Taken, now: Timestamp) -> SessionStartLimit {
    let is_whole = day.remaining == day.limit;
    SessionStartLimit {
        total: day.limit,
        remaining: day.remaining,
        reset_after_ms: if is_whole {
            0
        } else {
            day.ends_at.ms_since(now)
        },
        max_concurrency: settings.max_concurrency,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOT: fn() -> UserId = || UserId::new(7).unwrap();

    fn settings(per_day: u32, max_concurrency: u32) -> SessionStarts {
        SessionStarts {
            per_day,
            max_concurrency,
            is_enforced: true,
        }
    }

    #[test]
    fn only_so_many_sessions_are_started_within_five_seconds() {
        let (counts, two) = (StartCounts::default(), settings(1_000, 2));
        let start = |now| counts.count(BOT(), two, Timestamp(now));
        assert_eq!([start(0), start(1)], [Ok(()); 2]);
        assert_eq!(start(4_999), Err(StartRefused::TooFast));
        assert_eq!(start(5_000), Ok(()));
        let other = UserId::new(8).unwrap();
        assert_eq!(counts.count(other, two, Timestamp(2)), Ok(()));
    }

    #[test]
    fn a_day_has_an_end_and_haste_does_not_use_it_up() {
        let (counts, three) = (StartCounts::default(), settings(3, 1));
        let start = |now| counts.count(BOT(), three, Timestamp(now));
        assert_eq!(start(0), Ok(()));
        assert_eq!(start(1), Err(StartRefused::TooFast));
        assert_eq!([start(5_000), start(10_000)], [Ok(()); 2]);
        assert_eq!(start(15_000), Err(StartRefused::DayIsUsedUp));
        assert_eq!(start(24 * 3_600_000), Ok(()));
    }

    #[test]
    fn a_bot_is_told_what_is_left_and_when_the_day_ends() {
        let (counts, three) = (StartCounts::default(), settings(3, 16));
        let told = |now| {
            let now = Timestamp(now);
            let day = counts.days.lock().look(&BOT(), three.day(), now);
            limit(three, day, now)
        };
        let whole = SessionStartLimit {
            total: 3,
            remaining: 3,
            reset_after_ms: 0,
            max_concurrency: 16,
        };
        assert_eq!(told(0), whole);
        counts.count(BOT(), three, Timestamp(0)).unwrap();
        assert_eq!(
            told(1_000),
            SessionStartLimit {
                remaining: 2,
                reset_after_ms: 24 * 3_600_000 - 1_000,
                ..whole
            }
        );
    }
}
