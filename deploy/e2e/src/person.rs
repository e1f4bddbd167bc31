//! People and bots that were registered with a server, and what they commonly do there.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use crate::link::Link;
use crate::rest::Rest;
use crate::server::Server;
use crate::session::Session;

/// Every person's password ends in its name, so that a leak can be traced to somebody.
const PASSWORD: &str = "correct-horse-of-";

/// Somebody with an account and a login.
#[derive(Clone, Debug)]
pub struct Person {
    /// REST with the access token.
    pub rest: Rest,
    /// The user's id.
    pub id: String,
    /// The username.
    pub name: String,
    /// The password.
    pub password: String,
    /// The access token of the first login.
    pub access: String,
    /// Its refresh token.
    pub refresh: String,
}

/// An application's bot.
#[derive(Clone, Debug)]
pub struct Bot {
    /// REST with the token.
    pub rest: Rest,
    /// The bot user's id.
    pub id: String,
    /// The application's id.
    pub application: String,
    /// The token.
    pub token: String,
}

/// The text at a path of JSON that must have one there.
pub fn text(value: &Value, pointer: &str) -> String {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found
        .unwrap_or_else(|| panic!("no text at {pointer}: {value}"))
        .to_owned()
}

/// A nonce that nobody has used.
pub fn nonce() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("n{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

impl Person {
    /// Registers somebody.
    pub async fn register(server: &Server, name: &str) -> Self {
        let password = format!("{PASSWORD}{name}");
        let body = json!({
            "username": name,
            "email": format!("{name}@example.org"),
            "password": password,
        });
        let login = server.rest().post("/auth/register", body).await.expect(201);
        let access = text(&login, "/access_token");
        Self {
            rest: server.rest().authorized(format!("Bearer {access}")),
            id: text(&login, "/user/id"),
            name: name.to_owned(),
            password,
            refresh: text(&login, "/refresh_token"),
            access,
        }
    }

    /// Makes a public guild and answers its id and that of its first channel.
    pub async fn found(&self, name: &str) -> (String, String) {
        let body = json!({ "name": name, "is_public": true });
        let guild = text(&self.rest.post("/servers", body).await.expect(201), "/id");
        let path = format!("/servers/{guild}/channels");
        let channels = self.rest.get(&path).await.expect(200);
        (guild, text(&channels, "/0/id"))
    }

    /// Becomes a member of a public guild.
    pub async fn join(&self, guild: &str) {
        let path = format!("/servers/{guild}/join");
        let answer = self.rest.post(&path, json!({})).await;
        assert!(answer.status.is_success(), "{}", answer.text());
    }

    /// Posts and answers the message's id.
    pub async fn post(&self, channel: &str, content: &str) -> String {
        let body = json!({ "content": content, "nonce": nonce() });
        let path = format!("/channels/{channel}/messages");
        text(&self.rest.post(&path, body).await.expect(201), "/id")
    }

    /// Makes an application with a bot.
    pub async fn make_bot(&self, name: &str) -> Bot {
        let body = json!({ "name": name });
        let made = self.rest.post("/applications", body).await.expect(201);
        let token = text(&made, "/bot_token");
        Bot {
            rest: self.rest.authorized(format!("Bot {token}")),
            id: text(&made, "/bot/id"),
            application: text(&made, "/id"),
            token,
        }
    }

    /// Brings a bot into a guild.
    pub async fn invite_bot(&self, guild: &str, bot: &Bot) {
        let path = format!("/servers/{guild}/bots/{}", bot.application);
        let answer = self.rest.put(&path, json!({})).await;
        assert!(answer.status.is_success(), "{}", answer.text());
    }

    /// Opens a session in the native dialect and hears its guilds.
    pub async fn listen(&self) -> Session {
        let link = Link::open(self.rest.address(), "v=10&encoding=json&dialect=native").await;
        Session::identify(link, &self.access, None).await
    }
}

impl Bot {
    /// Opens a session in Discord's dialect with these intents and hears its guilds.
    pub async fn listen(&self, intents: u64) -> Session {
        let link = Link::open(self.rest.address(), "v=10&encoding=json").await;
        Session::identify(link, &self.token, Some(intents)).await
    }
}
