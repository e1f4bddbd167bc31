//! Takes a history line by line and sorts it into facts.

use std::collections::HashMap;

use super::DISPATCHES_MAX;
use super::facts::{
    Change, Facts, Fate, Kind, Made, Operation, Readout, Resume, Seen, StoredMessage, Stream,
    Success,
};
use super::names::Name;
use crate::history::reader::Place;
use crate::history::{self, Action, Dispatch, Entry, Line, Page, Request, Response};

/// The facts so far, and what is needed to sort the next line.
#[derive(Debug, Default)]
pub(super) struct Intake {
    facts: Facts,
    stream_of: HashMap<Name, usize>,
    /// When each client last sent IDENTIFY.
    identified: HashMap<u32, u64>,
    /// Requests without answer, by call.
    pending: HashMap<u64, Pending>,
    dispatches: u64,
}

#[derive(Debug)]
struct Pending {
    action: Action,
    user: Name,
    channel: Option<Name>,
    nonce: Option<Name>,
    operation: Option<usize>,
    access: Vec<(Name, Name, bool)>,
    sent: u64,
    place: Place,
}

impl Intake {
    /// Takes the next line.
    ///
    /// # Errors
    /// The line contradicts an earlier one, so that the history cannot be judged.
    pub(super) fn take(&mut self, place: Place, line: &Line<'_>) -> Result<(), String> {
        match &line.what {
            Entry::Begin { .. }
            | Entry::Connect { .. }
            | Entry::Reconnect { .. }
            | Entry::Close { .. } => Ok(()),
            Entry::Request(request) => self.request(place, line.at, request),
            Entry::Response(response) => self.response(place, line.at, response),
            Entry::Identify { client } => {
                self.identified.insert(*client, line.at);
                Ok(())
            }
            Entry::Open {
                client,
                session,
                user,
            } => self.open(place, line.at, *client, session.as_str(), user.as_str()),
            Entry::Settle { session } => {
                self.stream(session.as_str())?.settled = Some(line.at);
                Ok(())
            }
            Entry::Resume { session, seq } => {
                let stream = self.stream(session.as_str())?;
                let after = stream.seen.len();
                stream.resumes.push(Resume {
                    after,
                    seq: *seq,
                    place,
                });
                Ok(())
            }
            Entry::Dispatch(dispatch) => self.dispatch(place, line.at, dispatch),
            Entry::Invalid { session, resumable } => {
                self.invalid(session.as_ref().map(history::Text::as_str), *resumable)
            }
            Entry::End { session } => {
                self.stream(session.as_str())?.fate = Fate::Ended(line.at);
                Ok(())
            }
            Entry::Page(page) => {
                self.page(place, page);
                Ok(())
            }
            Entry::PagesEnd { channel } => {
                let channel = self.facts.names.of(channel.as_str());
                self.facts.readouts.entry(channel).or_default().is_complete = true;
                Ok(())
            }
        }
    }

    /// All facts, with what was never answered taken as of unknown outcome.
    pub(super) fn finish(mut self) -> Facts {
        for pending in self.pending.into_values() {
            for (user, channel, view) in pending.access {
                let sights = &mut self.facts.sights;
                sights.change((user, channel), pending.sent, None, view);
            }
        }
        self.facts.sights.settle();
        self.facts
    }

    fn stream(&mut self, session: &str) -> Result<&mut Stream, String> {
        self.facts
            .names
            .known(session)
            .and_then(|name| self.stream_of.get(&name))
            .map(|index| &mut self.facts.streams[*index])
            .ok_or_else(|| format!("session {session} was never opened"))
    }

    fn open(
        &mut self,
        place: Place,
        at: u64,
        client: u32,
        session: &str,
        user: &str,
    ) -> Result<(), String> {
        let session_name = self.facts.names.of(session);
        let user = self.facts.names.of(user);
        let index = self.facts.streams.len();
        if self.stream_of.insert(session_name, index).is_some() {
            return Err(format!("session {session} was opened twice"));
        }
        self.facts.streams.push(Stream {
            session: session_name,
            user,
            identified: self.identified.get(&client).copied().unwrap_or(at),
            settled: None,
            opened_at: place,
            seen: Vec::new(),
            resumes: Vec::new(),
            fate: Fate::Unknown,
        });
        Ok(())
    }

    fn invalid(&mut self, session: Option<&str>, resumable: bool) -> Result<(), String> {
        if let Some(session) = session
            && !resumable
        {
            self.stream(session)?.fate = Fate::Invalid;
            self.facts.invalid_sessions += 1;
        }
        Ok(())
    }

    fn request(&mut self, place: Place, at: u64, request: &Request<'_>) -> Result<(), String> {
        let names = &mut self.facts.names;
        let channel = names.of_some(request.channel.as_ref());
        let message = names.of_some(request.message.as_ref());
        let nonce = names.of_some(request.nonce.as_ref());
        let tag = names.of_some(request.tag.as_ref());
        let change = match (request.action, nonce, message, tag) {
            (Action::Post, Some(nonce), _, _) => Some(Change::Create(nonce)),
            (Action::Edit, _, Some(message), Some(tag)) => Some(Change::Edit(message, tag)),
            (Action::Delete, _, Some(message), _) => Some(Change::Delete(message)),
            (Action::React, _, Some(message), Some(tag)) => Some(Change::React(message, tag)),
            _ => None,
        };
        let pending = Pending {
            action: request.action,
            user: names.of(request.user.as_str()),
            channel,
            nonce,
            operation: None,
            access: request
                .access
                .iter()
                .map(|access| {
                    let user = names.of(access.user.as_str());
                    let channel = names.of(access.channel.as_str());
                    (user, channel, access.view)
                })
                .collect(),
            sent: at,
            place,
        };
        let operation = change.zip(channel).map(|(change, channel)| Operation {
            change,
            channel,
            message,
            sent: at,
            acked: None,
            place,
        });
        let operation = operation.map(|operation| self.operation(operation));
        let pending = Pending {
            operation,
            ..pending
        };
        match self.pending.insert(request.call, pending) {
            Some(_) => Err(format!("call {} was sent twice", request.call)),
            None => Ok(()),
        }
    }

    /// The operation's index, merged with an earlier try of it. Tries of one operation may stand in
    /// several files, so the earliest is found by time.
    fn operation(&mut self, new: Operation) -> usize {
        let operations = &mut self.facts.operations;
        let index = *self
            .facts
            .operation_of
            .entry(new.change)
            .or_insert(operations.len());
        match operations.get_mut(index) {
            Some(known) => known.sent = known.sent.min(new.sent),
            None => operations.push(new),
        }
        index
    }

    fn response(&mut self, place: Place, at: u64, response: &Response<'_>) -> Result<(), String> {
        let Some(pending) = self.pending.remove(&response.call) else {
            return Err(format!("call {} was never sent", response.call));
        };
        let is_success = (200..300).contains(&response.status);
        let is_unknown = response.status == 0 || 500 <= response.status;
        if is_success || is_unknown {
            let acked = is_success.then_some(at);
            for (user, channel, view) in pending.access {
                let sights = &mut self.facts.sights;
                sights.change((user, channel), pending.sent, acked, view);
            }
        }
        if !is_success {
            return Ok(());
        }
        let message = self.facts.names.of_some(response.message.as_ref());
        if let (Action::Post, Some(nonce), Some(message)) = (pending.action, pending.nonce, message)
        {
            self.facts.made.push(Made {
                nonce,
                message,
                place,
            });
        }
        if let Some(index) = pending.operation {
            let operation = &mut self.facts.operations[index];
            operation.message = operation.message.or(message);
            if operation.acked.is_none_or(|acked| at < acked) {
                operation.acked = Some(at);
                operation.place = place;
            }
        }
        if let Some(channel) = pending.channel {
            self.facts.successes.push(Success {
                action: pending.action,
                user: pending.user,
                channel,
                sent: pending.sent,
                acked: at,
                sent_at: pending.place,
                acked_at: place,
            });
        }
        Ok(())
    }

    fn dispatch(&mut self, place: Place, at: u64, dispatch: &Dispatch<'_>) -> Result<(), String> {
        self.dispatches += 1 + dispatch.shows.len() as u64;
        if DISPATCHES_MAX < self.dispatches {
            return Err(format!(
                "a history may hold {DISPATCHES_MAX} dispatches, not more"
            ));
        }
        let kind = kind_of(dispatch.t.as_str());
        let names = &mut self.facts.names;
        let mark = match (kind, &dispatch.nonce, &dispatch.tag) {
            (Kind::Create, Some(nonce), _) => Some(names.of(nonce.as_str())),
            (Kind::Create, None, Some(tag)) => Some(names.of(history::nonce_of(tag.as_str()))),
            (_, _, Some(tag)) => Some(names.of(tag.as_str())),
            _ => None,
        };
        let seen = Seen {
            at,
            s: dispatch.s,
            kind,
            channel: names.of_some(dispatch.channel.as_ref()),
            message: names.of_some(dispatch.message.as_ref()),
            mark,
            place,
        };
        let shown: Vec<Seen> = dispatch
            .shows
            .iter()
            .map(|channel| Seen {
                kind: Kind::Shown,
                channel: Some(names.of(channel.as_str())),
                message: None,
                mark: None,
                ..seen
            })
            .collect();
        match self.stream(dispatch.session.as_str()) {
            Ok(stream) => {
                stream.seen.push(seen);
                stream.seen.extend(shown);
            }
            Err(_) => self.facts.strays.push(seen),
        }
        Ok(())
    }

    fn page(&mut self, place: Place, page: &Page<'_>) {
        let names = &mut self.facts.names;
        let channel = names.of(page.channel.as_str());
        let readout: &mut Readout = self.facts.readouts.entry(channel).or_default();
        for message in &page.messages {
            readout.messages.push(StoredMessage {
                id: names.of(message.id.as_str()),
                tag: names.of_some(message.tag.as_ref()),
                place,
            });
        }
    }
}

fn kind_of(event: &str) -> Kind {
    match event {
        "READY" => Kind::Ready,
        "RESUMED" => Kind::Resumed,
        "PRESENCE_UPDATE" | "TYPING_START" => Kind::Volatile,
        "CHANNEL_CREATE" => Kind::ChannelCreate,
        "CHANNEL_DELETE" => Kind::ChannelDelete,
        "MESSAGE_CREATE" => Kind::Create,
        "MESSAGE_UPDATE" => Kind::Edit,
        "MESSAGE_DELETE" => Kind::Delete,
        "MESSAGE_REACTION_ADD" => Kind::React,
        "MESSAGE_REACTION_REMOVE" => Kind::Unreact,
        _ => Kind::Other,
    }
}
