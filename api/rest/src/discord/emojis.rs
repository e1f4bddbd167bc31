//! Guilds' own emojis.

use axum::extract::State;
use guildhall_app::emojis::ShownEmoji;
use guildhall_model::{EmojiId, GuildId};
use guildhall_wire::discord::GuildEmoji;
use guildhall_wire::discord::request::emoji::{EmojiCreate, EmojiPatch};

use crate::Api;
use crate::body::{Body, PictureBody};
use crate::extract::Ctx;
use crate::path::Path;
use crate::reply::{Reply, created, done, ok};

fn shape(shown: &ShownEmoji) -> GuildEmoji<'_> {
    GuildEmoji::new(&shown.emoji).by(shown.creator.as_ref())
}

pub(super) async fn list(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((guild,)): Path<(GuildId,)>,
) -> Reply {
    let emojis = api.app.emojis().list(&ctx, guild).await?;
    let shown: Vec<_> = emojis.iter().map(shape).collect();
    ok(&shown)
}

pub(super) async fn get(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((guild, id)): Path<(GuildId, EmojiId)>,
) -> Reply {
    ok(&shape(&api.app.emojis().get(&ctx, guild, id).await?))
}

pub(super) async fn create(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((guild,)): Path<(GuildId,)>,
    PictureBody(form, _place): PictureBody<EmojiCreate>,
) -> Reply {
    let new = form.parse(&api.spelling)?;
    let emojis = api.app.emojis();
    let made = emojis.create(&ctx, guild, new.name, new.image, new.roles);
    created(&shape(&made.await?))
}

pub(super) async fn update(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((guild, id)): Path<(GuildId, EmojiId)>,
    Body(form): Body<EmojiPatch>,
) -> Reply {
    let update = form.parse(&api.spelling)?;
    let emojis = api.app.emojis();
    ok(&shape(&emojis.update(&ctx, guild, id, update).await?))
}

pub(super) async fn delete(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((guild, id)): Path<(GuildId, EmojiId)>,
) -> Reply {
    api.app.emojis().delete(&ctx, guild, id).await?;
    done()
}
