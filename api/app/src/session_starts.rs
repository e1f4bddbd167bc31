//! How often a bot may start gateway sessions: per day, and how many at a time.
//!
//! Nodes of a cluster may count together; otherwise what is counted is only on this node and only in
//! memory, and a restart forgives.

use std::sync::Arc;

use guildhall_model::account::Credential;
use guildhall_model::limits::{SESSION_STARTS_DAY_MS, SESSION_STARTS_WINDOW_MS};
use guildhall_model::{Rate, Timestamp, UserId};
use guildhall_ports::{Env, Quotas};

use crate::allowance::{Shared, Taken};
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
#[derive(Debug)]
pub(crate) struct StartCounts {
    days: Shared<UserId>,
    windows: Shared<UserId>,
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
    pub async fn session_start_limit(&self, ctx: &Context) -> SessionStartLimit {
        let settings = self.0.parts.settings.session_starts;
        let starts = &self.0.starts;
        starts.limit(ctx.user_id(), settings, self.env()).await
    }

    /// Counts the start of a session of a bot, or refuses it. People have a bound on their sessions
    /// instead.
    pub async fn count_session_start(&self, ctx: &Context) -> Result<(), StartRefused> {
        let settings = self.0.parts.settings.session_starts;
        match ctx.caller.credential {
            Credential::Bot { .. } if settings.is_enforced => {
                let starts = &self.0.starts;
                starts.count(ctx.user_id(), settings, self.env()).await
            }
            _ => Ok(()),
        }
    }
}

impl StartCounts {
    /// Counts on this node, and with the others where there is something that counts for all.
    pub(crate) fn new(all: Option<Arc<dyn Quotas>>) -> Self {
        Self {
            days: Shared::new("starts-day", all.clone()),
            windows: Shared::new("starts", all),
        }
    }

    /// What is refused for its haste does not use the day up.
    async fn count(
        &self,
        bot: UserId,
        settings: SessionStarts,
        env: &Env,
    ) -> Result<(), StartRefused> {
        // Of a day that others have used up this node hears below.
        let (day, window) = (settings.day(), settings.window());
        if !self.days.look(&bot, day, env).is_allowed {
            return Err(StartRefused::DayIsUsedUp);
        }
        if !self.windows.take(bot, window, env).await.is_allowed {
            return Err(StartRefused::TooFast);
        }
        if !self.days.take(bot, day, env).await.is_allowed {
            return Err(StartRefused::DayIsUsedUp);
        }
        Ok(())
    }

    async fn limit(&self, bot: UserId, settings: SessionStarts, env: &Env) -> SessionStartLimit {
        let day = self.days.look_at_all(&bot, settings.day(), env).await;
        limit(settings, day, env.steady())
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
    use guildhall_ports::Failure;
    use guildhall_ports::fake::{FakeClock, FakeQuotas};

    use super::*;

    const BOT: fn() -> UserId = || UserId::new(7).unwrap();
    const DAY_MS: i64 = 24 * 3_600_000;

    fn settings(per_day: u32, max_concurrency: u32) -> SessionStarts {
        SessionStarts {
            per_day,
            max_concurrency,
            is_enforced: true,
        }
    }

    /// Some nodes that count together, or one that counts alone, at a time that stands.
    struct Nodes {
        clock: FakeClock,
        env: Env,
        all: FakeQuotas,
        counts: Vec<StartCounts>,
        settings: SessionStarts,
    }

    impl Nodes {
        fn together(count: usize, settings: SessionStarts) -> Self {
            let clock = FakeClock::at(Timestamp(0));
            let env = clock.env(1);
            let all = FakeQuotas::new(env.clone());
            let node = |_| StartCounts::new(Some(Arc::new(all.clone())));
            Self {
                counts: (0..count).map(node).collect(),
                clock,
                env,
                all,
                settings,
            }
        }

        fn alone(settings: SessionStarts) -> Self {
            Self {
                counts: vec![StartCounts::new(None)],
                ..Self::together(0, settings)
            }
        }

        async fn start(&self, node: usize, now: i64) -> Result<(), StartRefused> {
            self.clock.set(Timestamp(now));
            let counts = &self.counts[node];
            counts.count(BOT(), self.settings, &self.env).await
        }

        async fn told(&self, node: usize, now: i64) -> SessionStartLimit {
            self.clock.set(Timestamp(now));
            let counts = &self.counts[node];
            counts.limit(BOT(), self.settings, &self.env).await
        }
    }

    #[tokio::test]
    async fn only_so_many_sessions_are_started_within_five_seconds() {
        let two = settings(1_000, 2);
        for nodes in [Nodes::alone(two), Nodes::together(2, two)] {
            let last = nodes.counts.len() - 1;
            assert_eq!(nodes.start(0, 0).await, Ok(()));
            assert_eq!(nodes.start(last, 1).await, Ok(()));
            for node in [0, last] {
                assert_eq!(nodes.start(node, 4_999).await, Err(StartRefused::TooFast));
            }
            let other = UserId::new(8).unwrap();
            assert_eq!(nodes.counts[0].count(other, two, &nodes.env).await, Ok(()));
            assert_eq!(nodes.start(0, 5_000).await, Ok(()));
        }
    }

    #[tokio::test]
    async fn a_day_has_an_end_and_haste_does_not_use_it_up() {
        let three = settings(3, 1);
        for nodes in [Nodes::alone(three), Nodes::together(2, three)] {
            let last = nodes.counts.len() - 1;
            assert_eq!(nodes.start(0, 0).await, Ok(()));
            assert_eq!(nodes.start(last, 1).await, Err(StartRefused::TooFast));
            assert_eq!(nodes.start(last, 5_000).await, Ok(()));
            assert_eq!(nodes.start(0, 10_000).await, Ok(()));
            for (node, now) in [(0, 15_000), (last, 20_000), (last, 25_000)] {
                let refused = nodes.start(node, now).await;
                assert_eq!(refused, Err(StartRefused::DayIsUsedUp));
            }
            assert_eq!(nodes.start(last, DAY_MS).await, Ok(()));
        }
    }

    #[tokio::test]
    async fn a_bot_is_told_by_every_node_what_is_left_and_when_the_day_ends() {
        let three = settings(3, 16);
        let whole = SessionStartLimit {
            total: 3,
            remaining: 3,
            reset_after_ms: 0,
            max_concurrency: 16,
        };
        for nodes in [Nodes::alone(three), Nodes::together(2, three)] {
            let last = nodes.counts.len() - 1;
            assert_eq!(nodes.told(last, 0).await, whole);
            nodes.start(0, 0).await.unwrap();
            for node in [0, last] {
                let expected = SessionStartLimit {
                    remaining: 2,
                    reset_after_ms: DAY_MS.cast_unsigned() - 1_000,
                    ..whole
                };
                assert_eq!(nodes.told(node, 1_000).await, expected);
            }
            nodes.start(last, 2_000).await.unwrap();
            for node in [0, last] {
                assert_eq!(nodes.told(node, 2_000).await.remaining, 1);
                assert_eq!(nodes.told(node, DAY_MS).await, whole);
            }
        }
    }

    #[tokio::test]
    async fn without_the_counts_of_all_each_node_goes_on_by_itself() {
        let nodes = Nodes::together(2, settings(3, 16));
        nodes.start(0, 0).await.unwrap();
        let away = || Some(Failure::unavailable("the counts", "away"));
        nodes.all.fail(away());
        for remaining in [2, 1, 0] {
            assert_eq!(nodes.told(0, 1).await.remaining, remaining);
            assert_eq!(nodes.start(0, 1).await.is_ok(), remaining > 0);
        }
        // The other one knows of nothing.
        assert_eq!(nodes.told(1, 1).await.remaining, 3);
        nodes.start(1, 1).await.unwrap();
        // What was counted alone stays with who has counted it.
        nodes.all.fail(None);
        nodes.all.flush();
        assert_eq!(nodes.told(0, 2).await.remaining, 0);
        assert_eq!(nodes.start(0, 2).await, Err(StartRefused::DayIsUsedUp));
        assert_eq!(nodes.told(1, 2).await.remaining, 2);
    }
}
