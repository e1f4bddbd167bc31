//! The native dialect: the specification's objects, with UUID ids and RFC 3339 times.

pub mod application;
pub mod application_command;
pub mod attachment;
pub mod audit;
pub mod channel;
mod emoji;
pub(crate) mod event;
pub mod interaction;
pub mod invite;
pub mod member;
pub mod message;
pub mod permission;
pub mod request;
pub mod role;
pub mod schema;
pub mod server;
pub mod session;
pub mod user;
mod volatile;

pub use application::Application;
pub use application_command::Command;
pub use attachment::Attachment;
pub use audit::AuditEntry;
pub use channel::{Channel, ChannelBody, DirectChannel};
pub use interaction::InteractionRef;
pub use invite::{Invite, InvitePreview};
pub use member::{Ban, Member};
pub use message::{DirectMessage, Message, MessageBody, Reaction};
pub use permission::NativePermissions;
pub use role::Role;
pub use server::Server;
pub use session::Session;
pub use user::User;
