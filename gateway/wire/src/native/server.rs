//! Servers, as the native dialect calls guilds.

use guildhall_model::guild::Guild;
use serde::Serialize;
use utoipa::ToSchema;

use crate::id::{Spelling, UuidText};
use crate::time::Utc;

/// A community of channels.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct Server<'a> {
    id: UuidText,
    name: &'a str,
    owner_id: UuidText,
    #[schema(required)]
    description: Option<&'a str>,
    #[schema(required)]
    icon_url: Option<&'a str>,
    member_count: u32,
    /// Anybody may join without an invite.
    is_public: bool,
    created_at: Utc,
}

impl<'a> Server<'a> {
    /// The guild with the number of its members.
    pub fn new(guild: &'a Guild, member_count: u32, spelling: &Spelling) -> Self {
        Self {
            id: spelling.uuid(guild.id),
            name: &guild.name,
            owner_id: spelling.uuid(guild.owner_id),
            description: guild.description.as_deref(),
            icon_url: guild.icon_url.as_deref(),
            member_count,
            is_public: guild.is_public,
            created_at: Utc(guild.id.created_at()),
        }
    }
}
