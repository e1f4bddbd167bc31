//! Nouns and rules of Guildhall as plain data.
//!
//! Nothing here does I/O, reads a clock or draws randomness. The types derive serde for log
//! records, snapshots and node batches only: what a client sees is made in `gateway/wire`.

pub mod account;
pub mod application_command;
pub mod attachment;
pub mod audit;
pub mod channel;
pub mod command;
pub mod dispatch;
pub mod emoji;
pub mod event;
pub mod guild;
pub mod id;
pub mod intent;
pub mod interaction;
pub mod interned;
pub mod invite;
pub mod limits;
pub mod member;
pub mod message;
pub mod node_role;
pub mod partition;
pub mod permission;
pub mod picture;
pub mod rate;
pub mod rejection;
pub mod role;
pub mod snowflake;
pub mod text;
pub mod time;
pub mod user;
pub mod webhook;

pub use id::{
    ApplicationId, AttachmentId, AuditEntryId, ChannelId, CommandId, EmojiId, GuildId, Id,
    InteractionId, LoginId, MessageId, RoleId, UserId, WebhookId,
};
pub use node_role::{NodeRole, NodeRoles};
pub use partition::{Epoch, EventPartition, NodeId, Position, SessionPartition};
pub use permission::Permissions;
pub use rate::{Rate, Window};
pub use rejection::Rejection;
pub use time::Timestamp;
