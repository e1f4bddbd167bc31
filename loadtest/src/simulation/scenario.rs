//! What is simulated: how many of everything, what goes wrong, and which rule is left out.

use super::env::{SECOND, Time};

/// How often things go wrong: once in so many times; 0 means never.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Messages that the network loses.
    pub lose: u32,
    /// Messages that take up to two seconds.
    pub slow: u32,
    /// Appends and commits that are lost, late, torn, refused or not acknowledged.
    pub append: u32,
    /// Snapshots that are not kept.
    pub snapshot: u32,
    /// Milliseconds between two blows to a node or a client, on average.
    pub blow_ms: u64,
    /// Owners are paused and replaced while they live, clocks step.
    pub zombies: bool,
}

/// A rule of the shell or the machines that is left out, to see the judge find out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weakness {
    /// Readers of the logs count records of superseded epochs.
    Epochs,
    /// Who has seen more than a takeover counts is taken back.
    Cap,
    /// Dispatches go out before their frame is stable.
    Stable,
    /// Frames do not say how far the relays were heard.
    Watermark,
    /// A new owner does not look for nonces of the former one.
    Nonce,
    /// An owner takes sessions back without asking the directory.
    Directory,
    /// An event counts as committed without asking the directory whether its epoch still did.
    UnconfirmedAppend,
    /// Rows are committed by whoever was an owner.
    UnfencedCommit,
    /// A snapshot is kept without asking the directory whether its epoch still counts.
    UnconfirmedSnapshot,
    /// A relay begins to follow a guild with its newest rows, whatever of them it has yet to hear.
    NewestRows,
    /// A session starts from what the relays have heard, however far that lags.
    StaleStart,
    /// Relays know of a session that starts before they have heard what came before it.
    EarlyRegistration,
    /// A former owner tells what was missed by what its successor has written.
    ForeignReplay,
    /// A new owner's relays take back of the newest rows only what stands in the log.
    TailOnly,
}

/// What is simulated.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// Nodes of the cluster.
    pub nodes: usize,
    /// Slices of guilds.
    pub event_partitions: u16,
    /// Slices of sessions.
    pub session_partitions: u16,
    /// Guilds.
    pub guilds: usize,
    /// Users.
    pub users: usize,
    /// Clients; the first users have more than one.
    pub clients: usize,
    /// How long things go wrong.
    pub storm: Time,
    /// Whether the world heals at the end, so that everything must arrive.
    pub heals: bool,
    /// One requester who does so many things, one after the other, instead of everybody at once.
    pub jobs: Option<u64>,
    /// What goes wrong.
    pub faults: Faults,
    /// The rules that are left out.
    pub weak: &'static [Weakness],
}

impl Scenario {
    /// Everything goes wrong all the time.
    pub const fn safety() -> Self {
        Self {
            nodes: 3,
            event_partitions: 3,
            session_partitions: 3,
            guilds: 3,
            users: 9,
            clients: 16,
            storm: 40 * SECOND,
            heals: false,
            jobs: None,
            faults: Faults {
                lose: 60,
                slow: 40,
                append: 90,
                snapshot: 4,
                blow_ms: 900,
                zombies: true,
            },
            weak: &[],
        }
    }

    /// The same, but then the world heals, and everything must arrive.
    pub const fn liveness() -> Self {
        Self {
            heals: true,
            storm: 25 * SECOND,
            ..Self::safety()
        }
    }

    /// Nodes are killed and engines fail, but no owner is replaced while it lives.
    pub const fn crashes() -> Self {
        let all = Self::liveness();
        Self {
            faults: Faults {
                zombies: false,
                ..all.faults
            },
            ..all
        }
    }

    /// Owners are replaced while they live, and little else goes wrong.
    pub const fn zombies() -> Self {
        let all = Self::liveness();
        Self {
            storm: 60 * SECOND,
            faults: Faults {
                lose: 0,
                append: 0,
                blow_ms: 250,
                ..all.faults
            },
            ..all
        }
    }

    /// One node on which nothing goes wrong. One thing is done after the other.
    pub const fn calm() -> Self {
        Self {
            nodes: 1,
            jobs: Some(80),
            faults: Faults {
                lose: 0,
                slow: 0,
                append: 0,
                snapshot: 0,
                blow_ms: 0,
                zombies: false,
            },
            ..Self::liveness()
        }
    }

    /// Three nodes that are killed, with the work of [`Self::calm`].
    pub const fn orderly_crashes() -> Self {
        Self {
            jobs: Some(80),
            ..Self::crashes()
        }
    }

    /// The same with rules left out.
    pub const fn without(self, weak: &'static [Weakness]) -> Self {
        Self { weak, ..self }
    }
}
