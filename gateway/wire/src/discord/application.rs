//! Applications as their own bots see them.

use guildhall_model::intent::Intents;
use guildhall_model::user::User as ModelUser;
use guildhall_model::{account as model, id};
use serde::Serialize;

use super::user::User;
use super::{NoList, Nothing};
use crate::id::Decimal;

/// Flags that say which privileged intents an application may use, from Discord's documentation:
/// <https://discord.com/developers/docs/resources/application#application-object-application-flags>
const PRIVILEGED: [(Intents, u32); 3] = [
    (Intents::GUILD_PRESENCES, 1 << 13),
    (Intents::GUILD_MEMBERS, 1 << 15),
    (Intents::MESSAGE_CONTENT, 1 << 19),
];

/// The flags of an application that may use these intents.
pub(super) fn flags(privileged: Intents) -> u32 {
    let allowed = PRIVILEGED
        .into_iter()
        .filter(|(intent, _)| privileged.contains(*intent));
    allowed.fold(0, |flags, (_, flag)| flags | flag)
}

/// An application as its own bot sees it.
#[derive(Serialize)]
pub struct Application<'a> {
    id: Decimal<id::kind::Application>,
    name: &'a str,
    icon: Nothing,
    description: &'static str,
    r#type: Nothing,
    bot: User<'a>,
    bot_public: bool,
    bot_require_code_grant: bool,
    /// For interactions over HTTP, which are not signed here.
    verify_key: &'static str,
    flags: u32,
    /// The same number, as text.
    flags_new: String,
    redirect_uris: NoList,
    interactions_endpoint_url: Nothing,
    role_connections_verification_url: Nothing,
    owner: User<'a>,
    approximate_guild_count: usize,
    approximate_user_install_count: u32,
    approximate_user_authorization_count: u32,
    explicit_content_filter: u8,
    team: Nothing,
    eligible_oauth2_scopes: NoList,
}

impl<'a> Application<'a> {
    /// The application, who made it, and in how many guilds its bot is.
    pub fn new(application: &'a model::Application, owner: &'a ModelUser, guilds: usize) -> Self {
        let flags = flags(application.privileged_intents);
        Self {
            id: Decimal(application.id),
            name: &application.name,
            icon: (),
            description: "",
            r#type: (),
            bot: User::new(&application.bot),
            bot_public: true,
            bot_require_code_grant: false,
            verify_key: "",
            flags,
            flags_new: flags.to_string(),
            redirect_uris: [],
            interactions_endpoint_url: (),
            role_connections_verification_url: (),
            owner: User::new(owner),
            approximate_guild_count: guilds,
            approximate_user_install_count: 0,
            approximate_user_authorization_count: 0,
            explicit_content_filter: 0,
            team: (),
            eligible_oauth2_scopes: [],
        }
    }
}
