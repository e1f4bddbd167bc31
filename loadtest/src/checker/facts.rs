//! A history, sorted into streams, operations, sights and stored pages.

use std::collections::HashMap;

use super::access::Sights;
use super::names::{Name, Names};
use crate::history::Action;
use crate::history::reader::Place;

/// All that the rules look at.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub(super) names: Names,
    pub(super) streams: Vec<Stream>,
    pub(super) operations: Vec<Operation>,
    pub(super) operation_of: HashMap<Change, usize>,
    pub(super) sights: Sights,
    pub(super) readouts: HashMap<Name, Readout>,
    /// Calls that succeeded on a channel, of every kind.
    pub(super) successes: Vec<Success>,
    pub(super) invalid_sessions: u64,
    /// Dispatches outside any session.
    pub(super) strays: Vec<Seen>,
    /// Every message that an answer named for a nonce.
    pub(super) made: Vec<Made>,
}

/// What makes two requests, or a request and a dispatch, the same change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Change {
    /// By nonce.
    Create(Name),
    /// By message and tag.
    Edit(Name, Name),
    /// By message.
    Delete(Name),
    /// By message and tag.
    React(Name, Name),
}

/// One change with all its retries.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operation {
    pub(super) change: Change,
    pub(super) channel: Name,
    /// The message, if it ever became known.
    pub(super) message: Option<Name>,
    /// When the first request was sent.
    pub(super) sent: u64,
    /// When the first answer with success came.
    pub(super) acked: Option<u64>,
    /// The answer with success, or else the first request.
    pub(super) place: Place,
}

impl Operation {
    /// The latest moment at which it may have taken effect.
    pub(super) fn until(&self) -> u64 {
        self.acked.unwrap_or(u64::MAX)
    }
}

/// A call that succeeded on a channel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Success {
    pub(super) action: Action,
    pub(super) user: Name,
    pub(super) channel: Name,
    pub(super) sent: u64,
    pub(super) acked: u64,
    pub(super) sent_at: Place,
    pub(super) acked_at: Place,
}

/// An answer that named the message of a nonce.
#[derive(Clone, Copy, Debug)]
pub(super) struct Made {
    pub(super) nonce: Name,
    pub(super) message: Name,
    pub(super) place: Place,
}

/// What one session was told.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) session: Name,
    pub(super) user: Name,
    /// When IDENTIFY was sent.
    pub(super) identified: u64,
    /// When every guild of READY had come.
    pub(super) settled: Option<u64>,
    pub(super) opened_at: Place,
    pub(super) seen: Vec<Seen>,
    /// Each RESUME: how much had been seen, and the `seq` that it claimed.
    pub(super) resumes: Vec<Resume>,
    pub(super) fate: Fate,
}

/// A RESUME within a stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resume {
    pub(super) after: usize,
    pub(super) seq: u64,
    pub(super) place: Place,
}

/// How a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It did not: the history breaks off, or the client gave the session up.
    Unknown,
    /// By op 9.
    Invalid,
    /// The client left when it should have been told everything until then.
    Ended(u64),
}

/// One dispatch of a stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) at: u64,
    pub(super) s: u64,
    pub(super) kind: Kind,
    pub(super) channel: Option<Name>,
    pub(super) message: Option<Name>,
    /// The nonce of a create, the tag of anything else.
    pub(super) mark: Option<Name>,
    pub(super) place: Place,
}

impl Seen {
    /// The change that it tells of, if its request can be found.
    pub(super) fn change(&self) -> Option<Change> {
        match (self.kind, self.message, self.mark) {
            (Kind::Create, _, Some(nonce)) => Some(Change::Create(nonce)),
            (Kind::Edit, Some(message), Some(tag)) => Some(Change::Edit(message, tag)),
            (Kind::Delete, Some(message), _) => Some(Change::Delete(message)),
            (Kind::React, Some(message), Some(tag)) => Some(Change::React(message, tag)),
            _ => None,
        }
    }
}

/// What a dispatch is, as far as the rules distinguish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    Ready,
    Resumed,
    /// Typing and presence: they repeat the present `s` and stand in no log.
    Volatile,
    /// A channel that GUILD_CREATE shows; it takes no number of its own.
    Shown,
    ChannelCreate,
    ChannelDelete,
    Create,
    Edit,
    Delete,
    React,
    Unreact,
    Other,
}

impl Kind {
    /// It tells of a message.
    pub(super) const fn is_of_message(self) -> bool {
        matches!(
            self,
            Self::Create | Self::Edit | Self::Delete | Self::React | Self::Unreact
        )
    }
}

/// A channel's stored messages.
#[derive(Debug, Default)]
pub(super) struct Readout {
    /// Newest first, as read.
    pub(super) messages: Vec<StoredMessage>,
    /// The last page has been read.
    pub(super) is_complete: bool,
}

/// A stored message.
#[derive(Clone, Copy, Debug)]
pub(super) struct StoredMessage {
    pub(super) id: Name,
    pub(super) tag: Option<Name>,
    pub(super) place: Place,
}

impl Facts {
    /// The operation that a dispatch tells of.
    pub(super) fn operation(&self, seen: &Seen) -> Option<&Operation> {
        let index = self.operation_of.get(&seen.change()?)?;
        Some(&self.operations[*index])
    }

    /// A name for people: the message's id and, if there is one, its mark.
    pub(super) fn describe(&self, message: Option<Name>, mark: Option<Name>) -> String {
        let message = self.names.text_or_dash(message);
        match mark {
            Some(mark) => format!("message {message} ({})", self.names.text(mark)),
            None => format!("message {message}"),
        }
    }
}

impl Stream {
    /// The dispatch nearest to a moment: where something missing should have been.
    pub(super) fn nearest(&self, at: u64) -> Place {
        let after = self.seen.partition_point(|seen| seen.at < at);
        self.seen
            .get(after)
            .or_else(|| self.seen.last())
            .map_or(self.opened_at, |seen| seen.place)
    }
}
