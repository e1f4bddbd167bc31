//! A small server that keeps every promise, and writes the history that its clients would have
//! written. Tests break a promise by changing what a session was told before it is written down.

use crate::history::{Action, Entry};

mod asking;
mod words;
mod writing;

pub(super) use words::{Step, Tale, Told, numbered};

/// A channel that everybody sees.
pub(super) const OPEN: usize = 0;
/// A channel that only some see.
pub(super) const CLOSED: usize = 1;
/// Users of the world. The first always sees both channels, the last never sees [`CLOSED`].
pub(super) const USERS: usize = 4;
pub(super) const OUTSIDER: usize = USERS - 1;

/// A session of the world.
#[derive(Clone, Debug, Default)]
pub(super) struct Session {
    pub(super) user: usize,
    pub(super) identified: u64,
    pub(super) settled: u64,
    pub(super) told: Vec<(u64, Told)>,
    /// What happened while it had no socket; `None` while it has one.
    missed: Option<Vec<Told>>,
    pub(super) is_over: bool,
}

/// A message as stored.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) channel: usize,
    pub(super) nonce: String,
    pub(super) tag: String,
    pub(super) is_deleted: bool,
    is_busy: bool,
}

#[derive(Clone, Debug)]
struct Pending {
    call: u64,
    asked: u64,
    user: usize,
    change: Change,
    is_answer_lost: bool,
}

#[derive(Clone, Debug)]
enum Change {
    Post { channel: usize, nonce: String },
    Edit { message: usize, tag: String },
    Delete { message: usize },
    React { message: usize, tag: String },
    Sight { user: usize, view: bool },
}

/// The server and its clients.
#[derive(Clone, Debug, Default)]
pub(super) struct World {
    pub(super) now: u64,
    pub(super) rest: Vec<(u64, Entry<'static>)>,
    pub(super) sessions: Vec<Session>,
    pub(super) rows: Vec<Row>,
    pending: Vec<Pending>,
    sees_closed: [bool; USERS],
    calls: u64,
    marks: u64,
    /// Added to every number of a session from this dispatch on: session, dispatch, difference.
    pub(super) skew: Option<(usize, usize, i64)>,
}

pub(super) fn channel_id(channel: usize) -> String {
    format!("channel-{channel}")
}

pub(super) fn user_id(user: usize) -> String {
    format!("user-{user}")
}

pub(super) fn message_id(message: usize) -> String {
    format!("message-{message:05}")
}

impl World {
    /// Everybody is in, with one session each; the first two see [`CLOSED`].
    pub(super) fn begin() -> Self {
        let mut world = Self::default();
        world.tick();
        for user in 0..USERS {
            world.sees_closed[user] = user < 2;
            let access = [(OPEN, true), (CLOSED, user < 2)];
            let call = world.request(Action::Other, 0, None, &access.map(|(c, v)| (user, c, v)));
            world.respond(call, 200, None);
        }
        for user in 0..USERS {
            world.identify(user);
        }
        world
    }

    pub(super) fn run(mut self, steps: &[Step]) -> Self {
        for step in steps {
            self.step(step);
        }
        while !self.pending.is_empty() {
            self.effect(0);
        }
        for index in 0..self.sessions.len() {
            self.come_back(index);
            if !self.sessions[index].is_over {
                self.tell(index, Told::End);
            }
        }
        self
    }

    fn tick(&mut self) -> u64 {
        self.now += 10;
        self.now
    }

    fn identify(&mut self, user: usize) {
        let identified = self.tick();
        self.sessions.push(Session {
            user,
            identified,
            ..Session::default()
        });
        let index = self.sessions.len() - 1;
        let tale = |t, shows| {
            Told::Numbered(Tale {
                t,
                channel: None,
                message: None,
                mark: None,
                shows,
                asked: 0,
            })
        };
        let mut shows = vec![OPEN];
        shows.extend(self.sees_closed[user].then_some(CLOSED));
        self.tell(index, tale("READY", vec![]));
        self.tell(index, tale("GUILD_CREATE", shows));
        self.tell(index, Told::Settle);
        self.sessions[index].settled = self.now;
    }

    fn tell(&mut self, index: usize, told: Told) {
        let at = self.tick();
        let session = &mut self.sessions[index];
        match &mut session.missed {
            // Volatile dispatches are not replayed.
            Some(_) if matches!(told, Told::Typing(_)) => {}
            Some(missed) => missed.push(told),
            None => session.told.push((at, told)),
        }
    }

    fn session_of(&self, user: usize) -> usize {
        let is_his = |session: &Session| session.user == user && !session.is_over;
        self.sessions
            .iter()
            .rposition(is_his)
            .expect("a session that op 9 ended is followed by another")
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Post {
                user,
                channel,
                is_answer_lost,
            } => {
                let nonce = self.mark("n");
                self.ask(user, Change::Post { channel, nonce }, is_answer_lost);
            }
            Step::Edit { pick } => self.change(pick, |world, message| {
                let nonce = world.rows[message].nonce.clone();
                let tag = format!("{nonce}+{}", world.mark("e"));
                (0, Change::Edit { message, tag })
            }),
            Step::Delete { pick } => {
                self.change(pick, |_, message| (0, Change::Delete { message }));
            }
            Step::React { user, pick } => self.change(pick, |world, message| {
                let tag = format!("{} {}", user_id(user), world.mark("r"));
                (user, Change::React { message, tag })
            }),
            Step::Toggle { user } => {
                let is_under_way = |one: &Pending| matches!(one.change, Change::Sight { .. });
                if !self.pending.iter().any(is_under_way) {
                    let user = 1 + user % (USERS - 2);
                    let view = !self.sees_closed[user];
                    self.ask(0, Change::Sight { user, view }, false);
                }
            }
            Step::Effect { pick } => self.effect(pick),
            Step::Cut { user } => {
                let index = self.session_of(user);
                self.sessions[index].missed.get_or_insert_default();
            }
            Step::Return { user } => self.come_back(self.session_of(user)),
            Step::Invalidate { user } => {
                let index = self.session_of(user);
                self.sessions[index].missed = None;
                self.tell(index, Told::Invalid);
                self.sessions[index].is_over = true;
                self.identify(user);
            }
            Step::Type { user, channel } => self.broadcast(&Told::Typing(channel), channel, user),
        }
    }

    fn mark(&mut self, kind: &str) -> String {
        self.marks += 1;
        format!("{kind}{}", self.marks)
    }

    fn change(&mut self, pick: usize, of: impl Fn(&mut Self, usize) -> (usize, Change)) {
        let is_free = |index: &usize| !self.rows[*index].is_deleted && !self.rows[*index].is_busy;
        let free: Vec<usize> = (0..self.rows.len()).filter(is_free).collect();
        if !free.is_empty() {
            let message = free[pick % free.len()];
            self.rows[message].is_busy = true;
            let (user, change) = of(self, message);
            self.ask(user, change, false);
        }
    }

    fn ask(&mut self, user: usize, change: Change, is_answer_lost: bool) {
        let call = self.send(user, &change);
        self.pending.push(Pending {
            call,
            asked: self.now,
            user,
            change,
            is_answer_lost,
        });
    }

    fn effect(&mut self, pick: usize) {
        if self.pending.is_empty() {
            return;
        }
        let index = pick % self.pending.len();
        let mut one = self.pending.remove(index);
        let message = match self.apply(&one) {
            Ok(message) => message,
            Err(status) => return self.respond(one.call, status, None),
        };
        if one.is_answer_lost {
            self.respond(one.call, 0, None);
            one.call = self.send(one.user, &one.change);
        }
        self.respond(one.call, 200, message);
    }

    fn sees(&self, user: usize, channel: usize) -> bool {
        channel == OPEN || self.sees_closed[user]
    }

    fn apply(&mut self, one: &Pending) -> Result<Option<usize>, u16> {
        let message = match &one.change {
            Change::Sight { user, view } => {
                self.sees_closed[*user] = *view;
                let t = if *view {
                    "CHANNEL_CREATE"
                } else {
                    "CHANNEL_DELETE"
                };
                let told = numbered(t, CLOSED, None, None, one.asked);
                self.tell(self.session_of(*user), told);
                return Ok(None);
            }
            Change::Post { channel, nonce } => {
                if !self.sees(one.user, *channel) {
                    return Err(403);
                }
                self.rows.push(Row {
                    channel: *channel,
                    nonce: nonce.clone(),
                    tag: nonce.clone(),
                    is_deleted: false,
                    is_busy: false,
                });
                self.rows.len() - 1
            }
            Change::Edit { message, .. }
            | Change::Delete { message }
            | Change::React { message, .. } => *message,
        };
        let row = &mut self.rows[message];
        row.is_busy = false;
        let (channel, nonce) = (row.channel, row.nonce.clone());
        if !self.sees(one.user, channel) {
            return Err(403);
        }
        let (t, mark) = match &one.change {
            Change::Edit { tag, .. } => {
                self.rows[message].tag.clone_from(tag);
                ("MESSAGE_UPDATE", Some(tag.clone()))
            }
            Change::Delete { .. } => {
                self.rows[message].is_deleted = true;
                ("MESSAGE_DELETE", None)
            }
            Change::React { tag, .. } => ("MESSAGE_REACTION_ADD", Some(tag.clone())),
            Change::Post { .. } | Change::Sight { .. } => ("MESSAGE_CREATE", Some(nonce)),
        };
        let told = numbered(t, channel, Some(message), mark, one.asked);
        self.broadcast(&told, channel, USERS);
        Ok(Some(message))
    }

    fn broadcast(&mut self, told: &Told, channel: usize, except: usize) {
        for user in (0..USERS).filter(|user| *user != except) {
            if self.sees(user, channel) {
                self.tell(self.session_of(user), told.clone());
            }
        }
    }

    fn come_back(&mut self, index: usize) {
        if let Some(missed) = self.sessions[index].missed.take() {
            self.tell(index, Told::Resume);
            for told in missed {
                self.tell(index, told);
            }
            self.tell(index, Told::Resumed);
        }
    }
}
