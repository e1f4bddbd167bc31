//! The commands that applications offer.

use async_trait::async_trait;
use guildhall_model::application_command::{ApplicationCommand, CommandDefinition};
use guildhall_model::{ApplicationId, CommandId, GuildId};

use crate::error::Failure;

/// Where an application offers a command: everywhere, or in one guild only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Whose command.
    pub application_id: ApplicationId,
    /// The only guild.
    pub guild_id: Option<GuildId>,
}

/// A command that is to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCommand {
    /// What it is called by, unless its scope has a command of the same name, whose id stays.
    pub id: CommandId,
    /// The new version.
    pub version: CommandId,
    /// What it is.
    pub definition: CommandDefinition,
}

/// Why a command was not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unstored {
    /// There is none with this id in the scope.
    Unknown,
    /// Another command of the scope has the name.
    NameTaken,
    /// The scope has as many as it may.
    Full,
}

/// Where commands live. Within a scope, names are unique.
#[async_trait]
pub trait ApplicationCommands: Send + Sync {
    /// The commands of a scope, oldest first.
    async fn commands(&self, scope: Scope) -> Result<Vec<ApplicationCommand>, Failure>;

    /// The command with this id, whose ever it is.
    async fn command(&self, id: CommandId) -> Result<Option<ApplicationCommand>, Failure>;

    /// Stores a command in place of the one of the same name, or beside at most `max - 1` others.
    /// Answers it with its id, and whether it is new.
    async fn put(
        &self,
        scope: Scope,
        new: &NewCommand,
        max: usize,
    ) -> Result<Result<(ApplicationCommand, bool), Unstored>, Failure>;

    /// Changes the command with this id, its name included.
    async fn change(
        &self,
        scope: Scope,
        changed: &NewCommand,
    ) -> Result<Result<(), Unstored>, Failure>;

    /// Makes these the only commands of a scope. Those of an old name keep their ids. Names must
    /// differ. Answers all of them, oldest first.
    async fn replace(
        &self,
        scope: Scope,
        all: &[NewCommand],
    ) -> Result<Vec<ApplicationCommand>, Failure>;

    /// Deletes a command of this scope, and says whether there was one.
    async fn delete(&self, scope: Scope, id: CommandId) -> Result<bool, Failure>;

    /// The commands that these applications offer everywhere or in this guild, by application and
    /// oldest first, at most `limit`.
    async fn offered(
        &self,
        applications: &[ApplicationId],
        guild: Option<GuildId>,
        limit: u32,
    ) -> Result<Vec<ApplicationCommand>, Failure>;
}
