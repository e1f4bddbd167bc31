//! Servers, as the native dialect calls guilds.

use guildhall_model::guild::Guild;
use serde::Serialize;
use utoipa::ToSchema;

use crate::file_url::PictureAddress;
use crate::id::UuidText;
use crate::installation::Installation;
use crate::time::Utc;

/// A community of channels.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct Server<'a> {
    id: UuidText,
    name: &'a str,
    owner_id: UuidText,
    #[schema(required)]
    description: Option<&'a str>,
    #[schema(required, value_type = Option<&str>)]
    icon_url: Option<PictureAddress<'a>>,
    member_count: u32,
    /// Anybody may join without an invite.
    is_public: bool,
    created_at: Utc,
}

impl<'a> Server<'a> {
    /// The guild with the number of its members.
    pub fn new(guild: &'a Guild, member_count: u32, installation: &'a Installation) -> Self {
        let Installation { spelling, urls } = installation;
        let picture = guild.icon.as_ref();
        Self {
            id: spelling.uuid(guild.id),
            name: &guild.name,
            owner_id: spelling.uuid(guild.owner_id),
            description: guild.description.as_deref(),
            icon_url: picture.map(|picture| urls.icon(guild.id, picture)),
            member_count,
            is_public: guild.is_public,
            created_at: Utc(guild.id.created_at()),
        }
    }
}
