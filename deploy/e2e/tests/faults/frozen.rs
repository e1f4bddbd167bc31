//! A server that is frozen and wakes up: nobody is told anything twice, and nobody loses anything.

use std::time::Duration;

use guildhall_e2e::load::Load;
use guildhall_e2e::{Person, Server, is_long};
use rustix::process::Signal;

fn pause() -> Duration {
    Duration::from_secs(if is_long() { 30 } else { 5 })
}

#[tokio::test]
async fn sessions_go_on_or_resume_exactly_after_the_server_was_frozen() {
    let server = Server::start(&[]).await;
    let load = Load::start(&server, pause() + Duration::from_secs(4)).await;
    let before = server.memory();
    server.signal(Signal::STOP);
    tokio::time::sleep(pause()).await;
    server.signal(Signal::CONT);
    server.until_ready(true).await;
    let report = load.must_hold(|| server.log()).await;
    assert_eq!(report["invalid_sessions"], 0, "{report}");
    let grown = server.memory().saturating_sub(before);
    assert!(grown < 64 << 20, "{grown} bytes more than before the pause");
}

#[tokio::test]
async fn a_server_that_was_frozen_beyond_a_heartbeat_takes_its_sessions_back() {
    // Clients beat every second, and are given up after two: by the time the server wakes, each
    // of them is late, and each is told something that it can resume after.
    let server = Server::start(&[("GATEWAY__HEARTBEAT_INTERVAL", "1s")]).await;
    let ada = Person::register(&server, "ada").await;
    let (_, channel) = ada.found("Reading club").await;
    let mut session = ada.listen().await;
    ada.post(&channel, "before").await;
    session.until("MESSAGE_CREATE").await;
    server.signal(Signal::STOP);
    tokio::time::sleep(pause()).await;
    server.signal(Signal::CONT);
    let after = ada.post(&channel, "after").await;
    let missed = session.resume().await;
    assert_eq!(missed.len(), 1, "{missed:?}");
    assert_eq!(missed[0].d["id"], after.as_str());
}
