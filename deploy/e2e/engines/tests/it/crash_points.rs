//! A node of three dies at the points of its write paths, while the others and the judge look on.

use guildhall_e2e::is_long;
use guildhall_engines::Engines;
use guildhall_ports::crash::Point;

use crate::alone;
use crate::cluster::Cluster;

/// So many guilds that each node owns some of them.
const LOAD: [&str; 8] = [
    "--users",
    "45",
    "--slow-readers",
    "3",
    "--guilds",
    "24",
    "--rate",
    "15",
];

/// How often a node passes a point before it dies there; none where the cluster's engines do not come by.
const fn passes(point: Point) -> Option<u32> {
    use Point as P;
    Some(match point {
        P::ChannelDecided
        | P::EventsCollected
        | P::EventsWritten
        | P::EventsSynced
        | P::EventsStable
        | P::EventsPassedOn
        | P::EventsAnswered
        | P::RelayHeard
        | P::RelayTold
        | P::ProjectionFed
        | P::MessagesWritten
        | P::MessagesCommitted
        | P::ProjectionApplied => 15,
        P::FrameDrafted
        | P::FramesWritten
        | P::FramesSynced
        | P::FrameStable
        | P::FramePublished => 40,
        P::GuildDecided
        | P::GuildCommitted
        | P::RelationalWritten
        | P::RelationalCommitted
        | P::OutboxDue
        | P::OutboxCleared
        | P::SnapshotDue
        | P::SnapshotKept => 2,
        // A node's share may be one partition of a kind.
        P::SessionsClaimed
        | P::SessionsTaken
        | P::SessionsFolded
        | P::SessionsTidied
        | P::EventsClaimed
        | P::EventsTaken
        | P::TailProjected
        | P::TailTold => 1,
        // Files and segments of the embedded engines, a start of a node that is alone, what is rarer than a
        // test lasts, and what is no event.
        P::FileWritten
        | P::FileRenamed
        | P::SegmentCreated
        | P::SegmentHeaded
        | P::SegmentBegun
        | P::SegmentRolled
        | P::SegmentTrimmed
        | P::SummaryTrimmed
        | P::TailRewritten
        | P::TailCut
        | P::Recovered
        | P::OutboxAppended
        | P::SnapshotDropped
        | P::DirectCommitted
        | P::AccountStored
        | P::LoginStored
        | P::TokenRotated => return None,
    })
}

/// One of each kind: rows without an event, an event without an answer, a frame that nobody was told, rows
/// without a note of them, a partition that is claimed and not taken.
const SHORT: [Point; 5] = [
    Point::GuildCommitted,
    Point::EventsStable,
    Point::FrameStable,
    Point::MessagesWritten,
    Point::SessionsClaimed,
];

#[test]
fn a_node_may_die_at_any_point_of_a_write_and_nothing_is_lost_or_told_twice() {
    let Some(engines) = Engines::of_environment() else {
        return;
    };
    let _alone = alone();
    let points = if is_long() { Point::ALL } else { &SHORT };
    let armed = points
        .iter()
        .filter_map(|&point| Some((point, passes(point)?)));
    let armed: Vec<String> = armed
        .map(|(point, passes)| format!("{}:{passes}", point.name()))
        .collect();
    let rounds = u32::try_from(armed.len()).expect("there are dozens");
    // A node that lives on has not come by its point, and fails the run.
    let fault = format!(
        "node=$((ROUND % 3 + 1)); at=$GUILDHALL_CLUSTER_DIR/node-$node/pid
         shift_to() {{ shift $ROUND; echo $1; }}
         point=$(shift_to {})
         cluster kill $node
         GUILDHALL_CRASH_AT=$point cluster start $node
         for _ in $(seq 300); do kill -0 $(cat $at) || break; sleep 0.1; done
         if kill -0 $(cat $at); then echo \"node $node does not die at $point\" >&2; exit 1; fi
         cluster start $node",
        armed.join(" ")
    );
    let settings = &[("GUILDHALL__DELIVERY__SNAPSHOT_INTERVAL", "1s")];
    Cluster::up_with(engines, 3, settings).strikes(rounds, &fault, LOAD);
}
