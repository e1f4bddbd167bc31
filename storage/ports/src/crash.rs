//! The places of the write paths at which a process can die with a difference, for tests that let
//! it die at each of them.
//!
//! Without the feature `crash-points` passing a point is nothing, and the names below are all that
//! is left of it. With the feature, the environment variable `GUILDHALL_CRASH_AT=NAME:N` lets the
//! process send itself SIGKILL when it passes the point for the Nth time.

/// Passes a point, or dies there. Who does not test does not pay even for a call.
#[cfg(not(feature = "crash-points"))]
#[inline]
pub const fn pass(_: Point) {}

#[cfg(feature = "crash-points")]
pub use armed::pass;

macro_rules! points {
    ($($(#[$says:meta])* $name:ident,)+) => {
        /// Where a process may die. What is in here is passed somewhere, and nothing else is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Point { $($(#[$says])* $name,)+ }

        impl Point {
            /// All of them, in the order of the ways through the house.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The name as it is written here.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)+ }
            }
        }
    };
}

points! {
    /// A channel's actor has decided; the event is not submitted.
    ChannelDecided,
    /// A guild's actor has decided; its rows are not committed.
    GuildDecided,
    /// Rows and outbox are committed; the event is not submitted.
    GuildCommitted,
    /// As the latter, for events of users and direct messages.
    DirectCommitted,
    /// Events are collected; the append has not begun.
    EventsCollected,
    /// A batch of the events log is written and not synced.
    EventsWritten,
    /// It is synced and nobody knows.
    EventsSynced,
    /// The append has returned; the request is not answered.
    EventsStable,
    /// The relay has been told; the request is not answered.
    EventsPassedOn,
    /// The request is answered; the projection has not been told.
    EventsAnswered,
    /// The relay has heard and resolved; the sequencers have not been told.
    RelayHeard,
    /// The sequencers have been told.
    RelayTold,
    /// A frame is drafted; its append has not begun.
    FrameDrafted,
    /// A batch of the frames log is written and not synced.
    FramesWritten,
    /// It is synced and nobody knows.
    FramesSynced,
    /// The append has returned; nothing is published.
    FrameStable,
    /// The dispatches are in the ring.
    FramePublished,
    /// The projection has events that it has not applied.
    ProjectionFed,
    /// Rows of the projection are written; their transaction is open, or their places are not noted.
    MessagesWritten,
    /// It is committed, or they are, and nobody knows.
    MessagesCommitted,
    /// The projection's progress is not told.
    ProjectionApplied,
    /// Rows of accounts and guilds are written; their transaction is open.
    RelationalWritten,
    /// It is committed and nobody knows.
    RelationalCommitted,
    /// Outbox entries are stable in the log and still in the outbox.
    OutboxDue,
    /// They are cleared.
    OutboxCleared,
    /// A snapshot is due and not written.
    SnapshotDue,
    /// It is kept; older ones are not dropped.
    SnapshotKept,
    /// Older ones are dropped; the log is not released.
    SnapshotDropped,
    /// A file that replaces another is written under its other name.
    FileWritten,
    /// It is renamed; the folder is not synced.
    FileRenamed,
    /// A segment's file is there and empty.
    SegmentCreated,
    /// Its header is synced; its entry in the folder is not.
    SegmentHeaded,
    /// The segment is durable; the log does not know.
    SegmentBegun,
    /// The former segment is closed; its summary is not kept.
    SegmentRolled,
    /// The oldest segment is removed; its summary is not.
    SegmentTrimmed,
    /// Its summary is removed; the folder is not synced.
    SummaryTrimmed,
    /// At a start the last batch is written again; the torn tail is not cut.
    TailRewritten,
    /// The tail is cut and not synced.
    TailCut,
    /// A session partition is claimed; its log does not say so.
    SessionsClaimed,
    /// Its log says so; nothing is folded.
    SessionsTaken,
    /// It is folded; sessions that broke off are not closed.
    SessionsFolded,
    /// They are.
    SessionsTidied,
    /// An event partition is claimed; its log does not say so.
    EventsClaimed,
    /// Its log says so; nothing is read.
    EventsTaken,
    /// The projection has caught up.
    TailProjected,
    /// What the outbox held is in the log and still in the outbox.
    OutboxAppended,
    /// A relay has told the sequencers of the tail, or of a part.
    TailTold,
    /// Everything is recovered; nobody is served.
    Recovered,
    /// An account is stored; it has no login.
    AccountStored,
    /// A login is stored; its tokens are not handed out.
    LoginStored,
    /// A refresh token is exchanged; its successor is not handed out.
    TokenRotated,
}

#[cfg(feature = "crash-points")]
mod armed {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    use rustix::process::{Signal, getpid, kill_process};

    use super::Point;

    /// What ends this process, if anything does.
    static END: LazyLock<Option<End>> = LazyLock::new(End::from_environment);

    struct End {
        point: Point,
        passes: AtomicU32,
    }

    impl End {
        #[expect(
            clippy::disallowed_methods,
            reason = "a test reaches into a process by nothing else, and operators have no such build"
        )]
        fn from_environment() -> Option<Self> {
            let told = std::env::var("GUILDHALL_CRASH_AT").ok()?;
            let (name, passes) = told.split_once(':').unwrap_or((&told, "1"));
            let point = Point::ALL.iter().find(|point| point.name() == name);
            Some(Self {
                point: *point.expect("GUILDHALL_CRASH_AT names a point"),
                passes: AtomicU32::new(passes.parse().expect("GUILDHALL_CRASH_AT has a count")),
            })
        }
    }

    /// Passes a point, or dies there.
    pub fn pass(point: Point) {
        if let Some(end) = &*END
            && end.point == point
            && end.passes.fetch_sub(1, Ordering::Relaxed) == 1
        {
            kill_process(getpid(), Signal::KILL).expect("a process may end itself");
            // The signal may take a moment, in which nothing more must happen here.
            loop {
                std::thread::park();
            }
        }
    }
}
