//! Sockets that clients have opened at other nodes and whose sessions this node holds.

use std::pin::pin;

use async_trait::async_trait;
use bytes::Bytes;
use guildhall_host::{ByteStream, Sockets};
use tokio::net::UnixStream;
use tokio::time::timeout;
use tracing::{debug, warn};

use crate::connection;
use crate::copying::copy_both_ways;
use crate::farewell::GRACE;
use crate::gateway::{Gateway, WeakGateway};
use crate::preface::Preface;
use crate::socket::Socket;

/// Attends to them as long as their gateway lives.
pub(crate) struct HandedOver(pub(crate) WeakGateway);

#[async_trait]
impl Sockets for HandedOver {
    /// When this returns, the stream ends, and with it the client's socket: it resumes again.
    async fn attend(&self, preface: Bytes, stream: ByteStream) {
        let Some(gateway) = self.0.upgrade() else {
            return;
        };
        let read = Preface::decode(&preface);
        drop(preface);
        match read {
            Ok(preface) => attend(gateway, preface, stream).await,
            Err(error) => warn!(%error, "another node hands over what makes no sense"),
        }
    }
}

/// Runs the connection on one end of a pair and copies between the other end and the stream: a
/// connection needs to know what the system takes at once.
async fn attend(gateway: Gateway, preface: Preface, stream: ByteStream) {
    let Some(counted) = gateway.count() else {
        return debug!("too many connections: a socket that another node hands over is let go");
    };
    let (near, far) = match UnixStream::pair() {
        Ok(pair) => pair,
        Err(error) => return warn!(%error, "a socket that another node hands over is let go"),
    };
    gateway.meters().attended.increment(1);
    let socket = Socket::HandedOver(near);
    let mut connection = pin!(connection::go_on(gateway, socket, preface));
    let mut copying = pin!(copy_both_ways(far, stream));
    tokio::select! {
        // Cancel-safe: what the connection has written last is still on its way.
        () = &mut connection => {
            let _ = timeout(GRACE, copying).await;
        }
        // Cancel-safe: the connection notices that nothing more comes.
        () = &mut copying => connection.await,
    }
    drop(counted);
}
