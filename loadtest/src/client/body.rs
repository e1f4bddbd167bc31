//! What a client looks at in a dispatch's body, in either dialect.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};

use crate::history::{reaction_tag, tag_of};

/// The parts of a dispatch that a history keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the history")]
pub struct Gist<'a> {
    pub channel: Option<Cow<'a, str>>,
    pub message: Option<Cow<'a, str>>,
    pub nonce: Option<Cow<'a, str>>,
    pub tag: Option<Cow<'a, str>>,
    pub shows: Vec<Cow<'a, str>>,
}

/// The `d` of READY.
#[derive(Debug, Deserialize)]
pub struct Ready<'a> {
    /// What RESUME names.
    #[serde(borrow)]
    pub session_id: Cow<'a, str>,
    /// Where RESUME goes.
    #[serde(borrow, default)]
    pub resume_gateway_url: Option<Cow<'a, str>>,
    /// Whose session it is.
    #[serde(borrow)]
    pub user: Named<'a>,
    /// The guilds that follow. Discord's dialect calls them guilds, the native one servers.
    #[serde(borrow, alias = "guilds", default)]
    pub servers: Vec<Named<'a>>,
}

/// Anything with an id.
#[derive(Clone, Debug, Deserialize)]
pub struct Named<'a> {
    /// The id.
    #[serde(borrow)]
    pub id: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    channel_id: Cow<'a, str>,
    #[serde(borrow, default)]
    content: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    nonce: Option<Nonce<'a>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Nonce<'a> {
    Text(#[serde(borrow)] Cow<'a, str>),
    Number(i64),
}

#[derive(Deserialize)]
struct Reaction<'a> {
    #[serde(borrow)]
    message_id: Cow<'a, str>,
    #[serde(borrow)]
    channel_id: Cow<'a, str>,
    #[serde(borrow)]
    user_id: Cow<'a, str>,
    #[serde(deserialize_with = "emoji_name")]
    emoji: String,
}

#[derive(Deserialize)]
struct Typing<'a> {
    #[serde(borrow)]
    channel_id: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Guild<'a> {
    #[serde(borrow, default)]
    channels: Vec<Named<'a>>,
}

/// A standard emoji is a text in the native dialect and an object with a name in Discord's.
fn emoji_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Emoji {
        Text(String),
        Object { name: String },
    }
    Ok(match Emoji::deserialize(deserializer)? {
        Emoji::Text(name) | Emoji::Object { name } => name,
    })
}

/// The gist of a dispatch.
///
/// # Errors
/// The body of an event that the history keeps has not the parts that it must have.
pub fn gist<'a>(event: &str, body: &'a str) -> Result<Gist<'a>, serde_json::Error> {
    let mut gist = Gist::default();
    match event {
        "MESSAGE_CREATE" | "MESSAGE_UPDATE" | "MESSAGE_DELETE" => {
            let message: Message<'a> = serde_json::from_str(body)?;
            gist.channel = Some(message.channel_id);
            gist.message = Some(message.id);
            gist.nonce = message.nonce.map(|nonce| match nonce {
                Nonce::Text(text) => text,
                Nonce::Number(number) => Cow::Owned(number.to_string()),
            });
            let tag = message.content.as_deref().and_then(tag_of);
            gist.tag = tag.map(|tag| Cow::Owned(tag.to_owned()));
        }
        "MESSAGE_REACTION_ADD" | "MESSAGE_REACTION_REMOVE" => {
            let reaction: Reaction<'a> = serde_json::from_str(body)?;
            let tag = reaction_tag(&reaction.user_id, &reaction.emoji);
            gist.channel = Some(reaction.channel_id);
            gist.message = Some(reaction.message_id);
            gist.tag = Some(Cow::Owned(tag));
        }
        "CHANNEL_CREATE" | "CHANNEL_UPDATE" | "CHANNEL_DELETE" => {
            gist.channel = Some(serde_json::from_str::<Named<'a>>(body)?.id);
        }
        "TYPING_START" => {
            gist.channel = Some(serde_json::from_str::<Typing<'a>>(body)?.channel_id);
        }
        "GUILD_CREATE" => {
            let guild: Guild<'a> = serde_json::from_str(body)?;
            gist.shows = guild
                .channels
                .into_iter()
                .map(|channel| channel.id)
                .collect();
        }
        _ => {}
    }
    Ok(gist)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_dialects_have_the_same_gist() {
        let native = r#"{"id":"m","channel_id":"c","content":"n1+2 hi","nonce":"n1","x":[]}"#;
        let told = gist("MESSAGE_UPDATE", native).unwrap();
        assert_eq!(told.message.as_deref(), Some("m"));
        assert_eq!(told.channel.as_deref(), Some("c"));
        assert_eq!(told.nonce.as_deref(), Some("n1"));
        assert_eq!(told.tag.as_deref(), Some("n1+2"));
        let head = r#"{"message_id":"m","channel_id":"c","user_id":"u","emoji":"#;
        let native = format!("{head}\"x\"}}");
        let discord = format!("{head}{{\"id\":null,\"name\":\"x\"}}}}");
        let [native, discord] = [&native, &discord].map(|body| gist("MESSAGE_REACTION_ADD", body));
        assert_eq!(native.unwrap(), discord.unwrap());
    }

    #[test]
    fn a_guild_shows_its_channels_and_a_channel_names_itself() {
        let guild = gist(
            "GUILD_CREATE",
            r#"{"id":"g","channels":[{"id":"a"},{"id":"b"}]}"#,
        );
        assert_eq!(guild.unwrap().shows, ["a", "b"]);
        let channel = gist("CHANNEL_DELETE", r#"{"id":"a","server_id":"g"}"#).unwrap();
        assert_eq!(channel.channel.as_deref(), Some("a"));
    }

    #[test]
    fn a_body_without_what_it_must_have_is_an_error() {
        assert!(gist("MESSAGE_CREATE", r#"{"id":"m"}"#).is_err());
        assert!(gist("MESSAGE_CREATE", r#"{"id":5,"channel_id":"c"}"#).is_err());
        assert!(gist("PRESENCE_UPDATE", "[]").unwrap().channel.is_none());
    }

    #[test]
    fn a_numeric_nonce_is_kept_as_its_digits() {
        let text = r#"{"id":"m","channel_id":"c","nonce":-5}"#;
        assert_eq!(
            gist("MESSAGE_CREATE", text).unwrap().nonce.as_deref(),
            Some("-5")
        );
    }
}
