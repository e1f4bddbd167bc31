//! The steps, by name and in order, and what became of each.

mod breaks;
mod commands;
mod talk;
mod watch;

use std::any::Any;
use std::panic::{AssertUnwindSafe, panic_any};

use futures_util::FutureExt;

use super::record::Mark;
use super::stage::Stage;

/// A thing that every library must be able to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Logs in and says that it is ready.
    Start,
    /// Shows roles, members and channels from its cache.
    Guild,
    /// Hears a person's message.
    Receive,
    /// Answers it.
    Reply,
    /// Changes its message, and hears of a person's change.
    Edit,
    /// Reacts, and hears of a person's reaction.
    React,
    /// Deletes its message, and hears of a person's deletion.
    Delete,
    /// Sends a file and fetches it again.
    File,
    /// Answers a slash command with a button, and the button.
    Command,
    /// Makes a webhook, posts with it and changes what it posted.
    Webhook,
    /// Asks the gateway for all members.
    Members,
    /// Sees and shows presences.
    Presence,
    /// Resumes after its socket was cut.
    Cut,
    /// Resumes after the server said so.
    Reconnect,
    /// Resumes after the server was killed.
    Kill,
    /// Waits when it has asked too often.
    TooMany,
    /// Runs as two shards.
    Shards,
}

impl Step {
    /// All, in the order in which they are done.
    pub const ALL: [Self; 17] = [
        Self::Start,
        Self::Guild,
        Self::Receive,
        Self::Reply,
        Self::Edit,
        Self::React,
        Self::Delete,
        Self::File,
        Self::Command,
        Self::Webhook,
        Self::Members,
        Self::Presence,
        Self::Cut,
        Self::Reconnect,
        Self::Kill,
        Self::TooMany,
        Self::Shards,
    ];

    /// What stands on the page.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Guild => "guild with roles and members",
            Self::Receive => "receive a message",
            Self::Reply => "reply",
            Self::Edit => "edit",
            Self::React => "react",
            Self::Delete => "delete",
            Self::File => "file up and down",
            Self::Command => "slash command and button",
            Self::Webhook => "webhook",
            Self::Members => "member chunk",
            Self::Presence => "presence",
            Self::Cut => "resume after a cut socket",
            Self::Reconnect => "resume after op 7",
            Self::Kill => "resume after kill -9",
            Self::TooMany => "429",
            Self::Shards => "two shards",
        }
    }

    /// Does it and says what became of it.
    pub async fn perform(self, stage: &mut Stage) -> Outcome {
        let mark = stage.proxy.record().mark();
        let done = match self {
            Self::Start => talk::start(stage).boxed(),
            Self::Guild => watch::guild(stage).boxed(),
            Self::Receive => talk::receive(stage).boxed(),
            Self::Reply => talk::reply(stage).boxed(),
            Self::Edit => talk::edit(stage).boxed(),
            Self::React => talk::react(stage).boxed(),
            Self::Delete => talk::delete(stage).boxed(),
            Self::File => talk::file(stage).boxed(),
            Self::Command => commands::command(stage).boxed(),
            Self::Webhook => commands::webhook(stage).boxed(),
            Self::Members => watch::members(stage).boxed(),
            Self::Presence => watch::presence(stage).boxed(),
            Self::Cut => breaks::cut(stage).boxed(),
            Self::Reconnect => breaks::reconnect(stage).boxed(),
            Self::Kill => breaks::kill(stage).boxed(),
            Self::TooMany => breaks::too_many(stage).boxed(),
            Self::Shards => watch::shards(stage).boxed(),
        };
        // A step says by a panic what it missed, as a test does.
        match AssertUnwindSafe(done).catch_unwind().await {
            Ok(()) => Outcome::Ok,
            Err(panic) => outcome(&*panic, stage, mark),
        }
    }
}

/// What became of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is as it is at Discord.
    Ok,
    /// Something else happened.
    Failed(String),
    /// The server lacks what it takes.
    NotBuilt(String),
}

/// Thrown by a step that cannot be done yet.
struct Missing(String);

/// Ends a step that the server has no part for yet.
fn not_built(what: &str) -> ! {
    panic_any(Missing(what.to_owned()))
}

fn outcome(panic: &(dyn Any + Send), stage: &Stage, mark: Mark) -> Outcome {
    if let Some(Missing(what)) = panic.downcast_ref::<Missing>() {
        return Outcome::NotBuilt(what.clone());
    }
    // A library that asks in vain says so in a hundred ways; the proxy has seen it.
    let calls = stage.proxy.record().exchanges_since(mark);
    if let Some(call) = calls.iter().find(|call| call.is_unknown_route()) {
        return Outcome::NotBuilt(format!("no `{} {}`", call.method, call.template()));
    }
    if let Some(call) = calls.iter().find(|call| call.is_unknown_media_type()) {
        let (method, path) = (&call.method, call.template());
        return Outcome::NotBuilt(format!("`{method} {path}` takes no files"));
    }
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    Outcome::Failed(text.unwrap_or("a panic without words").to_owned())
}
