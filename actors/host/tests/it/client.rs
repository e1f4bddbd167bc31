//! A gateway client that holds every dispatch against its numbers.

use std::time::{Duration, Instant};

use guildhall_host::node::{OpenRequest, ResumeError};
use guildhall_host::session::{Drained, Ended, SessionHandle};
use guildhall_model::account::Account;
use guildhall_model::dispatch::{Dispatch, Viewer};
use guildhall_model::event::{Event, Record};
use guildhall_model::user::{Appearance, Status};
use guildhall_model::{MessageId, UserId};
use tokio::runtime::Handle;

use crate::house::Serving;

/// Far beyond what anything takes here: only a hanging test meets it.
const HANGS: Duration = Duration::from_secs(30);

pub(crate) struct Client {
    account: Account,
    credential: [u8; 32],
    session_id: String,
    handle: Option<SessionHandle>,
    /// Where the handle lives; it must be dropped there.
    runtime: Handle,
    /// The number of the last dispatch.
    pub(crate) s: u32,
    /// What was told, without what is volatile.
    pub(crate) told: Vec<Dispatch>,
    /// How others appeared, in order.
    pub(crate) shown: Vec<(UserId, Appearance)>,
}

impl Client {
    /// Opens a session and takes its start.
    pub(crate) fn open(at: &Serving, account: &Account, credential: u8) -> Self {
        let request = identify(account, credential);
        let handle = at.run(at.node.open_session(request)).unwrap();
        Self::started(at, account, credential, handle)
    }

    /// Takes the start of a session that was opened.
    pub(crate) fn started(
        at: &Serving,
        account: &Account,
        credential: u8,
        handle: SessionHandle,
    ) -> Self {
        let mut client = Self {
            account: account.clone(),
            credential: [credential; 32],
            session_id: handle.session_id().to_owned(),
            handle: Some(handle),
            runtime: at.runtime(),
            s: 0,
            told: Vec::new(),
            shown: Vec::new(),
        };
        client.until(at, |told| {
            let available = |dispatch: &Dispatch| matches!(dispatch, Dispatch::GuildAvailable(_));
            told.iter().any(available)
        });
        client
    }

    /// Comes back with the last number it has seen.
    pub(crate) fn resume(&mut self, at: &Serving) -> Result<(), ResumeError> {
        self.leave();
        self.runtime = at.runtime();
        let resumed = at
            .node
            .resume_session(&self.session_id, self.credential, u64::from(self.s));
        self.handle = Some(at.run(resumed)?);
        Ok(())
    }

    /// What [`Self::resume`] waits for, with nobody to hear the outcome.
    pub(crate) fn resuming(
        &self,
        at: &Serving,
    ) -> impl Future<Output = Result<SessionHandle, ResumeError>> + Send + 'static {
        let (node, id) = (at.node.clone(), self.session_id.clone());
        let (credential, seq) = (self.credential, u64::from(self.s));
        async move { node.resume_session(&id, credential, seq).await }
    }

    /// Comes back as clients do: it is asked to try again later, never to begin anew.
    pub(crate) fn insist(&mut self, at: &Serving) {
        let began = Instant::now();
        while began.elapsed() < HANGS {
            match self.resume(at) {
                Ok(()) => return,
                Err(ResumeError::Failure(_) | ResumeError::Elsewhere(_)) => at.turn(1),
                Err(ResumeError::Refusal(refusal)) => panic!("{refusal}"),
            }
        }
        panic!("the session is taken back in time");
    }

    /// Comes back to whichever of these nodes holds the session; says which.
    pub(crate) fn insist_among(&mut self, nodes: &[&Serving]) -> usize {
        let began = Instant::now();
        while began.elapsed() < HANGS {
            for (n, at) in nodes.iter().enumerate() {
                match self.resume(at) {
                    Ok(()) => return n,
                    Err(ResumeError::Failure(_) | ResumeError::Elsewhere(_)) => at.turn(1),
                    Err(ResumeError::Refusal(refusal)) => panic!("{refusal}"),
                }
            }
        }
        panic!("the session is taken back in time");
    }

    /// Loses its socket.
    pub(crate) fn leave(&mut self) {
        let _runtime = self.runtime.enter();
        self.handle = None;
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.handle.is_some()
    }

    /// Takes what waits, about `budget` bytes of it, and checks its numbers.
    pub(crate) fn take(&mut self, budget: usize) -> Drained {
        let handle = self.handle.as_mut().expect("the client is connected");
        let mut out = Vec::new();
        let drained = handle.drain(budget, &mut out);
        for outgoing in out {
            if let Dispatch::Presence {
                user_id,
                appearance,
                ..
            } = outgoing.payload.dispatch()
            {
                assert_eq!(outgoing.s, self.s, "volatile dispatches have no number");
                self.shown.push((*user_id, *appearance));
                continue;
            }
            let user = self.account.user.id;
            assert_eq!(outgoing.s, self.s + 1, "user {user}: no gap and no repeat");
            self.s = outgoing.s;
            self.told.push(outgoing.payload.dispatch().clone());
        }
        drained
    }

    /// Takes whatever comes until it is enough.
    pub(crate) fn until(&mut self, at: &Serving, is_enough: impl Fn(&[Dispatch]) -> bool) {
        at.run(async {
            let taken = async {
                loop {
                    match self.take(usize::MAX) {
                        Drained::Ended(ended) => panic!("the socket is closed: {ended:?}"),
                        _ if is_enough(&self.told) => return,
                        Drained::More => {}
                        Drained::Empty => self.handle.as_ref().unwrap().wait().await,
                    }
                }
            };
            tokio::time::timeout(HANGS, taken)
                .await
                .expect("it is told in time");
        });
    }

    /// Takes whatever comes until somebody was shown like this.
    pub(crate) fn until_shown(&mut self, at: &Serving, user: UserId, appearance: Appearance) {
        at.run(async {
            let shown = async {
                loop {
                    let drained = self.take(usize::MAX);
                    if self.shown.contains(&(user, appearance)) {
                        return;
                    }
                    match drained {
                        Drained::Ended(ended) => panic!("the socket is closed: {ended:?}"),
                        Drained::More => {}
                        Drained::Empty => self.handle.as_ref().unwrap().wait().await,
                    }
                }
            };
            tokio::time::timeout(HANGS, shown)
                .await
                .expect("it is shown in time");
        });
    }

    /// How somebody else was shown, in order.
    pub(crate) fn shown_of(&self, user: UserId) -> Vec<Appearance> {
        let of_user = self.shown.iter().filter(|(other, _)| *other == user);
        of_user.map(|(_, appearance)| *appearance).collect()
    }

    /// Takes whatever comes until the socket is closed.
    pub(crate) fn until_ended(&mut self, at: &Serving) -> Ended {
        at.run(async {
            let ended = async {
                loop {
                    match self.take(usize::MAX) {
                        Drained::Ended(ended) => return ended,
                        Drained::More => {}
                        Drained::Empty => self.handle.as_ref().unwrap().wait().await,
                    }
                }
            };
            tokio::time::timeout(HANGS, ended)
                .await
                .expect("the socket is closed in time")
        })
    }

    /// Takes whatever comes until this message has come.
    pub(crate) fn until_told(&mut self, at: &Serving, message: MessageId) {
        self.until(at, |told| messages_of(told).any(|(id, _)| id == message));
    }

    /// The events that it was told.
    pub(crate) fn records(&self) -> Vec<&Record> {
        let events = self.told.iter().filter_map(|dispatch| match dispatch {
            Dispatch::Event(record) => Some(&**record),
            _ => None,
        });
        events.collect()
    }

    /// What the messages say that it was told.
    pub(crate) fn texts(&self) -> Vec<String> {
        messages_of(&self.told).map(|(_, text)| text).collect()
    }

    /// The messages that it was told, with what they say.
    pub(crate) fn messages(&self) -> Vec<(MessageId, String)> {
        messages_of(&self.told).collect()
    }
}

/// What a client says that begins anew.
pub(crate) fn identify(account: &Account, credential: u8) -> OpenRequest {
    OpenRequest {
        account: account.clone(),
        credential: [credential; 32],
        login: None,
        application: None,
        version: 10,
        viewer: Viewer::person(account.user.id),
        shard: None,
        status: Status::Online,
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.leave();
    }
}

fn messages_of(told: &[Dispatch]) -> impl Iterator<Item = (MessageId, String)> + '_ {
    told.iter().filter_map(|dispatch| match dispatch {
        Dispatch::Event(record) => match &record.event {
            Event::MessageCreated(message) => Some((message.id, message.content.clone())),
            _ => None,
        },
        _ => None,
    })
}
