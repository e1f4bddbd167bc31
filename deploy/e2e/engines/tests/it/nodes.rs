//! Nodes of a cluster as processes of a test, and what each of them owns.

use std::collections::BTreeMap;

use guildhall_cluster::placement::{Candidate, all_partitions, place};
use guildhall_e2e::{Server, server, soon};
use guildhall_engines::Engines;
use guildhall_model::{EventPartition, NodeId, NodeRoles, SessionPartition};
use guildhall_ports::directory::Partition;
use serde_json::Value;

/// Partitions of each kind, as the configuration has them where it says nothing.
const PARTITIONS: u16 = 8;

/// Who owns a partition, and under which epoch, in the owner's words.
pub(crate) type Owned = BTreeMap<Partition, (NodeId, u64)>;

/// Starts nodes with these numbers, one after the other.
pub(crate) async fn start(engines: &Engines, numbers: impl Iterator<Item = u16>) -> Vec<Server> {
    start_with(engines, numbers, &[]).await
}

/// The same with more settings.
pub(crate) async fn start_with(
    engines: &Engines,
    numbers: impl Iterator<Item = u16>,
    more: &[(&str, &str)],
) -> Vec<Server> {
    let mut nodes = Vec::new();
    for number in numbers {
        nodes.push(start_one(engines, number, more).await);
    }
    nodes
}

/// Starts a node that has these roles only.
pub(crate) async fn start_as(engines: &Engines, number: u16, roles: &str) -> Server {
    let settings = [
        ("CLUSTER__ROLES", roles),
        // Clients would find all nodes there.
        ("SERVER__PUBLIC_URL", "https://chat.example"),
    ];
    start_one(engines, number, &settings).await
}

async fn start_one(engines: &Engines, number: u16, settings: &[(&str, &str)]) -> Server {
    let number = number.to_string();
    let own = [
        ("CLUSTER__NODE", number.as_str()),
        ("CLUSTER__LISTEN", "127.0.0.1:0"),
    ];
    let settings: Vec<_> = own.iter().chain(settings).copied().collect();
    Server::start_in(server::home(), &engines.settings(), &settings).await
}

/// Waits until nodes, numbered from 1, own what they are to own: nothing moves any more.
pub(crate) async fn until_placed(nodes: &[Server]) -> Owned {
    let candidates: Vec<Candidate> = (1..)
        .zip(nodes)
        .map(|(number, _)| Candidate {
            node: NodeId(number),
            weight: 1,
            roles: NodeRoles::ALL,
        })
        .collect();
    let placed = place(&all_partitions(PARTITIONS, PARTITIONS), &candidates);
    soon("everything has its place", async {
        loop {
            let owned = owned(nodes).await;
            let owners = owned.iter().map(|(partition, owner)| (*partition, owner.0));
            if owners.collect::<BTreeMap<_, _>>() == placed {
                return owned;
            }
        }
    })
    .await
}

/// Who owns what at this moment.
async fn owned(nodes: &[Server]) -> Owned {
    let mut owned = Owned::new();
    for (number, node) in (1..).zip(nodes) {
        let state = node.operator("/state").await.expect(200);
        let listed = |kind: &str| -> Vec<(u16, u64)> {
            let listed = state[kind].as_array().into_iter().flatten();
            let read = |it: &Value| {
                let number = it["number"].as_u64()?.try_into().ok()?;
                Some((number, it["epoch"].as_u64()?))
            };
            listed.filter_map(read).collect()
        };
        for (n, epoch) in listed("event_partitions") {
            owned.insert(Partition::Event(EventPartition(n)), (NodeId(number), epoch));
        }
        for (n, epoch) in listed("session_partitions") {
            let partition = Partition::Session(SessionPartition(n));
            owned.insert(partition, (NodeId(number), epoch));
        }
    }
    owned
}

/// Ends a node in good order.
pub(crate) async fn stop(mut node: Server) {
    node.terminate();
    let (status, _) = node.ended().await;
    assert!(status.success(), "{}", node.log());
}
