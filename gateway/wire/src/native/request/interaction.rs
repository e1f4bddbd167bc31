//! Running commands, pressing buttons and choosing from menus.

use guildhall_model::application_command::{
    Choices, CommandDefinition, CommandOption, Finite, OptionKind,
};
use guildhall_model::interaction::{GivenOption, GivenValue};
use guildhall_model::limits::{
    COMMAND_OPTIONS_MAX, COMMAND_TEXT_CHARS_MAX, CUSTOM_ID_CHARS, SELECT_OPTIONS_MAX,
    SELECT_TEXT_CHARS_MAX,
};
use guildhall_model::{Id, Rejection};
use serde::Deserialize;
use utoipa::ToSchema;

use super::form::{Form, Wrong};
use super::object::Object;
use super::whole::without_fraction;
use crate::id::Spelling;

/// `POST /channels/{channel_id}/commands/{command_id}`
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct CommandRun {
    /// What is given to the command. A subcommand is given as an option that has `options`.
    #[schema(nullable = false, value_type = Option<Vec<OptionGiven>>)]
    options: Option<Vec<Object<OptionGiven>>>,
}

/// What is given for one option.
#[derive(Debug, Deserialize, ToSchema)]
pub struct OptionGiven {
    #[schema(required)]
    name: Option<String>,
    /// Text, a number, true or false, or an id.
    #[schema(nullable = false)]
    value: Option<ValueGiven>,
    /// What is given to a subcommand.
    #[schema(nullable = false, value_type = Option<Vec<Object>>)]
    options: Option<Vec<Object<OptionGiven>>>,
}

/// A value of some type.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum ValueGiven {
    /// A text, or an id.
    Text(String),
    /// True or false.
    Boolean(bool),
    /// A number.
    Number(f64),
}

/// `POST /messages/{message_id}/components`
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct ComponentPress {
    /// Which button or menu.
    #[schema(required, nullable = false, min_length = 1, max_length = 100)]
    custom_id: Option<String>,
    /// What is chosen from a menu: its values, or ids.
    #[schema(nullable = false, max_items = 25)]
    values: Option<Vec<String>>,
}

impl ComponentPress {
    /// Which one, and what is chosen.
    pub fn parse(self) -> Result<(String, Option<Vec<String>>), Rejection> {
        let mut form = Form::default();
        let (min, max) = CUSTOM_ID_CHARS;
        let custom_id = form.required("custom_id", self.custom_id, |text| sized(text, (min, max)));
        if let Some(values) = &self.values {
            if SELECT_OPTIONS_MAX < values.len() {
                let message = format!("must have at most {SELECT_OPTIONS_MAX} entries");
                form.note("values", Wrong::new("too_many", message));
            }
            for (n, value) in values.iter().enumerate().take(SELECT_OPTIONS_MAX) {
                if SELECT_TEXT_CHARS_MAX < value.chars().count() {
                    let message = format!("must have at most {SELECT_TEXT_CHARS_MAX} characters");
                    form.note(&format!("values.{n}"), Wrong::new("too_long", message));
                }
            }
        }
        form.finish(|| Some((custom_id?, self.values)))
    }
}

impl CommandRun {
    /// What is given, as the command's definition reads it.
    pub fn parse(
        self,
        definition: &CommandDefinition,
        spelling: &Spelling,
    ) -> Result<Vec<GivenOption>, Rejection> {
        let mut form = Form::default();
        let given = self.options.unwrap_or_default();
        let read = options(given, &definition.options, "options", &mut form, spelling);
        form.finish(|| Some(read))
    }
}

fn options(
    given: Vec<Object<OptionGiven>>,
    defined: &[CommandOption],
    at: &str,
    form: &mut Form,
    spelling: &Spelling,
) -> Vec<GivenOption> {
    if COMMAND_OPTIONS_MAX < given.len() {
        let message = format!("must have at most {COMMAND_OPTIONS_MAX} entries");
        form.note(at, Wrong::new("too_many", message));
        return Vec::new();
    }
    let mut read: Vec<GivenOption> = Vec::new();
    for (n, Object(option)) in given.into_iter().enumerate() {
        let path = |field: &str| format!("{at}.{n}.{field}");
        let Some(name) = form.required(&path("name"), option.name, Ok::<_, Wrong>) else {
            continue;
        };
        if read.iter().any(|other| other.name == name) {
            form.note(&path("name"), Wrong::new("duplicate", "is given twice"));
            continue;
        }
        let Some(definition) = defined.iter().find(|one| one.name.text == name) else {
            let wrong = Wrong::new("unknown_value", "is no option of the command");
            form.note(&path("name"), wrong);
            continue;
        };
        let value = match &definition.kind {
            OptionKind::Subcommand(below) | OptionKind::Group(below) => {
                let within = option.options.unwrap_or_default();
                let within = options(within, below, &path("options"), form, spelling);
                Some(match definition.kind {
                    OptionKind::Group(_) => GivenValue::Group(within),
                    _ => GivenValue::Subcommand(within),
                })
            }
            kind => form.required(&path("value"), option.value, |it| value(it, kind, spelling)),
        };
        read.extend(value.map(|value| GivenOption { name, value }));
    }
    require(&read, defined, at, form);
    read
}

/// What must be given is there; of subcommands, exactly one.
fn require(read: &[GivenOption], defined: &[CommandOption], at: &str, form: &mut Form) {
    let branches = defined.iter().any(|option| option.kind.below().is_some());
    if branches && read.len() != 1 {
        let wrong = Wrong::new("required", "must hold exactly one subcommand");
        form.note(at, wrong);
    }
    for option in defined.iter().filter(|option| option.required) {
        if read.iter().all(|given| given.name != option.name.text) {
            let message = format!("must hold {}", option.name.text);
            form.note(at, Wrong::new("required", message));
        }
    }
}

fn value(given: ValueGiven, kind: &OptionKind, spelling: &Spelling) -> Result<GivenValue, Wrong> {
    let wrong = |what: &'static str| move || Wrong::new("invalid_type", what);
    match (kind, given) {
        (OptionKind::Text { choices, length }, ValueGiven::Text(text)) => {
            let (min, max) = *length;
            let max = max.map_or(COMMAND_TEXT_CHARS_MAX, usize::from);
            let text = sized(text, (usize::from(min.unwrap_or(0)), max))?;
            among(choices, &text)?;
            Ok(GivenValue::Text(text))
        }
        (OptionKind::Integer { choices, range }, ValueGiven::Number(number)) => {
            let whole = without_fraction(number).ok_or_else(wrong("must be a whole number"))?;
            within(whole, *range)?;
            among(choices, &whole)?;
            Ok(GivenValue::Integer(whole))
        }
        (OptionKind::Number { choices, range }, ValueGiven::Number(number)) => {
            let number = Finite::new(number).ok_or_else(wrong("must be a number"))?;
            within(number, *range)?;
            among(choices, &number)?;
            Ok(GivenValue::Number(number))
        }
        (OptionKind::Boolean, ValueGiven::Boolean(yes)) => Ok(GivenValue::Boolean(yes)),
        (OptionKind::User, ValueGiven::Text(text)) => id(&text, spelling).map(GivenValue::User),
        (OptionKind::Channel(_), ValueGiven::Text(text)) => {
            id(&text, spelling).map(GivenValue::Channel)
        }
        (OptionKind::Role, ValueGiven::Text(text)) => id(&text, spelling).map(GivenValue::Role),
        (OptionKind::Mentionable, ValueGiven::Text(text)) => {
            let id: guildhall_model::UserId = id(&text, spelling)?;
            Ok(GivenValue::Mentionable(id.get()))
        }
        (OptionKind::Attachment, _) => Err(Wrong::new(
            "unsupported",
            "files cannot be given to commands",
        )),
        _ => Err(wrong("must be of the option's type")()),
    }
}

fn id<K>(text: &str, spelling: &Spelling) -> Result<Id<K>, Wrong> {
    let wrong = || Wrong::new("invalid_id", "must be an id of this installation");
    spelling.parse(text).ok_or_else(wrong)
}

fn sized(text: String, (min, max): (usize, usize)) -> Result<String, Wrong> {
    if (min..=max).contains(&text.chars().count()) {
        Ok(text)
    } else {
        let message = format!("must have {min} to {max} characters");
        Err(Wrong::new("invalid_length", message))
    }
}

fn within<T: PartialOrd + Copy>(
    number: T,
    (min, max): (Option<T>, Option<T>),
) -> Result<(), Wrong> {
    if min.is_some_and(|min| number < min) {
        return Err(Wrong::new(
            "too_small",
            "is smaller than the command allows",
        ));
    }
    if max.is_some_and(|max| max < number) {
        return Err(Wrong::new("too_large", "is larger than the command allows"));
    }
    Ok(())
}

fn among<T: PartialEq>(choices: &Choices<T>, value: &T) -> Result<(), Wrong> {
    match choices {
        Choices::Among(choices) if choices.iter().all(|choice| choice.value != *value) => {
            Err(Wrong::new("unknown_value", "is none of the choices"))
        }
        _ => Ok(()),
    }
}
