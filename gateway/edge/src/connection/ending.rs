//! How a connection ends: with which code, and without losing the code on the way.

use std::io;

use guildhall_host::ByteStream;
use guildhall_host::session::Ended;
use guildhall_wire::{CloseCode, ws};
use tracing::debug;

use super::Task;
use crate::farewell::{linger, say_close};

/// Why the loop ends.
pub(super) enum End {
    Close(CloseCode, String),
    /// The client has closed; with 1000 or 1001 the session is over.
    Closed(Option<u16>),
    Gone,
    /// Another node goes on with the socket, through this.
    HandedOver(ByteStream),
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
                let payload = ws::close_payload(code, &reason);
                say_close(&mut self.socket, &payload).await;
                linger(&self.socket, &mut self.inlet).await;
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
                say_close(&mut self.socket, &ws::close_answer(code)).await;
            }
            Ok(End::Gone) => {}
            // Most connections end otherwise: they need not have room for this.
            Ok(End::HandedOver(stream)) => Box::pin(self.pass_on(stream)).await,
            Err(error) => debug!(%error, "a socket broke"),
        }
    }
}
