//! Frames logs for tests: records by hand and at random, by several owners at a time.

use std::sync::Arc;

use guildhall_model::dispatch::{Shard, Viewer};
use guildhall_model::{Epoch, EventPartition, GuildId, NodeId, Position, UserId};
use proptest::prelude::*;

use super::super::SessionPartition;
use super::super::record::{Entry, EventRef, Frame, FrameRecord, Opening, Slot, To};

pub(super) type Log = Vec<(Epoch, FrameRecord)>;

pub(super) fn secret(number: u8) -> [u8; 16] {
    [number; 16]
}

pub(super) fn credential(number: u8) -> [u8; 32] {
    [number; 32]
}

pub(super) fn opening(slot: Slot) -> Opening {
    Opening {
        slot,
        secret: secret(0),
        credential: credential(0),
        login: None,
        viewer: Viewer::person(UserId::new(2).unwrap()),
        shard: Shard::WHOLE,
    }
}

pub(super) fn take() -> FrameRecord {
    FrameRecord::Take { node: NodeId(0) }
}

pub(super) fn frame(entries: Vec<Entry>) -> FrameRecord {
    let heard = Vec::new();
    FrameRecord::Frame(Frame { entries, heard })
}

fn at() -> EventRef {
    EventRef {
        partition: EventPartition(0),
        position: Position(1),
    }
}

pub(super) fn event(slots: &[Slot]) -> Entry {
    let to = To::Slots(slots.to_vec());
    Entry::Event { at: at(), to }
}

pub(super) fn event_to(audience: u32) -> Entry {
    let to = To::Audience(audience);
    Entry::Event { at: at(), to }
}

pub(super) fn audience(id: u32, slots: &[Slot]) -> Entry {
    let slots = Arc::new(slots.iter().copied().collect());
    Entry::Audience { id, slots }
}

/// The fold of a whole log.
pub(super) fn folded(log: &[(Epoch, FrameRecord)]) -> SessionPartition {
    let mut machine = SessionPartition::default();
    for (epoch, record) in log {
        machine.fold(*epoch, record);
    }
    machine
}

fn entry() -> impl Strategy<Value = Entry> {
    let slot = 0_u32..5;
    let slots = prop::collection::vec(0_u32..5, 0..4).prop_map(|mut slots| {
        slots.sort_unstable();
        slots.dedup();
        slots
    });
    let guild = (1_u64..4).prop_map(|raw| GuildId::new(raw).unwrap());
    prop_oneof![
        4 => slots.clone().prop_map(|slots| event(&slots)),
        3 => (0_u32..3).prop_map(event_to),
        2 => slots.clone().prop_map(|slots| Entry::Made {
            to: To::Slots(slots),
            dispatch: Arc::from(&b"made"[..]),
        }),
        2 => (0_u32..3, slots).prop_map(|(id, slots)| audience(id, &slots)),
        1 => (0_u32..3).prop_map(|id| Entry::AudienceEnd { id }),
        2 => slot.clone().prop_map(|slot| Entry::Open(opening(slot))),
        2 => slot.clone().prop_map(|slot| Entry::Settled { slot }),
        2 => slot.clone().prop_map(|slot| Entry::Attach { slot }),
        1 => slot.clone().prop_map(|slot| Entry::Close { slot }),
        2 => (slot.clone(), guild.clone(), 0_u64..9, any::<bool>()).prop_map(
            |(slot, guild_id, gseq, announced)| Entry::Subscribed {
                slot,
                guild_id,
                gseq,
                announced,
            }
        ),
        1 => (slot, guild).prop_map(|(slot, guild_id)| Entry::Unsubscribed { slot, guild_id }),
    ]
}

/// Records of several owners, whose late appends come between those of their successors.
pub(super) fn log() -> impl Strategy<Value = Log> {
    let heard = prop::collection::vec(
        (0_u16..3, 0_u64..99).prop_map(|(p, at)| (EventPartition(p), Position(at))),
        0..2,
    );
    let record = prop_oneof![
        1 => Just(take()),
        6 => (prop::collection::vec(entry(), 1..8), heard)
            .prop_map(|(entries, heard)| FrameRecord::Frame(Frame { entries, heard })),
    ];
    // The first owner writes most of it, so that not everything is void.
    let epoch = prop_oneof![4 => Just(1_u32), 2 => Just(2), 1 => Just(3)].prop_map(Epoch);
    prop::collection::vec((epoch, record), 0..30).prop_map(|mut log| {
        log.insert(0, (Epoch(1), take()));
        log
    })
}
