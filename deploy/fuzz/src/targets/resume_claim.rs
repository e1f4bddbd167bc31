//! RESUME claims against a session partition after any log of several owners: who is let in, and
//! with which number, agrees with a slow twin that counts the log's entries anew for each claim.

use std::collections::BTreeMap;
use std::sync::Arc;

use guildhall_host::session::id::{parse_session_id, session_id};
use guildhall_model::dispatch::{Shard, Viewer};
use guildhall_model::{
    Epoch, EventPartition, GuildId, NodeId, Position, SessionPartition as Partition, UserId,
};
use guildhall_state::session_partition::record::{
    Entry, EventRef, Frame, FrameRecord, Opening, Slot, To,
};
use guildhall_state::session_partition::{Refusal, SessionPartition};

use crate::script::Script;

/// Few, so that entries meet.
const SLOTS: usize = 4;
const AUDIENCES: usize = 3;
/// Records of one log.
const RECORDS_MAX: usize = 40;
const PARTITION: Partition = Partition(7);

type Log = Vec<(Epoch, FrameRecord)>;

/// What a client presents.
struct Claim {
    session_id: String,
    credential: [u8; 32],
    seq: u64,
}

pub(crate) fn run(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let log = log(&mut script);
    let mut machine = SessionPartition::default();
    // A takeover continues from a snapshot at any place.
    let cut = script.below(RECORDS_MAX);
    for (at, (epoch, record)) in log.iter().enumerate() {
        if at == cut {
            let snapshot = machine.to_snapshot();
            machine = SessionPartition::from_snapshot(&snapshot).expect("a snapshot of our own");
        }
        machine.fold(*epoch, record);
    }
    for _ in 0..8 {
        let claim = claim(&mut script);
        let answer = judge(&machine, &claim);
        assert_eq!(answer, judge_slowly(&log, &claim), "{log:?}");
    }
    check_spelling(&String::from_utf8_lossy(script.rest()));
}

/// Records of one owner after the other, whose late appends come between those of the successors.
fn log(script: &mut Script<'_>) -> Log {
    let take = FrameRecord::Take { node: NodeId(0) };
    let mut owner = Epoch(1);
    let mut log = vec![(owner, take.clone())];
    for _ in 0..script.below(RECORDS_MAX) {
        let frame = |script: &mut Script<'_>| {
            FrameRecord::Frame(Frame {
                entries: (0..=script.below(5)).map(|_| entry(script)).collect(),
                heard: vec![(EventPartition(0), Position(script.byte().into()))],
            })
        };
        let late = Epoch(script.u32() % owner.next().0);
        log.push(match script.below(10) {
            0 => (late, take.clone()),
            1 => (late, frame(script)),
            // Written before its takeover.
            2 => (owner.next(), frame(script)),
            3 | 4 => {
                owner = owner.next();
                (owner, take.clone())
            }
            _ => (owner, frame(script)),
        });
    }
    log
}

fn entry(script: &mut Script<'_>) -> Entry {
    let slot = slot(script);
    let guild_id = GuildId::new(1 + u64::from(script.byte() % 3)).expect("not zero");
    match script.below(13) {
        0 | 1 => Entry::Open(opening(slot, script.byte() % 2)),
        2 | 3 => Entry::Settled { slot },
        4 => Entry::Attach { slot },
        5 => Entry::Close { slot },
        6 => Entry::Subscribed {
            slot,
            guild_id,
            gseq: script.byte().into(),
            announced: script.is_set(),
        },
        7 => Entry::Unsubscribed { slot, guild_id },
        8 => Entry::Audience {
            id: audience(script),
            slots: Arc::new(slots(script).into_iter().collect()),
        },
        9 => Entry::AudienceEnd {
            id: audience(script),
        },
        10 => Entry::Made {
            to: To::Slots(slots(script)),
            dispatch: Arc::from(&b"made"[..]),
        },
        kind => Entry::Event {
            at: EventRef {
                partition: EventPartition(0),
                position: Position(1),
            },
            to: if kind == 11 {
                To::Slots(slots(script))
            } else {
                To::Audience(audience(script))
            },
        },
    }
}

fn slot(script: &mut Script<'_>) -> Slot {
    script.pick(&[0, 1, 2, 3])
}

fn audience(script: &mut Script<'_>) -> u32 {
    u32::from(script.byte()) % u32::try_from(AUDIENCES).expect("few")
}

/// Any set of slots, rising.
fn slots(script: &mut Script<'_>) -> Vec<Slot> {
    let set = script.byte();
    (0..SLOTS)
        .filter(|slot| set >> slot & 1 == 1)
        .map(|slot| u32::try_from(slot).expect("few"))
        .collect()
}

fn secret(kind: u8) -> [u8; 16] {
    [0xA0 | kind; 16]
}

fn credential(kind: u8) -> [u8; 32] {
    [kind; 32]
}

fn opening(slot: Slot, kind: u8) -> Opening {
    Opening {
        slot,
        secret: secret(kind),
        credential: credential(kind),
        login: None,
        viewer: Viewer::person(UserId::new(2).expect("not zero")),
        shard: Shard::WHOLE,
    }
}

fn claim(script: &mut Script<'_>) -> Claim {
    let kind = script.byte() % 2;
    let mut session_id = session_id(PARTITION, slot(script), &secret(kind));
    // Most claims name a session, so that the later checks are reached.
    if script.below(4) == 0 {
        let at = script.below(session_id.len());
        let with = char::from(script.byte() % 128);
        session_id.replace_range(at..=at, with.encode_utf8(&mut [0; 4]));
    }
    let other = u8::from(script.below(8) == 0);
    Claim {
        session_id,
        credential: credential(kind ^ other),
        seq: match script.below(16) {
            0 => script.u64(),
            _ => (script.byte() % 32).into(),
        },
    }
}

/// The session's `s`, as a node answers.
fn judge(machine: &SessionPartition, claim: &Claim) -> Result<u32, Refusal> {
    check_spelling(&claim.session_id);
    let (partition, slot, secret) = parse_session_id(&claim.session_id).ok_or(Refusal::Unknown)?;
    if partition != PARTITION {
        return Err(Refusal::Unknown);
    }
    machine
        .may_resume(slot, &secret, &claim.credential, claim.seq)
        .map(|session| session.s)
}

/// A session id has one spelling.
fn check_spelling(id: &str) {
    if let Some((partition, slot, secret)) = parse_session_id(id) {
        assert_eq!(session_id(partition, slot, &secret), id);
    }
}

/// The life of one session, as far as a claim asks.
struct Life {
    opening: Opening,
    s: u32,
    settled_at: Option<u32>,
    cap: Option<u32>,
}

/// The same from the log alone.
fn judge_slowly(log: &Log, claim: &Claim) -> Result<u32, Refusal> {
    let named = (0..SLOTS).find_map(|slot| {
        let slot = u32::try_from(slot).expect("few");
        let life = life(log, slot)?;
        let id = session_id(PARTITION, slot, &life.opening.secret);
        (id == claim.session_id).then_some(life)
    });
    let life = named.ok_or(Refusal::Unknown)?;
    if life.opening.credential != claim.credential {
        return Err(Refusal::WrongCredential);
    }
    let least = life.settled_at.ok_or(Refusal::Unsettled)?;
    let most = life.s.min(life.cap.unwrap_or(life.s));
    match claim.seq {
        seq if seq < least.into() => Err(Refusal::Unsettled),
        seq if u64::from(most) < seq => Err(Refusal::Beyond),
        _ => Ok(life.s),
    }
}

fn life(log: &Log, slot: Slot) -> Option<Life> {
    let mut epoch = Epoch(0);
    let mut audiences = BTreeMap::new();
    let mut life: Option<Life> = None;
    for (of, record) in log {
        match record {
            FrameRecord::Take { .. } if *of > epoch => {
                epoch = *of;
                if let Some(life) = &mut life {
                    // The first takeover since the last attachment counts.
                    life.cap = life.cap.or(Some(life.s));
                }
            }
            FrameRecord::Frame(frame) if *of == epoch => {
                for entry in &frame.entries {
                    live(&mut life, &mut audiences, slot, entry);
                }
            }
            _ => {}
        }
    }
    life
}

fn live(
    life: &mut Option<Life>,
    audiences: &mut BTreeMap<u32, Vec<Slot>>,
    slot: Slot,
    entry: &Entry,
) {
    let is_named = match entry {
        Entry::Open(opening) if opening.slot == slot => {
            *life = Some(Life {
                opening: opening.clone(),
                s: 0,
                settled_at: None,
                cap: None,
            });
            true
        }
        Entry::Close { slot: closed } if *closed == slot => {
            *life = None;
            false
        }
        Entry::Audience { id, slots } => {
            audiences.insert(*id, slots.iter().collect());
            false
        }
        Entry::AudienceEnd { id } => {
            audiences.remove(id);
            false
        }
        Entry::Subscribed {
            slot: to,
            announced,
            ..
        } => *announced && *to == slot,
        Entry::Event { to, .. } | Entry::Made { to, .. } => match to {
            To::Slots(slots) => slots.contains(&slot),
            To::Audience(id) => audiences.get(id).is_some_and(|set| set.contains(&slot)),
        },
        _ => false,
    };
    let Some(life) = life else { return };
    life.s += u32::from(is_named);
    match entry {
        Entry::Settled { slot: settled } if *settled == slot => life.settled_at = Some(life.s),
        Entry::Attach { slot: attached } if *attached == slot => life.cap = None,
        _ => {}
    }
}
