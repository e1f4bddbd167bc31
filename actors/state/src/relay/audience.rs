//! Resolved sets of receiving sessions, per session partition.

use std::sync::Arc;

use guildhall_model::SessionPartition;
use roaring::RoaringBitmap;

use super::{Receivers, SessionRef, Step, Steps};
use crate::session_partition::record::Slot;

/// Up to this many receivers are named one by one; larger sets are given a number, so that their
/// next use costs a few bytes.
const FEW_MAX: usize = 4;

/// The sessions of this node that receive something.
#[derive(Clone, Debug, Default)]
pub struct Reach(pub(super) Arc<[(SessionPartition, Receivers)]>);

impl Reach {
    /// The set of these sessions, which must be sorted.
    pub fn of(sessions: &[SessionRef]) -> Self {
        let mut reach = Vec::new();
        each_partition(sessions, |partition, slots| {
            let receivers = if slots.len() <= FEW_MAX {
                Receivers::Few(slots)
            } else {
                let set = RoaringBitmap::from_sorted_iter(slots).expect("sessions are sorted");
                Receivers::Many(Arc::new(set))
            };
            reach.push((partition, receivers));
        });
        Self(reach.into())
    }

    /// One step per partition.
    pub(super) fn steps(&self, steps: &mut Steps, step: impl Fn(Receivers) -> Step) {
        steps.extend(
            self.0
                .iter()
                .map(|(partition, who)| (*partition, step(who.clone()))),
        );
    }

    /// The receivers in each partition.
    pub fn partitions(&self) -> &[(SessionPartition, Receivers)] {
        &self.0
    }

    /// How many sessions there are.
    pub fn len(&self) -> u64 {
        self.0.iter().map(|(_, who)| who.len()).sum()
    }

    /// Nobody receives it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Receivers {
    /// How many sessions there are.
    pub fn len(&self) -> u64 {
        match self {
            Self::Many(set) => set.len(),
            Self::Few(slots) => slots.len() as u64,
        }
    }

    /// Nobody.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The session in this slot is among them.
    pub fn contains(&self, slot: Slot) -> bool {
        match self {
            Self::Many(set) => set.contains(slot),
            Self::Few(slots) => slots.contains(&slot),
        }
    }

    /// Calls `each` with every slot.
    pub fn for_each(&self, mut each: impl FnMut(Slot)) {
        match self {
            Self::Many(set) => set.iter().for_each(each),
            Self::Few(slots) => slots.iter().for_each(|&slot| each(slot)),
        }
    }
}

/// Splits sorted sessions by partition.
pub(super) fn each_partition(
    sessions: &[SessionRef],
    mut each: impl FnMut(SessionPartition, Vec<Slot>),
) {
    for run in sessions.chunk_by(|a, b| a.partition == b.partition) {
        each(
            run[0].partition,
            run.iter().map(|session| session.slot).collect(),
        );
    }
}
