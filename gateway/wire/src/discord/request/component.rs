//! Buttons and menus as bots send them.

use guildhall_model::limits;
use guildhall_model::message::component::{
    ActionRow, Button, ButtonStyle, ButtonTarget, Component, ComponentEmoji, Select, SelectKind,
    SelectOption, check, number,
};
use serde::Deserialize;

use super::input::{Digits, between};
use crate::native::request::form::{Form, Wrong};
use crate::native::request::object::Object;
use crate::native::request::whole::Whole;
use crate::rich::component::kind;

/// A component of any kind; which one decides what it must have.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ComponentInput {
    r#type: Option<Whole>,
    id: Option<Whole>,
    components: Option<Vec<Object<ComponentInput>>>,
    style: Option<Whole>,
    label: Option<String>,
    emoji: Option<Object<EmojiInput>>,
    custom_id: Option<String>,
    url: Option<String>,
    disabled: Option<bool>,
    options: Option<Vec<Object<OptionInput>>>,
    placeholder: Option<String>,
    min_values: Option<Whole>,
    max_values: Option<Whole>,
    channel_types: Option<Vec<Whole>>,
}

#[derive(Debug, Deserialize)]
struct EmojiInput {
    id: Option<Digits>,
    name: Option<String>,
    animated: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct OptionInput {
    label: Option<String>,
    value: Option<String>,
    description: Option<String>,
    emoji: Option<Object<EmojiInput>>,
    default: Option<bool>,
}

/// All lines under a message. Bounds are the model's to check.
pub(super) fn components(inputs: Vec<Object<ComponentInput>>, form: &mut Form) -> Vec<ActionRow> {
    let mut rows = Vec::new();
    for (n, Object(input)) in inputs.into_iter().enumerate() {
        let at = format!("components.{n}");
        match input.r#type {
            Some(Whole(number)) if number == i64::from(kind::ACTION_ROW) => {
                rows.extend(input.row(&at, form));
            }
            given => note_kind(form, &at, given, "must be 1, a row of components"),
        }
    }
    form.extend(check(&rows));
    number(&mut rows);
    rows
}

fn note_kind(form: &mut Form, at: &str, given: Option<Whole>, message: &'static str) {
    let code = given.map_or("required", |_| "unknown_value");
    form.note(&format!("{at}.type"), Wrong::new(code, message));
}

impl ComponentInput {
    fn row(self, at: &str, form: &mut Form) -> Option<ActionRow> {
        let id = self.number(at, form);
        let within = self.components.into_iter().flatten().enumerate();
        let components: Vec<Option<Component>> = within
            .map(|(n, Object(input))| input.component(&format!("{at}.components.{n}"), form))
            .collect();
        Some(ActionRow {
            id: id?,
            components: components.into_iter().collect::<Option<_>>()?,
        })
    }

    /// The number that its sender gave to it, or 0.
    fn number(&self, at: &str, form: &mut Form) -> Option<u32> {
        let max = i64::from(i32::MAX);
        form.optional(
            &format!("{at}.id"),
            Some(self.id.unwrap_or(Whole(0))),
            between(0, max),
        )
    }

    fn component(self, at: &str, form: &mut Form) -> Option<Component> {
        let given = self.r#type;
        let kind = given.and_then(|Whole(number)| u8::try_from(number).ok());
        match kind {
            Some(kind::BUTTON) => self.button(at, form).map(Component::Button),
            Some(
                kind @ (kind::STRING_SELECT
                | kind::USER_SELECT
                | kind::ROLE_SELECT
                | kind::MENTIONABLE_SELECT
                | kind::CHANNEL_SELECT),
            ) => self.select(kind, at, form).map(Component::Select),
            _ => {
                note_kind(form, at, given, "must be 2 or 3 or 5 to 8");
                None
            }
        }
    }

    fn button(self, at: &str, form: &mut Form) -> Option<Button> {
        let id = self.number(at, form);
        let style = form.required(&format!("{at}.style"), self.style, style);
        let target = match style {
            Some(ButtonStyle::Link) => {
                let url = form.required(&format!("{at}.url"), self.url, address);
                url.map(ButtonTarget::Url)
            }
            _ => custom_id(self.custom_id, at, form).map(ButtonTarget::CustomId),
        };
        let emoji = emoji(self.emoji, at, form);
        Some(Button {
            id: id?,
            style: style?,
            label: self.label.filter(|label| !label.is_empty()),
            emoji,
            target: target?,
            disabled: self.disabled.unwrap_or(false),
        })
    }

    fn select(self, kind: u8, at: &str, form: &mut Form) -> Option<Select> {
        let id = self.number(at, form);
        let custom_id = custom_id(self.custom_id, at, form);
        let max = i64::try_from(limits::SELECT_OPTIONS_MAX).unwrap_or(i64::MAX);
        let mut count = |field: &str, given: Option<Whole>, min| {
            let given = Some(given.unwrap_or(Whole(1)));
            form.optional(&format!("{at}.{field}"), given, between(min, max))
        };
        let min_values = count("min_values", self.min_values, 0);
        let max_values = count("max_values", self.max_values, 1);
        let kind = match kind {
            kind::USER_SELECT => SelectKind::User,
            kind::ROLE_SELECT => SelectKind::Role,
            kind::MENTIONABLE_SELECT => SelectKind::Mentionable,
            kind::CHANNEL_SELECT => {
                let types = self.channel_types.into_iter().flatten();
                let types = types.filter_map(|Whole(number)| u8::try_from(number).ok());
                SelectKind::Channel(types.take(limits::SELECT_OPTIONS_MAX).collect())
            }
            _ => SelectKind::Text(options(self.options, at, form)),
        };
        Some(Select {
            id: id?,
            kind,
            custom_id: custom_id?,
            placeholder: self.placeholder,
            min_values: min_values?,
            max_values: max_values?,
            disabled: self.disabled.unwrap_or(false),
        })
    }
}

fn custom_id(given: Option<String>, at: &str, form: &mut Form) -> Option<String> {
    form.required(&format!("{at}.custom_id"), given, Ok::<_, Wrong>)
}

fn style(Whole(number): Whole) -> Result<ButtonStyle, Wrong> {
    match number {
        1 => Ok(ButtonStyle::Primary),
        2 => Ok(ButtonStyle::Secondary),
        3 => Ok(ButtonStyle::Success),
        4 => Ok(ButtonStyle::Danger),
        5 => Ok(ButtonStyle::Link),
        _ => Err(Wrong::new("unknown_value", "must be from 1 to 5")),
    }
}

/// What a client opens when somebody presses a link: never something that it would run.
fn address(url: String) -> Result<String, Wrong> {
    let is_address = url.starts_with("https://") || url.starts_with("http://");
    let is_long = limits::URL_CHARS_MAX < url.chars().count();
    if is_long || !is_address || url.contains(char::is_whitespace) {
        return Err(Wrong::new(
            "invalid_url",
            "must be an http or https address",
        ));
    }
    Ok(url)
}

fn emoji(given: Option<Object<EmojiInput>>, at: &str, form: &mut Form) -> Option<ComponentEmoji> {
    let Object(given) = given?;
    let id = form.optional(&format!("{at}.emoji.id"), given.id, |id| {
        let wrong = || Wrong::new("not_snowflake", "must be the id of an emoji");
        id.number().ok_or_else(wrong)
    });
    let name = form.optional(&format!("{at}.emoji.name"), given.name, |name| {
        let is_short = name.chars().count() <= limits::EMOJI_CHARS_MAX;
        let wrong = || Wrong::new("too_long", "must be the name of an emoji");
        is_short.then_some(name).ok_or_else(wrong)
    });
    Some(ComponentEmoji {
        id,
        name,
        animated: given.animated.unwrap_or(false),
    })
}

fn options(
    given: Option<Vec<Object<OptionInput>>>,
    at: &str,
    form: &mut Form,
) -> Vec<SelectOption> {
    let numbered = given.into_iter().flatten().enumerate();
    let options = numbered.filter_map(|(n, Object(option))| {
        let at = format!("{at}.options.{n}");
        let label = form.required(&format!("{at}.label"), option.label, Ok::<_, Wrong>);
        let value = form.required(&format!("{at}.value"), option.value, Ok::<_, Wrong>);
        let emoji = emoji(option.emoji, &at, form);
        Some(SelectOption {
            label: label?,
            value: value?,
            description: option.description.filter(|text| !text.is_empty()),
            emoji,
            is_default: option.default.unwrap_or(false),
        })
    });
    options.collect()
}
