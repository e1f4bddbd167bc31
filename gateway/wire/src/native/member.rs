//! Members and bans.

use guildhall_model::GuildId;
use guildhall_model::member as model;
use serde::Serialize;
use utoipa::ToSchema;

use super::user::User;
use crate::id::UuidText;
use crate::installation::Installation;
use crate::time::Utc;

/// A user within a server.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Member<'a> {
    server_id: UuidText,
    user: User<'a>,
    /// A name for this server only.
    #[schema(required)]
    nick: Option<&'a str>,
    /// Without the role that everybody has.
    roles: Vec<UuidText>,
    joined_at: Utc,
}

impl<'a> Member<'a> {
    /// The member of this guild.
    pub fn new(
        guild_id: GuildId,
        member: &'a model::Member,
        installation: &'a Installation,
    ) -> Self {
        let spelling = &installation.spelling;
        Self {
            server_id: spelling.uuid(guild_id),
            user: User::new(&member.user, installation),
            nick: member.nick.as_deref(),
            roles: member
                .roles
                .iter()
                .map(|&role| spelling.uuid(role))
                .collect(),
            joined_at: Utc(member.joined_at),
        }
    }

    /// The same with how the user appears at this moment.
    pub fn appearing(self, appearance: guildhall_model::user::Appearance) -> Self {
        Self {
            user: self.user.appearing(appearance),
            ..self
        }
    }
}

/// Somebody who may not come back.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct Ban<'a> {
    user: User<'a>,
    #[schema(required)]
    reason: Option<&'a str>,
    created_at: Utc,
}

impl<'a> Ban<'a> {
    /// The ban as moderators see it.
    pub fn new(ban: &'a model::Ban, installation: &'a Installation) -> Self {
        Self {
            user: User::new(&ban.user, installation),
            reason: ban.reason.as_deref(),
            created_at: Utc(ban.at),
        }
    }
}
