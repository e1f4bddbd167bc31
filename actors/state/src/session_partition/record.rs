//! The records of the frames log.

use std::sync::Arc;

use guildhall_model::dispatch::{Shard, Viewer};
use guildhall_model::{EventPartition, GuildId, LoginId, NodeId, Position};
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};

/// A session's number within its partition. Never used again.
pub type Slot = u32;

/// One record of the frames log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum FrameRecord {
    /// A new owner begins; records of earlier epochs are void from here on.
    Take {
        /// The owner.
        node: NodeId,
    },
    /// What sessions receive.
    Frame(Frame),
}

/// Entries that became stable together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Frame {
    /// In order.
    pub entries: Vec<Entry>,
    /// With these entries, everything before a position of an event partition is considered.
    pub heard: Vec<(EventPartition, Position)>,
}

/// One step of one or more sessions. Numbered entries raise the `s` of the sessions they name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Entry {
    /// A session began. Numbered: READY.
    Open(Opening),
    /// A session's start is complete: it may be resumed from here on.
    Settled {
        /// Which session.
        slot: Slot,
    },
    /// A client came back to a session.
    Attach {
        /// Which session.
        slot: Slot,
    },
    /// A session ended.
    Close {
        /// Which session.
        slot: Slot,
    },
    /// A session hears a guild's stream after this place. Numbered if announced: GUILD_CREATE at
    /// the session's start, which is not kept.
    Subscribed {
        /// Which session.
        slot: Slot,
        /// Which guild.
        guild_id: GuildId,
        /// The last place of the stream that the session does not hear.
        gseq: u64,
        /// The session was told.
        announced: bool,
    },
    /// A session no longer hears a guild.
    Unsubscribed {
        /// Which session.
        slot: Slot,
        /// Which guild.
        guild_id: GuildId,
    },
    /// Gives a set of sessions a number.
    Audience {
        /// The number.
        id: u32,
        /// The set.
        #[serde(with = "bitmap")]
        slots: Arc<RoaringBitmap>,
    },
    /// A set of sessions is not referred to any more.
    AudienceEnd {
        /// Its number.
        id: u32,
    },
    /// Numbered: a record of the events log.
    Event {
        /// Where the record stands.
        at: EventRef,
        /// Who receives it.
        to: To,
    },
    /// Numbered: a dispatch that was made for these sessions, as `rmp` of
    /// [`guildhall_model::dispatch::Dispatch`].
    Made {
        /// Who receives it.
        to: To,
        /// The dispatch.
        #[serde(with = "shared_bytes")]
        dispatch: Arc<[u8]>,
    },
}

/// Names a record of the events log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EventRef {
    /// Its partition.
    pub partition: EventPartition,
    /// Its place.
    pub position: Position,
}

/// The receivers of an entry, resolved: a replay asks nobody who may see what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum To {
    /// The sessions of a numbered set.
    Audience(u32),
    /// These sessions.
    Slots(Vec<Slot>),
}

/// What a session is opened with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// Its number.
    pub slot: Slot,
    /// The unguessable part of its session id.
    pub secret: [u8; 16],
    /// The SHA-256 of what identifies the credential: a login, or a bot token's generation.
    pub credential: [u8; 32],
    /// The person's login; `None` for bots.
    pub login: Option<LoginId>,
    /// Whose session it is, and what it wants.
    pub viewer: Viewer,
    /// Which share of the guilds it gets.
    pub shard: Shard,
}

mod bitmap {
    //! A bitmap in the portable format of <https://github.com/RoaringBitmap/RoaringFormatSpec>.

    use std::sync::Arc;

    use roaring::RoaringBitmap;
    use serde::de::Error as _;
    use serde::ser::Error as _;
    use serde::{Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        slots: &Arc<RoaringBitmap>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let mut bytes = Vec::with_capacity(slots.serialized_size());
        slots.serialize_into(&mut bytes).map_err(S::Error::custom)?;
        serializer.serialize_bytes(&bytes)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Arc<RoaringBitmap>, D::Error> {
        let bytes: serde_bytes::ByteBuf = serde::Deserialize::deserialize(deserializer)?;
        RoaringBitmap::deserialize_from(bytes.as_slice())
            .map(Arc::new)
            .map_err(D::Error::custom)
    }
}

mod shared_bytes {
    //! Shared bytes as one byte string.

    use std::sync::Arc;

    use serde::{Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        bytes: &Arc<[u8]>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Arc<[u8]>, D::Error> {
        let bytes: serde_bytes::ByteBuf = serde::Deserialize::deserialize(deserializer)?;
        Ok(Arc::from(bytes.into_vec()))
    }
}
