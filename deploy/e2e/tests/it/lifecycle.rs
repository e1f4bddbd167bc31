//! How a server starts, refuses to start, drains and stops.

use std::process::Stdio;

use guildhall_e2e::{Heard, Link, Person, Server, binary};
use serde_json::json;
use tokio::process::Command;

#[tokio::test]
async fn a_second_process_on_the_same_data_is_refused_with_a_clear_message() {
    let mut server = Server::start(&[]).await;
    let output = server.rival().output().await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty(), "it is never ready");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("another guildhall process is using"),
        "{said}"
    );
    assert!(said.contains(server.data().to_str().unwrap()), "{said}");
    assert!(server.is_alive());
    Person::register(&server, "ada").await;
}

#[tokio::test]
async fn a_bad_configuration_exits_with_64_and_names_every_mistake() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("guildhall.toml");
    std::fs::write(
        &file,
        "[gateway]\nheartbeat_interval = 41\n[voice]\nport = 1\n",
    )
    .unwrap();
    let output = Command::new(binary::guildhall())
        .args(["serve", "--listen", "here", "--config"])
        .arg(&file)
        .env_clear()
        .env("GUILDHALL__LOG__FORMAT", "xml")
        .env("GUILDHALL__DELIVERY__SEGMENT_SIZE", "1B")
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    assert_eq!(output.status.code(), Some(64));
    let said = String::from_utf8(output.stderr).unwrap();
    for mistake in [
        "server.listen",
        "gateway.heartbeat_interval",
        "voice",
        "log.format",
        "delivery.segment_size",
    ] {
        assert!(said.contains(mistake), "{mistake} in {said}");
    }
}

#[tokio::test]
async fn the_number_of_partitions_is_fixed_once_there_is_data() {
    let mut server = Server::start(&[]).await;
    server.terminate();
    assert!(server.ended().await.0.success());
    let mut rival = server.rival();
    let output = rival
        .env("GUILDHALL__DELIVERY__EVENT_PARTITIONS", "16")
        .output()
        .await
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("delivery.event_partitions is 16"), "{said}");
}

#[tokio::test]
async fn a_ready_server_says_so_on_one_line_and_to_its_operator() {
    let mut server = Server::start(&[]).await;
    assert_eq!(server.operator("/livez").await.expect_text(200), "live\n");
    let ready = server.operator("/readyz").await.expect(200);
    assert!(ready.to_string().contains("events_log"), "{ready}");
    let state = server.operator("/state").await.expect(200);
    assert!(
        state["session_partitions"][0]["epoch"].is_number(),
        "{state}"
    );
    // What has been counted is described.
    server.rest().get("/openapi.json").await.expect(200);
    let metrics = server.operator("/metrics").await.expect_text(200);
    for said in [
        "# TYPE guildhall_",
        "# HELP guildhall_http_requests_total ",
        "# HELP guildhall_http_request_duration_seconds ",
    ] {
        assert!(metrics.contains(said), "no {said} in {metrics}");
    }
    assert_eq!(server.rest().get("/metrics").await.refusal().0, 404);
    server.terminate();
    let (status, stdout) = server.ended().await;
    assert!(status.success());
    assert_eq!(stdout, "", "stdout has the ready line and nothing else");
}

#[tokio::test]
async fn a_draining_server_sends_its_clients_away_and_they_resume_after_the_restart() {
    let mut server = Server::start(&[]).await;
    let ada = Person::register(&server, "ada").await;
    let (_, general) = ada.found("Reading club").await;
    let mut session = ada.listen().await;
    // It has connected before the drain and identifies in the midst of it.
    let mut late = Link::greeted(server.address(), "v=10").await;
    server.terminate();
    assert_eq!(session.link.op(7).await.s, None);
    let unready = server.operator("/readyz").await;
    assert_eq!(unready.status.as_u16(), 503, "{}", unready.text());
    late.identify(&ada.access, None).await;
    assert_eq!(late.close_code().await, Some(1012));
    let during = ada.post(&general, "written while it drains").await;
    session.link.hang_up().await;
    assert!(server.ended().await.0.success(), "{}", server.log());
    server.restart().await;
    let after = ada.post(&general, "written after the restart").await;
    let missed = session.resume().await;
    assert_eq!(missed.len(), 2, "{missed:?}");
    assert_eq!(missed[0].d["id"], during.as_str());
    assert_eq!(missed[1].d["id"], after.as_str());
}

#[tokio::test]
async fn a_second_sigterm_does_not_wait_for_clients() {
    let mut server = Server::start(&[("GATEWAY__DRAIN_TIMEOUT", "10m")]).await;
    let ada = Person::register(&server, "ada").await;
    let mut session = ada.listen().await;
    server.terminate();
    session.link.op(7).await;
    server.terminate();
    assert!(server.ended().await.0.success());
    assert!(server.log().contains("told to stop a second time"));
    // The connection was cut, and the session was not ended by that.
    assert!(matches!(session.link.next().await, Heard::Closed(_)));
    server.restart().await;
    assert!(session.resume().await.is_empty());
}

#[tokio::test]
async fn a_client_that_ignores_the_order_to_reconnect_is_cut() {
    let mut server = Server::start(&[("GATEWAY__DRAIN_TIMEOUT", "0s")]).await;
    let ada = Person::register(&server, "ada").await;
    let mut session = ada.listen().await;
    server.terminate();
    assert!(server.ended().await.0.success());
    session.link.close_code().await;
    server.restart().await;
    session.resume().await;
    let me = json!({ "display_name": "Ada again" });
    ada.rest.put("/users/me", me).await.expect(200);
    session.until("USER_UPDATE").await;
}
