//! Webhooks: addresses by which programs post into a channel without being members.

use std::fmt;

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::id::{ApplicationId, ChannelId, GuildId, UserId, WebhookId};
use crate::limits::WEBHOOK_TOKEN_CHARS;
use crate::picture::Picture;
use crate::user::{Status, User};

/// An incoming webhook, the only type there is. When it was made is in its id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// Names the webhook; its messages have an author of the same number.
    pub id: WebhookId,
    /// The guild that it belongs to.
    pub guild_id: GuildId,
    /// The channel that it posts into.
    pub channel_id: ChannelId,
    /// Who its messages are by, where they do not say: 1 to 80 characters.
    pub name: String,
    /// Where its picture is, an `https` address.
    pub avatar: Option<Picture>,
    /// Whoever shows it may post, and change or end the webhook.
    pub token: WebhookToken,
    /// Who made it.
    pub creator_id: UserId,
    /// The application whose bot made it.
    pub application_id: Option<ApplicationId>,
}

/// The secret of a webhook: [`WEBHOOK_TOKEN_CHARS`] characters that may stand in an address.
/// It is kept readable, because those who manage a webhook are shown its address.
#[derive(Clone, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WebhookToken(String);

impl WebhookToken {
    /// The token, or `None` for a text that was never issued.
    pub fn parse(raw: &str) -> Option<Self> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let is_issued = raw.len() == WEBHOOK_TOKEN_CHARS && raw.bytes().all(is_plain);
        is_issued.then(|| Self(raw.to_owned()))
    }

    /// The text itself: to be shown to those who manage the webhook, compared, and nothing else.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// Takes as long whatever the first difference is: strangers have theirs compared.
impl PartialEq for WebhookToken {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl fmt::Debug for WebhookToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Webhook {
    /// The author of its messages, by the name and picture that a message gives or its own.
    pub fn author(&self, name: Option<String>, avatar_url: Option<String>) -> User {
        User {
            id: self.id.author(),
            username: name.unwrap_or_else(|| self.name.clone()),
            display_name: None,
            avatar: avatar_url
                .map(Picture::Address)
                .or_else(|| self.avatar.clone()),
            bot: true,
            status: Status::Online,
            updated_at: self.id.created_at(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::MessageId;
    use crate::message::{Message, Place, Rich};

    fn webhook() -> Webhook {
        Webhook {
            id: WebhookId::new(40).unwrap(),
            guild_id: GuildId::new(1).unwrap(),
            channel_id: ChannelId::new(2).unwrap(),
            name: "Crier".to_owned(),
            avatar: Some(Picture::Address("https://example.org/c.png".to_owned())),
            token: WebhookToken::parse(&"t".repeat(WEBHOOK_TOKEN_CHARS)).unwrap(),
            creator_id: UserId::new(3).unwrap(),
            application_id: ApplicationId::new(12),
        }
    }

    #[test]
    fn a_message_is_by_the_webhook_unless_it_names_somebody_else() {
        let own = webhook().author(None, None);
        assert_eq!((own.id.get(), own.username.as_str()), (40, "Crier"));
        assert_eq!(own.avatar, webhook().avatar);
        let other = webhook().author(Some("Bell".to_owned()), None);
        assert_eq!((other.id, other.username.as_str()), (own.id, "Bell"));
        assert!(other.bot);
    }

    #[test]
    fn what_a_webhook_of_an_application_says_concerns_the_bot() {
        let webhook = webhook();
        let mut message = Message {
            id: MessageId::new(9).unwrap(),
            channel_id: webhook.channel_id,
            place: Place::guild(webhook.guild_id),
            author: webhook.author(None, None),
            content: "hear".to_owned(),
            edited_at: None,
            nonce: None,
            reply_to: None,
            mentions: Vec::new(),
            mention_roles: Vec::new(),
            mention_everyone: false,
            reactions: Vec::new(),
            pinned_at: None,
            rich: None,
        };
        let bot = UserId::new(12).unwrap();
        assert!(!message.concerns(bot));
        message.rich = Some(Box::new(Rich {
            application_id: webhook.application_id,
            ..Rich::default()
        }));
        assert!(message.concerns(bot));
        assert!(!message.concerns(webhook.creator_id));
    }

    #[test]
    fn a_token_is_not_shown_and_has_one_shape() {
        let text = "aZ0-_".repeat(20)[..WEBHOOK_TOKEN_CHARS].to_owned();
        let token = WebhookToken::parse(&text).unwrap();
        assert_eq!(format!("{token:?}"), "***");
        assert_eq!(token.reveal(), text);
        for wrong in [&text[1..], &format!("{text}a"), &text.replace('-', "/"), ""] {
            assert_eq!(WebhookToken::parse(wrong), None, "{wrong}");
        }
    }
}
