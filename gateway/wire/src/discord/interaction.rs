//! Interactions as their applications see them, and what answers say of them.
//!
//! <https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-object>

use std::collections::BTreeMap;

use guildhall_model::application_command::Finite;
use guildhall_model::interaction::{
    Answers, CommandUse, ComponentUse, GivenOption, GivenValue, InteractionData, Occasion,
    Resolved as ModelResolved,
};
use guildhall_model::message::{Message as ModelMessage, MessageFlags, Place};
use guildhall_model::{GuildId, InteractionId, Permissions, id, interaction as model, limits};
use guildhall_model::{channel, member, user};
use serde::Serialize;

use super::application_command::kind;
use super::channel::{Channel, ChannelType};
use super::member::{Member, Membership};
use super::message::Message;
use super::role::Role;
use super::user::User;
use super::{Bits, NoList};
use crate::file_url::FileUrls;
use crate::id::Decimal;

const COMMAND: u8 = 2;
const COMPONENT: u8 = 3;
const VERSION: u8 = 1;
const CHAT_INPUT: u8 = 1;
const LOCALE: &str = "en-US";

/// INTERACTION_CREATE.
#[derive(Serialize)]
pub(crate) struct Interaction<'a> {
    id: Decimal<id::kind::Interaction>,
    application_id: Decimal<id::kind::Application>,
    r#type: u8,
    data: Data<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    guild_id: Option<Decimal<id::kind::Guild>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    guild: Option<PartialGuild>,
    channel_id: Decimal<id::kind::Channel>,
    channel: InChannel<'a>,
    /// Of a guild.
    #[serde(skip_serializing_if = "Option::is_none")]
    member: Option<InvokingMember<'a>>,
    /// Elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<User<'a>>,
    token: &'a str,
    version: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Message<'a>>,
    app_permissions: Bits,
    locale: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    guild_locale: Option<&'static str>,
    entitlements: NoList,
    authorizing_integration_owners: Owners,
    context: u8,
    attachment_size_limit: u64,
}

/// Whose installation of the application was used: by Discord's number of its kind.
type Owners = BTreeMap<&'static str, String>;

#[derive(Serialize)]
struct PartialGuild {
    id: Decimal<id::kind::Guild>,
    locale: &'static str,
    features: NoList,
}

#[derive(Serialize)]
#[serde(untagged)]
enum InChannel<'a> {
    Guild(Box<GuildChannel<'a>>),
    Direct {
        id: Decimal<id::kind::Channel>,
        r#type: ChannelType,
    },
}

#[derive(Serialize)]
struct GuildChannel<'a> {
    #[serde(flatten)]
    channel: Channel<'a>,
    permissions: Bits,
}

#[derive(Serialize)]
struct InvokingMember<'a> {
    #[serde(flatten)]
    member: Member<'a>,
    permissions: Bits,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Data<'a> {
    Command(CommandData<'a>),
    Component(ComponentData<'a>),
}

#[derive(Serialize)]
struct CommandData<'a> {
    id: Decimal<id::kind::Command>,
    name: &'a str,
    r#type: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    guild_id: Option<Decimal<id::kind::Guild>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    options: Vec<OptionData<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resolved: Option<Resolved<'a>>,
}

#[derive(Serialize)]
struct OptionData<'a> {
    name: &'a str,
    r#type: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Value<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    options: Option<Vec<OptionData<'a>>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Value<'a> {
    Text(&'a str),
    Integer(i64),
    Number(Finite),
    Boolean(bool),
    Id(String),
}

#[derive(Serialize)]
struct ComponentData<'a> {
    id: u32,
    custom_id: &'a str,
    component_type: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    values: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resolved: Option<Resolved<'a>>,
}

/// What ids mean, by id.
#[derive(Serialize)]
struct Resolved<'a> {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    users: BTreeMap<String, User<'a>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    members: BTreeMap<String, ResolvedMember<'a>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    roles: BTreeMap<String, Role<'a>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    channels: BTreeMap<String, GuildChannel<'a>>,
}

#[derive(Serialize)]
struct ResolvedMember<'a> {
    #[serde(flatten)]
    membership: Membership<'a>,
    permissions: Bits,
}

impl<'a> Interaction<'a> {
    pub(crate) fn new(interaction: &'a model::Interaction, urls: &'a FileUrls) -> Self {
        let guild_id = match interaction.place {
            Place::Guild { guild_id, .. } => Some(guild_id),
            Place::Direct(_) => None,
        };
        let (r#type, data, message) = match &interaction.data {
            InteractionData::Command(used) => (COMMAND, Data::command(used), None),
            InteractionData::Component(used) => (
                COMPONENT,
                Data::component(used),
                Some(Message::new(&used.message, urls)),
            ),
        };
        let member = interaction.member.as_ref().map(|member| InvokingMember {
            member: Member::new(member),
            permissions: Bits(interaction.permissions),
        });
        Self {
            id: Decimal(interaction.id),
            application_id: Decimal(interaction.application_id),
            r#type,
            data,
            guild_id: guild_id.map(Decimal),
            guild: guild_id.map(|id| PartialGuild {
                id: Decimal(id),
                locale: LOCALE,
                features: [],
            }),
            channel_id: Decimal(interaction.channel_id),
            channel: InChannel::new(interaction),
            user: member.is_none().then(|| User::new(&interaction.user)),
            member,
            token: &interaction.token.0,
            version: VERSION,
            message,
            app_permissions: Bits(interaction.app_permissions),
            locale: LOCALE,
            guild_locale: guild_id.map(|_| LOCALE),
            entitlements: [],
            authorizing_integration_owners: owners(guild_id),
            context: u8::from(guild_id.is_none()),
            attachment_size_limit: limits::UPLOAD_BYTES_MAX,
        }
    }
}

/// A guild's, or the application's own in direct messages, which Discord calls 0.
fn owners(guild: Option<GuildId>) -> Owners {
    let owner = guild.map_or_else(|| "0".to_owned(), |guild| guild.to_string());
    [("0", owner)].into()
}

impl<'a> InChannel<'a> {
    fn new(interaction: &'a model::Interaction) -> Self {
        match &interaction.channel {
            Some(channel) => Self::Guild(Box::new(GuildChannel {
                channel: Channel::new(channel),
                permissions: Bits(interaction.permissions),
            })),
            None => Self::Direct {
                id: Decimal::<id::kind::Channel>(interaction.channel_id),
                r#type: ChannelType::Direct,
            },
        }
    }
}

impl<'a> Data<'a> {
    fn command(used: &'a CommandUse) -> Self {
        Self::Command(CommandData {
            id: Decimal(used.id),
            name: &used.name,
            r#type: CHAT_INPUT,
            guild_id: used.guild_id.map(Decimal),
            options: used.options.iter().map(OptionData::new).collect(),
            resolved: Resolved::new(&used.resolved),
        })
    }

    fn component(used: &'a ComponentUse) -> Self {
        Self::Component(ComponentData {
            id: used.component_id,
            custom_id: &used.custom_id,
            component_type: used.kind,
            values: used.values.as_deref(),
            resolved: Resolved::new(&used.resolved),
        })
    }
}

impl<'a> OptionData<'a> {
    fn new(given: &'a GivenOption) -> Self {
        let (r#type, value, options) = match &given.value {
            GivenValue::Subcommand(within) => (kind::SUB_COMMAND, None, Some(within)),
            GivenValue::Group(within) => (kind::SUB_COMMAND_GROUP, None, Some(within)),
            GivenValue::Text(text) => (kind::STRING, Some(Value::Text(text)), None),
            GivenValue::Integer(number) => (kind::INTEGER, Some(Value::Integer(*number)), None),
            GivenValue::Number(number) => (kind::NUMBER, Some(Value::Number(*number)), None),
            GivenValue::Boolean(yes) => (kind::BOOLEAN, Some(Value::Boolean(*yes)), None),
            GivenValue::User(id) => (kind::USER, Some(Value::Id(id.to_string())), None),
            GivenValue::Channel(id) => (kind::CHANNEL, Some(Value::Id(id.to_string())), None),
            GivenValue::Role(id) => (kind::ROLE, Some(Value::Id(id.to_string())), None),
            GivenValue::Mentionable(id) => {
                (kind::MENTIONABLE, Some(Value::Id(id.to_string())), None)
            }
        };
        Self {
            name: &given.name,
            r#type,
            value,
            options: options.map(|within| within.iter().map(OptionData::new).collect()),
        }
    }
}

impl<'a> Resolved<'a> {
    fn new(resolved: &'a ModelResolved) -> Option<Self> {
        let ModelResolved {
            users,
            members,
            roles,
            channels,
        } = resolved;
        let user = |user: &'a user::User| (user.id.to_string(), User::new(user));
        let member = |(member, permissions): &'a (member::Member, Permissions)| {
            let shown = ResolvedMember {
                membership: Membership::of(member),
                permissions: Bits(*permissions),
            };
            (member.user.id.to_string(), shown)
        };
        let channel = |(channel, permissions): &'a (channel::Channel, Permissions)| {
            let shown = GuildChannel {
                channel: Channel::new(channel),
                permissions: Bits(*permissions),
            };
            (channel.id.to_string(), shown)
        };
        (*resolved != ModelResolved::default()).then(|| Self {
            users: users.iter().map(user).collect(),
            members: members.iter().map(member).collect(),
            roles: roles
                .iter()
                .map(|role| (role.id.to_string(), Role::new(role)))
                .collect(),
            channels: channels.iter().map(channel).collect(),
        })
    }
}

/// INTERACTION_SUCCESS, which Discord sends to people only.
#[derive(Serialize)]
pub(crate) struct InteractionSuccess {
    id: Decimal<id::kind::Interaction>,
    nonce: super::Nothing,
}

impl InteractionSuccess {
    pub(crate) fn new(id: InteractionId) -> Self {
        Self {
            id: Decimal(id),
            nonce: (),
        }
    }
}

/// What a message says of the interaction that it answers.
#[derive(Serialize)]
pub(crate) struct InteractionMetadata<'a> {
    id: Decimal<id::kind::Interaction>,
    r#type: u8,
    user: User<'a>,
    authorizing_integration_owners: Owners,
    #[serde(skip_serializing_if = "Option::is_none")]
    original_response_message_id: Option<Decimal<id::kind::Message>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interacted_message_id: Option<Decimal<id::kind::Message>>,
}

/// The same as it was said before; discord.js and oceanic.js still read it.
#[derive(Serialize)]
pub(crate) struct MessageInteraction<'a> {
    id: Decimal<id::kind::Interaction>,
    r#type: u8,
    name: &'a str,
    user: User<'a>,
}

impl<'a> InteractionMetadata<'a> {
    pub(crate) fn new(answers: &'a Answers, guild: Option<GuildId>) -> Self {
        let (r#type, interacted) = match &answers.occasion {
            Occasion::Command(_) => (COMMAND, None),
            Occasion::Component(id) => (COMPONENT, Some(Decimal(*id))),
        };
        Self {
            id: Decimal(answers.interaction_id),
            r#type,
            user: User::new(&answers.user),
            authorizing_integration_owners: owners(guild),
            original_response_message_id: answers.original_id.map(Decimal),
            interacted_message_id: interacted,
        }
    }
}

impl<'a> MessageInteraction<'a> {
    /// Of a command's first answer only.
    pub(crate) fn new(answers: &'a Answers) -> Option<Self> {
        let Occasion::Command(name) = &answers.occasion else {
            return None;
        };
        answers.original_id.is_none().then(|| Self {
            id: Decimal(answers.interaction_id),
            r#type: COMMAND,
            name,
            user: User::new(&answers.user),
        })
    }
}

/// What the application is told of its first answer, if it asks.
#[derive(Serialize)]
pub struct InteractionCallback<'a> {
    interaction: CallbackInteraction,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<CallbackResource<'a>>,
}

#[derive(Serialize)]
struct CallbackInteraction {
    id: Decimal<id::kind::Interaction>,
    r#type: u8,
    channel_id: Decimal<id::kind::Channel>,
    #[serde(skip_serializing_if = "Option::is_none")]
    guild_id: Option<Decimal<id::kind::Guild>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_message_id: Option<Decimal<id::kind::Message>>,
    response_message_loading: bool,
    response_message_ephemeral: bool,
}

#[derive(Serialize)]
struct CallbackResource<'a> {
    r#type: u8,
    message: Message<'a>,
}

impl<'a> InteractionCallback<'a> {
    /// After an answer of this type, with the message that it made or changed.
    pub fn new(
        claim: &model::InteractionClaim,
        r#type: u8,
        message: Option<&'a ModelMessage>,
        urls: &'a FileUrls,
    ) -> Self {
        let is = |flag| message.is_some_and(|message| message.flags().contains(flag));
        Self {
            interaction: CallbackInteraction {
                id: Decimal(claim.id),
                r#type: match claim.occasion {
                    Occasion::Command(_) => COMMAND,
                    Occasion::Component(_) => COMPONENT,
                },
                channel_id: Decimal(claim.channel_id),
                guild_id: message.and_then(ModelMessage::guild_id).map(Decimal),
                response_message_id: message.map(|message| Decimal(message.id)),
                response_message_loading: is(MessageFlags::LOADING),
                response_message_ephemeral: message
                    .is_some_and(|message| message.only_for().is_some()),
            },
            // What is only announced is not there yet.
            resource: message
                .filter(|_| !is(MessageFlags::LOADING))
                .map(|message| CallbackResource {
                    r#type,
                    message: Message::new(message, urls),
                }),
        }
    }
}
