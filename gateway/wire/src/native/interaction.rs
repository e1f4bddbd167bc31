//! Interactions: as a native bot is told of them, and as messages and answers name them.

use bytes::Bytes;
use guildhall_model::event::Event;
use guildhall_model::interaction::{Answers, GivenOption, GivenValue, InteractionData, Occasion};
use guildhall_model::message::Place;
use guildhall_model::{ChannelId, InteractionId, interaction as model};
use serde::Serialize;
use utoipa::ToSchema;

use super::message::MessageBody;
use super::user::User;
use crate::dispatch::{EncodeError, Look, write};
use crate::id::{Spelling, UuidText};
use crate::installation::Installation;
use crate::rich::component::kind;

pub(super) fn body(
    event: &Event,
    look: Look,
    installation: &Installation,
) -> Result<Bytes, EncodeError> {
    match event {
        Event::InteractionCreated(interaction) => {
            write(look, &Interaction::new(interaction, installation))
        }
        Event::InteractionAcknowledged { id, channel_id, .. } => {
            let spelling = &installation.spelling;
            write(look, &InteractionSuccess::new(*id, *channel_id, spelling))
        }
        _ => Err(EncodeError::Misplaced),
    }
}

/// A use of a command or component, as whoever used it is answered.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct InteractionRef {
    /// What its application answers carries it.
    id: UuidText,
}

impl InteractionRef {
    /// The interaction that was begun.
    pub fn new(id: InteractionId, spelling: &Spelling) -> Self {
        Self {
            id: spelling.uuid(id),
        }
    }
}

/// The interaction that a message answers.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[schema(as = MessageInteraction)]
pub struct Answered<'a> {
    id: UuidText,
    application_id: UuidText,
    /// Who began it.
    user_id: UuidText,
    /// The name of the command that was run.
    #[schema(required)]
    command: Option<&'a str>,
    /// The message whose component was used.
    #[schema(required)]
    message_id: Option<UuidText>,
}

impl<'a> Answered<'a> {
    pub(super) fn new(answers: &'a Answers, spelling: &Spelling) -> Self {
        let (command, message_id) = match &answers.occasion {
            Occasion::Command(name) => (Some(name.as_str()), None),
            Occasion::Component(id) => (None, Some(spelling.uuid(*id))),
        };
        Self {
            id: spelling.uuid(answers.interaction_id),
            application_id: spelling.uuid(answers.application_id),
            user_id: spelling.uuid(answers.user.id),
            command,
            message_id,
        }
    }
}

/// INTERACTION_SUCCESS: the application has taken note, and no message says so.
#[derive(Serialize)]
pub(super) struct InteractionSuccess {
    id: UuidText,
    channel_id: UuidText,
}

impl InteractionSuccess {
    pub(super) fn new(id: InteractionId, channel: ChannelId, spelling: &Spelling) -> Self {
        Self {
            id: spelling.uuid(id),
            channel_id: spelling.uuid(channel),
        }
    }
}

/// INTERACTION_CREATE, to the application's bot.
#[derive(Serialize)]
pub(super) struct Interaction<'a> {
    id: UuidText,
    application_id: UuidText,
    channel_id: UuidText,
    server_id: Option<UuidText>,
    user: User<'a>,
    token: &'a str,
    #[serde(flatten)]
    data: Data<'a>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Data<'a> {
    Command {
        command_id: UuidText,
        command: &'a str,
        options: Vec<Given<'a>>,
    },
    Component {
        message: Box<MessageBody<'a>>,
        custom_id: &'a str,
        values: Option<Vec<ChosenValue<'a>>>,
    },
}

/// What was chosen: one of a menu's texts, or an id.
#[derive(Serialize)]
#[serde(untagged)]
enum ChosenValue<'a> {
    Text(&'a str),
    Id(UuidText),
}

#[derive(Serialize)]
struct Given<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Value<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    options: Option<Vec<Given<'a>>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Value<'a> {
    Text(&'a str),
    Integer(i64),
    Number(f64),
    Boolean(bool),
    Id(UuidText),
}

impl<'a> Interaction<'a> {
    pub(super) fn new(interaction: &'a model::Interaction, installation: &'a Installation) -> Self {
        let spelling = &installation.spelling;
        let guild = match interaction.place {
            Place::Guild { guild_id, .. } => Some(guild_id),
            Place::Direct(_) => None,
        };
        Self {
            id: spelling.uuid(interaction.id),
            application_id: spelling.uuid(interaction.application_id),
            channel_id: spelling.uuid(interaction.channel_id),
            server_id: guild.map(|id| spelling.uuid(id)),
            user: User::new(&interaction.user, installation),
            token: &interaction.token.0,
            data: match &interaction.data {
                InteractionData::Command(used) => Data::Command {
                    command_id: spelling.uuid(used.id),
                    command: &used.name,
                    options: given(&used.options, spelling),
                },
                InteractionData::Component(used) => Data::Component {
                    message: Box::new(MessageBody::new(&used.message, installation)),
                    custom_id: &used.custom_id,
                    values: used
                        .values
                        .as_ref()
                        .map(|values| chosen(values, used.kind, spelling)),
                },
            },
        }
    }
}

fn chosen<'a>(values: &'a [String], kind: u8, spelling: &Spelling) -> Vec<ChosenValue<'a>> {
    let of_ids = kind != kind::STRING_SELECT;
    let value = |text: &'a String| {
        let id = text.parse().ok().filter(|_| of_ids);
        let id = id.and_then(guildhall_model::UserId::new);
        id.map_or(ChosenValue::Text(text), |id| {
            ChosenValue::Id(spelling.uuid(id))
        })
    };
    values.iter().map(value).collect()
}

fn given<'a>(options: &'a [GivenOption], spelling: &Spelling) -> Vec<Given<'a>> {
    let one = |option: &'a GivenOption| {
        let (value, within) = match &option.value {
            GivenValue::Subcommand(within) | GivenValue::Group(within) => (None, Some(within)),
            GivenValue::Text(text) => (Some(Value::Text(text)), None),
            GivenValue::Integer(number) => (Some(Value::Integer(*number)), None),
            GivenValue::Number(number) => (Some(Value::Number(number.get())), None),
            GivenValue::Boolean(yes) => (Some(Value::Boolean(*yes)), None),
            GivenValue::User(id) => (Some(Value::Id(spelling.uuid(*id))), None),
            GivenValue::Channel(id) => (Some(Value::Id(spelling.uuid(*id))), None),
            GivenValue::Role(id) => (Some(Value::Id(spelling.uuid(*id))), None),
            GivenValue::Mentionable(id) => {
                let id = guildhall_model::UserId::new(*id);
                (id.map(|id| Value::Id(spelling.uuid(id))), None)
            }
        };
        Given {
            name: &option.name,
            value,
            options: within.map(|within| given(within, spelling)),
        }
    };
    options.iter().map(one).collect()
}
