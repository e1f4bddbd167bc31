//! Posts at a fixed rate, whatever the server does, and kills the server on schedule.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::calls::{Citizen, Deed, Stage};
use super::ear::nonce;
use super::end::{Stop, Stopped};
use super::meter::Count;
use super::server::Server;
use super::town::Town;
use super::{Options, gatekeeper};
use crate::client::objects::{Message, PageQuery};
use crate::clock::now_ns;
use crate::history::{Action, reaction_tag};
use crate::progress::Progress;

/// Posts that may be under way at a time. Beyond it posts wait, and their latency still counts
/// from the moment at which they were meant to be made.
const IN_FLIGHT_MAX: usize = 4_096;
/// From the end of the set-up to the first post.
const LEAD_NS: u64 = 50_000_000;
/// How long the command of a fault may take.
const FAULT_TIMEOUT: Duration = Duration::from_mins(3);
/// How often progress is shown.
const GLANCE: Duration = Duration::from_millis(250);
/// About a hundred bytes, as messages usually have.
const FILLER: &str = "the quick brown fox jumps over the lazy dog while the whole town looks on";
const EMOJI: [&str; 4] = ["👍", "🎉", "🔥", "👀"];

/// The load of a run.
pub(super) struct Load {
    stage: Arc<Stage>,
    town: Arc<Town>,
    random: fastrand::Rng,
    interval_ns: u64,
}

/// What was played.
pub(super) struct Played {
    /// Posts that were made; their indices are below it.
    pub(super) posts: u64,
}

/// One post, and what follows it.
struct Plan {
    index: u64,
    author: Citizen,
    channel: String,
    sequel: Sequel,
}

/// What happens to a message after it was posted.
enum Sequel {
    Nothing,
    /// Its author edits it, this often.
    Edits(u8),
    Deletion,
    Reaction(Citizen, &'static str),
    /// Somebody reads the channel's newest page; nobody prevents outsiders from trying.
    Reading(Citizen),
}

impl Load {
    pub(super) fn new(options: &Options, stage: &Arc<Stage>, town: &Arc<Town>) -> Self {
        Self {
            stage: Arc::clone(stage),
            town: Arc::clone(town),
            random: fastrand::Rng::with_seed(options.seed),
            interval_ns: interval_ns(options.rate),
        }
    }

    pub(super) async fn play(
        mut self,
        options: &Options,
        server: Option<&mut Server>,
        progress: &Progress,
    ) -> Result<Played> {
        let stage = Arc::clone(&self.stage);
        stage.meter.schedule(now_ns() + LEAD_NS, self.interval_ns);
        let (stop, stopped) = Stop::new();
        let gatekeepers = gatekeeper::appoint(&stage, &self.town, options.seed, &stopped);
        let timing = async {
            let timed = pass_time(options, &stage, server, progress).await;
            stop.now();
            timed
        };
        let (timed, posts) = tokio::join!(timing, self.post_all(stopped.clone()));
        gatekeepers.join_all().await;
        timed?;
        Ok(Played { posts })
    }

    async fn post_all(&mut self, stopped: Stopped) -> u64 {
        let free = Arc::new(Semaphore::new(IN_FLIGHT_MAX));
        let mut under_way = JoinSet::new();
        let mut index = 0;
        while !stopped.is_now() {
            let now = now_ns();
            let due = self.stage.meter.intended(index);
            if now < due {
                tokio::select! {
                    () = sleep(Duration::from_nanos(due - now)) => {}
                    () = stopped.clone().wait() => {}
                }
                continue;
            }
            let permit = Arc::clone(&free).acquire_owned().await;
            let permit = permit.expect("the semaphore is never closed");
            let plan = self.plan(index);
            under_way.spawn(carry_out(Arc::clone(&self.stage), plan, permit));
            index += 1;
            while under_way.try_join_next().is_some() {}
        }
        under_way.join_all().await;
        index
    }

    fn plan(&mut self, index: u64) -> Plan {
        let random = &mut self.random;
        let guild = &self.town.guilds[random.usize(..self.town.guilds.len())];
        let one_of = |random: &mut fastrand::Rng, members: &[usize]| {
            let chosen = random.choice(members).copied();
            self.town.citizens[chosen.unwrap_or(guild.owner())].clone()
        };
        let is_open = guild.insiders.is_empty() || random.u8(..10) < 7;
        let (channel, writers) = if is_open {
            (&guild.open, &guild.members)
        } else {
            (&guild.closed, &guild.insiders)
        };
        let sequel = match random.u8(..100) {
            0..5 => Sequel::Edits(random.u8(1..=2)),
            5..8 => Sequel::Deletion,
            8..13 => {
                let emoji = EMOJI[random.usize(..EMOJI.len())];
                Sequel::Reaction(one_of(random, writers), emoji)
            }
            13..16 => Sequel::Reading(one_of(random, &guild.members)),
            16..18 => {
                let outsiders: Vec<usize> = guild.outsiders().collect();
                Sequel::Reading(one_of(random, &outsiders))
            }
            _ => Sequel::Nothing,
        };
        Plan {
            index,
            author: one_of(random, writers),
            channel: channel.clone(),
            sequel,
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the command line keeps the rate between 0.1 and 100,000"
)]
fn interval_ns(rate: f64) -> u64 {
    (1e9 / rate) as u64
}

/// What goes wrong again and again while the load is made.
enum Fault<'a> {
    /// The server that this run has started is killed, and started again.
    Kill(&'a mut Server),
    /// Somebody's own command, which knows the round by `ROUND`.
    Command(&'a str),
}

impl<'a> Fault<'a> {
    fn of(options: &'a Options, server: Option<&'a mut Server>) -> Option<Self> {
        match &options.fault_cmd {
            Some(command) => Some(Self::Command(command)),
            None => server.map(Self::Kill),
        }
    }

    const fn phase(&self) -> &'static str {
        match self {
            Self::Kill(_) => "posts are made, the server is killed",
            Self::Command(_) => "posts are made, faults strike",
        }
    }

    async fn strike(&mut self, round: u32) -> Result<()> {
        match self {
            Self::Kill(server) => {
                if let Some(status) = server.has_exited() {
                    bail!("the server exited by itself: {status}");
                }
                server.kill_and_restart().await
            }
            Self::Command(command) => {
                let running = tokio::process::Command::new("sh")
                    .args(["-c", command])
                    .env("ROUND", round.to_string())
                    .kill_on_drop(true)
                    .status();
                let status = timeout(FAULT_TIMEOUT, running).await;
                let status = status.context("the fault's command takes too long")??;
                if !status.success() {
                    bail!("the fault's command failed: {status}");
                }
                Ok(())
            }
        }
    }
}

/// Waits until the load is over, and kills the server in between if that was asked for.
async fn pass_time(
    options: &Options,
    stage: &Stage,
    server: Option<&mut Server>,
    progress: &Progress,
) -> Result<()> {
    let fault = Fault::of(options, server);
    let Some((every, mut fault)) = options.kill_every.zip(fault) else {
        progress.phase("posts are made", Some(options.duration.as_secs()));
        let start = Instant::now();
        while start.elapsed() < options.duration {
            sleep(GLANCE.min(options.duration)).await;
            progress.at(start.elapsed().as_secs(), &glance(stage));
        }
        return Ok(());
    };
    let fitting = options.duration.div_duration_f64(every);
    let rounds = options.rounds.map_or(fitting.max(1.0), f64::from);
    progress.phase(fault.phase(), Some(options.rounds.map_or(0, u64::from)));
    let mut round = 0_u32;
    while f64::from(round) < rounds.floor() {
        sleep(every).await;
        fault.strike(round).await?;
        round += 1;
        stage.meter.count(Count::Killed);
        progress.at(u64::from(round), &glance(stage));
    }
    sleep(every).await;
    Ok(())
}

fn glance(stage: &Stage) -> String {
    let meter = &stage.meter;
    format!(
        "{} posted, {} delivered, {} resumed, {} op 9",
        meter.total(Count::Posted),
        meter.total(Count::Delivered),
        meter.total(Count::Resumed),
        meter.total(Count::Invalidated)
    )
}

async fn carry_out(stage: Arc<Stage>, plan: Plan, _permit: OwnedSemaphorePermit) {
    let mark = nonce(plan.index);
    let content = format!("{mark} {FILLER}");
    match post(&stage, &plan.author, &plan.channel, &mark, &content).await {
        Ok(message) => {
            stage.meter.acknowledged(plan.index, now_ns());
            if let Err(error) = follow_up(&stage, &plan, &message, &mark).await {
                stage.meter.complain(format!("a change of {mark}: {error}"));
            }
        }
        Err(error) => stage.meter.complain(format!("the post {mark}: {error}")),
    }
}

/// Posts a message and writes it down.
pub(super) async fn post(
    stage: &Stage,
    author: &Citizen,
    channel: &str,
    nonce: &str,
    content: &str,
) -> Result<Message, crate::client::CallError> {
    let mut deed = Deed::new(
        Action::Post,
        "POST",
        format!("/channels/{channel}/messages"),
    );
    deed.channel = Some(channel.to_owned());
    deed.nonce = Some(nonce.to_owned());
    let post = || author.person.post(channel, content, nonce);
    stage
        .insist(author.caller(), &deed, post, Some(|message| &message.id))
        .await
}

async fn follow_up(
    stage: &Stage,
    plan: &Plan,
    message: &Message,
    mark: &str,
) -> Result<(), crate::client::CallError> {
    let author = &plan.author;
    let deed = |action, method, path| {
        let mut deed = Deed::new(action, method, path);
        deed.channel = Some(plan.channel.clone());
        deed.message = Some(message.id.clone());
        deed
    };
    match &plan.sequel {
        Sequel::Nothing => return Ok(()),
        Sequel::Edits(times) => {
            for version in 1..=*times {
                let tag = format!("{mark}+{version}");
                let content = format!("{tag} {FILLER}");
                let mut deed = deed(Action::Edit, "PUT", format!("/messages/{}", message.id));
                deed.tag = Some(tag);
                let edit = || author.person.edit(&message.id, &content);
                stage.insist(author.caller(), &deed, edit, None).await?;
            }
        }
        Sequel::Deletion => {
            let deed = deed(
                Action::Delete,
                "DELETE",
                format!("/messages/{}", message.id),
            );
            let delete = || author.person.delete(&message.id);
            match stage.insist(author.caller(), &deed, delete, None).await {
                // An earlier try whose answer was lost has done it.
                Err(error) if error.status() == 404 => {}
                other => other?,
            }
        }
        Sequel::Reaction(citizen, emoji) => {
            let path = format!("/messages/{}/reactions", message.id);
            let mut deed = deed(Action::React, "POST", path);
            deed.tag = Some(reaction_tag(citizen.person.id(), emoji));
            let react = || citizen.person.react(&message.id, emoji);
            stage.insist(citizen.caller(), &deed, react, None).await?;
        }
        Sequel::Reading(citizen) => {
            let path = format!("/channels/{}/messages", plan.channel);
            let mut deed = Deed::new(Action::Read, "GET", path);
            deed.channel = Some(plan.channel.clone());
            let query = PageQuery::default();
            let read = citizen.person.messages(&plan.channel, &query);
            // Refused or not: the checker knows which it has to be.
            let _ = stage.once(citizen.caller(), &deed, read, None).await;
            return Ok(());
        }
    }
    stage.meter.count(Count::Changed);
    Ok(())
}
