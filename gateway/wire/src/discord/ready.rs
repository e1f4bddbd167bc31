//! READY.

use guildhall_model::{dispatch as model, id};
use serde::Serialize;

use super::application::flags;
use super::guild::GuildRef;
use super::user::CurrentUser;
use super::{NoList, NoObject};
use crate::id::Decimal;

#[derive(Serialize)]
pub(crate) struct Ready<'a> {
    v: u8,
    user: CurrentUser<'a>,
    guilds: Vec<GuildRef>,
    session_id: &'a str,
    session_type: &'static str,
    /// Never null: oceanic.js and discord.py take it as text unseen.
    resume_gateway_url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    shard: Option<[u32; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    application: Option<Application>,
    /// Undocumented; JDA stops without it.
    private_channels: NoList,
    presences: NoList,
    relationships: NoList,
    guild_join_requests: NoList,
    geo_ordered_rtc_regions: NoList,
    user_settings: NoObject,
    auth: NoObject,
    _trace: NoList,
}

#[derive(Serialize)]
struct Application {
    id: Decimal<id::kind::Application>,
    flags: u32,
}

impl<'a> Ready<'a> {
    pub(crate) fn new(ready: &'a model::Ready) -> Self {
        Self {
            v: ready.version,
            user: CurrentUser::new(&ready.user, ready.email.as_deref()),
            guilds: ready
                .guilds
                .iter()
                .copied()
                .map(GuildRef::pending)
                .collect(),
            session_id: &ready.session_id,
            session_type: "normal",
            resume_gateway_url: &ready.resume_url,
            shard: ready.shard.map(|shard| [shard.index, shard.count]),
            application: ready.application.map(|(id, intents)| Application {
                id: Decimal(id),
                flags: flags(intents),
            }),
            private_channels: [],
            presences: [],
            relationships: [],
            guild_join_requests: [],
            geo_ordered_rtc_regions: [],
            user_settings: NoObject {},
            auth: NoObject {},
            _trace: [],
        }
    }
}
