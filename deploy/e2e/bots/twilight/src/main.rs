//! A bot on an unmodified twilight. Only public options point it at the server.

mod commands;

use std::collections::{HashMap, HashSet};
use std::error::Error;
use std::sync::{Arc, Mutex};

use guildhall_lines::{Environment, Failure, obey, say, version};
use serde_json::json;
use tokio::sync::oneshot;
use twilight_cache_inmemory::{DefaultInMemoryCache, InMemoryCache};
use twilight_gateway::{
    ConfigBuilder, Event, EventTypeFlags, Intents, MessageSender, Shard, ShardId, StreamExt as _,
};
use twilight_http::Client;
use twilight_model::application::interaction::{Interaction, InteractionData};
use twilight_model::gateway::payload::incoming::{MemberChunk, MessageCreate};
use twilight_model::id::Id;
use twilight_model::id::marker::{ApplicationMarker, GuildMarker, UserMarker};

/// What the bot knows.
struct Bot {
    http: Client,
    cache: DefaultInMemoryCache,
    shards: u32,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    senders: Vec<MessageSender>,
    application: Option<Id<ApplicationMarker>>,
    user: Option<Id<UserMarker>>,
    ready: HashSet<u32>,
    /// The guilds that READY named and that have not come yet.
    awaited: HashSet<Id<GuildMarker>>,
    has_told: bool,
    /// Members of requests whose chunks have not all come.
    chunks: HashMap<String, (Vec<String>, oneshot::Sender<Vec<String>>)>,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let environment = Environment::read()?;
    let intents = Intents::GUILDS
        | Intents::GUILD_MEMBERS
        | Intents::GUILD_PRESENCES
        | Intents::GUILD_MESSAGES
        | Intents::GUILD_MESSAGE_REACTIONS
        | Intents::MESSAGE_CONTENT;
    let http = Client::builder()
        .proxy(environment.host.clone(), true)
        .token(environment.token.clone());
    let config = ConfigBuilder::new(environment.token, intents)
        .proxy_url(environment.gateway)
        .build();
    let bot = Arc::new(Bot {
        http: http.build(),
        cache: InMemoryCache::new(),
        shards: environment.shards,
        seen: Mutex::default(),
    });
    for number in 0..environment.shards {
        let id = ShardId::new(number, environment.shards);
        let shard = Shard::with_config(id, config.clone());
        bot.seen().senders.push(shard.sender());
        tokio::spawn(run(shard, Arc::clone(&bot)));
    }
    obey(bot).await;
    Ok(())
}

async fn run(mut shard: Shard, bot: Arc<Bot>) {
    while let Some(event) = shard.next_event(EventTypeFlags::all()).await {
        match event {
            Ok(event) => {
                bot.cache.update(&event);
                bot.hear(shard.id().number(), event);
            }
            Err(error) => {
                let cause = error.source().map(ToString::to_string);
                say(json!({ "event": "error", "text": format!("{error}: {cause:?}") }));
            }
        }
    }
    say(json!({ "event": "error", "text": "the shard has ended" }));
}

impl Bot {
    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().expect("nobody panics while it is locked")
    }

    fn hear(self: &Arc<Self>, shard: u32, event: Event) {
        match event {
            Event::Ready(ready) => {
                let mut seen = self.seen();
                seen.application = Some(ready.application.id);
                seen.user = Some(ready.user.id);
                seen.ready.insert(shard);
                seen.awaited
                    .extend(ready.guilds.iter().map(|guild| guild.id));
                drop(seen);
                self.tell_ready();
            }
            Event::GuildCreate(guild) => {
                self.seen().awaited.remove(&guild.id());
                self.tell_ready();
            }
            Event::Resumed => say(json!({ "event": "resumed", "shard": shard })),
            Event::MessageCreate(message) => tell_message(&message),
            Event::MessageUpdate(message) => {
                let (id, content) = (message.id.to_string(), &message.content);
                say(json!({ "event": "edited", "message": id, "content": content }));
            }
            Event::MessageDelete(message) => {
                say(json!({ "event": "deleted", "message": message.id.to_string() }));
            }
            Event::ReactionAdd(given) => say(json!({
                "event": "reaction",
                "message": given.message_id.to_string(),
                "emoji": emoji(&given.emoji),
                "user": given.user_id.to_string(),
            })),
            Event::PresenceUpdate(presence) => say(json!({
                "event": "presence",
                "user": presence.user.id().to_string(),
                "status": presence.status,
            })),
            Event::MemberChunk(chunk) => self.gather(chunk),
            Event::InteractionCreate(interaction) => {
                tokio::spawn(answer(Arc::clone(self), interaction.0));
            }
            _ => (),
        }
    }

    /// Reports that it is ready when all guilds of all shards have come.
    fn tell_ready(&self) {
        let mut seen = self.seen();
        let all = usize::try_from(self.shards).unwrap_or_default();
        if seen.has_told || seen.ready.len() < all || !seen.awaited.is_empty() {
            return;
        }
        seen.has_told = true;
        let ids = self.cache.iter().guilds();
        let guilds = ids.map(|guild| {
            let shard = (guild.id().get() >> 22) % u64::from(self.shards);
            json!({ "id": guild.id().to_string(), "shard": shard })
        });
        say(json!({
            "event": "ready",
            "version": version("twilight-gateway"),
            "user": seen.user.map(|id| id.to_string()),
            "guilds": guilds.collect::<Vec<_>>(),
        }));
    }

    fn gather(&self, chunk: MemberChunk) {
        let mut seen = self.seen();
        let nonce = chunk.nonce.unwrap_or_default();
        let is_last = chunk.chunk_index + 1 == chunk.chunk_count;
        if let Some((members, _)) = seen.chunks.get_mut(&nonce) {
            members.extend(
                chunk
                    .members
                    .iter()
                    .map(|member| member.user.id.to_string()),
            );
        }
        if is_last && let Some((members, asked)) = seen.chunks.remove(&nonce) {
            // Who asked may have given up.
            drop(asked.send(members));
        }
    }
}

fn tell_message(message: &MessageCreate) {
    say(json!({
        "event": "message",
        "message": message.id.to_string(),
        "channel": message.channel_id.to_string(),
        "author": message.author.id.to_string(),
        "content": message.content,
    }));
}

fn emoji(emoji: &twilight_model::channel::message::EmojiReactionType) -> Option<&str> {
    use twilight_model::channel::message::EmojiReactionType;
    match emoji {
        EmojiReactionType::Custom { name, .. } => name.as_deref(),
        EmojiReactionType::Unicode { name } => Some(name),
    }
}

async fn answer(bot: Arc<Bot>, interaction: Interaction) {
    if let Err(error) = bot.respond(&interaction).await {
        say(json!({ "event": "error", "text": error.to_string() }));
        return;
    }
    let (event, name) = match &interaction.data {
        Some(InteractionData::ApplicationCommand(data)) => ("command", data.name.clone()),
        Some(InteractionData::MessageComponent(data)) => ("button", data.custom_id.clone()),
        _ => return,
    };
    let user = interaction.author_id().map(|id| id.to_string());
    say(json!({ "event": event, "name": name, "user": user }));
}
