//! Laws of the fold over random logs of several owners.

use std::collections::BTreeMap;

use guildhall_model::Epoch;
use proptest::prelude::*;

use super::super::record::{Entry, FrameRecord, Slot, To};
use super::super::{Session, SessionPartition};
use super::log::{folded, log};

/// Everything that a partition knows, in an order that does not depend on hashing.
#[derive(Debug, PartialEq)]
struct Facts {
    epoch: Epoch,
    next: (Slot, u32),
    sessions: BTreeMap<Slot, Session>,
    audiences: BTreeMap<u32, Vec<Slot>>,
    heard: Vec<u64>,
}

fn facts(machine: &SessionPartition) -> Facts {
    let sessions = machine
        .sessions()
        .map(|(slot, session)| (slot, session.clone()));
    let audience = |id| (id, machine.audience(id).unwrap().iter().collect());
    let heard = (0..3).map(|n| machine.heard(guildhall_model::EventPartition(n)).0);
    Facts {
        epoch: machine.epoch(),
        next: (machine.next_slot(), machine.next_audience()),
        sessions: sessions.collect(),
        audiences: machine.audience_ids().map(audience).collect(),
        heard: heard.collect(),
    }
}

/// The numbered entries of a slot since it was opened last, counted without the machine: each with
/// its number. `None` if the slot is not open.
fn counted(log: &[(Epoch, FrameRecord)], slot: Slot) -> Option<Vec<(u32, Entry)>> {
    let mut epoch = Epoch(0);
    let mut audiences: BTreeMap<u32, Vec<Slot>> = BTreeMap::new();
    let mut counted: Option<Vec<(u32, Entry)>> = None;
    for (of, record) in log {
        let frame = match record {
            FrameRecord::Take { .. } => {
                epoch = epoch.max(*of);
                continue;
            }
            FrameRecord::Frame(frame) if *of == epoch => frame,
            FrameRecord::Frame(_) => continue,
        };
        for entry in &frame.entries {
            let named = match entry {
                Entry::Open(opening) if opening.slot == slot => {
                    counted = Some(Vec::new());
                    true
                }
                Entry::Close { slot: closed } if *closed == slot => {
                    counted = None;
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
            if let (true, Some(counted)) = (named, &mut counted) {
                let s = u32::try_from(counted.len()).unwrap() + 1;
                counted.push((s, entry.clone()));
            }
        }
    }
    counted
}

proptest! {
    #[test]
    fn s_is_the_count_of_numbered_entries_since_the_opening(log in log()) {
        let machine = folded(&log);
        for slot in 0..5 {
            let counted = counted(&log, slot).map(|entries| entries.len());
            let s = machine.session(slot).map(|session| session.s as usize);
            prop_assert_eq!(s, counted);
        }
    }

    #[test]
    fn tracing_finds_each_numbered_entry_with_its_number(log in log(), slot in 0_u32..5) {
        let mut machine = SessionPartition::default();
        let mut traced: Vec<(u32, Entry)> = Vec::new();
        for (epoch, record) in &log {
            match record {
                FrameRecord::Frame(frame) if *epoch == machine.epoch() => {
                    machine.fold_tracing(frame, slot, |s, entry| traced.push((s, entry.clone())));
                    machine.fold_heard(frame);
                }
                other => machine.fold(*epoch, other),
            }
        }
        prop_assert_eq!(facts(&machine), facts(&folded(&log)));
        // READY is not among them: it is never told again.
        let last = counted(&log, slot).unwrap_or_default();
        let expected: Vec<_> = last.into_iter().filter(|(s, _)| *s > 1).collect();
        prop_assert!(traced.ends_with(&expected), "{:?} of {:?}", expected, traced);
    }

    #[test]
    fn a_fold_goes_on_from_a_snapshot_at_any_place(log in log()) {
        let whole = facts(&folded(&log));
        for cut in 0..=log.len() {
            let bytes = folded(&log[..cut]).to_snapshot();
            let mut machine = SessionPartition::from_snapshot(&bytes).unwrap();
            prop_assert_eq!(facts(&machine), facts(&folded(&log[..cut])));
            for (epoch, record) in &log[cut..] {
                machine.fold(*epoch, record);
            }
            prop_assert_eq!(&facts(&machine), &whole);
        }
    }

    #[test]
    fn void_records_might_as_well_be_absent(log in log()) {
        let mut epoch = Epoch(0);
        let mut valid = Vec::new();
        for (of, record) in &log {
            let takes = matches!(record, FrameRecord::Take { .. });
            if takes && *of > epoch {
                epoch = *of;
            } else if takes || *of != epoch {
                continue;
            }
            valid.push((*of, record.clone()));
        }
        prop_assert_eq!(facts(&folded(&log)), facts(&folded(&valid)));
    }

    #[test]
    fn records_survive_their_bytes(log in log()) {
        for (_, record) in &log {
            let bytes = rmp_serde::to_vec(record).unwrap();
            let read: FrameRecord = rmp_serde::from_slice(&bytes).unwrap();
            prop_assert_eq!(&read, record);
        }
    }

    #[test]
    fn no_client_that_is_let_in_has_seen_more_than_counts(log in log(), seq in 0_u64..40) {
        let machine = folded(&log);
        for (slot, session) in machine.sessions() {
            let opening = &session.opening;
            let resumed = machine.may_resume(slot, &opening.secret, &opening.credential, seq);
            let settled = session.settled_at.map(u64::from);
            let least = session.cap.unwrap_or(session.s).min(session.s);
            let honest = settled.is_some_and(|at| at <= seq) && seq <= u64::from(least);
            prop_assert_eq!(resumed.is_ok(), honest);
        }
    }
}
