//! The server dies at every point of its write paths, and every time it comes back whole.

mod accounts;

use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};

use guildhall_e2e::load::Load;
use guildhall_e2e::{Server, is_long};
use guildhall_ports::crash::Point;

/// Small files that are kept briefly, so that much of what is rare happens within seconds.
const SETTINGS: [(&str, &str); 5] = [
    ("DELIVERY__SEGMENT_SIZE", "64KiB"),
    ("DELIVERY__SNAPSHOT_INTERVAL", "200ms"),
    ("DELIVERY__RESUME_WINDOW", "10s"),
    ("DELIVERY__FRAMES_RETENTION", "10s"),
    ("DELIVERY__EVENTS_RETENTION", "10s"),
];
/// How long one load posts. Points that do not fit into it have the next one.
const LEG: Duration = Duration::from_secs(25);
/// The last part of a load, which is left alone.
const REST: Duration = Duration::from_secs(3);
/// How long a start may take to pass a point under load; then there is another.
const START: Duration = Duration::from_secs(4);

/// What it takes to die at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Load, and so many passes that the sessions are back before.
    Load(u32),
    /// A start after a crash under load, and so many passes.
    Start(u32),
    /// The minute in which old segments are given back.
    Trim,
    /// Somebody who registers, logs in or changes a profile.
    Account,
}

/// Every point has a way to it; the tests below walk all of them.
const fn ways(point: Point) -> &'static [Way] {
    use Point as P;
    match point {
        P::ChannelDecided
        | P::EventsCollected
        | P::EventsWritten
        | P::EventsSynced
        | P::EventsStable
        | P::EventsAnswered
        | P::EventsPassedOn
        | P::RelayHeard
        | P::RelayTold
        | P::ProjectionFed
        | P::ProjectionApplied
        | P::MessagesWritten
        | P::MessagesCommitted => &[Way::Load(15)],
        P::FrameDrafted
        | P::FramesWritten
        | P::FramesSynced
        | P::FrameStable
        | P::FramePublished
        | P::SnapshotDue
        | P::SnapshotKept
        | P::SnapshotDropped => &[Way::Load(40)],
        P::GuildDecided
        | P::GuildCommitted
        | P::RelationalWritten
        | P::RelationalCommitted
        | P::OutboxDue
        | P::OutboxCleared
        | P::SegmentCreated
        | P::SegmentHeaded
        | P::SegmentBegun
        | P::SegmentRolled => &[Way::Load(2)],
        // The directory's file at a start, snapshots and summaries later.
        P::FileWritten | P::FileRenamed => &[Way::Start(3), Way::Load(40)],
        P::TailRewritten | P::TailCut => &[Way::Start(1), Way::Start(2)],
        P::SessionsClaimed
        | P::SessionsTaken
        | P::SessionsFolded
        | P::SessionsTidied
        | P::EventsClaimed
        | P::EventsTaken
        | P::TailProjected => &[Way::Start(3)],
        P::OutboxAppended => &[Way::Start(8)],
        P::TailTold | P::Recovered => &[Way::Start(1)],
        P::SegmentTrimmed | P::SummaryTrimmed => &[Way::Trim],
        P::DirectCommitted | P::AccountStored | P::LoginStored | P::TokenRotated => &[Way::Account],
    }
}

fn all_ways() -> impl Iterator<Item = (Point, Way)> {
    let points = Point::ALL.iter();
    points.flat_map(|&point| ways(point).iter().map(move |&way| (point, way)))
}

/// Starts the server so that it dies at this point, and waits until it has; false if it has not
/// by then, and each start took this long.
async fn die(
    server: &mut Server,
    (point, passes): (Point, u32),
    (until, start): (Instant, Duration),
) -> bool {
    while Instant::now() < until {
        if server.is_alive() {
            server.kill().await;
        }
        let at = format!("{}:{passes}", point.name());
        let left = until.saturating_duration_since(Instant::now());
        let ended = match server.try_restart(("GUILDHALL_CRASH_AT", &at)).await {
            Err(status) => Some(status),
            Ok(()) => server.ended_within(left.min(start)).await,
        };
        if let Some(status) = ended {
            let log = server.log();
            assert_eq!(status.signal(), Some(9), "{point:?}: {status}\n{log}");
            return true;
        }
    }
    false
}

/// Has the server die at each of the points under load after load, and every load judged.
async fn die_under_load(deaths: Vec<(Point, u32)>) {
    let mut server = Server::start(&SETTINGS).await;
    let mut deaths = deaths.into_iter().peekable();
    while let Some(&first) = deaths.peek() {
        let load = Load::start(&server, LEG).await;
        let began = Instant::now();
        let mut died = Vec::new();
        while began.elapsed() + REST < LEG
            && let Some(&death) = deaths.peek()
            && die(&mut server, death, (began + LEG, START)).await
        {
            died.push(death);
            deaths.next();
        }
        if server.is_alive() {
            server.kill().await;
        }
        server.restart().await;
        let report = load
            .must_hold(|| format!("{}\nit died at {died:?}", server.log()))
            .await;
        assert!(!died.is_empty(), "a whole load does not reach {first:?}");
        let resumed = report["resumes"].as_u64();
        assert!(resumed > Some(0), "nobody came back: {report}");
        assert_eq!(report["invalid_sessions"], 0, "a crash costs no session");
    }
}

#[tokio::test]
async fn a_server_that_dies_at_any_point_of_a_write_loses_nothing_and_tells_nothing_twice() {
    let deaths = all_ways().filter_map(|(point, way)| match way {
        Way::Load(passes) => Some((point, passes)),
        _ => None,
    });
    let mut deaths: Vec<_> = deaths.collect();
    if is_long() {
        let again = deaths.clone();
        deaths.extend(
            again
                .into_iter()
                .map(|(point, passes)| (point, 1 + passes * 2)),
        );
    }
    die_under_load(deaths).await;
}

#[tokio::test]
async fn a_server_that_dies_while_it_recovers_recovers_all_the_same() {
    let mut deaths = Vec::new();
    for (point, way) in all_ways() {
        if let Way::Start(passes) = way {
            // Something to recover from: rows whose event has not reached the log, or a batch
            // that nobody was told of.
            let crash = if deaths.len() % 4 == 0 {
                (Point::GuildCommitted, 1)
            } else {
                (Point::FramesWritten, 30)
            };
            deaths.extend([crash, (point, passes)]);
        }
    }
    die_under_load(deaths).await;
}
