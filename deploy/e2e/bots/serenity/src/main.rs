//! A bot on an unmodified serenity. Only public options point it at the server.

mod commands;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};

use guildhall_lines::{Environment, Failure, obey, say, version};
use serde_json::json;
use serenity::all::{
    Cache, ChannelId, Context, EventHandler, GatewayIntents, Guild, GuildId,
    GuildMembersChunkEvent, Http, HttpBuilder, Interaction, Message, MessageId, MessageUpdateEvent,
    Presence, Reaction, ReactionType, Ready, ResumedEvent,
};
use serenity::client::ClientBuilder;
use serenity::gateway::ShardMessenger;
use tokio::sync::oneshot;

/// What the bot knows.
struct Bot {
    http: Arc<Http>,
    cache: Arc<Cache>,
    shards: u32,
    handler: Handler,
}

/// What the bot has heard. Clones share it.
#[derive(Clone, Default)]
struct Handler(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    senders: HashMap<u32, ShardMessenger>,
    ready: HashSet<u32>,
    user: String,
    has_told: bool,
    /// Members of requests whose chunks have not all come.
    chunks: HashMap<String, (Vec<String>, oneshot::Sender<Vec<String>>)>,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let environment = Environment::read()?;
    let intents = GatewayIntents::GUILDS
        | GatewayIntents::GUILD_MEMBERS
        | GatewayIntents::GUILD_PRESENCES
        | GatewayIntents::GUILD_MESSAGES
        | GatewayIntents::GUILD_MESSAGE_REACTIONS
        | GatewayIntents::MESSAGE_CONTENT;
    // Its own limiter speaks with discord.com whatever address is set, so that the documentation
    // asks for both together.
    let http = HttpBuilder::new(&environment.token)
        .proxy(format!("http://{}", environment.host))
        .ratelimiter_disabled(true)
        .build();
    // The builder asks REST where the gateway is.
    let handler = Handler::default();
    let mut client = ClientBuilder::new_with_http(http, intents)
        .event_handler_arc(Arc::new(handler.clone()))
        .await?;
    let bot = Arc::new(Bot {
        http: Arc::clone(&client.http),
        cache: Arc::clone(&client.cache),
        shards: environment.shards,
        handler,
    });
    tokio::spawn(obey(bot));
    client.start_shards(environment.shards).await?;
    Ok(())
}

impl Handler {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().expect("nobody panics while it is locked")
    }

    /// Reports that it is ready when all guilds of all shards have come.
    fn tell_ready(&self, ctx: &Context, shards: u32) {
        let mut seen = self.seen();
        let all = usize::try_from(shards).unwrap_or_default();
        let has_all = seen.ready.len() == all && ctx.cache.unavailable_guilds().len() == 0;
        if seen.has_told || !has_all {
            return;
        }
        seen.has_told = true;
        let guilds = ctx.cache.guilds();
        let guilds = guilds.iter().map(|id| {
            let shard = (id.get() >> 22) % u64::from(shards);
            json!({ "id": id.to_string(), "shard": shard })
        });
        say(json!({
            "event": "ready",
            "version": version("serenity"),
            "user": seen.user,
            "guilds": guilds.collect::<Vec<_>>(),
        }));
    }
}

#[serenity::async_trait]
impl EventHandler for Handler {
    async fn ready(&self, ctx: Context, ready: Ready) {
        let shards = ready.shard.map_or(1, |shard| shard.total);
        let mut seen = self.seen();
        seen.user = ready.user.id.to_string();
        seen.senders.insert(ctx.shard_id.0, ctx.shard.clone());
        seen.ready.insert(ctx.shard_id.0);
        drop(seen);
        self.tell_ready(&ctx, shards);
    }

    async fn guild_create(&self, ctx: Context, _: Guild, _: Option<bool>) {
        self.tell_ready(&ctx, ctx.cache.shard_count());
    }

    async fn resume(&self, ctx: Context, _: ResumedEvent) {
        say(json!({ "event": "resumed", "shard": ctx.shard_id.0 }));
    }

    async fn message(&self, _: Context, message: Message) {
        say(json!({
            "event": "message",
            "message": message.id.to_string(),
            "channel": message.channel_id.to_string(),
            "author": message.author.id.to_string(),
            "content": message.content,
        }));
    }

    async fn message_update(
        &self,
        _: Context,
        _: Option<Message>,
        _: Option<Message>,
        edit: MessageUpdateEvent,
    ) {
        let (id, content) = (edit.id.to_string(), edit.content);
        say(json!({ "event": "edited", "message": id, "content": content }));
    }

    async fn message_delete(
        &self,
        _: Context,
        _: ChannelId,
        message: MessageId,
        _: Option<GuildId>,
    ) {
        say(json!({ "event": "deleted", "message": message.to_string() }));
    }

    async fn reaction_add(&self, _: Context, given: Reaction) {
        let emoji = match &given.emoji {
            ReactionType::Unicode(name) => Some(name.clone()),
            ReactionType::Custom { name, .. } => name.clone(),
            _ => None,
        };
        say(json!({
            "event": "reaction",
            "message": given.message_id.to_string(),
            "emoji": emoji,
            "user": given.user_id.map(|id| id.to_string()),
        }));
    }

    async fn presence_update(&self, _: Context, presence: Presence) {
        say(json!({
            "event": "presence",
            "user": presence.user.id.to_string(),
            "status": presence.status.name(),
        }));
    }

    async fn guild_members_chunk(&self, _: Context, chunk: GuildMembersChunkEvent) {
        let mut seen = self.seen();
        let nonce = chunk.nonce.unwrap_or_default();
        if let Some((members, _)) = seen.chunks.get_mut(&nonce) {
            members.extend(chunk.members.keys().map(ToString::to_string));
        }
        if chunk.chunk_index + 1 == chunk.chunk_count
            && let Some((members, asked)) = seen.chunks.remove(&nonce)
        {
            // Who asked may have given up.
            drop(asked.send(members));
        }
    }

    async fn interaction_create(&self, ctx: Context, interaction: Interaction) {
        match commands::respond(&ctx, &interaction).await {
            Ok(Some((event, name, user))) => {
                say(json!({ "event": event, "name": name, "user": user.to_string() }));
            }
            Ok(None) => (),
            Err(error) => say(json!({ "event": "error", "text": error.to_string() })),
        }
    }
}
