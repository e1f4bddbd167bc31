//! One embedded node and three nodes on engines, as real processes, tell every session the same for
//! the same seeded workload.

mod play;
mod shape;

use std::collections::BTreeMap;

use guildhall_cluster::placement::{Candidate, all_partitions, place};
use guildhall_e2e::{Server, binary, server, soon};
use guildhall_engines::Engines;
use guildhall_model::NodeId;
use guildhall_ports::directory::Partition;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::{alone, said};
use play::Told;

/// Workloads that are compared.
const SEEDS: u64 = 3;
/// Partitions of each kind, as the configuration has them where it says nothing.
const PARTITIONS: u16 = 8;
/// Nodes of the cluster.
const NODES: u16 = 3;

#[test]
fn three_processes_tell_every_session_what_one_does() {
    let Some(engines) = Engines::of_environment() else {
        return;
    };
    let _alone = alone();
    let mut migrate = engines.command(&binary::guildhall());
    let migrated = migrate.args(["migrate", "apply"]).output().unwrap();
    assert!(migrated.status.success(), "{}", said(&migrated));
    Runtime::new().unwrap().block_on(async {
        let one = vec![Server::start(&[]).await];
        let three = cluster(&engines).await;
        for seed in 0..SEEDS {
            let (on_one, on_three) = (play::on(&one, seed).await, play::on(&three, seed).await);
            assert_same(&on_one, &on_three, seed);
        }
        for server in one.into_iter().chain(three) {
            stop(server).await;
        }
    });
}

/// Nodes that own what they are to own: nothing moves any more.
async fn cluster(engines: &Engines) -> Vec<Server> {
    let mut nodes = Vec::new();
    for number in 1..=NODES {
        let settings = [
            ("CLUSTER__NODE", number.to_string()),
            ("CLUSTER__LISTEN", "127.0.0.1:0".to_owned()),
        ];
        let settings = settings.each_ref().map(|(key, value)| (*key, &**value));
        nodes.push(Server::start_in(server::home(), &engines.settings(), &settings).await);
    }
    let candidates: Vec<Candidate> = (1..=NODES)
        .map(|node| Candidate {
            node: NodeId(node),
            weight: 1,
        })
        .collect();
    let placed = place(&all_partitions(PARTITIONS, PARTITIONS), &candidates);
    soon("everything has its place", async {
        while owned(&nodes).await != placed {}
    })
    .await;
    nodes
}

/// Who owns what, in the words of the owners.
async fn owned(nodes: &[Server]) -> BTreeMap<Partition, NodeId> {
    let mut owned = BTreeMap::new();
    for (number, node) in (1..).zip(nodes) {
        let state = node.operator("/state").await.expect(200);
        let numbers = |kind: &str| -> Vec<u16> {
            let listed = state[kind].as_array().into_iter().flatten();
            let number = |it: &Value| it["number"].as_u64().and_then(|it| it.try_into().ok());
            listed.filter_map(number).collect()
        };
        let events = numbers("event_partitions").into_iter();
        let sessions = numbers("session_partitions").into_iter();
        let events = events.map(|n| Partition::Event(guildhall_model::EventPartition(n)));
        let sessions = sessions.map(|n| Partition::Session(guildhall_model::SessionPartition(n)));
        owned.extend(events.chain(sessions).map(|it| (it, NodeId(number))));
    }
    owned
}

fn assert_same(one: &[Told], three: &[Told], seed: u64) {
    for (n, (one, three)) in one.iter().zip(three).enumerate() {
        for (stream, expected) in one {
            let found = &three[stream];
            for (place, (expected, found)) in expected.iter().zip(found).enumerate() {
                let at = format!("seed {seed}, session {n}, stream {stream}, dispatch {place}");
                assert_eq!(expected, found, "{at}");
            }
            assert_eq!(expected.len(), found.len(), "{stream} of session {n}");
        }
        assert_eq!(one.len(), three.len(), "seed {seed}, session {n}");
    }
    let told: usize = one.iter().flat_map(BTreeMap::values).map(Vec::len).sum();
    assert!(told > 200, "{told} dispatches prove little");
}

async fn stop(mut node: Server) {
    node.terminate();
    let (status, _) = node.ended().await;
    assert!(status.success(), "{}", node.log());
}
