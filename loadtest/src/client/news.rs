//! What a session tells to whoever listens to it.

use serde_json::value::RawValue;

/// What a session is told, and what it does about it, in order.
#[derive(Clone, Copy, Debug)]
pub enum News<'a> {
    /// A socket is open.
    Connect,
    /// IDENTIFY is about to be sent.
    Identify,
    /// RESUME is about to be sent.
    Resume {
        /// Which session.
        session: &'a str,
        /// The last `s` that was seen.
        seq: u64,
    },
    /// READY came; it follows as a dispatch.
    Open {
        /// The session.
        session: &'a str,
        /// Whose it is.
        user: &'a str,
    },
    /// Every guild of READY has come.
    Settle {
        /// The session.
        session: &'a str,
    },
    /// A dispatch came.
    Dispatch {
        /// The session; `None` if there is none, which the server must not let happen.
        session: Option<&'a str>,
        /// Its number; 0 if there was none.
        s: u64,
        /// The event's name.
        event: &'a str,
        /// The `d` as it came.
        body: &'a RawValue,
    },
    /// Op 7 came.
    Reconnect {
        /// The session, if there is one.
        session: Option<&'a str>,
    },
    /// Op 9 came.
    Invalid {
        /// The session, if there is one.
        session: Option<&'a str>,
        /// Its `d`.
        resumable: bool,
    },
    /// The socket is gone.
    Close {
        /// The close code, if one came.
        code: Option<u16>,
    },
}

/// Who hears what a session is told.
pub trait Listener: Send {
    /// The next news.
    fn hear(&mut self, news: News<'_>);
}
