//! `/applications/{id}/commands` and `/applications/{id}/guilds/{id}/commands`.

use axum::extract::State;
use guildhall_model::{ApplicationId, CommandId, GuildId};
use guildhall_wire::discord::ApplicationCommand;
use guildhall_wire::discord::request::application_command::CommandInput;

use crate::Api;
use crate::body::{Body, List};
use crate::extract::Ctx;
use crate::path::Path;
use crate::reply::{Reply, created, done, ok};

/// An application, with a guild where the path names one.
pub(super) trait Scope: crate::path::Segments + Send {
    fn parts(self) -> (ApplicationId, Option<GuildId>);
}

impl Scope for (ApplicationId,) {
    fn parts(self) -> (ApplicationId, Option<GuildId>) {
        (self.0, None)
    }
}

impl Scope for (ApplicationId, GuildId) {
    fn parts(self) -> (ApplicationId, Option<GuildId>) {
        (self.0, Some(self.1))
    }
}

/// A command in its scope.
pub(super) trait Named: crate::path::Segments + Send {
    fn parts(self) -> (ApplicationId, Option<GuildId>, CommandId);
}

impl Named for (ApplicationId, CommandId) {
    fn parts(self) -> (ApplicationId, Option<GuildId>, CommandId) {
        (self.0, None, self.1)
    }
}

impl Named for (ApplicationId, GuildId, CommandId) {
    fn parts(self) -> (ApplicationId, Option<GuildId>, CommandId) {
        (self.0, Some(self.1), self.2)
    }
}

pub(super) async fn list<S: Scope>(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path(scope): Path<S>,
) -> Reply {
    let (application, guild) = scope.parts();
    let commands = api.app.application_commands();
    let listed = commands.list(&ctx, application, guild).await?;
    let shown: Vec<_> = listed.iter().map(ApplicationCommand::new).collect();
    ok(&shown)
}

pub(super) async fn put<S: Scope>(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path(scope): Path<S>,
    Body(form): Body<CommandInput>,
) -> Reply {
    let (application, guild) = scope.parts();
    let definition = form.parse()?;
    let commands = api.app.application_commands();
    let (command, is_new) = commands.put(&ctx, application, guild, definition).await?;
    if is_new {
        created(&ApplicationCommand::new(&command))
    } else {
        ok(&ApplicationCommand::new(&command))
    }
}

pub(super) async fn replace<S: Scope>(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path(scope): Path<S>,
    List(list): List<CommandInput>,
) -> Reply {
    let (application, guild) = scope.parts();
    let all = CommandInput::parse_all(list)?;
    let commands = api.app.application_commands();
    let stored = commands.replace(&ctx, application, guild, all).await?;
    let shown: Vec<_> = stored.iter().map(ApplicationCommand::new).collect();
    ok(&shown)
}

pub(super) async fn get<N: Named>(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path(named): Path<N>,
) -> Reply {
    let (application, guild, id) = named.parts();
    let commands = api.app.application_commands();
    let command = commands.get(&ctx, application, guild, id).await?;
    ok(&ApplicationCommand::new(&command))
}

pub(super) async fn update<N: Named>(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path(named): Path<N>,
    Body(form): Body<CommandInput>,
) -> Reply {
    let (application, guild, id) = named.parts();
    let commands = api.app.application_commands();
    let change = |before| form.change(before);
    let changed = commands.update(&ctx, application, guild, id, change);
    ok(&ApplicationCommand::new(&changed.await?))
}

pub(super) async fn delete<N: Named>(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path(named): Path<N>,
) -> Reply {
    let (application, guild, id) = named.parts();
    let commands = api.app.application_commands();
    commands.delete(&ctx, application, guild, id).await?;
    done()
}
