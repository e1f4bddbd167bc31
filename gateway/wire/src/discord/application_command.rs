//! Commands of applications, as their applications see them.

use std::collections::BTreeMap;

use guildhall_model::application_command::{
    self as model, Choices, CommandContext, Finite, Localized, OptionKind,
};
use guildhall_model::id;
use serde::Serialize;

use super::Bits;
use crate::id::Decimal;

/// A command that people type.
const CHAT_INPUT: u8 = 1;
/// It comes with an application that was brought into a guild.
const GUILD_INSTALL: u8 = 0;

/// Discord's numbers of kinds of options.
/// <https://discord.com/developers/docs/interactions/application-commands#application-command-object-application-command-option-type>
pub(crate) mod kind {
    pub(crate) const SUB_COMMAND: u8 = 1;
    pub(crate) const SUB_COMMAND_GROUP: u8 = 2;
    pub(crate) const STRING: u8 = 3;
    pub(crate) const INTEGER: u8 = 4;
    pub(crate) const BOOLEAN: u8 = 5;
    pub(crate) const USER: u8 = 6;
    pub(crate) const CHANNEL: u8 = 7;
    pub(crate) const ROLE: u8 = 8;
    pub(crate) const MENTIONABLE: u8 = 9;
    pub(crate) const NUMBER: u8 = 10;
    pub(crate) const ATTACHMENT: u8 = 11;
}

/// A command.
#[derive(Serialize)]
pub struct ApplicationCommand<'a> {
    id: Decimal<id::kind::Command>,
    application_id: Decimal<id::kind::Application>,
    #[serde(skip_serializing_if = "Option::is_none")]
    guild_id: Option<Decimal<id::kind::Guild>>,
    version: Decimal<id::kind::Command>,
    r#type: u8,
    #[serde(flatten)]
    words: Words<'a>,
    options: Vec<CommandOption<'a>>,
    default_member_permissions: Option<Bits>,
    /// As Discord said it before there were contexts; of commands of everywhere only.
    #[serde(skip_serializing_if = "Option::is_none")]
    dm_permission: Option<bool>,
    contexts: Option<Vec<u8>>,
    integration_types: [u8; 1],
    nsfw: bool,
}

/// What something is called and what it is for.
#[derive(Serialize)]
struct Words<'a> {
    name: &'a str,
    name_localizations: Option<&'a BTreeMap<String, String>>,
    description: &'a str,
    description_localizations: Option<&'a BTreeMap<String, String>>,
}

#[derive(Serialize)]
pub(crate) struct CommandOption<'a> {
    r#type: u8,
    #[serde(flatten)]
    words: Words<'a>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    required: bool,
    #[serde(flatten)]
    rest: Rest<'a>,
}

/// What only some kinds of options have.
#[derive(Default, Serialize)]
struct Rest<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    options: Option<Vec<CommandOption<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    choices: Option<Vec<Choice<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    autocomplete: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_length: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_length: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_value: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_value: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel_types: Option<&'a [u8]>,
}

#[derive(Serialize)]
struct Choice<'a> {
    name: &'a str,
    name_localizations: Option<&'a BTreeMap<String, String>>,
    value: ChoiceValue<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum ChoiceValue<'a> {
    Text(&'a str),
    Number(Number),
}

/// A whole number stays one: libraries read it as such.
#[derive(Clone, Copy, Serialize)]
#[serde(untagged)]
pub(crate) enum Number {
    Whole(i64),
    Finite(Finite),
}

impl<'a> ApplicationCommand<'a> {
    /// The command as its application sees it.
    pub fn new(command: &'a model::ApplicationCommand) -> Self {
        let definition = &command.definition;
        let is_direct =
            |contexts: &Vec<CommandContext>| contexts.contains(&CommandContext::BotDirect);
        let everywhere = command.guild_id.is_none();
        Self {
            id: Decimal(command.id),
            application_id: Decimal(command.application_id),
            guild_id: command.guild_id.map(Decimal),
            version: Decimal(command.version),
            r#type: CHAT_INPUT,
            words: Words::new(&definition.name, &definition.description),
            options: definition.options.iter().map(CommandOption::new).collect(),
            default_member_permissions: definition.default_member_permissions.map(Bits),
            dm_permission: everywhere.then(|| definition.contexts.as_ref().is_none_or(is_direct)),
            contexts: definition
                .contexts
                .as_ref()
                .map(|contexts| contexts.iter().map(|context| *context as u8).collect()),
            integration_types: [GUILD_INSTALL],
            nsfw: definition.nsfw,
        }
    }
}

impl<'a> Words<'a> {
    fn new(name: &'a Localized, description: &'a Localized) -> Self {
        Self {
            name: &name.text,
            name_localizations: name.translations.as_ref(),
            description: &description.text,
            description_localizations: description.translations.as_ref(),
        }
    }
}

impl<'a> CommandOption<'a> {
    pub(crate) fn new(option: &'a model::CommandOption) -> Self {
        Self {
            r#type: kind_of(&option.kind),
            words: Words::new(&option.name, &option.description),
            required: option.required,
            rest: Rest::new(&option.kind),
        }
    }
}

/// Discord's number of an option's kind.
pub(crate) const fn kind_of(option: &OptionKind) -> u8 {
    match option {
        OptionKind::Subcommand(_) => kind::SUB_COMMAND,
        OptionKind::Group(_) => kind::SUB_COMMAND_GROUP,
        OptionKind::Text { .. } => kind::STRING,
        OptionKind::Integer { .. } => kind::INTEGER,
        OptionKind::Boolean => kind::BOOLEAN,
        OptionKind::User => kind::USER,
        OptionKind::Channel(_) => kind::CHANNEL,
        OptionKind::Role => kind::ROLE,
        OptionKind::Mentionable => kind::MENTIONABLE,
        OptionKind::Number { .. } => kind::NUMBER,
        OptionKind::Attachment => kind::ATTACHMENT,
    }
}

impl<'a> Rest<'a> {
    fn new(kind: &'a OptionKind) -> Self {
        match kind {
            OptionKind::Subcommand(options) | OptionKind::Group(options) => Self {
                options: Some(options.iter().map(CommandOption::new).collect()),
                ..Self::default()
            },
            OptionKind::Text { choices, length } => Self {
                min_length: length.0,
                max_length: length.1,
                ..Self::chosen(choices, |value| ChoiceValue::Text(value))
            },
            OptionKind::Integer { choices, range } => Self {
                min_value: range.0.map(Number::Whole),
                max_value: range.1.map(Number::Whole),
                ..Self::chosen(choices, |value| ChoiceValue::Number(Number::Whole(*value)))
            },
            OptionKind::Number { choices, range } => Self {
                min_value: range.0.map(Number::Finite),
                max_value: range.1.map(Number::Finite),
                ..Self::chosen(choices, |value| ChoiceValue::Number(Number::Finite(*value)))
            },
            OptionKind::Channel(types) if !types.is_empty() => Self {
                channel_types: Some(types),
                ..Self::default()
            },
            _ => Self::default(),
        }
    }

    fn chosen<T>(choices: &'a Choices<T>, value: impl Fn(&'a T) -> ChoiceValue<'a>) -> Self {
        let listed = choices.listed().iter().map(|choice| Choice {
            name: &choice.name.text,
            name_localizations: choice.name.translations.as_ref(),
            value: value(&choice.value),
        });
        Self {
            choices: matches!(choices, Choices::Among(_)).then(|| listed.collect()),
            autocomplete: matches!(choices, Choices::Helped).then_some(true),
            ..Self::default()
        }
    }
}
