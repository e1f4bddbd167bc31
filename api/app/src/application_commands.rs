//! Commands that applications offer, as their bots define them.

use guildhall_host::Refused;
use guildhall_model::account::Credential;
use guildhall_model::application_command::{ApplicationCommand, CommandDefinition};
use guildhall_model::rejection::Noun;
use guildhall_model::{ApplicationId, CommandId, GuildId, Rejection, limits};
use guildhall_ports::application_commands::{NewCommand, Scope, Unstored};

use crate::{App, Context};

/// The use cases around commands.
#[derive(Clone, Copy, Debug)]
pub struct ApplicationCommands<'a> {
    app: &'a App,
}

impl App {
    /// The use cases around commands.
    pub const fn application_commands(&self) -> ApplicationCommands<'_> {
        ApplicationCommands { app: self }
    }
}

impl ApplicationCommands<'_> {
    /// The commands of a scope, oldest first.
    pub async fn list(
        &self,
        ctx: &Context,
        application: ApplicationId,
        guild: Option<GuildId>,
    ) -> Result<Vec<ApplicationCommand>, Refused> {
        let scope = self.own_scope(ctx, application, guild).await?;
        Ok(self.app.commands_store().commands(scope).await?)
    }

    /// One command.
    pub async fn get(
        &self,
        ctx: &Context,
        application: ApplicationId,
        guild: Option<GuildId>,
        id: CommandId,
    ) -> Result<ApplicationCommand, Refused> {
        let scope = self.own_scope(ctx, application, guild).await?;
        let found = self.app.commands_store().command(id).await?;
        let here = found.filter(|found| {
            found.application_id == scope.application_id && found.guild_id == scope.guild_id
        });
        here.ok_or_else(unknown)
    }

    /// Offers a command in place of the one of the same name, and says whether it is new.
    pub async fn put(
        &self,
        ctx: &Context,
        application: ApplicationId,
        guild: Option<GuildId>,
        definition: CommandDefinition,
    ) -> Result<(ApplicationCommand, bool), Refused> {
        let scope = self.own_scope(ctx, application, guild).await?;
        let new = self.numbered(definition);
        let store = self.app.commands_store();
        let put = store.put(scope, &new, limits::COMMANDS_MAX).await?;
        put.map_err(refusal)
    }

    /// Changes a command to what `change` makes of it.
    pub async fn update(
        &self,
        ctx: &Context,
        application: ApplicationId,
        guild: Option<GuildId>,
        id: CommandId,
        change: impl FnOnce(CommandDefinition) -> Result<CommandDefinition, Rejection>,
    ) -> Result<ApplicationCommand, Refused> {
        let before = self.get(ctx, application, guild, id).await?;
        let scope = Scope {
            application_id: application,
            guild_id: guild,
        };
        let changed = NewCommand {
            id,
            ..self.numbered(change(before.definition)?)
        };
        let store = self.app.commands_store();
        store.change(scope, &changed).await?.map_err(refusal)?;
        Ok(ApplicationCommand {
            id,
            application_id: application,
            guild_id: guild,
            version: changed.version,
            definition: changed.definition,
        })
    }

    /// Makes these the only commands of a scope. Their names differ.
    pub async fn replace(
        &self,
        ctx: &Context,
        application: ApplicationId,
        guild: Option<GuildId>,
        all: Vec<CommandDefinition>,
    ) -> Result<Vec<ApplicationCommand>, Refused> {
        let scope = self.own_scope(ctx, application, guild).await?;
        let all: Vec<NewCommand> = all.into_iter().map(|each| self.numbered(each)).collect();
        Ok(self.app.commands_store().replace(scope, &all).await?)
    }

    /// Takes a command away.
    pub async fn delete(
        &self,
        ctx: &Context,
        application: ApplicationId,
        guild: Option<GuildId>,
        id: CommandId,
    ) -> Result<(), Refused> {
        let scope = self.own_scope(ctx, application, guild).await?;
        if self.app.commands_store().delete(scope, id).await? {
            Ok(())
        } else {
            Err(unknown())
        }
    }

    /// Refuses whoever is not the application's bot, and in a guild a bot that is no member.
    async fn own_scope(
        &self,
        ctx: &Context,
        application_id: ApplicationId,
        guild_id: Option<GuildId>,
    ) -> Result<Scope, Refused> {
        let Credential::Bot {
            application_id: own,
            ..
        } = ctx.caller.credential
        else {
            return Err(Rejection::BotsOnly.into());
        };
        if own != application_id {
            return Err(Rejection::NotYourApplication.into());
        }
        if let Some(guild) = guild_id {
            self.app.guild_of_member(guild, ctx.user_id()).await?;
        }
        Ok(Scope {
            application_id,
            guild_id,
        })
    }

    /// The definition under a fresh id and version.
    fn numbered(self, definition: CommandDefinition) -> NewCommand {
        let id = self.app.node().mint();
        NewCommand {
            id,
            version: self.app.node().mint(),
            definition,
        }
    }
}

fn unknown() -> Refused {
    Rejection::Unknown(Noun::ApplicationCommand).into()
}

fn refusal(unstored: Unstored) -> Refused {
    match unstored {
        Unstored::Unknown => unknown(),
        Unstored::NameTaken => Rejection::field("name", "taken", "is taken").into(),
        Unstored::Full => Rejection::LimitReached {
            what: "commands",
            limit: limits::COMMANDS_MAX,
        }
        .into(),
    }
}
