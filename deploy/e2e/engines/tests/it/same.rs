//! One embedded node and three nodes on engines, as real processes, tell every session the same for
//! the same seeded workload.

mod play;
mod shape;

use std::collections::BTreeMap;

use guildhall_e2e::Server;
use guildhall_engines::Engines;
use tokio::runtime::Runtime;

use crate::{alone, migrate, nodes};
use play::Told;

/// Workloads that are compared.
const SEEDS: u64 = 3;

#[test]
fn three_processes_tell_every_session_what_one_does() {
    let Some(engines) = Engines::of_environment() else {
        return;
    };
    let _alone = alone();
    migrate(&engines);
    Runtime::new().unwrap().block_on(async {
        let one = vec![Server::start(&[]).await];
        let three = nodes::start(&engines, 1..=3).await;
        nodes::until_placed(&three).await;
        for seed in 0..SEEDS {
            let (on_one, on_three) = (play::on(&one, seed).await, play::on(&three, seed).await);
            assert_same(&on_one, &on_three, seed);
        }
        for server in one.into_iter().chain(three) {
            nodes::stop(server).await;
        }
    });
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
