//! What webhooks post, and what becomes of it. Whoever comes here has shown the token.

use std::sync::Arc;

use guildhall_host::{Refused, Written};
use guildhall_model::command::{ChannelCommand, Draft, Edit};
use guildhall_model::message::Message;
use guildhall_model::message::component::{ActionRow, ButtonTarget, Component};
use guildhall_model::rejection::Noun;
use guildhall_model::text::{PictureUrl, WebhookName};
use guildhall_model::webhook::Webhook;
use guildhall_model::{MessageId, Rejection};
use guildhall_ports::Failure;

use super::Webhooks;
use crate::messages::{NewMessage, Posted, SeenMessage};

/// What a webhook is told to post.
#[derive(Clone, Debug)]
pub struct Execution {
    /// Who the message is by, instead of the webhook.
    pub name: Option<WebhookName>,
    /// The picture of that one.
    pub avatar_url: Option<PictureUrl>,
    /// Components count although no application stands behind the webhook.
    pub with_components: bool,
    /// The message. Webhooks do not reply: what it answers is passed over.
    pub message: NewMessage,
}

impl Webhooks<'_> {
    /// Posts into the webhook's channel.
    pub async fn post(&self, webhook: &Webhook, execution: Execution) -> Result<Posted, Refused> {
        let mut new = execution.message;
        let mut rows = std::mem::take(&mut new.rich.components);
        keep_components(webhook, &mut rows, execution.with_components)?;
        new.rich.components = rows;
        new.rich.webhook_id = Some(webhook.id);
        new.rich.application_id = webhook.application_id;
        let view = self.app.node().guild(webhook.guild_id).await?;
        let view = view.ok_or_else(super::unknown)?;
        let mentions = self.app.messages().mentioned_in(&view, new.named()).await?;
        let name = execution.name.map(String::from);
        let avatar_url = execution.avatar_url.map(String::from);
        let draft = Draft {
            author: webhook.author(name, avatar_url),
            content: new.content,
            nonce: new.nonce,
            reply_to: None,
            mentions,
            allowed_mentions: new.allowed_mentions,
            rich: new.rich,
        };
        let command = ChannelCommand::Post(Box::new(draft));
        match self.write(webhook, command).await? {
            Written::Message(message) => Ok(Posted::New(message)),
            Written::Repeated(message) => Ok(Posted::Repeat(SeenMessage {
                message,
                mine: Vec::new(),
            })),
            Written::Done => {
                let why = "a post was answered without its message";
                Err(Failure::damaged("channel", why).into())
            }
        }
    }

    /// A message that the webhook has posted, as long as both are in the same channel.
    pub async fn message(&self, webhook: &Webhook, id: MessageId) -> Result<Arc<Message>, Refused> {
        let author = webhook.id.author();
        let message = self.app.node().message(id, author).await?;
        if message.webhook_id() == Some(webhook.id) && message.channel_id == webhook.channel_id {
            Ok(message)
        } else {
            Err(Rejection::Unknown(Noun::Message).into())
        }
    }

    /// Changes a message that the webhook has posted.
    pub async fn edit_message(
        &self,
        webhook: &Webhook,
        id: MessageId,
        mut edit: Edit,
        with_components: bool,
    ) -> Result<Arc<Message>, Refused> {
        let before = self.message(webhook, id).await?;
        if let Some(rows) = &mut edit.components {
            keep_components(webhook, rows, with_components)?;
        }
        let command = ChannelCommand::Edit(id, Box::new(edit));
        match self.write(webhook, command).await? {
            Written::Message(message) => Ok(message),
            Written::Repeated(_) | Written::Done => Ok(before),
        }
    }

    /// Deletes a message that the webhook has posted.
    pub async fn delete_message(&self, webhook: &Webhook, id: MessageId) -> Result<(), Refused> {
        let message = self.message(webhook, id).await?;
        self.write(webhook, ChannelCommand::Delete(id)).await?;
        self.app.uploads().discard(message.attachments()).await;
        Ok(())
    }

    /// A webhook that has ended since its token was shown writes nothing any more.
    async fn write(&self, webhook: &Webhook, command: ChannelCommand) -> Result<Written, Refused> {
        let (node, author) = (self.app.node(), webhook.id.author());
        let written = node.write(webhook.channel_id, author, command).await;
        written.map_err(|refused| match refused {
            Refused::Rejection(Rejection::Unknown(Noun::Channel)) => super::unknown(),
            other => other,
        })
    }
}

/// Without an application nobody answers who presses a button, so only links are left; and they
/// count only where the sender says so.
/// <https://discord.com/developers/docs/resources/webhook#execute-webhook>
fn keep_components(
    webhook: &Webhook,
    rows: &mut Vec<ActionRow>,
    with_components: bool,
) -> Result<(), Rejection> {
    if webhook.application_id.is_some() {
        return Ok(());
    }
    if !with_components {
        rows.clear();
    }
    let mut all = rows.iter().flat_map(|row| &row.components);
    let is_link = |component: &Component| match component {
        Component::Button(button) => matches!(button.target, ButtonTarget::Url(_)),
        Component::Select(_) => false,
    };
    if all.all(is_link) {
        return Ok(());
    }
    let why = "only webhooks of applications have components that are answered";
    Err(Rejection::field("components", "unsupported", why))
}
