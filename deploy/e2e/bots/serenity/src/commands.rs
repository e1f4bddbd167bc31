//! What the runner may ask for.

use std::time::Duration;

use guildhall_lines::{Done, Failure, Obeys, Wanted};
use serde_json::{Value, json};
use serenity::all::{
    ActivityData, ButtonStyle, ChannelId, ChunkGuildFilter, Context, CreateActionRow,
    CreateAttachment, CreateButton, CreateCommand, CreateInteractionResponse,
    CreateInteractionResponseMessage, CreateMessage, CreateWebhook, EditMessage,
    EditWebhookMessage, ExecuteWebhook, GuildId, HttpError, Interaction, MessageId, OnlineStatus,
    ReactionType, UserId,
};
use serenity::gateway::ShardMessenger;
use tokio::sync::oneshot;

use crate::Bot;

/// How often a message is tried that is refused because there were too many.
const ATTEMPTS_MAX: u32 = 30;
/// How long is waited in between; serenity does not tell what the server asks for.
const PAUSE: Duration = Duration::from_secs(2);

impl Obeys for Bot {
    async fn carry_out(&self, name: &str, wanted: &Wanted) -> Done {
        match name {
            "guild" => self.guild(wanted),
            "send" | "reply" => self.send(wanted).await,
            "edit" => self.edit(wanted).await,
            "react" => self.react(wanted).await,
            "delete" => self.delete(wanted).await,
            "upload" => self.upload(wanted).await,
            "download" => self.download(wanted).await,
            "command" => self.command(wanted).await,
            "webhook" => self.webhook(wanted).await,
            "members" => self.members(wanted).await,
            "presence" => self.presence(wanted),
            _ => Err(format!("no command {name}").into()),
        }
    }
}

fn place(wanted: &Wanted) -> Result<(ChannelId, MessageId), Failure> {
    Ok((wanted.id("channel")?, wanted.id("message")?))
}

impl Bot {
    fn guild(&self, wanted: &Wanted) -> Done {
        let id: GuildId = wanted.id("guild")?;
        let guild = self.cache.guild(id).ok_or("no such guild")?;
        let roles = guild.roles.values().map(|role| {
            let permissions = role.permissions.bits().to_string();
            json!({ "id": role.id.to_string(), "name": role.name, "permissions": permissions })
        });
        let members = guild.members.values().map(|member| {
            let roles: Vec<String> = member.roles.iter().map(ToString::to_string).collect();
            json!({ "id": member.user.id.to_string(), "roles": roles })
        });
        let channels = guild.channels.values();
        let channels =
            channels.map(|channel| json!({ "id": channel.id.to_string(), "name": channel.name }));
        Ok(json!({
            "name": guild.name,
            "owner": guild.owner_id.to_string(),
            "roles": roles.collect::<Vec<Value>>(),
            "members": members.collect::<Vec<Value>>(),
            "channels": channels.collect::<Vec<Value>>(),
        }))
    }

    async fn send(&self, wanted: &Wanted) -> Done {
        let channel: ChannelId = wanted.id("channel")?;
        let mut message = CreateMessage::new().content(wanted.text("content")?);
        if wanted.text("message").is_ok() {
            message = message.reference_message(place(wanted)?);
        }
        // Without the library's limiter the bot waits itself.
        for _ in 0..ATTEMPTS_MAX {
            match channel.send_message(&self.http, message.clone()).await {
                Ok(sent) => return Ok(json!({ "message": sent.id.to_string() })),
                Err(error) if is_limited(&error) => tokio::time::sleep(PAUSE).await,
                Err(error) => return Err(error.into()),
            }
        }
        Err("always refused".into())
    }

    async fn edit(&self, wanted: &Wanted) -> Done {
        let (channel, message) = place(wanted)?;
        let edit = EditMessage::new().content(wanted.text("content")?);
        channel.edit_message(&self.http, message, edit).await?;
        Ok(json!({}))
    }

    async fn react(&self, wanted: &Wanted) -> Done {
        let (channel, message) = place(wanted)?;
        let emoji = ReactionType::Unicode(wanted.text("emoji")?.to_owned());
        channel.create_reaction(&self.http, message, emoji).await?;
        Ok(json!({}))
    }

    async fn delete(&self, wanted: &Wanted) -> Done {
        let (channel, message) = place(wanted)?;
        channel.delete_message(&self.http, message).await?;
        Ok(json!({}))
    }

    async fn upload(&self, wanted: &Wanted) -> Done {
        let channel: ChannelId = wanted.id("channel")?;
        let file = CreateAttachment::bytes(wanted.text("text")?.as_bytes(), wanted.text("name")?);
        let message = CreateMessage::new().content("a file");
        let sent = channel.send_files(&self.http, [file], message).await?;
        Ok(json!({ "message": sent.id.to_string() }))
    }

    async fn download(&self, wanted: &Wanted) -> Done {
        let (channel, message) = place(wanted)?;
        let message = channel.message(&self.http, message).await?;
        let file = message.attachments.first().ok_or("no attachment")?;
        let text = String::from_utf8(file.download().await?)?;
        Ok(json!({ "name": file.filename, "text": text }))
    }

    async fn command(&self, wanted: &Wanted) -> Done {
        // serenity knows its application when READY or REST has told it.
        if self.http.application_id().is_none() {
            let application = self.http.get_current_application_info().await?;
            self.http.set_application_id(application.id);
        }
        let guild: GuildId = wanted.id("guild")?;
        let command = CreateCommand::new(wanted.text("name")?).description("answers");
        let made = guild.create_command(&self.http, command).await?;
        Ok(json!({ "command": made.id.to_string() }))
    }

    async fn webhook(&self, wanted: &Wanted) -> Done {
        let channel: ChannelId = wanted.id("channel")?;
        let content = wanted.text("content")?;
        let webhook = CreateWebhook::new(wanted.text("name")?);
        let webhook = channel.create_webhook(&self.http, webhook).await?;
        let execute = ExecuteWebhook::new().content(content);
        let message = webhook.execute(&self.http, true, execute).await?;
        let message = message.ok_or("no message")?;
        let edit = EditWebhookMessage::new().content(format!("{content}, edited"));
        webhook.edit_message(&self.http, message.id, edit).await?;
        Ok(json!({ "webhook": webhook.id.to_string(), "message": message.id.to_string() }))
    }

    async fn members(&self, wanted: &Wanted) -> Done {
        let guild: GuildId = wanted.id("guild")?;
        let (tell, told) = oneshot::channel();
        let nonce = "all-of-them".to_owned();
        self.handler
            .seen()
            .chunks
            .insert(nonce.clone(), (Vec::new(), tell));
        let shard = u32::try_from((guild.get() >> 22) % u64::from(self.shards))?;
        let all = ChunkGuildFilter::None;
        self.sender(shard)?
            .chunk_guild(guild, Some(0), false, all, Some(nonce));
        Ok(json!({ "members": told.await? }))
    }

    fn sender(&self, shard: u32) -> Result<ShardMessenger, Failure> {
        let sender = self.handler.seen().senders.get(&shard).cloned();
        sender.ok_or_else(|| "no such shard".into())
    }

    fn presence(&self, wanted: &Wanted) -> Done {
        let activity = ActivityData::playing(wanted.text("activity")?);
        let status: OnlineStatus = serde_json::from_value(json!(wanted.text("status")?))?;
        self.sender(0)?.set_presence(Some(activity), status);
        Ok(json!({}))
    }
}

fn is_limited(error: &serenity::Error) -> bool {
    let serenity::Error::Http(HttpError::UnsuccessfulRequest(answer)) = error else {
        return false;
    };
    answer.status_code.as_u16() == 429
}

/// Answers a command with a button, and the button.
pub(crate) async fn respond(
    ctx: &Context,
    interaction: &Interaction,
) -> Result<Option<(&'static str, String, UserId)>, Failure> {
    let message = CreateInteractionResponseMessage::new();
    match interaction {
        Interaction::Command(command) => {
            let button = CreateButton::new("press")
                .label("Press")
                .style(ButtonStyle::Primary);
            let row = CreateActionRow::Buttons(vec![button]);
            let message = message.content("pong").components(vec![row]);
            let response = CreateInteractionResponse::Message(message);
            command.create_response(&ctx.http, response).await?;
            Ok(Some((
                "command",
                command.data.name.clone(),
                command.user.id,
            )))
        }
        Interaction::Component(press) => {
            let message = message.content("pressed").components(vec![]);
            let response = CreateInteractionResponse::UpdateMessage(message);
            press.create_response(&ctx.http, response).await?;
            Ok(Some((
                "button",
                press.data.custom_id.clone(),
                press.user.id,
            )))
        }
        _ => Ok(None),
    }
}
