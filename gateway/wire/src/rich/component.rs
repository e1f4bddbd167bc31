//! Buttons and menus, as messages carry them.

use guildhall_model::message::component as model;
use serde::Serialize;
use utoipa::ToSchema;

/// The numbers of the kinds of components.
/// <https://discord.com/developers/docs/components/reference#component-object-component-types>
pub(crate) mod kind {
    pub(crate) const ACTION_ROW: u8 = 1;
    pub(crate) const BUTTON: u8 = 2;
    pub(crate) const STRING_SELECT: u8 = 3;
    pub(crate) const USER_SELECT: u8 = 5;
    pub(crate) const ROLE_SELECT: u8 = 6;
    pub(crate) const MENTIONABLE_SELECT: u8 = 7;
    pub(crate) const CHANNEL_SELECT: u8 = 8;
}

/// A line of components.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ActionRow<'a> {
    r#type: u8,
    id: u32,
    components: Vec<Component<'a>>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(untagged)]
enum Component<'a> {
    Button(Button<'a>),
    Select(Select<'a>),
}

#[derive(Clone, Debug, Serialize, ToSchema)]
struct Button<'a> {
    r#type: u8,
    id: u32,
    style: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    label: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    emoji: Option<Emoji<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    custom_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    url: Option<&'a str>,
    disabled: bool,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ComponentEmoji)]
struct Emoji<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    name: Option<&'a str>,
    animated: bool,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
struct Select<'a> {
    r#type: u8,
    id: u32,
    custom_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    placeholder: Option<&'a str>,
    min_values: u8,
    max_values: u8,
    disabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    options: Option<Vec<SelectOption<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    channel_types: Option<&'a [u8]>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
struct SelectOption<'a> {
    label: &'a str,
    value: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    emoji: Option<Emoji<'a>>,
    default: bool,
}

impl<'a> ActionRow<'a> {
    /// The line as both dialects show it.
    pub fn new(row: &'a model::ActionRow) -> Self {
        Self {
            r#type: kind::ACTION_ROW,
            id: row.id,
            components: row.components.iter().map(Component::new).collect(),
        }
    }
}

impl<'a> Component<'a> {
    fn new(component: &'a model::Component) -> Self {
        match component {
            model::Component::Button(button) => Self::Button(Button::new(button)),
            model::Component::Select(select) => Self::Select(Select::new(select)),
        }
    }
}

impl<'a> Button<'a> {
    fn new(button: &'a model::Button) -> Self {
        let (custom_id, url) = match &button.target {
            model::ButtonTarget::CustomId(id) => (Some(id.as_str()), None),
            model::ButtonTarget::Url(url) => (None, Some(url.as_str())),
        };
        Self {
            r#type: kind::BUTTON,
            id: button.id,
            style: match button.style {
                model::ButtonStyle::Primary => 1,
                model::ButtonStyle::Secondary => 2,
                model::ButtonStyle::Success => 3,
                model::ButtonStyle::Danger => 4,
                model::ButtonStyle::Link => 5,
            },
            label: button.label.as_deref(),
            emoji: button.emoji.as_ref().map(Emoji::new),
            custom_id,
            url,
            disabled: button.disabled,
        }
    }
}

impl<'a> Emoji<'a> {
    fn new(emoji: &'a model::ComponentEmoji) -> Self {
        Self {
            id: emoji.id.map(|id| id.to_string()),
            name: emoji.name.as_deref(),
            animated: emoji.animated,
        }
    }
}

impl<'a> Select<'a> {
    fn new(select: &'a model::Select) -> Self {
        let (r#type, options, channel_types) = match &select.kind {
            model::SelectKind::Text(options) => {
                let options = options.iter().map(SelectOption::new).collect();
                (kind::STRING_SELECT, Some(options), None)
            }
            model::SelectKind::User => (kind::USER_SELECT, None, None),
            model::SelectKind::Role => (kind::ROLE_SELECT, None, None),
            model::SelectKind::Mentionable => (kind::MENTIONABLE_SELECT, None, None),
            model::SelectKind::Channel(types) => {
                let types = (!types.is_empty()).then_some(types.as_slice());
                (kind::CHANNEL_SELECT, None, types)
            }
        };
        Self {
            r#type,
            id: select.id,
            custom_id: &select.custom_id,
            placeholder: select.placeholder.as_deref(),
            min_values: select.min_values,
            max_values: select.max_values,
            disabled: select.disabled,
            options,
            channel_types,
        }
    }
}

impl<'a> SelectOption<'a> {
    fn new(option: &'a model::SelectOption) -> Self {
        Self {
            label: &option.label,
            value: &option.value,
            description: option.description.as_deref(),
            emoji: option.emoji.as_ref().map(Emoji::new),
            default: option.is_default,
        }
    }
}
