//! The end of a run: everybody catches up, and what is stored is read back.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::Options;
use super::calls::{Citizen, Deed, Stage};
use super::ear::nonce;
use super::load::{Played, post};
use super::town::Town;
use crate::client::objects::PageQuery;
use crate::history::{Action, Entry, Page, Stored, tag_of};
use crate::progress::Progress;

/// How long the sessions may take to come back, and again to catch up.
const CATCH_UP_TIMEOUT: Duration = Duration::from_mins(1);
/// How often it is looked whether all sessions are back.
const GLANCE: Duration = Duration::from_millis(20);
/// Messages of a page.
const PAGE_MESSAGES: u16 = 100;

/// Ends something when told to, or when dropped.
pub(super) struct Stop(watch::Sender<bool>);

/// Waits for a [`Stop`].
#[derive(Clone)]
pub(super) struct Stopped(watch::Receiver<bool>);

impl Stop {
    pub(super) fn new() -> (Self, Stopped) {
        let (sender, receiver) = watch::channel(false);
        (Self(sender), Stopped(receiver))
    }

    pub(super) fn now(&self) {
        self.0.send_replace(true);
    }
}

impl Stopped {
    pub(super) fn is_now(&self) -> bool {
        *self.0.borrow()
    }

    pub(super) async fn wait(mut self) {
        // An error means that the other side is gone, which is an end as well.
        let _ = self.0.wait_for(|is_now| *is_now).await;
    }
}

/// Posts a last message in each channel, and waits until everybody who may see it has it. Channels
/// have one order, so whoever has the last message has been sent all others, or never will be.
pub(super) async fn drain(
    stage: &Stage,
    town: &Town,
    options: &Options,
    played: &Played,
    progress: &Progress,
) -> Result<bool> {
    progress.phase("sessions catch up", None);
    let deadline = Instant::now() + CATCH_UP_TIMEOUT;
    while stage.meter.present() < options.sessions as u64 && Instant::now() < deadline {
        sleep(GLANCE).await;
    }
    stage.meter.last_from(played.posts);
    let sessions_of = |user: usize| {
        let extra = usize::from(user < options.sessions % options.users);
        options.sessions / options.users + extra
    };
    let mut awaited = 0;
    let mut index = played.posts;
    for guild in &town.guilds {
        let viewers = guild.viewers().await;
        for (channel, readers) in [(&guild.open, &guild.members), (&guild.closed, &viewers)] {
            let owner = &town.citizens[guild.owner()];
            let mark = nonce(index);
            index += 1;
            let last = post(stage, owner, channel, &mark, &format!("{mark} the end")).await;
            last.context("posting the last message of a channel")?;
            awaited += readers.iter().map(|user| sessions_of(*user)).sum::<usize>();
        }
    }
    let awaited = u32::try_from(awaited).context("too many deliveries to wait for")?;
    let caught_up = timeout(
        CATCH_UP_TIMEOUT,
        stage.meter.caught_up.acquire_many(awaited),
    )
    .await;
    Ok(caught_up.is_ok())
}

/// Reads every channel to its beginning and writes it down.
pub(super) async fn read_back(stage: &Stage, town: &Town, progress: &Progress) -> Result<()> {
    progress.phase("messages are read back", Some(town.guilds.len() as u64));
    for guild in &town.guilds {
        let owner = &town.citizens[guild.owner()];
        for channel in [&guild.open, &guild.closed] {
            read_channel(stage, owner, channel)
                .await
                .with_context(|| format!("reading channel {channel} back"))?;
        }
        progress.step();
    }
    Ok(())
}

async fn read_channel(stage: &Stage, owner: &Citizen, channel: &str) -> Result<()> {
    let mut before: Option<String> = None;
    loop {
        let path = format!("/channels/{channel}/messages");
        let mut deed = Deed::new(Action::Read, "GET", path);
        deed.channel = Some(channel.to_owned());
        let query = PageQuery {
            before: before.as_deref(),
            limit: Some(PAGE_MESSAGES),
            ..PageQuery::default()
        };
        let read = || owner.person.messages(channel, &query);
        let page = stage.insist(owner.caller(), &deed, read, None).await?;
        let recorder = stage.recorder(owner.index);
        let Some(last) = page.last() else {
            recorder.record(Entry::PagesEnd {
                channel: channel.into(),
            });
            return Ok(());
        };
        if before.as_ref() == Some(&last.id) {
            bail!("the page before message {} ends with it", last.id);
        }
        recorder.record(Entry::Page(Page {
            channel: channel.into(),
            messages: page
                .iter()
                .map(|message| Stored {
                    id: message.id.as_str().into(),
                    tag: tag_of(&message.content).map(Into::into),
                })
                .collect(),
        }));
        before = Some(last.id.clone());
    }
}
