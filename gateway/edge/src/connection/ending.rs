//! How a connection ends: with which code, and without losing the code on the way.

use std::future::poll_fn;
use std::io;
use std::time::Duration;

use guildhall_host::session::Ended;
use guildhall_wire::CloseCode;
use guildhall_wire::ws::reader::Message;
use guildhall_wire::ws::{self, FrameKind};
use tracing::debug;

use super::Task;
use crate::inlet::Heard;

/// How long a last frame may take to be written.
const CLOSE_GRACE: Duration = Duration::from_secs(2);

/// Why the loop ends.
pub(super) enum End {
    Close(CloseCode, String),
    /// The client has closed; with 1000 or 1001 the session is over.
    Closed(Option<u16>),
    Gone,
}

pub(super) fn close(code: CloseCode) -> End {
    End::Close(code, code.reason().to_owned())
}

impl Task {
    /// The close that fits why a session gives its socket up.
    pub(super) fn cut(&self, ended: Ended) -> End {
        let again = |why: &str| End::Close(CloseCode::UnknownError, why.to_owned());
        match ended {
            Ended::Revoked => close(CloseCode::AuthenticationFailed),
            Ended::Lagging => {
                self.gateway.meters().lagging.increment(1);
                again("too slow: connect again and resume")
            }
            Ended::Superseded => again("resumed on another connection"),
            Ended::Draining | Ended::Failed => close(CloseCode::ServiceRestart),
        }
    }

    pub(super) async fn finish(&mut self, end: io::Result<End>) {
        match end {
            Ok(End::Close(code, reason)) => {
                self.say_close(&ws::close_payload(code, &reason)).await;
                self.linger().await;
                if !code.session_survives()
                    && let Some(session) = &self.session
                {
                    session.finish();
                }
            }
            Ok(End::Closed(code)) => {
                if let (Some(1000 | 1001), Some(session)) = (code, &self.session) {
                    session.finish();
                }
                self.say_close(&ws::close_answer(code)).await;
            }
            Ok(End::Gone) => {}
            Err(error) => debug!(%error, "a socket broke"),
        }
    }

    /// The last frame. A client that does not read is not waited for.
    async fn say_close(&mut self, payload: &[u8]) {
        let closing = async {
            let frame = ws::frame(FrameKind::Close, payload);
            self.socket.write(&frame).await?;
            self.socket.shut_down().await
        };
        let _ = tokio::time::timeout(CLOSE_GRACE, closing).await;
    }

    /// Reads on for a moment, so that the system does not discard the close frame together with
    /// what the client had sent behind it.
    async fn linger(&mut self) {
        let (socket, inlet) = (&self.socket, &mut self.inlet);
        let until_gone = async {
            loop {
                match poll_fn(|cx| inlet.poll_next(socket, cx)).await {
                    Heard::Message(Message::Close(_)) | Heard::Broken(_) | Heard::Gone => return,
                    Heard::Message(_) => {}
                }
            }
        };
        let _ = tokio::time::timeout(CLOSE_GRACE, until_gone).await;
    }
}
