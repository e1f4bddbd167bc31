//! Invites.

use guildhall_model::command;
use guildhall_model::invite as model;
use serde::Serialize;
use utoipa::ToSchema;

use crate::id::{Spelling, UuidText};
use crate::time::Utc;

/// A code that lets people into a server.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct Invite<'a> {
    code: &'a str,
    server_id: UuidText,
    /// Where it leads to.
    channel_id: UuidText,
    inviter_id: UuidText,
    uses: u32,
    /// 0 means without limit.
    max_uses: u32,
    /// Seconds; 0 means that it does not expire.
    max_age: u32,
    /// Members who come by it leave with their last session, unless given a role.
    temporary: bool,
    created_at: Utc,
    #[schema(required)]
    expires_at: Option<Utc>,
}

impl<'a> Invite<'a> {
    /// The invite as those see it who may manage it.
    pub fn new(invite: &'a model::Invite, spelling: &Spelling) -> Self {
        Self {
            code: &invite.code,
            server_id: spelling.uuid(invite.guild_id),
            channel_id: spelling.uuid(invite.channel_id),
            inviter_id: spelling.uuid(invite.inviter_id),
            uses: invite.uses,
            max_uses: invite.max_uses,
            max_age: invite.max_age_s,
            temporary: invite.temporary,
            created_at: Utc(invite.created_at),
            expires_at: invite.expires_at().map(Utc),
        }
    }
}

/// What an invite's code shows to whoever has it, member or not.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct InvitePreview<'a> {
    code: &'a str,
    server_id: UuidText,
    server_name: &'a str,
    member_count: u32,
    #[schema(required)]
    expires_at: Option<Utc>,
}

impl<'a> InvitePreview<'a> {
    /// The invite without what only its server's managers see.
    pub fn new(preview: &'a command::InvitePreview, spelling: &Spelling) -> Self {
        Self {
            code: &preview.invite.code,
            server_id: spelling.uuid(preview.invite.guild_id),
            server_name: &preview.guild_name,
            member_count: preview.member_count,
            expires_at: preview.invite.expires_at().map(Utc),
        }
    }
}
