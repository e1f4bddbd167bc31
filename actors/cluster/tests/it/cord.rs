//! A TCP connection's way through the network, which tests can block.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::desk::soon;

/// Passes on what comes to its address, to another one.
pub(crate) struct Cord {
    pub(crate) address: SocketAddr,
    is_blocked: Arc<watch::Sender<bool>>,
    ended: Arc<watch::Sender<usize>>,
    _tasks: JoinSet<()>,
}

impl Cord {
    pub(crate) async fn to(target: SocketAddr) -> Self {
        let socket = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = socket.local_addr().unwrap();
        let is_blocked = Arc::new(watch::Sender::new(false));
        let ended = Arc::new(watch::Sender::new(0));
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(
            socket,
            target,
            Arc::clone(&is_blocked),
            Arc::clone(&ended),
        ));
        Self {
            address,
            is_blocked,
            ended,
            _tasks: tasks,
        }
    }

    /// From now on nothing passes, and no connection ends: as when a cable is pulled.
    pub(crate) fn block(&self) {
        self.is_blocked.send_replace(true);
    }

    pub(crate) fn unblock(&self) {
        self.is_blocked.send_replace(false);
    }

    /// Waits until so many connections have come to their end.
    pub(crate) async fn has_ended(&self, connections: usize) {
        let mut ended = self.ended.subscribe();
        soon(ended.wait_for(|&ended| ended >= connections))
            .await
            .unwrap();
    }
}

async fn accept(
    socket: TcpListener,
    target: SocketAddr,
    is_blocked: Arc<watch::Sender<bool>>,
    ended: Arc<watch::Sender<usize>>,
) {
    let mut connections = JoinSet::new();
    loop {
        let (near, _) = socket.accept().await.unwrap();
        let (is_blocked, ended) = (is_blocked.subscribe(), Arc::clone(&ended));
        connections.spawn(async move {
            if let Ok(far) = TcpStream::connect(target).await {
                let (near_reader, near_writer) = near.into_split();
                let (far_reader, far_writer) = far.into_split();
                tokio::join!(
                    pass(near_reader, far_writer, is_blocked.clone()),
                    pass(far_reader, near_writer, is_blocked),
                );
            }
            ended.send_modify(|ended| *ended += 1);
        });
    }
}

async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut is_blocked: watch::Receiver<bool>,
) {
    let mut bytes = [0; 4096];
    loop {
        let read = from.read(&mut bytes).await.unwrap_or(0);
        if is_blocked
            .wait_for(|&is_blocked| !is_blocked)
            .await
            .is_err()
        {
            return;
        }
        if read == 0 || to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}
