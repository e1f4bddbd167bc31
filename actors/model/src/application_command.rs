//! Commands that an application offers to people, and their options.
//!
//! <https://discord.com/developers/docs/interactions/application-commands>

mod check;
mod finite;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::{ApplicationId, CommandId, GuildId};
use crate::permission::Permissions;
pub use check::check;
pub use finite::Finite;

/// Languages that a text may be translated into; the names are Discord's.
/// <https://discord.com/developers/docs/reference#locales>
pub const LOCALES: [&str; 34] = [
    "ar", "bg", "cs", "da", "de", "el", "en-GB", "en-US", "es-419", "es-ES", "fi", "fr", "he",
    "hi", "hr", "hu", "id", "it", "ja", "ko", "lt", "nl", "no", "pl", "pt-BR", "ro", "ru", "sv-SE",
    "th", "tr", "uk", "vi", "zh-CN", "zh-TW",
];

/// A command of an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplicationCommand {
    /// Names the command, whatever it is called.
    pub id: CommandId,
    /// Whose it is.
    pub application_id: ApplicationId,
    /// The only guild that it is offered in; all where absent.
    pub guild_id: Option<GuildId>,
    /// Rises with every change: a snowflake.
    pub version: CommandId,
    /// What it is.
    pub definition: CommandDefinition,
}

/// What a command is, as its application says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandDefinition {
    /// What people type, in lower case.
    pub name: Localized,
    /// What it does.
    pub description: Localized,
    /// What may be given to it, in this order.
    pub options: Vec<CommandOption>,
    /// Whoever holds all of these may run it; everybody, where absent; administrators only, where
    /// empty.
    pub default_member_permissions: Option<Permissions>,
    /// Where it is offered; wherever it can be, where absent.
    pub contexts: Option<Vec<CommandContext>>,
    /// It is for adults.
    pub nsfw: bool,
}

/// A kind of place that commands are run in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are the documentation")]
pub enum CommandContext {
    Guild,
    BotDirect,
    PrivateChannel,
}

/// A text with its translations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Localized {
    /// For whoever has no translation.
    pub text: String,
    /// By one of [`LOCALES`]; absent where none were given.
    pub translations: Option<BTreeMap<String, String>>,
}

impl Localized {
    /// A text in one language.
    pub fn plain(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            translations: None,
        }
    }
}

/// Something that may be given to a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandOption {
    /// What people type, in lower case.
    pub name: Localized,
    /// What it is for.
    pub description: Localized,
    /// What can be given.
    pub kind: OptionKind,
    /// It must be given.
    pub required: bool,
}

/// What can be given for an option.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OptionKind {
    /// The rest of the command, if this one is chosen.
    Subcommand(Vec<CommandOption>),
    /// Subcommands under one name.
    Group(Vec<CommandOption>),
    /// A text.
    Text {
        /// How it is chosen.
        choices: Choices<String>,
        /// Its characters, at least and at most.
        length: (Option<u16>, Option<u16>),
    },
    /// A whole number.
    Integer {
        /// How it is chosen.
        choices: Choices<i64>,
        /// The smallest and the largest one.
        range: (Option<i64>, Option<i64>),
    },
    /// A number.
    Number {
        /// How it is chosen.
        choices: Choices<Finite>,
        /// The smallest and the largest one.
        range: (Option<Finite>, Option<Finite>),
    },
    /// Yes or no.
    Boolean,
    /// A user.
    User,
    /// A channel of one of these types; of any, where there is none.
    Channel(Vec<u8>),
    /// A role.
    Role,
    /// A user or a role.
    Mentionable,
    /// A file.
    Attachment,
}

/// How a value is chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Choices<T> {
    /// Freely.
    Free,
    /// Freely, with help from the application while it is typed.
    Helped,
    /// Among these.
    Among(Vec<Choice<T>>),
}

impl<T> Choices<T> {
    /// The values that it must be one of; none, where it is free.
    pub fn listed(&self) -> &[Choice<T>] {
        match self {
            Self::Among(choices) => choices,
            Self::Free | Self::Helped => &[],
        }
    }
}

/// One value that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice<T> {
    /// What people see.
    pub name: Localized,
    /// What the application is told.
    pub value: T,
}

impl OptionKind {
    /// What is below a subcommand or a group of them.
    pub fn below(&self) -> Option<&[CommandOption]> {
        match self {
            Self::Subcommand(options) | Self::Group(options) => Some(options),
            _ => None,
        }
    }
}
