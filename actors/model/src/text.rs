//! Text that clients send, parsed once: afterwards the type is the proof, between nodes too.

use serde::{Deserialize, Serialize};

use crate::limits;
use crate::message::Emoji;
use crate::rejection::FieldError;

/// Why a text was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Fewer characters than required.
    #[error("must have at least {min} characters")]
    TooShort {
        /// How many are required.
        min: usize,
    },
    /// More characters than allowed.
    #[error("must have at most {max} characters")]
    TooLong {
        /// How many are allowed.
        max: usize,
    },
    /// A character that this text may not hold.
    #[error("{0}")]
    Forbidden(&'static str),
}

impl TextError {
    /// The error of the field at `path`.
    pub fn at(self, path: &str) -> FieldError {
        let code = match self {
            Self::TooShort { .. } => "too_short",
            Self::TooLong { .. } => "too_long",
            Self::Forbidden(_) => "invalid_characters",
        };
        FieldError {
            path: path.to_owned(),
            code,
            message: self.to_string(),
        }
    }
}

/// Checks the number of characters (Unicode scalar values).
fn sized(text: &str, (min, max): (usize, usize)) -> Result<(), TextError> {
    let n = text.chars().count();
    if n < min {
        return Err(TextError::TooShort { min });
    }
    if max < n {
        return Err(TextError::TooLong { max });
    }
    Ok(())
}

/// Control characters, and marks that turn or hide what people read in a name.
pub(crate) fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

fn name(raw: &str, size: (usize, usize)) -> Result<String, TextError> {
    sized(raw, (0, size.1))?;
    let text = raw.trim();
    sized(text, size)?;
    if text.chars().any(is_deceptive) {
        return Err(TextError::Forbidden(
            "must not hold control or direction characters",
        ));
    }
    Ok(text.to_owned())
}

/// Declares a parsed text: a name without deceptive characters between two lengths.
macro_rules! names {
    ($($(#[$doc:meta])* $type:ident: $size:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub struct $type(String);

        impl $type {
            /// Trims and checks; what is trimmed counts for the upper bound.
            pub fn parse(raw: &str) -> Result<Self, TextError> {
                name(raw, $size).map(Self)
            }

            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<$type> for String {
            fn from(text: $type) -> Self {
                text.0
            }
        }
    )*};
}

names! {
    /// A guild's name.
    GuildName: limits::GUILD_NAME_CHARS;
    /// A channel's name.
    ChannelName: limits::CHANNEL_NAME_CHARS;
    /// A role's name.
    RoleName: limits::ROLE_NAME_CHARS;
    /// An application's name.
    ApplicationName: limits::APPLICATION_NAME_CHARS;
    /// A name that is shown instead of the username.
    DisplayName: limits::DISPLAY_NAME_CHARS;
}

/// A webhook's name, or the one that a message of a webhook gives. Nobody takes it for the
/// platform's own words.
/// <https://discord.com/developers/docs/resources/webhook#create-webhook>
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookName(String);

impl WebhookName {
    /// Trims and checks; what is trimmed counts for the upper bound.
    pub fn parse(raw: &str) -> Result<Self, TextError> {
        let text = name(raw, limits::WEBHOOK_NAME_CHARS)?;
        let lower = text.to_lowercase();
        if ["clyde", "discord"].iter().any(|word| lower.contains(word)) {
            return Err(TextError::Forbidden(
                "must not hold \"clyde\" or \"discord\"",
            ));
        }
        Ok(Self(text))
    }
}

impl From<WebhookName> for String {
    fn from(name: WebhookName) -> Self {
        name.0
    }
}

/// Declares a parsed text of free form with an upper bound.
macro_rules! texts {
    ($($(#[$doc:meta])* $type:ident: $max:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub struct $type(String);

        impl $type {
            /// Checks; nothing is trimmed.
            pub fn parse(raw: &str) -> Result<Self, TextError> {
                sized(raw, (0, $max))?;
                if raw.contains('\0') {
                    return Err(TextError::Forbidden("must not hold a null character"));
                }
                Ok(Self(raw.to_owned()))
            }
        }

        impl From<$type> for String {
            fn from(text: $type) -> Self {
                text.0
            }
        }
    )*};
}

texts! {
    /// A guild's description.
    Description: limits::GUILD_DESCRIPTION_CHARS_MAX;
    /// A channel's topic.
    Topic: limits::CHANNEL_TOPIC_CHARS_MAX;
    /// What the author of a file says about its content.
    FileDescription: limits::FILE_DESCRIPTION_CHARS_MAX;
    /// A file's title, shown instead of its name.
    FileTitle: limits::FILE_TITLE_CHARS_MAX;
    /// The reason of a moderator's act.
    Reason: limits::REASON_CHARS_MAX;
}

/// The content of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content(String);

impl Content {
    /// Trims and checks: 1 to [`limits::MESSAGE_CHARS_MAX`] characters.
    pub fn parse(raw: &str) -> Result<Self, TextError> {
        sized(raw, (0, limits::MESSAGE_CHARS_MAX))?;
        let text = raw.trim();
        sized(text, (1, limits::MESSAGE_CHARS_MAX))?;
        if text.contains('\0') {
            return Err(TextError::Forbidden("must not hold a null character"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Content> for String {
    fn from(content: Content) -> Self {
        content.0
    }
}

/// A username: ASCII letters, digits, `_`, `.` and `-`, so that no two look alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Username(String);

impl Username {
    /// Checks; the case is kept, uniqueness ignores it.
    pub fn parse(raw: &str) -> Result<Self, TextError> {
        sized(raw, limits::USERNAME_CHARS)?;
        if raw
            .chars()
            .any(|c| !c.is_ascii_alphanumeric() && !"_.-".contains(c))
        {
            return Err(TextError::Forbidden(
                "must be letters, digits, dot, dash or underscore",
            ));
        }
        Ok(Self(raw.to_owned()))
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Username> for String {
    fn from(name: Username) -> Self {
        name.0
    }
}

/// An e-mail address, in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Email(String);

impl Email {
    /// Checks the shape only; a mail shows whether the address is real.
    pub fn parse(raw: &str) -> Result<Self, TextError> {
        sized(raw, limits::EMAIL_CHARS)?;
        let text = raw.trim().to_lowercase();
        let shape = TextError::Forbidden("must be an e-mail address");
        let (local, domain) = text.rsplit_once('@').ok_or(shape)?;
        let odd = |c: char| c.is_whitespace() || is_deceptive(c) || "<>,;\"\\".contains(c);
        if local.is_empty() || domain.is_empty() || text.chars().any(odd) || local.contains('@') {
            return Err(shape);
        }
        Ok(Self(text))
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.0
    }
}

/// The address of a picture: `https`, or nothing that a browser would run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PictureUrl(String);

impl PictureUrl {
    /// Checks scheme, length and characters; nothing is fetched.
    pub fn parse(raw: &str) -> Result<Self, TextError> {
        sized(raw, (1, limits::URL_CHARS_MAX))?;
        let odd = |c: char| c.is_whitespace() || c.is_control() || "<>\"'`".contains(c);
        let host = raw
            .strip_prefix("https://")
            .or_else(|| raw.strip_prefix("http://"));
        if host.is_none_or(|rest| rest.is_empty() || rest.starts_with('/')) || raw.contains(odd) {
            return Err(TextError::Forbidden("must be an http or https address"));
        }
        Ok(Self(raw.to_owned()))
    }
}

impl From<PictureUrl> for String {
    fn from(url: PictureUrl) -> Self {
        url.0
    }
}

/// The name of a guild's own emoji: 2 to 32 letters, digits and underscores.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmojiName(String);

impl EmojiName {
    /// Checks length and characters.
    pub fn parse(raw: &str) -> Result<Self, TextError> {
        sized(raw, limits::EMOJI_NAME_CHARS)?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if !raw.bytes().all(is_plain) {
            return Err(TextError::Forbidden(
                "must hold letters, digits and underscores only",
            ));
        }
        Ok(Self(raw.to_owned()))
    }
}

impl From<EmojiName> for String {
    fn from(name: EmojiName) -> Self {
        name.0
    }
}

/// A standard emoji in its fully qualified spelling, so that one emoji has one count.
pub fn parse_emoji(raw: &str) -> Result<Emoji, TextError> {
    let known = emojis::get(raw).ok_or(TextError::Forbidden("must be one standard emoji"))?;
    Ok(Emoji::Standard(known.as_str().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_counted_in_characters_not_bytes() {
        assert!(Content::parse(&"ü".repeat(2_000)).is_ok());
        assert_eq!(
            Content::parse(&"ü".repeat(2_001)),
            Err(TextError::TooLong { max: 2_000 })
        );
        assert_eq!(Content::parse(" \n "), Err(TextError::TooShort { min: 1 }));
    }

    #[test]
    fn names_do_not_turn_or_hide_text() {
        assert!(GuildName::parse("Tavern").is_ok());
        assert!(GuildName::parse("Tav\u{202E}ern").is_err());
        assert!(GuildName::parse("Tav\u{200B}ern").is_err());
        assert!(
            Username::parse("аdmin").is_err(),
            "Cyrillic letters are refused"
        );
    }

    #[test]
    fn webhooks_do_not_speak_for_the_platform() {
        for bad in ["", "  ", "Clyde", "my DISCORD bot", &"n".repeat(81)] {
            assert!(WebhookName::parse(bad).is_err(), "{bad}");
        }
        assert!(WebhookName::parse(&"n".repeat(80)).is_ok());
    }

    #[test]
    fn emoji_are_emoji() {
        for good in ["👍", "❤️", "👩‍👩‍👧", "🇩🇪", "1️⃣", "ℹ️", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"]
        {
            assert!(parse_emoji(good).is_ok(), "{good}");
        }
        assert_eq!(parse_emoji("❤"), parse_emoji("❤️"));
        for bad in ["", "a", "ab", "é", "漢", " ", "👍\n", "../x", "12"] {
            assert!(parse_emoji(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_emoji_is_named_like_a_variable() {
        for good in ["ok", "Beer_1", "__", &"a".repeat(32)] {
            assert!(EmojiName::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "a", "a b", "a-b", "a:b", "bäh", &"a".repeat(33)] {
            assert!(EmojiName::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn pictures_are_never_scripts() {
        assert!(PictureUrl::parse("https://example.org/a.png").is_ok());
        assert!(PictureUrl::parse("javascript:alert(1)").is_err());
        assert!(PictureUrl::parse("https:///etc/passwd").is_err());
    }

    #[test]
    fn addresses_have_two_sides() {
        assert_eq!(
            Email::parse("Ada@Example.org").unwrap().as_str(),
            "ada@example.org"
        );
        for bad in ["ada", "@example.org", "ada@", "a b@example.org", "a@b@c"] {
            assert!(Email::parse(bad).is_err(), "{bad}");
        }
    }
}
