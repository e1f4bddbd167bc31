//! Load on one server: closed loops and open ones, with every delivery accounted for.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use hdrhistogram::Histogram;

use crate::crowd::{Crowd, Happened, Tally};
use crate::usage;

/// How long nothing may happen before a round counts as failed.
const SILENCE_MAX: Duration = Duration::from_secs(15);
/// How long a server may go on working after the last delivery; that is counted as well.
const AFTERMATH: Duration = Duration::from_millis(200);

/// A crowd at a server, whose process is accounted for.
pub(crate) struct Contestant {
    pid: u32,
    pub(crate) crowd: Crowd,
    /// Of each member, in the crowd's order: the group whose messages it gets.
    groups: Vec<usize>,
    /// The group of the message with a mark: they take turns.
    turns: Vec<usize>,
    next_mark: u64,
    /// Of each group: its members.
    sizes: Vec<u32>,
    /// Of each group: what its members should have received.
    expected: Vec<Tally>,
}

/// When the next message of a closed loop is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// When all members have one of those under way.
    Delivered,
    /// When the post of one of those under way is answered.
    Acknowledged,
}

/// What a round came to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Round {
    pub(crate) messages: u64,
    pub(crate) deliveries: u64,
    pub(crate) wall: Duration,
    pub(crate) server_cpu: Duration,
    pub(crate) client_cpu: Duration,
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of a round stay below 2^52"
)]
impl Round {
    /// Microseconds of the server's CPU for each delivery.
    pub(crate) fn cpu_per_delivery(&self) -> f64 {
        self.server_cpu.as_secs_f64() * 1e6 / self.deliveries as f64
    }

    /// Microseconds of the server's CPU for each message.
    pub(crate) fn cpu_per_message(&self) -> f64 {
        self.server_cpu.as_secs_f64() * 1e6 / self.messages as f64
    }

    pub(crate) fn messages_per_second(&self) -> f64 {
        self.messages as f64 / self.wall.as_secs_f64()
    }

    pub(crate) fn deliveries_per_second(&self) -> f64 {
        self.deliveries as f64 / self.wall.as_secs_f64()
    }

    /// Of one CPU, while the round lasted.
    pub(crate) fn client_share(&self) -> f64 {
        self.client_cpu.as_secs_f64() / self.wall.as_secs_f64()
    }
}

/// Latencies in microseconds.
pub(crate) struct Latencies {
    /// From the intended time of sending to each member's receiving.
    pub(crate) delivery: Histogram<u64>,
    /// From the intended to the real time of sending: the client's own part in it.
    pub(crate) lateness: Histogram<u64>,
}

impl Latencies {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            delivery: Histogram::new(3)?,
            lateness: Histogram::new(3)?,
        })
    }
}

/// A message under way.
struct Posted {
    due: Instant,
    /// Members that have not got it.
    missing: u32,
    is_acknowledged: bool,
}

/// A round under way.
struct Ledger {
    first: u64,
    posted: Vec<Posted>,
    complete: usize,
    acknowledged: usize,
    deliveries: u64,
    last: Instant,
}

impl Contestant {
    /// `turns` names the group of each message in turn: that of the desk at which it is posted.
    pub(crate) fn new(pid: u32, crowd: Crowd, groups: Vec<usize>, turns: Vec<usize>) -> Self {
        let n_groups = groups.iter().chain(&turns).max().map_or(0, |last| last + 1);
        let mut sizes = vec![0; n_groups];
        for group in &groups {
            sizes[*group] += 1;
        }
        Self {
            pid,
            crowd,
            sizes,
            expected: vec![Tally::default(); n_groups],
            groups,
            turns,
            next_mark: 0,
        }
    }

    /// Keeps `in_flight` messages under way for a while, then waits for all of them.
    pub(crate) fn closed(
        &mut self,
        in_flight: usize,
        pace: Pace,
        lasting: Duration,
    ) -> Result<Round> {
        self.measure(|stage, ledger| {
            let end = Instant::now() + lasting;
            for _ in 0..in_flight {
                stage.post(ledger, Instant::now())?;
            }
            while ledger.complete < ledger.posted.len() {
                let before = (ledger.complete, ledger.acknowledged);
                stage.turn(ledger, SILENCE_MAX, None)?;
                let now = Instant::now();
                let free = match pace {
                    Pace::Delivered => ledger.complete - before.0,
                    Pace::Acknowledged => ledger.acknowledged - before.1,
                };
                for _ in 0..free {
                    if now < end {
                        stage.post(ledger, now)?;
                    }
                }
            }
            Ok(())
        })
    }

    /// Sends messages at a fixed rate whatever the server does, then waits for all of them.
    pub(crate) fn open(
        &mut self,
        rate: f64,
        lasting: Duration,
        latencies: &mut Latencies,
    ) -> Result<Round> {
        self.measure(|stage, ledger| {
            let start = Instant::now();
            let mut n = 0_u32;
            loop {
                let due = start + Duration::from_secs_f64(f64::from(n) / rate);
                let now = Instant::now();
                if due <= now && due < start + lasting {
                    latencies.lateness.record(micros(now - due))?;
                    stage.post(ledger, due)?;
                    n += 1;
                    continue;
                }
                let is_over = start + lasting <= due;
                if is_over && ledger.complete == ledger.posted.len() {
                    return Ok(());
                }
                let timeout = if is_over { SILENCE_MAX } else { due - now };
                stage.turn(ledger, timeout, Some(&mut latencies.delivery))?;
            }
        })
    }

    fn measure(&mut self, run: impl FnOnce(&mut Self, &mut Ledger) -> Result<()>) -> Result<Round> {
        let (server, client) = (self.pid, std::process::id());
        let cpu = (usage::cpu(server)?, usage::cpu(client)?);
        let start = Instant::now();
        let mut ledger = Ledger {
            first: self.next_mark,
            posted: Vec::new(),
            complete: 0,
            acknowledged: 0,
            deliveries: 0,
            last: start,
        };
        run(self, &mut ledger)?;
        let wall = start.elapsed();
        let client_cpu = usage::cpu(client)?.saturating_sub(cpu.1);
        std::thread::sleep(AFTERMATH);
        let server_cpu = usage::cpu(server)?.saturating_sub(cpu.0);
        // Each exactly once: every member's sum over its marks is what it should be.
        let tallies = self.crowd.tallies();
        let due = self.groups.iter().map(|group| self.expected[*group]);
        let wrong = tallies.into_iter().zip(due).filter(|(got, due)| got != due);
        let wrong = wrong.count();
        ensure!(
            wrong == 0,
            "{wrong} members got something else than what was sent"
        );
        Ok(Round {
            messages: ledger.posted.len() as u64,
            deliveries: ledger.deliveries,
            wall,
            server_cpu,
            client_cpu,
        })
    }

    fn post(&mut self, ledger: &mut Ledger, due: Instant) -> Result<()> {
        let mark = self.next_mark;
        self.next_mark += 1;
        let turn = usize::try_from(mark)? % self.turns.len();
        let group = self.turns[turn];
        self.expected[group].add(mark);
        let missing = self.sizes[group];
        let is_acknowledged = self.crowd.publisher().post(mark)?;
        ledger.complete += usize::from(is_acknowledged && missing == 0);
        ledger.posted.push(Posted {
            due,
            missing,
            is_acknowledged,
        });
        Ok(())
    }

    fn turn(
        &mut self,
        ledger: &mut Ledger,
        timeout: Duration,
        latencies: Option<&mut Histogram<u64>>,
    ) -> Result<()> {
        let mut happened = Happened::default();
        self.crowd.turn(timeout, &mut happened)?;
        ledger.take(&happened, latencies)
    }
}

impl Ledger {
    fn take(
        &mut self,
        happened: &Happened,
        mut latencies: Option<&mut Histogram<u64>>,
    ) -> Result<()> {
        for mark in &happened.acknowledged {
            let posted = self.posted(*mark)?;
            posted.is_acknowledged = true;
            let is_complete = posted.missing == 0;
            self.acknowledged += 1;
            self.complete += usize::from(is_complete);
        }
        for (mark, at) in &happened.delivered {
            let posted = self.posted(*mark)?;
            let missing = posted.missing.checked_sub(1);
            posted.missing = missing.with_context(|| format!("{mark} came too often"))?;
            let is_complete = posted.missing == 0 && posted.is_acknowledged;
            let due = posted.due;
            self.complete += usize::from(is_complete);
            self.deliveries += 1;
            if let Some(latencies) = &mut latencies {
                latencies.record(micros(at.saturating_duration_since(due)))?;
            }
        }
        if !happened.acknowledged.is_empty() || !happened.delivered.is_empty() {
            self.last = Instant::now();
        } else if self.last.elapsed() >= SILENCE_MAX && self.complete < self.posted.len() {
            let missing = self.posted.len() - self.complete;
            bail!("{missing} messages did not reach everybody in {SILENCE_MAX:?}");
        }
        Ok(())
    }

    fn posted(&mut self, mark: u64) -> Result<&mut Posted> {
        let place = mark
            .checked_sub(self.first)
            .and_then(|it| usize::try_from(it).ok());
        let posted = place.and_then(|place| self.posted.get_mut(place));
        posted.with_context(|| format!("message {mark} is none of this round"))
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
