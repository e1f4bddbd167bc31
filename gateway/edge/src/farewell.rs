//! How a connection ends, so that its client still reads why.

use std::future::poll_fn;
use std::time::Duration;

use guildhall_wire::ws::reader::Message;
use guildhall_wire::ws::{self, FrameKind};
use tokio::time::timeout;

use crate::inlet::{Heard, Inlet};
use crate::socket::Socket;

/// How long a last frame may take to be written, and to be read.
pub(crate) const GRACE: Duration = Duration::from_secs(2);

/// The last frame. A client that does not read is not waited for.
pub(crate) async fn say_close(socket: &mut Socket, payload: &[u8]) {
    let closing = async {
        let frame = ws::frame(FrameKind::Close, payload);
        socket.write(&frame).await?;
        socket.shut_down().await
    };
    let _ = timeout(GRACE, closing).await;
}

/// Reads on for a moment, so that the system does not discard the close frame together with what
/// the client had sent behind it.
pub(crate) async fn linger(socket: &Socket, inlet: &mut Inlet) {
    let until_gone = async {
        loop {
            match poll_fn(|cx| inlet.poll_next(socket, cx)).await {
                Heard::Message(Message::Close(_)) | Heard::Gone => return,
                Heard::Message(_) => {}
                Heard::Broken(_) => return discard(socket).await,
            }
        }
    };
    let _ = timeout(GRACE, until_gone).await;
}

/// Behind what breaks a rule nothing can be read as frames.
async fn discard(socket: &Socket) {
    let mut bytes = Vec::new();
    while let Ok(1..) = poll_fn(|cx| socket.poll_read(cx, &mut bytes)).await {
        bytes.clear();
    }
}
