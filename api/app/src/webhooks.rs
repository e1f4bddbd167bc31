//! Webhooks: listing, making, changing and ending them, with a permission or with their token.

mod messages;

use std::sync::Arc;

use guildhall_auth::Secret;
use guildhall_host::{GuildDone, GuildView, Refused};
use guildhall_model::account::Credential;
use guildhall_model::command::{GuildCommand, NewWebhook, WebhookUpdate};
use guildhall_model::event::Event;
use guildhall_model::limits::WEBHOOK_TOKEN_CHARS;
use guildhall_model::picture::Image;
use guildhall_model::rejection::Noun;
use guildhall_model::text::WebhookName;
use guildhall_model::user::User;
use guildhall_model::webhook::{Webhook, WebhookToken};
use guildhall_model::{ChannelId, GuildId, Permissions, Rejection, UserId, WebhookId};

use crate::guilds::within;
use crate::{App, Context};

pub use messages::Execution;

/// What a token is made of: six random bits a character.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The use cases around webhooks.
#[derive(Clone, Copy, Debug)]
pub struct Webhooks<'a> {
    app: &'a App,
}

/// A webhook with who made it, where that user still exists.
#[derive(Clone, Debug)]
pub struct ShownWebhook {
    /// The webhook.
    pub webhook: Arc<Webhook>,
    /// Who made it.
    pub creator: Option<User>,
}

impl App {
    /// The use cases around webhooks.
    pub const fn webhooks(&self) -> Webhooks<'_> {
        Webhooks { app: self }
    }
}

impl Webhooks<'_> {
    /// The webhooks of a channel, the oldest first.
    pub async fn list_of_channel(
        &self,
        ctx: &Context,
        channel: ChannelId,
    ) -> Result<Vec<ShownWebhook>, Refused> {
        let guild = self.app.channels().guild_of(ctx, channel).await?;
        let view = self.app.guild_of_member(guild, ctx.user_id()).await;
        let view = view.map_err(within(Noun::Channel))?;
        require_manager(ctx, &view, channel, Noun::Channel)?;
        let webhooks = view.read(|state| {
            let here = state.webhooks().filter(|it| it.channel_id == channel);
            here.map(Arc::clone).collect()
        });
        self.shown(webhooks).await
    }

    /// The webhooks of a guild, the oldest first, of the channels in which the caller may manage
    /// them.
    pub async fn list_of_guild(
        &self,
        ctx: &Context,
        guild: GuildId,
    ) -> Result<Vec<ShownWebhook>, Refused> {
        let view = self.app.guild_of_member(guild, ctx.user_id()).await?;
        let needed = Permissions::MANAGE_WEBHOOKS;
        App::require(ctx, &view, needed)?;
        let webhooks = view.read(|state| {
            let is_managed = |webhook: &&Arc<Webhook>| {
                let channel = webhook.channel_id;
                let held = state.channel_permissions(ctx.user_id(), channel, ctx.now);
                held.contains(needed | Permissions::VIEW_CHANNEL)
            };
            let managed = state.webhooks().filter(is_managed);
            managed.map(Arc::clone).collect()
        });
        self.shown(webhooks).await
    }

    /// Makes a webhook. Its token is drawn here.
    pub async fn create(
        &self,
        ctx: &Context,
        channel: ChannelId,
        name: WebhookName,
        avatar: Option<Image>,
    ) -> Result<ShownWebhook, Refused> {
        let guild = self.app.channels().guild_of(ctx, channel).await?;
        let id: WebhookId = self.app.node().mint();
        let avatar = match avatar {
            None => None,
            Some(image) => {
                // Whoever may not make webhooks must not fill the disk either.
                let view = self.app.guild_of_member(guild, ctx.user_id()).await;
                let view = view.map_err(within(Noun::Channel))?;
                require_manager(ctx, &view, channel, Noun::Channel)?;
                Some(self.app.pictures().store(id.get(), image).await?)
            }
        };
        let command = GuildCommand::CreateWebhook(NewWebhook {
            id,
            channel_id: channel,
            name,
            avatar,
            token: self.fresh_token(),
            application_id: match ctx.caller.credential {
                Credential::Bot { application_id, .. } => Some(application_id),
                Credential::Login(_) => None,
            },
        });
        let done = self.app.command(ctx, guild, command).await;
        let done = done.map_err(within(Noun::Channel))?;
        let made = done.events.into_iter().find_map(|event| match event {
            Event::WebhookCreated(webhook) => Some(*webhook),
            _ => None,
        });
        let made = made.expect("making a webhook makes one");
        self.only_shown(Arc::new(made)).await
    }

    /// One webhook, for those who may manage it.
    pub async fn get(&self, ctx: &Context, id: WebhookId) -> Result<ShownWebhook, Refused> {
        let guild = self.guild_of(id).await?;
        let view = self.app.guild_of_member(guild, ctx.user_id()).await;
        let view = view.map_err(within(Noun::Webhook))?;
        let webhook = view.read(|state| state.webhook(id).map(Arc::clone));
        let webhook = webhook.ok_or_else(unknown)?;
        require_manager(ctx, &view, webhook.channel_id, Noun::Webhook)?;
        self.only_shown(webhook).await
    }

    /// Changes a webhook.
    pub async fn update(
        &self,
        ctx: &Context,
        id: WebhookId,
        mut update: WebhookUpdate,
        avatar: Option<Image>,
    ) -> Result<ShownWebhook, Refused> {
        if let Some(image) = avatar {
            // Only those may look at it who may change it.
            self.get(ctx, id).await?;
            update.avatar = Some(Some(self.app.pictures().store(id.get(), image).await?));
        }
        let guild = self.guild_of(id).await?;
        let command = GuildCommand::UpdateWebhook(id, None, update);
        let done = self.app.command(ctx, guild, command).await;
        let after = changed(&done.map_err(within(Noun::Webhook))?, id)?;
        self.only_shown(after).await
    }

    /// Ends a webhook.
    pub async fn delete(&self, ctx: &Context, id: WebhookId) -> Result<(), Refused> {
        let guild = self.guild_of(id).await?;
        let command = GuildCommand::DeleteWebhook(id, None);
        let done = self.app.command(ctx, guild, command).await;
        done.map_err(within(Noun::Webhook))?;
        Ok(())
    }

    /// The webhook that this token opens. Nobody is told of a wrong token before it is known that
    /// there is something to open.
    pub async fn open(&self, id: WebhookId, token: &Secret) -> Result<Arc<Webhook>, Refused> {
        let guild = self.guild_of(id).await?;
        let view = self.app.node().guild(guild).await?.ok_or_else(unknown)?;
        let webhook = view.read(|state| state.webhook(id).map(Arc::clone));
        let webhook = webhook.ok_or_else(unknown)?;
        match WebhookToken::parse(token.reveal()) {
            Some(token) if token == webhook.token => Ok(webhook),
            _ => Err(Rejection::WrongWebhookToken.into()),
        }
    }

    /// Changes a webhook whose token was shown; it stays in its channel.
    pub async fn update_opened(
        &self,
        webhook: &Webhook,
        mut update: WebhookUpdate,
        avatar: Option<Image>,
    ) -> Result<Arc<Webhook>, Refused> {
        if let Some(image) = avatar {
            let owner = webhook.id.get();
            update.avatar = Some(Some(self.app.pictures().store(owner, image).await?));
        }
        let token = Some(webhook.token.clone());
        let command = GuildCommand::UpdateWebhook(webhook.id, token, update);
        changed(&self.command_opened(webhook, command).await?, webhook.id)
    }

    /// Ends a webhook whose token was shown.
    pub async fn delete_opened(&self, webhook: &Webhook) -> Result<(), Refused> {
        let token = Some(webhook.token.clone());
        let command = GuildCommand::DeleteWebhook(webhook.id, token);
        self.command_opened(webhook, command).await?;
        Ok(())
    }

    async fn command_opened(
        &self,
        webhook: &Webhook,
        command: GuildCommand,
    ) -> Result<GuildDone, Refused> {
        let (node, actor) = (self.app.node(), webhook.id.author());
        let done = node.command(webhook.guild_id, actor, command).await;
        done.map_err(within(Noun::Webhook))
    }

    async fn guild_of(&self, id: WebhookId) -> Result<GuildId, Refused> {
        let guild = self.app.guilds_store().guild_of_webhook(id).await?;
        guild.ok_or_else(unknown)
    }

    async fn only_shown(&self, webhook: Arc<Webhook>) -> Result<ShownWebhook, Refused> {
        let shown = self.shown(vec![webhook]).await?;
        shown.into_iter().next().ok_or_else(unknown)
    }

    async fn shown(&self, webhooks: Vec<Arc<Webhook>>) -> Result<Vec<ShownWebhook>, Refused> {
        let mut makers: Vec<UserId> = webhooks.iter().map(|it| it.creator_id).collect();
        makers.sort_unstable();
        makers.dedup();
        let makers = self.app.accounts_store().users(&makers).await?;
        let show = |webhook: Arc<Webhook>| {
            let creator = makers.iter().find(|user| user.id == webhook.creator_id);
            ShownWebhook {
                creator: creator.cloned(),
                webhook,
            }
        };
        Ok(webhooks.into_iter().map(show).collect())
    }

    fn fresh_token(self) -> WebhookToken {
        let mut token = String::with_capacity(WEBHOOK_TOKEN_CHARS);
        while token.len() < WEBHOOK_TOKEN_CHARS {
            let drawn: [u8; 16] = self.app.node().env().bytes();
            token.extend(
                drawn
                    .map(letter)
                    .iter()
                    .take(WEBHOOK_TOKEN_CHARS - token.len()),
            );
        }
        WebhookToken::parse(&token).expect("a drawn token has the shape of one")
    }
}

fn letter(byte: u8) -> char {
    char::from(ALPHABET[usize::from(byte) % ALPHABET.len()])
}

/// Refuses who may not manage the webhooks of a channel; whoever does not see it is told that
/// this noun is unknown.
fn require_manager(
    ctx: &Context,
    view: &GuildView,
    channel: ChannelId,
    hidden: Noun,
) -> Result<(), Rejection> {
    let needed = Permissions::MANAGE_WEBHOOKS;
    let held = view.read(|state| state.channel_permissions(ctx.user_id(), channel, ctx.now));
    if !held.contains(Permissions::VIEW_CHANNEL) {
        return Err(Rejection::Unknown(hidden));
    }
    if held.contains(needed) {
        Ok(())
    } else {
        Err(Rejection::MissingPermission(needed))
    }
}

/// The webhook after a change, which may have been none.
fn changed(done: &GuildDone, id: WebhookId) -> Result<Arc<Webhook>, Refused> {
    let after = done.view.read(|state| state.webhook(id).map(Arc::clone));
    after.ok_or_else(unknown)
}

fn unknown() -> Refused {
    Rejection::Unknown(Noun::Webhook).into()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn every_letter_of_a_token_is_as_likely_and_may_stand_in_an_address() {
        let mut counts = BTreeMap::new();
        for byte in 0..=u8::MAX {
            *counts.entry(letter(byte)).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), ALPHABET.len());
        assert!(counts.values().all(|&count| count == 4), "{counts:?}");
        let token: String = counts.keys().cycle().take(WEBHOOK_TOKEN_CHARS).collect();
        assert!(WebhookToken::parse(&token).is_some());
    }
}
