//! Readers of a byte a second, who must slow nobody else down. What they miss is not judged.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::Options;
use super::calls::Stage;
use super::end::Stopped;
use super::meter::Count;
use super::town::Town;
use crate::client::gateway::{self, Dialect};
use crate::client::slow::SlowSocket;
use crate::client::{Person, Target};

/// Between two bytes, and before a new connection.
const PAUSE: Duration = Duration::from_secs(1);
/// Between two heartbeats, whatever HELLO says: it is never read to its end.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// Starts so many as the options say, each with a session of its own of one of the users.
pub(super) fn start(
    options: &Options,
    stage: &Arc<Stage>,
    town: &Town,
    gateway: &Target,
    stopped: &Stopped,
) -> JoinSet<()> {
    let mut snails = JoinSet::new();
    for index in 0..options.slow_readers {
        let person = town.person(index % options.users).clone();
        let (stage, gateway) = (Arc::clone(stage), gateway.clone());
        let stopped = stopped.clone();
        snails.spawn(async move {
            tokio::select! {
                () = stopped.wait() => {}
                () = live(&stage, &gateway, &person) => {}
            }
        });
    }
    snails
}

async fn live(stage: &Stage, gateway: &Target, person: &Person) {
    loop {
        if let Ok(mut socket) = SlowSocket::open(gateway, Dialect::Native).await {
            stage.meter.count(Count::Crawled);
            crawl(&mut socket, person).await;
        }
        sleep(PAUSE).await;
    }
}

/// Until the server or the network ends it.
async fn crawl(socket: &mut SlowSocket, person: &Person) {
    let token = person.access_token().await;
    let mut due = Instant::now();
    if socket.send(gateway::identify(&token, None)).await.is_err() {
        return;
    }
    loop {
        if due <= Instant::now() {
            if socket.send(gateway::heartbeat(None)).await.is_err() {
                return;
            }
            due = Instant::now() + HEARTBEAT;
        }
        sleep(PAUSE).await;
        tokio::select! {
            biased;
            byte = socket.take_byte() => if byte.is_err() { return },
            () = sleep(PAUSE) => {}
        }
    }
}
