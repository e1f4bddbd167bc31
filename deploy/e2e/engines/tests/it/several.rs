//! Three nodes behind a load balancer keep the promises of one, whatever becomes of each of them.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

use guildhall_e2e::disk::SmallDisk;
use guildhall_e2e::is_long;
use guildhall_engines::Engines;
use tokio::runtime::Runtime;

use crate::cluster::Cluster;
use crate::{alone, migrate, networks, nodes};

/// Few enough for two cores that do other things, too. One in fifteen more reads a byte a second.
pub(crate) const LOAD: [&str; 8] = [
    "--users",
    "45",
    "--slow-readers",
    "3",
    "--guilds",
    "6",
    "--rate",
    "15",
];
/// For those who have the time.
const LONG_LOAD: [&str; 8] = [
    "--users",
    "2000",
    "--slow-readers",
    "100",
    "--guilds",
    "100",
    "--rate",
    "20",
];

#[test]
fn a_node_may_be_killed_stand_still_or_leave_and_nothing_is_lost_or_told_twice() {
    let Some(engines) = Engines::of_environment() else {
        return;
    };
    let _alone = alone();
    let cluster = Cluster::up(engines, 3);
    cluster.strikes(
        4,
        "node=$((ROUND % 3 + 1))
         case $ROUND in
             1) cluster pause $node; sleep 8; cluster resume $node ;;
             2) cluster roll ;;
             *) cluster kill $node; sleep 3; cluster start $node ;;
         esac",
        LOAD,
    );
}

/// Cut off is not dead: the node goes on, hears nothing, and what it sends arrives late.
#[test]
fn a_node_may_be_cut_off_from_an_engine_or_its_peers_and_nothing_is_lost_or_told_twice() {
    if !networks::can_be_made() {
        return;
    }
    let Some(engines) = Engines::of_environment() else {
        return;
    };
    let _alone = alone();
    let cluster = Cluster::up_with(engines, 3, &[("GUILDHALL_CLUSTER_CUTTABLE", "yes")]);
    let (rounds, cut) = if is_long() { (20, 30) } else { (5, 12) };
    // The writes of whoever is cut off from an engine time out after ten seconds.
    let fault = format!(
        "node=$((ROUND % 3 + 1))
         case $((ROUND % 5)) in
             1) cluster cut $node kafka; sleep {cut}; cluster heal $node kafka ;;
             2) cluster cut $node peers; sleep {cut}; cluster heal $node peers ;;
             3) cluster cut $node postgres; sleep {cut}; cluster heal $node postgres ;;
             4) cluster cut $node cassandra; sleep 5; cluster heal $node cassandra ;;
             *) cluster kill $node; sleep 3; cluster start $node ;;
         esac"
    );
    cluster.strikes(rounds, &fault, LOAD);
}

#[test]
fn the_engines_may_be_away_one_after_the_other() {
    if !is_long() {
        return;
    }
    let cluster = Cluster::up(Engines::of_its_own(), 3);
    // A run in which no session had to resume proves nothing, so the last fault is a kill.
    cluster.strikes(
        5,
        "case $ROUND in
             0) engine=s3 ;;
             1) engine=postgres ;;
             2) engine=cassandra ;;
             3) engine=kafka ;;
             *) cluster kill 1; sleep 5; cluster start 1; exit ;;
         esac
         cluster engine $engine pause; sleep 30; cluster engine $engine resume
         # Callers insist for a minute, and what waited is done before the next one goes.
         sleep 15",
        LONG_LOAD,
    );
}

/// A broker whose disk is full ends; PostgreSQL refuses writes. Both are started again once there is room.
#[test]
fn the_disks_of_kafka_and_postgresql_may_be_full_for_a_while() {
    if !is_long() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    // PostgreSQL runs as another user.
    std::fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
    let disk = |engine: &str, size| SmallDisk::mount(dir.path().join(engine), size);
    let (Some(kafka), Some(postgres)) = (disk("kafka", "400m"), disk("postgres", "400m")) else {
        return;
    };
    let fault = format!(
        "fill() {{ dd if=/dev/zero of=$1 bs=1M 2>/dev/null; sleep 30; rm $1; }}
         case $ROUND in
             0) fill '{}'; cluster engine kafka restart ;;
             1) fill '{}'; cluster engine postgres restart ;;
             *) cluster kill 1; sleep 5; cluster start 1 ;;
         esac",
        kafka.filler().display(),
        postgres.filler().display()
    );
    let cluster = Cluster::up_in(dir, Engines::of_its_own(), 3, &[]);
    cluster.strikes(3, &fault, LOAD);
    drop(cluster);
    drop((kafka, postgres));
}

#[test]
fn nodes_may_be_killed_again_and_again() {
    if !is_long() {
        return;
    }
    let cluster = Cluster::up(Engines::of_its_own(), 3);
    cluster.strikes(
        20,
        "node=$((ROUND % 3 + 1))
         case $((ROUND % 4)) in
             0) cluster pause $node; sleep 30; cluster resume $node ;;
             1) cluster engine kafka restart ;;
             *) cluster kill $node; sleep 15; cluster start $node ;;
         esac",
        LONG_LOAD,
    );
}

#[test]
fn a_node_that_comes_takes_its_share_and_moves_nothing_else() {
    let Some(engines) = Engines::of_environment() else {
        return;
    };
    let _alone = alone();
    migrate(&engines);
    Runtime::new().unwrap().block_on(async {
        let mut all = nodes::start(&engines, 1..=2).await;
        let before = nodes::until_placed(&all).await;
        all.extend(nodes::start(&engines, 3..=3).await);
        let after = nodes::until_placed(&all).await;
        let moved = before.iter().filter(|(it, owner)| after[it] != **owner);
        let to: Vec<u16> = moved.map(|(it, _)| after[it].0.0).collect();
        assert!(to.iter().all(|&node| node == 3), "{to:?}");
        // Its share, and not one of them twice.
        let share = after.values().filter(|(node, _)| node.0 == 3).count();
        assert_eq!(to.len(), share);
        for node in all {
            nodes::stop(node).await;
        }
    });
}
