//! Guilds' own emojis: listing, making, changing and ending them.

use std::collections::HashMap;
use std::sync::Arc;

use guildhall_host::{GuildView, Refused};
use guildhall_model::command::{EmojiUpdate, GuildCommand, NewEmoji};
use guildhall_model::emoji::GuildEmoji;
use guildhall_model::picture::Image;
use guildhall_model::rejection::Noun;
use guildhall_model::text::EmojiName;
use guildhall_model::user::User;
use guildhall_model::{EmojiId, GuildId, Permissions, Rejection, RoleId, UserId};

use crate::{App, Context};

/// Whoever holds one of these is shown who made an emoji.
const KEEPERS: Permissions =
    Permissions::CREATE_GUILD_EXPRESSIONS.union(Permissions::MANAGE_GUILD_EXPRESSIONS);

/// The use cases around guilds' own emojis.
#[derive(Clone, Copy, Debug)]
pub struct Emojis<'a> {
    app: &'a App,
}

/// An emoji with who made it, for those who may see that.
#[derive(Clone, Debug)]
pub struct ShownEmoji {
    /// The emoji itself.
    pub emoji: Arc<GuildEmoji>,
    /// Who made it; nobody if that account is gone, or hidden.
    pub creator: Option<User>,
}

impl App {
    /// The use cases around guilds' own emojis.
    pub const fn emojis(&self) -> Emojis<'_> {
        Emojis { app: self }
    }
}

impl Emojis<'_> {
    /// All emojis of a guild, by id.
    pub async fn list(&self, ctx: &Context, guild: GuildId) -> Result<Vec<ShownEmoji>, Refused> {
        let view = self.app.guild_of_member(guild, ctx.user_id()).await?;
        let emojis = view.read(|state| state.emojis().map(Arc::clone).collect());
        self.shown(ctx, &view, emojis).await
    }

    /// One emoji.
    pub async fn get(
        &self,
        ctx: &Context,
        guild: GuildId,
        id: EmojiId,
    ) -> Result<ShownEmoji, Refused> {
        let view = self.app.guild_of_member(guild, ctx.user_id()).await?;
        self.one(ctx, &view, id).await
    }

    /// Makes an emoji of a picture, which is stored first: an emoji must never be without one.
    pub async fn create(
        &self,
        ctx: &Context,
        guild: GuildId,
        name: EmojiName,
        image: Image,
        roles: Vec<RoleId>,
    ) -> Result<ShownEmoji, Refused> {
        let view = self.app.guild_of_member(guild, ctx.user_id()).await?;
        App::require(ctx, &view, Permissions::CREATE_GUILD_EXPRESSIONS)?;
        let id: EmojiId = self.app.node().mint();
        let is_animated = image.is_animated();
        self.app.pictures().store_emoji(id, image).await?;
        let command = GuildCommand::CreateEmoji(NewEmoji {
            id,
            name,
            is_animated,
            roles,
        });
        let made = self.app.command(ctx, guild, command).await;
        if let Err(Refused::Rejection(_)) = &made {
            self.app.pictures().discard_emoji(id).await;
        }
        self.one(ctx, &made?.view, id).await
    }

    /// Changes an emoji.
    pub async fn update(
        &self,
        ctx: &Context,
        guild: GuildId,
        id: EmojiId,
        update: EmojiUpdate,
    ) -> Result<ShownEmoji, Refused> {
        let command = GuildCommand::UpdateEmoji(id, update);
        let done = self.app.command(ctx, guild, command).await?;
        self.one(ctx, &done.view, id).await
    }

    /// Ends an emoji. Its picture stays, because messages keep the reactions that they have.
    pub async fn delete(&self, ctx: &Context, guild: GuildId, id: EmojiId) -> Result<(), Refused> {
        let command = GuildCommand::DeleteEmoji(id);
        self.app.command(ctx, guild, command).await?;
        Ok(())
    }

    async fn one(
        &self,
        ctx: &Context,
        view: &GuildView,
        id: EmojiId,
    ) -> Result<ShownEmoji, Refused> {
        let found = view.read(|state| state.emoji(id).map(Arc::clone));
        let found = found.into_iter().collect();
        let mut shown = self.shown(ctx, view, found).await?;
        shown
            .pop()
            .ok_or_else(|| Rejection::Unknown(Noun::Emoji).into())
    }

    async fn shown(
        &self,
        ctx: &Context,
        view: &GuildView,
        emojis: Vec<Arc<GuildEmoji>>,
    ) -> Result<Vec<ShownEmoji>, Refused> {
        let held = view.read(|state| state.permissions(ctx.user_id(), ctx.now));
        let mut creators = HashMap::new();
        if held.intersects(KEEPERS) {
            let mut ids: Vec<UserId> = emojis.iter().map(|emoji| emoji.creator_id).collect();
            ids.sort_unstable();
            ids.dedup();
            let users = self.app.accounts_store().users(&ids).await?;
            creators.extend(users.into_iter().map(|user| (user.id, user)));
        }
        let shown = emojis.into_iter().map(|emoji| ShownEmoji {
            creator: creators.get(&emoji.creator_id).cloned(),
            emoji,
        });
        Ok(shown.collect())
    }
}
