//! Snapshots of a session partition: bytes from which the fold can go on.

use std::sync::Arc;

use guildhall_model::{Epoch, EventPartition, GuildId, Position};
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};

use super::record::{Opening, Slot};
use super::{Session, SessionPartition};

/// Raised whenever older code could not read what newer code writes.
const VERSION: u8 = 1;

/// A snapshot's bytes could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// Not a snapshot.
    #[error("a snapshot cannot be decoded")]
    Undecodable(#[from] rmp_serde::decode::Error),
    /// Of another version of the program.
    #[error("a snapshot has version {0}, this program reads version {VERSION}")]
    Version(u8),
    /// A set of sessions is damaged.
    #[error("a snapshot's audience cannot be decoded")]
    Audience(#[from] std::io::Error),
}

#[derive(Serialize, Deserialize)]
struct Stored {
    version: u8,
    epoch: Epoch,
    next_slot: Slot,
    next_audience: u32,
    sessions: Vec<StoredSession>,
    audiences: Vec<(u32, serde_bytes::ByteBuf)>,
    heard: Vec<(EventPartition, Position)>,
}

#[derive(Serialize, Deserialize)]
struct StoredSession {
    opening: Opening,
    s: u32,
    settled_at: Option<u32>,
    cap: Option<u32>,
    guilds: Vec<(GuildId, u64)>,
}

impl SessionPartition {
    /// The partition as bytes.
    pub fn to_snapshot(&self) -> Vec<u8> {
        let stored = Stored {
            version: VERSION,
            epoch: self.epoch,
            next_slot: self.next_slot,
            next_audience: self.next_audience,
            sessions: self.sessions.values().map(store).collect(),
            audiences: self
                .audiences
                .iter()
                .map(|(&id, slots)| (id, bytes_of(slots)))
                .collect(),
            heard: self
                .heard
                .iter()
                .map(|(&partition, &at)| (partition, at))
                .collect(),
        };
        rmp_serde::to_vec(&stored).expect("plain data in memory always encodes")
    }

    /// Reads back what [`Self::to_snapshot`] wrote.
    pub fn from_snapshot(bytes: &[u8]) -> Result<Self, SnapshotError> {
        let stored: Stored = rmp_serde::from_slice(bytes)?;
        if stored.version != VERSION {
            return Err(SnapshotError::Version(stored.version));
        }
        let mut audiences = rustc_hash::FxHashMap::default();
        for (id, bytes) in stored.audiences {
            audiences.insert(
                id,
                Arc::new(RoaringBitmap::deserialize_from(bytes.as_slice())?),
            );
        }
        Ok(Self {
            epoch: stored.epoch,
            next_slot: stored.next_slot,
            next_audience: stored.next_audience,
            sessions: stored.sessions.into_iter().map(restore).collect(),
            audiences,
            heard: stored.heard.into_iter().collect(),
        })
    }
}

fn store(session: &Session) -> StoredSession {
    StoredSession {
        opening: session.opening.clone(),
        s: session.s,
        settled_at: session.settled_at,
        cap: session.cap,
        guilds: session
            .guilds
            .iter()
            .map(|(&id, &gseq)| (id, gseq))
            .collect(),
    }
}

fn restore(stored: StoredSession) -> (Slot, Session) {
    let session = Session {
        s: stored.s,
        settled_at: stored.settled_at,
        cap: stored.cap,
        guilds: stored.guilds.into_iter().collect(),
        opening: stored.opening,
    };
    (session.opening.slot, session)
}

fn bytes_of(slots: &RoaringBitmap) -> serde_bytes::ByteBuf {
    let mut bytes = Vec::with_capacity(slots.serialized_size());
    slots
        .serialize_into(&mut bytes)
        .expect("memory takes every byte");
    serde_bytes::ByteBuf::from(bytes)
}
