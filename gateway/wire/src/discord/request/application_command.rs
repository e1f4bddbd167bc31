//! Commands as applications define them.

use std::collections::BTreeMap;

use guildhall_model::Rejection;
use guildhall_model::application_command::{
    Choice, Choices, CommandContext, CommandDefinition, CommandOption, Finite, Localized,
    OptionKind, check,
};
use guildhall_model::limits::{
    COMMAND_CHOICES_MAX, COMMAND_OPTIONS_MAX, COMMAND_TEXT_CHARS_MAX, COMMANDS_MAX,
};
use serde::Deserialize;

use super::input::{Digits, at_most, between, permissions};
use crate::discord::application_command::kind;
use crate::native::request::form::{Form, Wrong};
use crate::native::request::object::Object;
use crate::native::request::patch::Patch;
use crate::native::request::whole::{Whole, without_fraction};

/// How deep groups and subcommands nest; what is deeper is never read.
const DEPTH_MAX: usize = 3;
/// Numbers are exact up to here in both directions.
const WHOLE_MAX: i64 = 1 << 53;

type Translations = BTreeMap<String, String>;

/// A command: a whole one to make, or what changes about one.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct CommandInput {
    r#type: Option<Whole>,
    name: Option<String>,
    name_localizations: Patch<Translations>,
    description: Option<String>,
    description_localizations: Patch<Translations>,
    options: Patch<Vec<Object<OptionInput>>>,
    default_member_permissions: Patch<Digits>,
    dm_permission: Option<bool>,
    contexts: Patch<Vec<Whole>>,
    nsfw: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct OptionInput {
    r#type: Option<Whole>,
    name: Option<String>,
    name_localizations: Option<Translations>,
    description: Option<String>,
    description_localizations: Option<Translations>,
    required: Option<bool>,
    options: Option<Vec<Object<OptionInput>>>,
    choices: Option<Vec<Object<ChoiceInput>>>,
    autocomplete: Option<bool>,
    min_length: Option<Whole>,
    max_length: Option<Whole>,
    min_value: Option<f64>,
    max_value: Option<f64>,
    channel_types: Option<Vec<Whole>>,
}

#[derive(Debug, Deserialize)]
struct ChoiceInput {
    name: Option<String>,
    name_localizations: Option<Translations>,
    value: Option<ValueInput>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum ValueInput {
    Text(String),
    Number(f64),
}

impl CommandInput {
    /// A whole command.
    pub fn parse(self) -> Result<CommandDefinition, Rejection> {
        let mut form = Form::default();
        let definition = self.read(None, "", &mut form);
        form.finish(|| definition)
    }

    /// All commands of a scope, whose names differ.
    pub fn parse_all(list: Vec<Self>) -> Result<Vec<CommandDefinition>, Rejection> {
        let mut form = Form::default();
        let list = form.optional("", Some(list), at_most(COMMANDS_MAX));
        let mut all: Vec<CommandDefinition> = Vec::new();
        for (n, input) in list.into_iter().flatten().enumerate() {
            let Some(definition) = input.read(None, &format!("{n}."), &mut form) else {
                continue;
            };
            let name = &definition.name.text;
            if all.iter().any(|other| other.name.text == *name) {
                let wrong = Wrong::new("duplicate", "must not be used twice");
                form.note(&format!("{n}.name"), wrong);
            }
            all.push(definition);
        }
        form.finish(|| Some(all))
    }

    /// What a command is after this change.
    pub fn change(self, before: CommandDefinition) -> Result<CommandDefinition, Rejection> {
        let mut form = Form::default();
        let definition = self.read(Some(before), "", &mut form);
        form.finish(|| definition)
    }

    fn read(
        self,
        before: Option<CommandDefinition>,
        at: &str,
        form: &mut Form,
    ) -> Option<CommandDefinition> {
        if self.r#type.is_some_and(|Whole(kind)| kind != 1) {
            let wrong = Wrong::new("unknown_value", "must be 1, a command that is typed");
            form.note(&format!("{at}type"), wrong);
            return None;
        }
        let is_new = before.is_none();
        let required = |form: &mut Form, field: &str, text: Option<String>| {
            if is_new {
                form.required(&format!("{at}{field}"), text, Ok::<_, Wrong>)
            } else {
                text
            }
        };
        let name = required(form, "name", self.name);
        let description = required(form, "description", self.description);
        let contexts = contexts(self.contexts, self.dm_permission, at, form);
        let bits = form.removable(
            &format!("{at}default_member_permissions"),
            self.default_member_permissions,
            permissions,
        );
        let options = match self.options {
            Patch::Absent => None,
            Patch::Null => Some(Vec::new()),
            Patch::Value(inputs) => Some(options(inputs, &format!("{at}options"), form, 0)),
        };
        let mut definition = before.or_else(|| {
            Some(CommandDefinition {
                name: Localized::plain(name.as_deref()?),
                description: Localized::plain(description.as_deref()?),
                options: Vec::new(),
                default_member_permissions: None,
                contexts: None,
                nsfw: false,
            })
        })?;
        replace(&mut definition.name, name, self.name_localizations);
        replace(
            &mut definition.description,
            description,
            self.description_localizations,
        );
        definition.options = options.unwrap_or(definition.options);
        definition.contexts = contexts.unwrap_or(definition.contexts);
        definition.nsfw = self.nsfw.unwrap_or(definition.nsfw);
        if let Some(bits) = bits {
            definition.default_member_permissions = bits;
        }
        let mut wrong = check(&definition);
        for error in &mut wrong {
            error.path = format!("{at}{}", error.path);
        }
        form.extend(wrong);
        Some(definition)
    }
}

fn replace(text: &mut Localized, given: Option<String>, translations: Patch<Translations>) {
    if let Some(given) = given {
        text.text = given;
    }
    match translations {
        Patch::Absent => {}
        Patch::Null => text.translations = None,
        Patch::Value(given) => text.translations = Some(given),
    }
}

/// Of the two ways to say where a command is offered the newer one counts.
#[expect(clippy::option_option, reason = "leaving it differs from removing it")]
fn contexts(
    given: Patch<Vec<Whole>>,
    dm_permission: Option<bool>,
    at: &str,
    form: &mut Form,
) -> Option<Option<Vec<CommandContext>>> {
    let context = |Whole(number): Whole| match number {
        0 => Ok(CommandContext::Guild),
        1 => Ok(CommandContext::BotDirect),
        2 => Ok(CommandContext::PrivateChannel),
        _ => Err(Wrong::new("unknown_value", "must be from 0 to 2")),
    };
    match given {
        Patch::Value(numbers) => {
            let path = format!("{at}contexts");
            let numbers = numbers.into_iter().enumerate();
            let read = numbers.filter_map(|(n, number)| {
                form.optional(&format!("{path}.{n}"), Some(number), context)
            });
            let mut read: Vec<_> = read.collect();
            read.sort_unstable();
            read.dedup();
            Some(Some(read))
        }
        Patch::Null => Some(None),
        Patch::Absent => match dm_permission {
            Some(false) => Some(Some(vec![CommandContext::Guild])),
            Some(true) => Some(None),
            None => None,
        },
    }
}

fn options(
    inputs: Vec<Object<OptionInput>>,
    at: &str,
    form: &mut Form,
    depth: usize,
) -> Vec<CommandOption> {
    let Some(inputs) = form.optional(at, Some(inputs), at_most(COMMAND_OPTIONS_MAX)) else {
        return Vec::new();
    };
    let numbered = inputs.into_iter().enumerate();
    numbered
        .filter_map(|(n, Object(input))| input.read(&format!("{at}.{n}"), form, depth))
        .collect()
}

impl OptionInput {
    fn read(mut self, at: &str, form: &mut Form, depth: usize) -> Option<CommandOption> {
        let path = |field: &str| format!("{at}.{field}");
        let name = form.required(&path("name"), self.name.take(), Ok::<_, Wrong>);
        let description = form.required(
            &path("description"),
            self.description.take(),
            Ok::<_, Wrong>,
        );
        let number = form.required(&path("type"), self.r#type, between(1, 11));
        let required = self.required.unwrap_or(false);
        let name = Localized {
            text: name?,
            translations: self.name_localizations.take(),
        };
        let description = Localized {
            text: description?,
            translations: self.description_localizations.take(),
        };
        let kind = self.kind(number?, at, form, depth)?;
        Some(CommandOption {
            name,
            description,
            // Whoever chooses a subcommand has given it.
            required: required && kind.below().is_none(),
            kind,
        })
    }

    fn kind(self, number: u8, at: &str, form: &mut Form, depth: usize) -> Option<OptionKind> {
        let path = |field: &str| format!("{at}.{field}");
        Some(match number {
            kind::SUB_COMMAND | kind::SUB_COMMAND_GROUP => {
                if DEPTH_MAX <= depth {
                    form.note(at, Wrong::new("not_here", "stands too deep"));
                    return None;
                }
                let within = self.options.unwrap_or_default();
                let within = options(within, &path("options"), form, depth + 1);
                match number {
                    kind::SUB_COMMAND => OptionKind::Subcommand(within),
                    _ => OptionKind::Group(within),
                }
            }
            kind::STRING => self.text(at, form),
            kind::INTEGER => self.integer(at, form),
            kind::NUMBER => self.number(at, form),
            kind::BOOLEAN => OptionKind::Boolean,
            kind::USER => OptionKind::User,
            kind::CHANNEL => {
                let types = self.channel_types.into_iter().flatten();
                let types = types.filter_map(|Whole(number)| u8::try_from(number).ok());
                OptionKind::Channel(types.take(COMMAND_OPTIONS_MAX).collect())
            }
            kind::ROLE => OptionKind::Role,
            kind::MENTIONABLE => OptionKind::Mentionable,
            _ => OptionKind::Attachment,
        })
    }

    fn text(self, at: &str, form: &mut Form) -> OptionKind {
        let path = |field: &str| format!("{at}.{field}");
        let max = i64::try_from(COMMAND_TEXT_CHARS_MAX).unwrap_or(i64::MAX);
        let read = |value| match value {
            ValueInput::Text(text) => Some(text),
            ValueInput::Number(_) => None,
        };
        OptionKind::Text {
            length: (
                form.optional(&path("min_length"), self.min_length, between(0, max)),
                form.optional(&path("max_length"), self.max_length, between(1, max)),
            ),
            choices: choices(self.choices, self.autocomplete, at, form, read),
        }
    }

    fn integer(self, at: &str, form: &mut Form) -> OptionKind {
        let path = |field: &str| format!("{at}.{field}");
        OptionKind::Integer {
            range: (
                form.optional(&path("min_value"), self.min_value, whole),
                form.optional(&path("max_value"), self.max_value, whole),
            ),
            choices: choices(self.choices, self.autocomplete, at, form, |value| {
                value.number().and_then(|number| whole(number).ok())
            }),
        }
    }

    fn number(self, at: &str, form: &mut Form) -> OptionKind {
        let path = |field: &str| format!("{at}.{field}");
        OptionKind::Number {
            range: (
                form.optional(&path("min_value"), self.min_value, finite),
                form.optional(&path("max_value"), self.max_value, finite),
            ),
            choices: choices(self.choices, self.autocomplete, at, form, |value| {
                value.number().and_then(|number| finite(number).ok())
            }),
        }
    }
}

impl ValueInput {
    fn number(self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(number),
            Self::Text(_) => None,
        }
    }
}

fn choices<T>(
    given: Option<Vec<Object<ChoiceInput>>>,
    autocomplete: Option<bool>,
    at: &str,
    form: &mut Form,
    read: impl Fn(ValueInput) -> Option<T>,
) -> Choices<T> {
    let given = given.unwrap_or_default();
    if given.is_empty() {
        return match autocomplete {
            Some(true) => Choices::Helped,
            _ => Choices::Free,
        };
    }
    // One more is read, so that the rule finds too many.
    let numbered = given.into_iter().take(COMMAND_CHOICES_MAX + 1).enumerate();
    let choices = numbered.filter_map(|(n, Object(choice))| {
        let path = |field: &str| format!("{at}.choices.{n}.{field}");
        let name = form.required(&path("name"), choice.name, Ok::<_, Wrong>);
        let value = form.required(&path("value"), choice.value, |value| {
            let wrong = || Wrong::new("invalid_type", "must be of the option's type");
            read(value).ok_or_else(wrong)
        });
        Some(Choice {
            name: Localized {
                text: name?,
                translations: choice.name_localizations,
            },
            value: value?,
        })
    });
    Choices::Among(choices.collect())
}

fn whole(number: f64) -> Result<i64, Wrong> {
    let wrong = || Wrong::new("not_a_number", "must be a whole number of 53 bits");
    without_fraction(number)
        .filter(|number| number.abs() <= WHOLE_MAX)
        .ok_or_else(wrong)
}

fn finite(number: f64) -> Result<Finite, Wrong> {
    Finite::new(number).ok_or_else(|| Wrong::new("not_a_number", "must be a number"))
}
