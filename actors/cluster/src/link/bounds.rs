//! Every number that bounds the link, and what happens when it is reached.

use std::time::Duration;

/// Bytes of a frame, without its length. The connection that announces a larger one is closed.
pub const FRAME_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Bytes of the body of a call, an answer or a one-way message: what remains of a frame. A larger
/// one is refused with [`TooLarge`](super::LinkError::TooLarge); a larger answer is
/// [`Lost`](super::LinkError::Lost) to its caller.
pub const BODY_BYTES_MAX: usize = FRAME_BYTES_MAX - 64;
/// Bytes of a frame with several messages in it; the next message begins another frame.
pub const BATCH_BYTES: usize = 64 * 1024;
/// Bytes that wait to be sent on one lane to one peer; what does not fit is refused with
/// [`Busy`](super::LinkError::Busy). One message alone always fits. As many bytes of answers wait
/// on the other side, which then reads no more calls.
pub const QUEUE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// What a queued message counts beside its body, so that empty ones are bounded too.
pub(super) const MESSAGE_OVERHEAD_BYTES: usize = 64;
/// Calls on one lane to one peer that have no answer yet; one more is refused with
/// [`Busy`](super::LinkError::Busy).
pub const CALLS_IN_FLIGHT_MAX: usize = 4_096;
/// Calls from one lane of one peer that are being answered, also those whose connection has ended
/// meanwhile. More are not read until one is answered, so that TCP holds the caller back.
pub const CALLS_ANSWERED_MAX: usize = 1_024;
/// Bytes of the bodies of those calls, with the same policy.
pub const CALLS_ANSWERED_BYTES_MAX: u32 = 32 * 1024 * 1024;
/// How long a connection may take until both sides know each other, the preface of a stream
/// included; then it is closed.
pub const HELLO_WITHIN: Duration = Duration::from_secs(5);
/// Bytes of one message of the hello. The connection that announces a larger one is closed.
pub const HELLO_BYTES_MAX: usize = 256;
/// Connections that have not finished their hello. More are not accepted and wait in the system's
/// queue.
pub const HELLOS_MAX: usize = 256;
/// Byte streams that others have opened to this node. One more is refused, which its opener sees
/// as [`Busy`](super::LinkError::Busy).
pub const STREAMS_MAX: usize = 4_096;
/// Bytes of the preface of a stream. A larger one is refused with
/// [`TooLarge`](super::LinkError::TooLarge).
pub const PREFACE_BYTES_MAX: usize = 1024 * 1024;
/// How often each side of a lane is heard that has nothing to say.
pub const PING_EVERY: Duration = Duration::from_secs(1);
/// How long a lane may be silent; then it is given up.
pub const SILENCE_MAX: Duration = Duration::from_secs(3);
/// The pause before a peer is called again, at first and at most; it doubles each time.
pub const RETRY_AFTER: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));
/// The pause after the system had no more sockets for us.
pub(super) const ACCEPT_RETRY: Duration = Duration::from_millis(50);
