//! What can go wrong on the link: for who calls, and for a connection.

use std::io;

use guildhall_model::NodeId;
use serde::{Deserialize, Serialize};
use tokio_rustls::rustls::{Error as TlsError, InvalidMessage};

/// Why a call, a message or a stream failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// There is no connection to the node. It was certainly not sent.
    #[error("the node is not reachable")]
    Unreachable,
    /// It was sent, and the connection ended, or the other side failed, before there was an
    /// answer. Whether it was carried out is not known.
    #[error("the answer of the node was lost")]
    Lost,
    /// The time was up. Whether it was carried out is not known.
    #[error("the node did not answer in time")]
    Overdue,
    /// Too much is under way to the node. It was certainly not sent.
    #[error("too much is under way to the node")]
    Busy,
    /// It has more bytes than the link carries at once. It was certainly not sent.
    #[error("it is too large for the link")]
    TooLarge,
}

/// Why the side that was called sends the caller away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub(super) enum Refusal {
    #[error("it speaks another version of the link")]
    Version,
    #[error("it has another secret")]
    Secret,
    #[error("it knows a newer incarnation of this node")]
    Stale,
    #[error("it is another node than the one that was called")]
    OtherNode,
    #[error("it has too many streams open")]
    Busy,
    #[error("it speaks without TLS")]
    Plain,
}

/// Why a connection did not come about.
#[derive(Debug, thiserror::Error)]
pub(super) enum HelloError {
    #[error("{0}")]
    Io(io::Error),
    #[error("the hello took too long")]
    Slow,
    #[error("it speaks without TLS, for which this node has a certificate")]
    Plain,
    #[error("it speaks TLS, for which this node has no certificate")]
    Secured,
    #[error("TLS with it failed: {0}")]
    Tls(TlsError),
    #[error("its address has no host that a certificate could be for")]
    Nameless,
    #[error("it says what is no hello")]
    Garbage,
    #[error("it speaks version {0} of the link")]
    Version(u16),
    #[error("it does not know the secret of the cluster")]
    Secret,
    #[error("incarnation {said} says hello, but {newest} is known")]
    Stale { said: u64, newest: u64 },
    #[error("node {0} answers at its address")]
    OtherNode(NodeId),
    #[error("it was sent away because it {}", sent_away(*.0))]
    SentAway(Refusal),
    #[error("it refuses: {0}")]
    Refused(Refusal),
    #[error("the preface of a stream is too large")]
    Preface,
}

fn sent_away(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Version => "speaks another version of the link",
        Refusal::Secret => "does not know the secret of the cluster",
        Refusal::Stale => "is an older incarnation than one that is known",
        Refusal::OtherNode => "wants another node or claims the number of this one",
        Refusal::Busy => "asks for one stream too many",
        Refusal::Plain => "speaks TLS, for which this node has no certificate",
    }
}

impl From<io::Error> for HelloError {
    fn from(error: io::Error) -> Self {
        let cause = error.get_ref().and_then(|it| it.downcast_ref());
        match cause {
            Some(TlsError::InvalidMessage(InvalidMessage::InvalidContentType)) => Self::Plain,
            Some(cause) => Self::Tls(cause.clone()),
            None => Self::Io(error),
        }
    }
}

impl HelloError {
    /// Whether nobody listens there: the system of the other side says so for a process that is
    /// gone, and not for one that is silent.
    pub(super) fn is_nobody(&self) -> bool {
        use io::ErrorKind::{ConnectionRefused, ConnectionReset};
        matches!(self, Self::Io(error) if matches!(error.kind(), ConnectionRefused | ConnectionReset))
    }

    /// Whether somebody knocked and left without a word, as probes of ports do.
    pub(super) fn is_knock(&self) -> bool {
        use io::ErrorKind::{ConnectionReset, UnexpectedEof};
        matches!(self, Self::Io(error) if matches!(error.kind(), UnexpectedEof | ConnectionReset))
    }
}

/// Why a connection that was in use ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum Ended {
    #[error("the other side closed it")]
    Closed,
    #[error("the other side was silent for too long")]
    Silent,
    #[error("{0}")]
    Io(io::Error),
    #[error("a frame makes no sense: {0}")]
    Garbled(#[from] rmp_serde::decode::Error),
    #[error("frame {said} came where {expected} was due")]
    OutOfOrder { said: u64, expected: u64 },
    #[error("a message came that only the other side may send")]
    Unexpected,
    #[error("a newer incarnation of the node is known")]
    Outdated,
    #[error("the node has connected anew")]
    Replaced,
}

impl From<io::Error> for Ended {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // By the reader's clock; TCP's own comes later by minutes.
            io::ErrorKind::TimedOut => Self::Silent,
            // TLS would like to be told of the end beforehand, which frames do not need.
            io::ErrorKind::UnexpectedEof => Self::Closed,
            _ => Self::Io(error),
        }
    }
}

impl Ended {
    /// Whether the other side broke the protocol, which no network does.
    pub(super) fn is_violation(&self) -> bool {
        match self {
            Self::Garbled(_) | Self::OutOfOrder { .. } | Self::Unexpected => true,
            Self::Io(error) => error.kind() == io::ErrorKind::InvalidData,
            Self::Closed | Self::Silent | Self::Outdated | Self::Replaced => false,
        }
    }
}
