//! Buttons and menus under a message, which its application answers.
//!
//! <https://discord.com/developers/docs/components/reference>

use serde::{Deserialize, Serialize};

use crate::limits;
use crate::rejection::FieldError;

/// A line of components: up to five buttons, or one menu.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ActionRow {
    /// Its number within the message.
    pub id: u32,
    /// What stands in it.
    pub components: Vec<Component>,
}

/// Something that can be used.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are the documentation")]
pub enum Component {
    Button(Button),
    Select(Select),
}

/// A button.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the documentation of Discord names them so")]
pub struct Button {
    /// Its number within the message.
    pub id: u32,
    pub style: ButtonStyle,
    pub label: Option<String>,
    pub emoji: Option<ComponentEmoji>,
    pub target: ButtonTarget,
    pub disabled: bool,
}

/// How a button looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are the documentation")]
pub enum ButtonStyle {
    Primary,
    Secondary,
    Success,
    Danger,
    /// Opens an address instead of asking the application.
    Link,
}

/// What a button does.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ButtonTarget {
    /// The application is told this text.
    CustomId(String),
    /// The client opens this address.
    Url(String),
}

/// The picture on a button or option.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ComponentEmoji {
    /// Of a guild's own emoji.
    pub id: Option<u64>,
    /// Its name, or the standard emoji itself.
    pub name: Option<String>,
    /// It moves.
    pub animated: bool,
}

/// A menu.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the documentation of Discord names them so")]
pub struct Select {
    /// Its number within the message.
    pub id: u32,
    pub kind: SelectKind,
    /// The application is told this text.
    pub custom_id: String,
    pub placeholder: Option<String>,
    pub min_values: u8,
    pub max_values: u8,
    pub disabled: bool,
}

/// What a menu offers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SelectKind {
    /// These texts.
    Text(Vec<SelectOption>),
    /// Users.
    User,
    /// Roles.
    Role,
    /// Users and roles.
    Mentionable,
    /// Channels of these types; of all, where there is none.
    Channel(Vec<u8>),
}

/// One line of a menu of texts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the documentation of Discord names them so")]
pub struct SelectOption {
    pub label: String,
    pub value: String,
    pub description: Option<String>,
    pub emoji: Option<ComponentEmoji>,
    /// Chosen from the start.
    pub is_default: bool,
}

impl Component {
    /// The text by which the application knows it.
    pub fn custom_id(&self) -> Option<&str> {
        match self {
            Self::Button(button) => match &button.target {
                ButtonTarget::CustomId(id) => Some(id),
                ButtonTarget::Url(_) => None,
            },
            Self::Select(select) => Some(&select.custom_id),
        }
    }
}

/// Gives a number to every component that has none (0), as the message's place of it from 1 on.
pub fn number(rows: &mut [ActionRow]) {
    let mut place = 0;
    let mut give = |id: &mut u32| {
        place += 1;
        if *id == 0 {
            *id = place;
        }
    };
    for row in rows {
        give(&mut row.id);
        for component in &mut row.components {
            match component {
                Component::Button(button) => give(&mut button.id),
                Component::Select(select) => give(&mut select.id),
            }
        }
    }
}

/// What is wrong with the components of one message; nothing, if they may be sent.
pub fn check(rows: &[ActionRow]) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if limits::ACTION_ROWS_MAX < rows.len() {
        let max = limits::ACTION_ROWS_MAX;
        errors.push(size("components", format!("must have at most {max} rows")));
        return errors;
    }
    let mut used = Vec::new();
    for (n, row) in rows.iter().enumerate() {
        let at = format!("components.{n}.components");
        let is_menu = |component: &Component| matches!(component, Component::Select(_));
        let max = if row.components.iter().any(is_menu) {
            1
        } else {
            limits::BUTTONS_PER_ROW_MAX
        };
        if !(1..=max).contains(&row.components.len()) {
            errors.push(size(&at, format!("must have 1 to {max} components")));
            continue;
        }
        for (m, component) in row.components.iter().enumerate() {
            let at = format!("{at}.{m}");
            component.check(&at, &mut errors);
            if let Some(id) = component.custom_id() {
                if used.contains(&id) {
                    let message = "must not be used twice in a message".to_owned();
                    errors.push(FieldError {
                        path: format!("{at}.custom_id"),
                        code: "component_custom_id_duplicated",
                        message,
                    });
                }
                used.push(id);
            }
        }
    }
    errors
}

impl Component {
    fn check(&self, at: &str, errors: &mut Vec<FieldError>) {
        let mut bound = |field: &str, text: Option<&str>, (min, max): (usize, usize)| {
            if text.is_some_and(|text| !(min..=max).contains(&text.chars().count())) {
                let message = format!("must have {min} to {max} characters");
                errors.push(size(&format!("{at}.{field}"), message));
            }
        };
        bound("custom_id", self.custom_id(), limits::CUSTOM_ID_CHARS);
        match self {
            Self::Button(button) => {
                let label = button.label.as_deref();
                bound("label", label, (0, limits::BUTTON_LABEL_CHARS_MAX));
                if button.label.is_none() && button.emoji.is_none() {
                    let message = "a button has a label or an emoji".to_owned();
                    errors.push(FieldError {
                        path: at.to_owned(),
                        code: "required",
                        message,
                    });
                }
            }
            Self::Select(select) => {
                let placeholder = select.placeholder.as_deref();
                bound(
                    "placeholder",
                    placeholder,
                    (0, limits::SELECT_PLACEHOLDER_CHARS_MAX),
                );
                if let SelectKind::Text(options) = &select.kind {
                    for (n, option) in options.iter().enumerate() {
                        let path = |field| format!("options.{n}.{field}");
                        let size = (1, limits::SELECT_TEXT_CHARS_MAX);
                        bound(&path("label"), Some(&option.label), size);
                        bound(&path("value"), Some(&option.value), size);
                        bound(&path("description"), option.description.as_deref(), size);
                    }
                }
                select.check(at, errors);
            }
        }
    }
}

impl Select {
    fn check(&self, at: &str, errors: &mut Vec<FieldError>) {
        let max = limits::SELECT_OPTIONS_MAX;
        if let SelectKind::Text(options) = &self.kind
            && !(1..=max).contains(&options.len())
        {
            let message = format!("must have 1 to {max} entries");
            errors.push(size(&format!("{at}.options"), message));
        }
        let is_orderly = self.min_values <= self.max_values && 1 <= self.max_values;
        if !is_orderly || max < usize::from(self.max_values) {
            errors.push(FieldError {
                path: format!("{at}.max_values"),
                code: "out_of_range",
                message: format!("must be between min_values and {max}"),
            });
        }
    }
}

fn size(path: &str, message: String) -> FieldError {
    FieldError {
        path: path.to_owned(),
        code: "invalid_length",
        message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn button(custom_id: &str) -> Component {
        Component::Button(Button {
            id: 0,
            style: ButtonStyle::Primary,
            label: Some("press".to_owned()),
            emoji: None,
            target: ButtonTarget::CustomId(custom_id.to_owned()),
            disabled: false,
        })
    }

    fn row(components: Vec<Component>) -> ActionRow {
        ActionRow { id: 0, components }
    }

    fn menu(options: usize) -> Component {
        let option = |n: usize| SelectOption {
            label: format!("option {n}"),
            value: n.to_string(),
            description: None,
            emoji: None,
            is_default: false,
        };
        Component::Select(Select {
            id: 0,
            kind: SelectKind::Text((0..options).map(option).collect()),
            custom_id: "menu".to_owned(),
            placeholder: None,
            min_values: 1,
            max_values: 1,
            disabled: false,
        })
    }

    fn paths(rows: &[ActionRow]) -> Vec<String> {
        check(rows).into_iter().map(|error| error.path).collect()
    }

    #[test]
    fn rows_hold_five_buttons_or_one_menu() {
        let buttons = |n: usize| row((0..n).map(|n| button(&n.to_string())).collect());
        assert!(paths(&[buttons(5), row(vec![menu(25)])]).is_empty());
        assert_eq!(paths(&[buttons(6)]), ["components.0.components"]);
        assert_eq!(paths(&[buttons(0)]), ["components.0.components"]);
        let both = row(vec![menu(1), button("x")]);
        assert_eq!(paths(&[both]), ["components.0.components"]);
        assert_eq!(
            paths(&[row(vec![menu(26)])]),
            ["components.0.components.0.options"]
        );
        assert_eq!(paths(&vec![buttons(1); 6]), ["components"]);
    }

    #[test]
    fn an_application_can_tell_its_components_apart() {
        let rows = [row(vec![button("a")]), row(vec![button("a")])];
        assert_eq!(paths(&rows), ["components.1.components.0.custom_id"]);
    }

    #[test]
    fn components_are_numbered_in_order_unless_their_sender_did() {
        let mut rows = [row(vec![button("a"), button("b")]), row(vec![menu(1)])];
        rows[0].id = 70;
        number(&mut rows);
        let ids: Vec<u32> = rows
            .iter()
            .flat_map(|row| {
                let within = row.components.iter().map(|component| match component {
                    Component::Button(button) => button.id,
                    Component::Select(select) => select.id,
                });
                std::iter::once(row.id).chain(within)
            })
            .collect();
        assert_eq!(ids, [70, 2, 3, 4, 5]);
    }
}
