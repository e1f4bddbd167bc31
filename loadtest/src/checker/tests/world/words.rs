//! What may happen in the world, and what its sessions are told.

/// What is to happen next.
#[derive(Clone, Debug)]
pub(in crate::checker::tests) enum Step {
    Post {
        user: usize,
        channel: usize,
        is_answer_lost: bool,
    },
    Edit {
        pick: usize,
    },
    Delete {
        pick: usize,
    },
    React {
        user: usize,
        pick: usize,
    },
    /// A user between the first and the last gains or loses sight of [`CLOSED`].
    Toggle {
        user: usize,
    },
    /// One of the requests under way takes effect and is answered.
    Effect {
        pick: usize,
    },
    Cut {
        user: usize,
    },
    Return {
        user: usize,
    },
    /// The session is cut, and answered op 9 when it returns.
    Invalidate {
        user: usize,
    },
    Type {
        user: usize,
        channel: usize,
    },
}

/// What a session was told at some moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::checker::tests) enum Told {
    /// A numbered dispatch.
    Numbered(Tale),
    /// A dispatch that repeats the present number.
    Typing(usize),
    /// The socket was lost and the session resumed; what was missed stands between the two.
    Resume,
    Resumed,
    Settle,
    Invalid,
    End,
}

/// A dispatch without its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::checker::tests) struct Tale {
    pub(in crate::checker::tests) t: &'static str,
    pub(in crate::checker::tests) channel: Option<usize>,
    pub(in crate::checker::tests) message: Option<usize>,
    pub(in crate::checker::tests) mark: Option<String>,
    pub(in crate::checker::tests) shows: Vec<usize>,
    /// When the change was asked for.
    pub(in crate::checker::tests) asked: u64,
}

pub(in crate::checker::tests) fn numbered(
    t: &'static str,
    channel: usize,
    message: Option<usize>,
    mark: Option<String>,
    asked: u64,
) -> Told {
    Told::Numbered(Tale {
        t,
        channel: Some(channel),
        message,
        mark,
        shows: vec![],
        asked,
    })
}
