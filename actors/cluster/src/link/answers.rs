//! What the owner of a link does with what other nodes send.

use async_trait::async_trait;
use bytes::Bytes;
use guildhall_model::NodeId;
use tokio::io::{AsyncRead, AsyncWrite};

/// Bytes both ways, whatever carries them.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Duplex for T {}

/// A connection of its own between two nodes, for bytes that the link does not look at. Whoever
/// does not read holds the writer back. The link watches neither its silence nor its end.
pub type ByteStream = Box<dyn Duplex>;

/// Receives what other nodes send. All of it comes from nodes that know the cluster's secret.
#[async_trait]
pub trait Answers: Send + Sync + 'static {
    /// Answers a call. Calls are answered concurrently, each in a task of its own that goes on
    /// when the caller gives up or its connection ends. Calls that never end use up what one peer
    /// may have ([`CALLS_ANSWERED_MAX`](super::bounds::CALLS_ANSWERED_MAX)), so each needs a
    /// deadline. A panic is [`Lost`](super::LinkError::Lost) to the caller.
    async fn answer(&self, from: NodeId, call: Bytes) -> Bytes;

    /// Hears a one-way message, those of one lane in the order in which they were told. Must not
    /// block: the lane is not read meanwhile.
    fn heard(&self, from: NodeId, told: Bytes);

    /// Attends to a byte stream that another node has opened. The stream ends when this returns,
    /// when the last [`Links`](super::Links) is dropped, or when a newer incarnation of the other
    /// node is known.
    async fn stream(&self, from: NodeId, preface: Bytes, stream: ByteStream);
}
