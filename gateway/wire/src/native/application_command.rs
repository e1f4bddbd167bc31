//! Commands of applications as people are offered them.

use guildhall_model::application_command::{self as model, Choices, Finite, OptionKind};
use serde::Serialize;
use utoipa::ToSchema;

use crate::id::{Spelling, UuidText};

/// A command that an application offers.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Command<'a> {
    id: UuidText,
    application_id: UuidText,
    /// What is typed.
    name: &'a str,
    description: &'a str,
    options: Vec<CommandOption<'a>>,
    /// It is for adults.
    nsfw: bool,
}

/// Something that may be given to a command; for a subcommand, what is chosen with it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CommandOption<'a> {
    r#type: OptionType,
    name: &'a str,
    description: &'a str,
    required: bool,
    /// The only values that may be given; any where there is none.
    choices: Vec<CommandChoice<'a>>,
    /// Of a text's characters, or of a number.
    #[schema(required, value_type = Option<f64>)]
    min: Option<Number>,
    #[schema(required, value_type = Option<f64>)]
    max: Option<Number>,
    /// What may be given to a subcommand, or the subcommands of a group.
    #[schema(no_recursion)]
    options: Vec<CommandOption<'a>>,
}

/// What is given for an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CommandOptionType)]
pub enum OptionType {
    /// The rest of the command.
    Subcommand,
    /// Subcommands under one name.
    Group,
    /// A text.
    String,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// The id of a user.
    User,
    /// The id of a channel.
    Channel,
    /// The id of a role.
    Role,
    /// The id of a user or a role.
    Mentionable,
    /// A file, which cannot be given yet.
    Attachment,
}

/// One value that may be given.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CommandChoice<'a> {
    /// What people see.
    name: &'a str,
    value: ChoiceValue<'a>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = CommandChoiceValue)]
enum ChoiceValue<'a> {
    Text(&'a str),
    #[schema(value_type = f64)]
    Number(Number),
}

/// A number; a whole one is written as such.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(untagged)]
enum Number {
    Whole(i64),
    Finite(Finite),
}

impl<'a> Command<'a> {
    /// The command as people see it.
    pub fn new(command: &'a model::ApplicationCommand, spelling: &Spelling) -> Self {
        let definition = &command.definition;
        Self {
            id: spelling.uuid(command.id),
            application_id: spelling.uuid(command.application_id),
            name: &definition.name.text,
            description: &definition.description.text,
            options: definition.options.iter().map(CommandOption::new).collect(),
            nsfw: definition.nsfw,
        }
    }
}

impl<'a> CommandOption<'a> {
    fn new(option: &'a model::CommandOption) -> Self {
        let (min, max) = bounds(&option.kind);
        let below = option.kind.below().unwrap_or_default();
        Self {
            r#type: OptionType::of(&option.kind),
            name: &option.name.text,
            description: &option.description.text,
            required: option.required,
            choices: choices(&option.kind),
            min,
            max,
            options: below.iter().map(CommandOption::new).collect(),
        }
    }
}

fn bounds(kind: &OptionKind) -> (Option<Number>, Option<Number>) {
    let length = |bound: Option<u16>| bound.map(|it| Number::Whole(it.into()));
    match kind {
        OptionKind::Text { length: at, .. } => (length(at.0), length(at.1)),
        OptionKind::Integer { range, .. } => {
            (range.0.map(Number::Whole), range.1.map(Number::Whole))
        }
        OptionKind::Number { range, .. } => {
            (range.0.map(Number::Finite), range.1.map(Number::Finite))
        }
        _ => (None, None),
    }
}

fn choices(kind: &OptionKind) -> Vec<CommandChoice<'_>> {
    fn shown<'a, T>(
        choices: &'a Choices<T>,
        value: impl Fn(&'a T) -> ChoiceValue<'a>,
    ) -> Vec<CommandChoice<'a>> {
        let listed = choices.listed().iter().map(|choice| CommandChoice {
            name: &choice.name.text,
            value: value(&choice.value),
        });
        listed.collect()
    }
    match kind {
        OptionKind::Text { choices, .. } => shown(choices, |text| ChoiceValue::Text(text)),
        OptionKind::Integer { choices, .. } => {
            shown(choices, |it| ChoiceValue::Number(Number::Whole(*it)))
        }
        OptionKind::Number { choices, .. } => {
            shown(choices, |it| ChoiceValue::Number(Number::Finite(*it)))
        }
        _ => Vec::new(),
    }
}

impl OptionType {
    const fn of(kind: &OptionKind) -> Self {
        match kind {
            OptionKind::Subcommand(_) => Self::Subcommand,
            OptionKind::Group(_) => Self::Group,
            OptionKind::Text { .. } => Self::String,
            OptionKind::Integer { .. } => Self::Integer,
            OptionKind::Number { .. } => Self::Number,
            OptionKind::Boolean => Self::Boolean,
            OptionKind::User => Self::User,
            OptionKind::Channel(_) => Self::Channel,
            OptionKind::Role => Self::Role,
            OptionKind::Mentionable => Self::Mentionable,
            OptionKind::Attachment => Self::Attachment,
        }
    }
}
