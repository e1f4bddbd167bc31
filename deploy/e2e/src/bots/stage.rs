//! One library's world: a server, a proxy before it, people, a guild, and the bot.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::bot::Bot;
use super::library::Library;
use super::proxy::Proxy;
use crate::person::{self, Person, text};
use crate::server::Server;

/// What may post and moderate everywhere, in the native dialect's numbers.
const ADMINISTRATOR: u64 = 64;
/// Milliseconds between the epochs of Unix and of Discord's ids.
const EPOCH_MS: u64 = 1_420_070_400_000;
/// Guilds that may be founded until one is on the other of two shards.
const FOUNDED_MAX: usize = 50;

/// A world.
#[derive(Debug)]
pub struct Stage {
    /// Under test.
    pub library: Library,
    /// The real server.
    pub server: Server,
    /// Between the bot and the server.
    pub proxy: Proxy,
    /// Owner of the guild.
    pub ada: Person,
    /// Member of the guild, with a role.
    pub bob: Person,
    /// The bot's account.
    pub robot: person::Bot,
    /// The guild.
    pub guild: String,
    /// Its first channel.
    pub channel: String,
    /// The role that bob has.
    pub keepers: String,
    installed: PathBuf,
    bot: Option<Bot>,
}

impl Stage {
    /// Sets everything up; the bot is not started yet.
    pub async fn set(library: Library, installed: &Path) -> Self {
        let proxy = Proxy::start("127.0.0.1").await;
        if library.gives_up {
            proxy.wait_for_servers();
        }
        let url = format!("http://{}", proxy.address());
        let server =
            Server::start(&[("SERVER__PUBLIC_URL", &url), ("LIMITS__RATE_LIMITS", "on")]).await;
        proxy.lead_to(server.address());
        let ada = Person::register(&server, "ada").await;
        let bob = Person::register(&server, "bob").await;
        let (guild, channel) = ada.found("Reading club").await;
        bob.join(&guild).await;
        let robot = ada.make_bot("robot").await;
        ada.invite_bot(&guild, &robot).await;
        let keepers = give_role(&ada, &guild, &bob.id, "keepers", 3).await;
        give_role(&ada, &guild, &robot.id, "machines", ADMINISTRATOR).await;
        Self {
            library,
            server,
            proxy,
            ada,
            bob,
            robot,
            guild,
            channel,
            keepers,
            installed: installed.to_owned(),
            bot: None,
        }
    }

    /// Starts the bot anew with so many shards and answers its report that it is ready.
    pub async fn start(&mut self, shards: usize) -> Value {
        self.stop().await;
        let address = self.proxy.address();
        let environment = [
            ("BOT_TOKEN", self.robot.token.clone()),
            ("BOT_REST", format!("http://{address}/api")),
            ("BOT_GATEWAY", format!("ws://{address}/gateway")),
            ("BOT_SHARDS", shards.to_string()),
        ];
        let environment = environment.each_ref().map(|(key, it)| (*key, it.as_str()));
        let bot = Bot::start(self.library.command(&self.installed), &environment);
        self.bot.insert(bot).hears("ready", json!({})).await
    }

    /// Ends the bot, if there is one.
    pub async fn stop(&mut self) {
        if let Some(bot) = self.bot.take() {
            bot.stop().await;
        }
    }

    /// The bot, which is started if it does not run.
    pub async fn bot(&mut self) -> &mut Bot {
        let is_alive = self.bot.as_mut().is_some_and(Bot::is_alive);
        if !is_alive {
            self.start(1).await;
        }
        self.bot.as_mut().expect("it was started")
    }

    /// The contents of the messages that the bot has reported and that begin like this: in order,
    /// or sorted where the library knows none.
    pub fn contents(&self, beginning: &str) -> Vec<String> {
        let bot = self.bot.as_ref();
        let mut contents = bot.map_or_else(Vec::new, |bot| bot.contents(beginning));
        if self.library.is_parallel {
            contents.sort_unstable();
        }
        contents
    }

    /// What the bot has complained about.
    pub fn complaints(&self) -> String {
        self.bot.as_ref().map(Bot::complaints).unwrap_or_default()
    }

    /// A message as people see it; `None` if there is none.
    pub async fn message(&self, id: &str) -> Option<Value> {
        let answer = self.ada.rest.get(&format!("/messages/{id}")).await;
        (answer.status.as_u16() != 404).then(|| answer.expect(200))
    }

    /// Founds a guild with the bot in it that is on this one of two shards.
    pub async fn found_on_shard(&self, shard: u64) -> String {
        for _ in 0..FOUNDED_MAX {
            let (guild, _) = self.ada.found("Elsewhere").await;
            if (number(&guild) >> 22) % 2 == shard {
                self.ada.invite_bot(&guild, &self.robot).await;
                return guild;
            }
        }
        panic!("{FOUNDED_MAX} guilds, and none on shard {shard}")
    }
}

async fn give_role(ada: &Person, guild: &str, to: &str, name: &str, permissions: u64) -> String {
    let role = json!({ "name": name, "permissions_bitmask": permissions });
    let made = ada
        .rest
        .post(&format!("/servers/{guild}/roles"), role)
        .await;
    let role = text(&made.expect(201), "/id");
    let path = format!("/servers/{guild}/members/{to}");
    let member = ada.rest.get(&path).await.expect(200);
    let mut roles = member["roles"].as_array().cloned().unwrap_or_default();
    roles.push(json!(role));
    let path = format!("{path}/roles");
    let given = ada.rest.put(&path, json!({ "roles": roles })).await;
    given.expect(200);
    role
}

/// An id of the native dialect as the Discord dialect spells it.
pub(super) fn snowflake(uuid: &str) -> String {
    number(uuid).to_string()
}

/// The number inside a native id: its bits are those of `unix_ms(48) version(4) low(12) variant(2)
/// low(10) tail(52)`.
fn number(uuid: &str) -> u64 {
    let bits = u128::from_str_radix(&uuid.replace('-', ""), 16);
    let bits = bits.unwrap_or_else(|error| panic!("{uuid}: {error}"));
    let part = |from: u32, bits_wide: u32| {
        let part = (bits >> from) & ((1 << bits_wide) - 1);
        u64::try_from(part).expect("a part is short")
    };
    ((part(80, 48) - EPOCH_MS) << 22) | (part(64, 12) << 10) | part(52, 10)
}

#[cfg(test)]
mod tests {
    use super::snowflake;

    #[test]
    fn an_id_is_the_same_number_in_both_dialects() {
        let pairs = [
            ("015466e4-1b04-8080-8070-000000000000", "175928847299117063"),
            (
                "019de712-e5ec-8580-8010-000000000000",
                "1500000000000000001",
            ),
        ];
        for (uuid, decimal) in pairs {
            assert_eq!(snowflake(uuid), decimal);
        }
    }
}
