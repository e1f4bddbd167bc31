//! Nodes that split the roles between them keep the promises of nodes that each do everything.

use guildhall_e2e::{Person, Server, eventually};
use guildhall_engines::Engines;
use serde_json::json;
use tokio::runtime::Runtime;

use crate::cluster::Cluster;
use crate::several::LOAD;
use crate::{alone, migrate, nodes};

/// Each role is had by two nodes, so that one of them may be gone.
const SPLIT: &str = "api api gateway,worker gateway worker";

#[test]
fn a_gateway_or_a_worker_may_be_killed_stand_still_or_leave_and_nothing_is_lost_or_told_twice() {
    let Some(engines) = Engines::of_environment() else {
        return;
    };
    let _alone = alone();
    let roles = &[("GUILDHALL_CLUSTER_ROLES", SPLIT)];
    let cluster = Cluster::up_with(engines, 5, roles);
    cluster.strikes(
        5,
        "case $ROUND in
             0) cluster kill 4; sleep 3; cluster start 4 ;;
             1) cluster kill 5; sleep 3; cluster start 5 ;;
             2) cluster kill 3; sleep 3; cluster start 3 ;;
             3) cluster pause 5; sleep 8; cluster resume 5 ;;
             *) cluster drain 4; cluster start 4; cluster kill 1; cluster start 1 ;;
         esac",
        LOAD,
    );
}

#[test]
fn each_node_does_what_it_has_the_role_for_and_says_what_nobody_does() {
    let Some(engines) = Engines::of_environment() else {
        return;
    };
    let _alone = alone();
    migrate(&engines);
    Runtime::new()
        .expect("a runtime is made")
        .block_on(split_between_three(&engines));
}

async fn split_between_three(engines: &Engines) {
    let api = nodes::start_as(engines, 1, "api").await;
    let gateway = nodes::start_as(engines, 2, "gateway").await;
    for (node, is_said) in [(&api, true), (&gateway, true)] {
        until_said(node, "no living node has the role worker", is_said).await;
    }
    assert_eq!(api.operator("/readyz").await.status, 503);
    // The engines may know other people, of former runs.
    let ada = Person::register(&api, &format!("split{}", std::process::id())).await;
    let body = json!({ "name": "Nowhere", "is_public": true });
    let unowned = ada.rest.post("/servers", body).await;
    assert_eq!(unowned.status, 503, "{}", unowned.text());

    let worker = nodes::start_as(engines, 3, "worker").await;
    for node in [&api, &gateway, &worker] {
        until_said(node, "no living node", false).await;
        node.operator("/readyz").await.expect(200);
    }
    let (_, channel) = ada.found("Somewhere").await;
    ada.post(&channel, "hello").await;
    until_owned(&worker, 8, 0).await;
    until_owned(&gateway, 0, 8).await;
    until_owned(&api, 0, 0).await;

    for node in [&gateway, &worker] {
        for path in ["/users/me", "/api/v10/gateway", "/"] {
            let said = node.rest().get(path).await.expect_text(404);
            assert!(said.contains("it has not the role api"), "{path}: {said}");
        }
    }
    for node in [&api, &worker] {
        let refused = node.rest().get("/gateway?v=10&encoding=json").await;
        assert_eq!(refused.refusal(), (404, "no_gateway".to_owned()));
    }
    let asked = gateway.rest().get("/gateway?v=10&encoding=json").await;
    assert_eq!(asked.status, 426, "{}", asked.text());
    let named = api.rest().get("/api/v10/gateway").await.expect(200);
    assert_eq!(named["url"], "wss://chat.example/gateway");

    // Without a gateway the others have something to do, and say what is missing.
    nodes::stop(gateway).await;
    for node in [&api, &worker] {
        until_said(node, "no living node has the role gateway", true).await;
        node.operator("/readyz").await.expect(200);
    }
    for node in [api, worker] {
        nodes::stop(node).await;
    }
}

/// Waits until the answer of `/readyz` has these words in it, or has not.
async fn until_said(node: &Server, words: &str, is_said: bool) {
    eventually(words, || async {
        node.operator("/readyz").await.text().contains(words) == is_said
    })
    .await;
}

/// Waits until the node owns so many partitions of events and of sessions. Who is ready may be taking the
/// last ones over.
async fn until_owned(node: &Server, events: usize, sessions: usize) {
    let what = format!("{events} partitions of events and {sessions} of sessions");
    eventually(&what, || async {
        let state = node.operator("/state").await.expect(200);
        let count = |kind: &str| state[kind].as_array().map(Vec::len);
        let owned = (count("event_partitions"), count("session_partitions"));
        owned == (Some(events), Some(sessions))
    })
    .await;
}
