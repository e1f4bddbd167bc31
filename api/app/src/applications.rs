//! Applications: registering a bot and bringing it into a guild.

use std::sync::Arc;

use guildhall_auth::{Secret, bot};
use guildhall_host::Refused;
use guildhall_model::account::{Application, Credential};
use guildhall_model::command::GuildCommand;
use guildhall_model::intent::Intents;
use guildhall_model::member::Member;
use guildhall_model::rejection::Noun;
use guildhall_model::text::ApplicationName;
use guildhall_model::user::{Status, User};
use guildhall_model::{ApplicationId, GuildId, Rejection, limits};

use crate::members::member_after;
use crate::{App, Context};

/// Usernames that are tried for a new bot: the second has a random number already.
const USERNAMES_TRIED: usize = 8;
/// Characters of an application's name that go into its bot's username; a number follows.
const STEM_CHARS_MAX: usize = 24;

/// The use cases around applications.
#[derive(Clone, Copy, Debug)]
pub struct Applications<'a> {
    app: &'a App,
}

impl App {
    /// The use cases around applications.
    pub const fn applications(&self) -> Applications<'_> {
        Applications { app: self }
    }
}

impl Applications<'_> {
    /// The caller's own applications, oldest first.
    pub async fn list(&self, ctx: &Context) -> Result<Vec<Application>, Refused> {
        ctx.require_person()?;
        Ok(self
            .app
            .accounts_store()
            .applications_of(ctx.user_id())
            .await?)
    }

    /// The application of the calling bot, who made it, and in how many guilds the bot is.
    pub async fn own(&self, ctx: &Context) -> Result<(Application, User, usize), Refused> {
        let Credential::Bot { application_id, .. } = ctx.caller.credential else {
            return Err(Rejection::BotsOnly.into());
        };
        let found = self
            .app
            .accounts_store()
            .application(application_id)
            .await?;
        let (application, ..) = found.ok_or(Rejection::Unauthenticated)?;
        let owner = self.app.user(application.owner_id).await?;
        let guilds = self.app.node().guilds_of(ctx.user_id()).await?;
        Ok((application, owner, guilds.len()))
    }

    /// Makes an application with its bot. The token is never shown again.
    ///
    /// The bot may ask for all privileged intents: its maker runs it for guilds whose managers
    /// bring it in, and nobody reviews applications of a self-hosted installation.
    pub async fn create(
        &self,
        ctx: &Context,
        name: ApplicationName,
    ) -> Result<(Application, Secret), Refused> {
        let limit = limits::APPLICATIONS_MAX;
        if self.list(ctx).await?.len() >= limit {
            return Err(Rejection::LimitReached {
                what: "applications",
                limit,
            }
            .into());
        }
        let id: ApplicationId = self.app.node().mint();
        let token = bot::mint(id, ctx.now, &*self.app.env().random);
        let hash = bot::hash(token.reveal());
        let mut application = Application {
            id,
            owner_id: ctx.user_id(),
            bot: bot_user(id, &name, ctx),
            name: name.into(),
            privileged_intents: Intents::PRIVILEGED,
        };
        let stem = application.bot.username.clone();
        for _ in 0..USERNAMES_TRIED {
            let store = self.app.accounts_store();
            if store.create_application(&application, hash).await?.is_ok() {
                return Ok((application, token));
            }
            let number = u16::from_le_bytes(self.app.env().bytes());
            application.bot.username = format!("{stem}-{number}");
            application.bot.display_name = Some(application.name.clone());
        }
        Err(Rejection::Taken("name").into())
    }

    /// Brings an application's bot into a guild. It may be anybody's application.
    pub async fn add_bot(
        &self,
        ctx: &Context,
        guild: GuildId,
        id: ApplicationId,
    ) -> Result<Arc<Member>, Refused> {
        ctx.require_person()?;
        // A stranger is told that the guild is unknown, whatever it wants to bring in.
        self.app.guild_of_member(guild, ctx.user_id()).await?;
        let found = self.app.accounts_store().application(id).await?;
        let (application, ..) = found.ok_or(Rejection::Unknown(Noun::Application))?;
        let bot = application.bot.id;
        let command = GuildCommand::AddBot(Box::new(application.bot));
        let done = self.app.command(ctx, guild, command).await?;
        member_after(&done, bot)
    }
}

fn bot_user(id: ApplicationId, name: &ApplicationName, ctx: &Context) -> User {
    let username = username_stem(name.as_str());
    let display_name = (username != name.as_str()).then(|| name.as_str().to_owned());
    User {
        id: id.bot_user(),
        username,
        display_name,
        avatar: None,
        bot: true,
        status: Status::Online,
        updated_at: ctx.now,
    }
}

/// What of an application's name can stand in a username.
fn username_stem(name: &str) -> String {
    let kept = name.chars().filter_map(|c| match c {
        ' ' => Some('-'),
        c if c.is_ascii_alphanumeric() || "_.-".contains(c) => Some(c),
        _ => None,
    });
    let stem: String = kept.take(STEM_CHARS_MAX).collect();
    if stem.len() < limits::USERNAME_CHARS.0 {
        "bot".to_owned()
    } else {
        stem
    }
}

#[cfg(test)]
mod tests {
    use guildhall_model::text::Username;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_bots_username_is_what_can_be_kept_of_its_name() {
        assert_eq!(username_stem("Echo"), "Echo");
        assert_eq!(username_stem("Weather Bot 2"), "Weather-Bot-2");
        assert_eq!(username_stem("天気"), "bot");
    }

    proptest! {
        #[test]
        fn every_name_gives_a_username(name in "\\PC{0,40}", number: u16) {
            let stem = username_stem(&name);
            prop_assert!(Username::parse(&stem).is_ok(), "{stem}");
            let numbered = format!("{stem}-{number}");
            prop_assert!(Username::parse(&numbered).is_ok(), "{numbered}");
        }
    }
}
