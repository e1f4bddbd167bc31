//! Listens to one session: writes down what it is told, and takes the time.

use std::sync::Arc;

use super::calls::Stage;
use super::meter::Count;
use crate::client::body::{self, Gist};
use crate::client::{Listener, News};
use crate::clock::now_ns;
use crate::history::writer::Recorder;
use crate::history::{Dispatch, Entry, Text};

/// Stands for the session of a dispatch that came outside any.
const NO_SESSION: &str = "-";

/// The listener of one session.
pub(super) struct Ear {
    stage: Arc<Stage>,
    recorder: Recorder,
    index: usize,
    client: u32,
    session: Option<String>,
    has_settled: bool,
    is_present: bool,
    /// When the connection was lost.
    lost_at: Option<u64>,
}

/// The nonce of a run's post: its index, so that the time of its arrival can be taken.
pub(super) fn nonce(index: u64) -> String {
    format!("post-{index}")
}

fn index_of(nonce: &str) -> Option<u64> {
    nonce.strip_prefix("post-")?.parse().ok()
}

impl Ear {
    pub(super) fn new(stage: &Arc<Stage>, index: usize) -> Self {
        Self {
            stage: Arc::clone(stage),
            recorder: stage.recorder(index).clone(),
            index,
            client: u32::try_from(index).expect("the command line bounds the sessions"),
            session: None,
            has_settled: false,
            is_present: false,
            lost_at: None,
        }
    }

    /// The client leaves for good. Whoever calls this has given the server the time it needs.
    pub(super) fn leave(self) {
        if let Some(session) = self.session {
            self.recorder.record(Entry::End {
                session: session.into(),
            });
        }
    }

    fn be_present(&mut self, is_present: bool) {
        let was_present = std::mem::replace(&mut self.is_present, is_present);
        match (was_present, is_present) {
            (false, true) => self.stage.meter.arrive(),
            (true, false) => self.stage.meter.depart(),
            _ => {}
        }
    }

    fn dispatch(&mut self, session: &str, s: u64, event: &str, body: &str) {
        // A body that cannot be read is kept without its ids: the checker misses them.
        let gist = body::gist(event, body).unwrap_or_default();
        let Gist {
            channel,
            message,
            nonce,
            tag,
            shows,
        } = gist;
        let index = match event {
            "MESSAGE_CREATE" => tag.as_deref().and_then(index_of),
            _ => None,
        };
        let at = self.recorder.record(Entry::Dispatch(Dispatch {
            session: session.into(),
            s,
            t: event.into(),
            channel: channel.map(Text),
            message: message.map(Text),
            nonce: nonce.map(Text),
            tag: tag.map(Text),
            shows: shows.into_iter().map(Text).collect(),
        }));
        let meter = &self.stage.meter;
        if let Some(index) = index {
            meter.delivered(self.index, index, at);
        }
        if event == "RESUMED" {
            meter.count(Count::Resumed);
            self.be_present(true);
        }
        let meter = &self.stage.meter;
        if matches!(event, "READY" | "RESUMED")
            && let Some(lost_at) = self.lost_at.take()
        {
            meter.recovered(at.saturating_sub(lost_at));
        }
    }
}

impl Listener for Ear {
    fn hear(&mut self, news: News<'_>) {
        let client = self.client;
        let entry = match news {
            News::Connect => Entry::Connect { client },
            News::Identify => Entry::Identify { client },
            News::Resume { session, seq } => Entry::Resume {
                session: session.into(),
                seq,
            },
            News::Open { session, user } => {
                self.session = Some(session.to_owned());
                Entry::Open {
                    client,
                    session: session.into(),
                    user: user.into(),
                }
            }
            News::Settle { session } => {
                self.be_present(true);
                if !self.has_settled {
                    self.has_settled = true;
                    self.stage.meter.settled.add_permits(1);
                }
                Entry::Settle {
                    session: session.into(),
                }
            }
            News::Dispatch {
                session,
                s,
                event,
                body,
            } => {
                return self.dispatch(session.unwrap_or(NO_SESSION), s, event, body.get());
            }
            News::Reconnect { session } => Entry::Reconnect {
                session: session.unwrap_or(NO_SESSION).into(),
            },
            News::Invalid { session, resumable } => {
                if !resumable {
                    self.session = None;
                    self.stage.meter.count(Count::Invalidated);
                }
                Entry::Invalid {
                    session: session.map(Into::into),
                    resumable,
                }
            }
            News::Close { code } => {
                self.be_present(false);
                self.lost_at.get_or_insert_with(now_ns);
                Entry::Close { client, code }
            }
        };
        self.recorder.record(entry);
    }
}
