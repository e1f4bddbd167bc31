//! A session partition: the fold of its frames log, which numbers every dispatch of every session.
//!
//! A session's `s` is the count of numbered entries that name its slot since it was opened. The
//! same fold runs when frames become stable and when a successor reads them back, so both count
//! alike. What the protocol promises and why it holds: `deploy/docs/decisions/0001-two-logs.md`.

pub mod record;
mod snapshot;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use guildhall_model::dispatch::Viewer;
use guildhall_model::{Epoch, EventPartition, GuildId, Position};
use roaring::RoaringBitmap;
use rustc_hash::FxHashMap;

use record::{Entry, Frame, FrameRecord, Opening, Slot, To};
pub use snapshot::SnapshotError;

/// The largest `s` that a session may reach: clients read it as a signed 32-bit number.
pub const S_MAX: u32 = i32::MAX as u32 - 100_000;

/// All sessions of a partition at one point of its frames log.
#[derive(Clone, Debug, Default)]
pub struct SessionPartition {
    epoch: Epoch,
    next_slot: Slot,
    next_audience: u32,
    sessions: FxHashMap<Slot, Session>,
    audiences: FxHashMap<u32, Arc<RoaringBitmap>>,
    heard: FxHashMap<EventPartition, Position>,
}

/// One session as the log tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// What it was opened with.
    pub opening: Opening,
    /// How many numbered entries have named it.
    pub s: u32,
    /// Where its start was complete; it cannot be resumed below, or before.
    pub settled_at: Option<u32>,
    /// Its `s` at the first takeover since its last attachment: an honest client has seen no more.
    pub cap: Option<u32>,
    /// Its guilds, with the places of their streams from which it hears.
    pub guilds: FxHashMap<GuildId, u64>,
}

impl Session {
    /// What decides how the session sees dispatches.
    pub const fn viewer(&self) -> Viewer {
        self.opening.viewer
    }
}

/// Why a session cannot be resumed: the answer is op 9, never a wrong stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such session, or no longer.
    #[error("the session is unknown or over")]
    Unknown,
    /// The token is not the one that opened it.
    #[error("the session belongs to another credential")]
    WrongCredential,
    /// The client claims a dispatch that was never sent, or one that a later owner does not count.
    #[error("the sequence number lies beyond what counts")]
    Beyond,
    /// The client broke off during the start, which is not kept.
    #[error("the session's start was not complete")]
    Unsettled,
    /// More has been missed than is kept.
    #[error("what was missed is no longer kept")]
    TooOld,
}

impl SessionPartition {
    /// Folds the next record of the log. Records of superseded epochs are void.
    pub fn fold(&mut self, epoch: Epoch, record: &FrameRecord) {
        match record {
            FrameRecord::Take { .. } if epoch > self.epoch => {
                self.epoch = epoch;
                for session in self.sessions.values_mut() {
                    session.cap = Some(session.cap.unwrap_or(u32::MAX).min(session.s));
                }
            }
            FrameRecord::Frame(frame) if epoch == self.epoch => self.fold_frame(frame),
            _ => {}
        }
    }

    /// Folds a frame of the present epoch.
    pub fn fold_frame(&mut self, frame: &Frame) {
        for entry in &frame.entries {
            self.fold_entry(entry);
        }
        self.fold_heard(frame);
    }

    /// Folds how far a frame has heard.
    pub fn fold_heard(&mut self, frame: &Frame) {
        for &(partition, position) in &frame.heard {
            self.note_heard(partition, position);
        }
    }

    /// Folds the next entry of a frame of the present epoch.
    pub fn fold_entry(&mut self, entry: &Entry) {
        match entry {
            Entry::Open(opening) => self.open(opening),
            Entry::Settled { slot } => self.with(*slot, |session| {
                session.settled_at = Some(session.s);
            }),
            Entry::Attach { slot } => self.with(*slot, |session| session.cap = None),
            Entry::Close { slot } => {
                self.sessions.remove(slot);
            }
            Entry::Subscribed {
                slot,
                guild_id,
                gseq,
                announced,
            } => self.with(*slot, |session| {
                session.guilds.insert(*guild_id, *gseq);
                session.s += u32::from(*announced);
            }),
            Entry::Unsubscribed { slot, guild_id } => self.with(*slot, |session| {
                session.guilds.remove(guild_id);
            }),
            Entry::Audience { id, slots } => {
                self.audiences.insert(*id, Arc::clone(slots));
                self.next_audience = self.next_audience.max(id.saturating_add(1));
            }
            Entry::AudienceEnd { id } => {
                self.audiences.remove(id);
            }
            Entry::Event { to, .. } | Entry::Made { to, .. } => self.number(to),
        }
    }

    /// The one place where a dispatch gets its number.
    fn number(&mut self, to: &To) {
        match to {
            To::Slots(slots) => {
                for slot in slots {
                    self.with(*slot, |session| session.s += 1);
                }
            }
            To::Audience(id) => {
                let Some(slots) = self.audiences.get(id).cloned() else {
                    return;
                };
                for slot in slots.iter() {
                    self.with(slot, |session| session.s += 1);
                }
            }
        }
    }

    fn open(&mut self, opening: &Opening) {
        self.next_slot = self.next_slot.max(opening.slot.saturating_add(1));
        let session = Session {
            opening: opening.clone(),
            // READY is the first dispatch.
            s: 1,
            settled_at: None,
            cap: None,
            guilds: FxHashMap::default(),
        };
        self.sessions.insert(opening.slot, session);
    }

    fn with(&mut self, slot: Slot, change: impl FnOnce(&mut Session)) {
        if let Some(session) = self.sessions.get_mut(&slot) {
            change(session);
        }
    }

    /// Whether a client that has seen dispatches up to `seq` may go on. Whether what it missed
    /// is still kept is for the caller to find out.
    pub fn may_resume(
        &self,
        slot: Slot,
        secret: &[u8; 16],
        credential: &[u8; 32],
        seq: u64,
    ) -> Result<&Session, Refusal> {
        let session = self.sessions.get(&slot).ok_or(Refusal::Unknown)?;
        if session.opening.secret != *secret {
            return Err(Refusal::Unknown);
        }
        if session.opening.credential != *credential {
            return Err(Refusal::WrongCredential);
        }
        let settled_at = session.settled_at.ok_or(Refusal::Unsettled)?;
        if seq < u64::from(settled_at) {
            return Err(Refusal::Unsettled);
        }
        if seq > u64::from(session.s.min(session.cap.unwrap_or(u32::MAX))) {
            return Err(Refusal::Beyond);
        }
        Ok(session)
    }

    /// The epoch of the last takeover; 0 before the first.
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// A slot that was never used; the largest number there is, once all others are.
    pub const fn next_slot(&self) -> Slot {
        self.next_slot
    }

    /// An audience number that was never used; the largest there is, once all others are.
    pub const fn next_audience(&self) -> u32 {
        self.next_audience
    }

    /// The session in a slot.
    pub fn session(&self, slot: Slot) -> Option<&Session> {
        self.sessions.get(&slot)
    }

    /// All sessions, in no order.
    pub fn sessions(&self) -> impl Iterator<Item = (Slot, &Session)> {
        self.sessions.iter().map(|(&slot, session)| (slot, session))
    }

    /// An audience that entries may refer to.
    pub fn audience(&self, id: u32) -> Option<&Arc<RoaringBitmap>> {
        self.audiences.get(&id)
    }

    /// The numbers of all audiences.
    pub fn audience_ids(&self) -> impl Iterator<Item = u32> {
        self.audiences.keys().copied()
    }

    /// Everything before this position of an event partition has been considered for all
    /// sessions.
    pub fn heard(&self, partition: EventPartition) -> Position {
        self.heard
            .get(&partition)
            .copied()
            .unwrap_or(Position::START)
    }

    /// Notes that an event partition has been considered up to a position although no frame said
    /// so: the next snapshot will.
    pub fn note_heard(&mut self, partition: EventPartition, position: Position) {
        let heard = self.heard.entry(partition).or_insert(position);
        *heard = position.max(*heard);
    }

    /// The numbered entries of a frame that name a slot, in order, each with the slot's `s`
    /// after it. Folds the frame.
    pub fn fold_tracing(&mut self, frame: &Frame, slot: Slot, mut seen: impl FnMut(u32, &Entry)) {
        for entry in &frame.entries {
            let before = self.sessions.get(&slot).map(|session| session.s);
            self.fold_entry(entry);
            let after = self.sessions.get(&slot).map(|session| session.s);
            if let (Some(before), Some(after)) = (before, after)
                && before < after
            {
                seen(after, entry);
            }
        }
    }
}
