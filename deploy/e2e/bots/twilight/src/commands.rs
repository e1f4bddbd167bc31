//! What the runner may ask for.

use guildhall_lines::{Done, Failure, Obeys, Wanted, download};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use twilight_gateway::MessageSender;
use twilight_http::request::channel::reaction::RequestReactionType;
use twilight_model::application::interaction::{Interaction, InteractionType};
use twilight_model::channel::message::Component;
use twilight_model::channel::message::component::{ActionRow, Button, ButtonStyle};
use twilight_model::gateway::payload::outgoing::{RequestGuildMembers, UpdatePresence};
use twilight_model::gateway::presence::{ActivityType, MinimalActivity, Status};
use twilight_model::http::attachment::Attachment;
use twilight_model::http::interaction::{
    InteractionResponse, InteractionResponseData, InteractionResponseType,
};
use twilight_model::id::Id;
use twilight_model::id::marker::GuildMarker;

use crate::Bot;

impl Obeys for Bot {
    async fn carry_out(&self, name: &str, wanted: &Wanted) -> Done {
        match name {
            "guild" => self.guild(wanted.id("guild")?),
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

impl Bot {
    fn guild(&self, id: Id<GuildMarker>) -> Done {
        let guild = self.cache.guild(id).ok_or("no such guild")?;
        let ids = self.cache.guild_roles(id).ok_or("no roles")?;
        let roles = ids.iter().filter_map(|id| self.cache.role(*id));
        let roles = roles.map(|role| {
            let permissions = role.permissions.bits().to_string();
            json!({ "id": role.id.to_string(), "name": role.name, "permissions": permissions })
        });
        let users = self.cache.guild_members(id).ok_or("no members")?;
        let members = users.iter().filter_map(|user| self.cache.member(id, *user));
        let members = members.map(|member| {
            let roles: Vec<String> = member.roles().iter().map(ToString::to_string).collect();
            json!({ "id": member.user_id().to_string(), "roles": roles })
        });
        let ids = self.cache.guild_channels(id).ok_or("no channels")?;
        let channels = ids.iter().filter_map(|id| self.cache.channel(*id));
        let channels =
            channels.map(|channel| json!({ "id": channel.id.to_string(), "name": channel.name }));
        Ok(json!({
            "name": guild.name(),
            "owner": guild.owner_id().to_string(),
            "roles": roles.collect::<Vec<Value>>(),
            "members": members.collect::<Vec<Value>>(),
            "channels": channels.collect::<Vec<Value>>(),
        }))
    }

    async fn send(&self, wanted: &Wanted) -> Done {
        let request = self.http.create_message(wanted.id("channel")?);
        let mut request = request.content(wanted.text("content")?);
        if wanted.text("message").is_ok() {
            request = request.reply(wanted.id("message")?);
        }
        let message = request.await?.model().await?;
        Ok(json!({ "message": message.id.to_string() }))
    }

    async fn edit(&self, wanted: &Wanted) -> Done {
        let (channel, message) = (wanted.id("channel")?, wanted.id("message")?);
        let request = self.http.update_message(channel, message);
        request
            .content(Some(wanted.text("content")?))
            .await?
            .model()
            .await?;
        Ok(json!({}))
    }

    async fn react(&self, wanted: &Wanted) -> Done {
        let (channel, message) = (wanted.id("channel")?, wanted.id("message")?);
        let emoji = RequestReactionType::Unicode {
            name: wanted.text("emoji")?,
        };
        self.http.create_reaction(channel, message, &emoji).await?;
        Ok(json!({}))
    }

    async fn delete(&self, wanted: &Wanted) -> Done {
        let (channel, message) = (wanted.id("channel")?, wanted.id("message")?);
        self.http.delete_message(channel, message).await?;
        Ok(json!({}))
    }

    async fn upload(&self, wanted: &Wanted) -> Done {
        let text = wanted.text("text")?.as_bytes().to_vec();
        let file = Attachment::from_bytes(wanted.text("name")?.to_owned(), text, 0);
        let files = [file];
        let request = self.http.create_message(wanted.id("channel")?);
        let sent = request.content("a file").attachments(&files).await?;
        Ok(json!({ "message": sent.model().await?.id.to_string() }))
    }

    async fn download(&self, wanted: &Wanted) -> Done {
        let (channel, message) = (wanted.id("channel")?, wanted.id("message")?);
        let message = self.http.message(channel, message).await?.model().await?;
        let file = message.attachments.first().ok_or("no attachment")?;
        Ok(json!({ "name": file.filename, "text": download(&file.url).await? }))
    }

    async fn command(&self, wanted: &Wanted) -> Done {
        let application = self.seen().application.ok_or("no READY yet")?;
        let interaction = self.http.interaction(application);
        let request = interaction.create_guild_command(wanted.id("guild")?);
        let request = request.chat_input(wanted.text("name")?, "answers");
        let made = request.await?.model().await?;
        Ok(json!({ "command": made.id.map(|id| id.to_string()) }))
    }

    pub(crate) async fn respond(&self, interaction: &Interaction) -> Result<(), Failure> {
        let button = Component::Button(Button {
            id: None,
            custom_id: Some("press".to_owned()),
            disabled: false,
            emoji: None,
            label: Some("Press".to_owned()),
            style: ButtonStyle::Primary,
            url: None,
            sku_id: None,
        });
        let row = Component::ActionRow(ActionRow {
            id: None,
            components: vec![button],
        });
        let (kind, content, components) = match interaction.kind {
            InteractionType::ApplicationCommand => (
                InteractionResponseType::ChannelMessageWithSource,
                "pong",
                vec![row],
            ),
            InteractionType::MessageComponent => {
                (InteractionResponseType::UpdateMessage, "pressed", vec![])
            }
            _ => return Ok(()),
        };
        let data = InteractionResponseData {
            content: Some(content.to_owned()),
            components: Some(components),
            ..InteractionResponseData::default()
        };
        let response = InteractionResponse {
            kind,
            data: Some(data),
        };
        let client = self.http.interaction(interaction.application_id);
        client
            .create_response(interaction.id, &interaction.token, &response)
            .await?;
        Ok(())
    }

    async fn webhook(&self, wanted: &Wanted) -> Done {
        let channel = wanted.id("channel")?;
        let content = wanted.text("content")?;
        let made = self
            .http
            .create_webhook(channel, wanted.text("name")?)
            .await?;
        let webhook = made.model().await?;
        let token = webhook.token.ok_or("no token")?;
        let request = self
            .http
            .execute_webhook(webhook.id, &token)
            .content(content)
            .wait();
        let message = request.await?.model().await?;
        let edited = format!("{content}, edited");
        let request = self
            .http
            .update_webhook_message(webhook.id, &token, message.id);
        request.content(Some(&edited)).await?;
        Ok(json!({ "webhook": webhook.id.to_string(), "message": message.id.to_string() }))
    }

    async fn members(&self, wanted: &Wanted) -> Done {
        let guild: Id<GuildMarker> = wanted.id("guild")?;
        let (tell, told) = oneshot::channel();
        let nonce = "all-of-them";
        self.seen()
            .chunks
            .insert(nonce.to_owned(), (Vec::new(), tell));
        let request = RequestGuildMembers::builder(guild)
            .nonce(nonce)
            .query("", None);
        let shard = (guild.get() >> 22) % u64::from(self.shards);
        self.sender(shard)?.command(&request)?;
        Ok(json!({ "members": told.await? }))
    }

    fn sender(&self, shard: u64) -> Result<MessageSender, Failure> {
        let shard = usize::try_from(shard)?;
        let sender = self.seen().senders.get(shard).cloned();
        sender.ok_or_else(|| "no such shard".into())
    }

    fn presence(&self, wanted: &Wanted) -> Done {
        let activity = MinimalActivity {
            kind: ActivityType::Playing,
            name: wanted.text("activity")?.to_owned(),
            url: None,
        };
        let status: Status = serde_json::from_value(json!(wanted.text("status")?))?;
        let update = UpdatePresence::new(vec![activity.into()], false, None, status)?;
        self.sender(0)?.command(&update)?;
        Ok(json!({}))
    }
}
