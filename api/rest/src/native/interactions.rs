//! Commands and components of applications, as people use them.

use axum::extract::State;
use guildhall_app::interactions::Chosen;
use guildhall_model::{ChannelId, CommandId, MessageId};
use guildhall_wire::native::request::interaction::{CommandRun, ComponentPress};
use guildhall_wire::native::{Command, InteractionRef};

use crate::Api;
use crate::body::{Body, MaybeBody};
use crate::extract::Ctx;
use crate::path::Path;
use crate::reply::{Reply, created, ok};

/// The commands that the caller may run in a channel.
#[utoipa::path(get, path = "/channels/{channel_id}/commands", tag = "interactions",
    responses((status = 200, description = "By application, oldest first.", body = [Command])))]
pub(crate) async fn list_commands(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((channel,)): Path<(ChannelId,)>,
) -> Reply {
    let offered = api.app.interactions().offered(&ctx, channel).await?;
    let shown: Vec<_> = offered
        .iter()
        .map(|command| Command::new(command, &api.spelling))
        .collect();
    ok(&shown)
}

/// Runs a command. What its application answers comes over the gateway, and carries the id of the
/// interaction.
#[utoipa::path(post, path = "/channels/{channel_id}/commands/{command_id}", tag = "interactions",
    request_body = CommandRun,
    responses((status = 201, description = "The application is told.", body = InteractionRef)))]
pub(crate) async fn run_command(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((channel, id)): Path<(ChannelId, CommandId)>,
    MaybeBody(form): MaybeBody<CommandRun>,
) -> Reply {
    let interactions = api.app.interactions();
    let command = interactions.offered_command(&ctx, channel, id).await?;
    let options = form.parse(&command.definition, &api.spelling)?;
    let begun = interactions.run(&ctx, channel, command, options).await?;
    created(&InteractionRef::new(begun, &api.spelling))
}

/// Presses a button of a message, or chooses from a menu.
#[utoipa::path(post, path = "/messages/{message_id}/components", tag = "interactions",
    request_body = ComponentPress,
    responses((status = 201, description = "The application is told.", body = InteractionRef)))]
pub(crate) async fn press_component(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((message,)): Path<(MessageId,)>,
    Body(form): Body<ComponentPress>,
) -> Reply {
    let (custom_id, values) = form.parse()?;
    let chosen = values.map(|values| {
        let chosen = values.into_iter().map(|text| Chosen {
            id: api
                .spelling
                .parse::<()>(&text)
                .map(guildhall_model::Id::get),
            text,
        });
        chosen.collect()
    });
    let interactions = api.app.interactions();
    let begun = interactions
        .press(&ctx, message, &custom_id, chosen)
        .await?;
    created(&InteractionRef::new(begun, &api.spelling))
}
