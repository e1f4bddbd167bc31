//! What people do with the commands and components of an application, and its answers.
//!
//! <https://discord.com/developers/docs/interactions/receiving-and-responding>

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::application_command::Finite;
use crate::channel::Channel;
use crate::id::{
    ApplicationId, ChannelId, CommandId, GuildId, InteractionId, MessageId, RoleId, UserId,
};
use crate::member::Member;
use crate::message::{Message, Place};
use crate::permission::Permissions;
use crate::role::Role;
use crate::user::User;

/// Somebody used a command, a button or a menu of an application.
///
/// It carries what its application is shown, so that it can be rendered from the log alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interaction {
    /// Names the interaction.
    pub id: InteractionId,
    /// Whose command or component was used.
    pub application_id: ApplicationId,
    /// What the application answers with.
    pub token: InteractionToken,
    /// Where.
    pub channel_id: ChannelId,
    /// What kind of channel that is.
    pub place: Place,
    /// The channel, in a guild.
    pub channel: Option<Box<Channel>>,
    /// Who.
    pub user: User,
    /// The membership, in a guild.
    pub member: Option<Member>,
    /// What the user may do in the channel.
    pub permissions: Permissions,
    /// What the application may do there.
    pub app_permissions: Permissions,
    /// What was used, and how.
    pub data: InteractionData,
}

/// Proves that an answer comes from whoever was told of the interaction. A secret for as long as
/// answers are taken.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InteractionToken(pub String);

impl fmt::Debug for InteractionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InteractionToken(***)")
    }
}

/// What was used, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum InteractionData {
    /// A command was run.
    Command(Box<CommandUse>),
    /// A button was pressed, or something was chosen from a menu.
    Component(Box<ComponentUse>),
}

/// A command with what was given to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandUse {
    /// Which command.
    pub id: CommandId,
    /// Its name.
    pub name: String,
    /// The only guild that it is offered in.
    pub guild_id: Option<GuildId>,
    /// What was given.
    pub options: Vec<GivenOption>,
    /// What the given ids mean.
    pub resolved: Resolved,
}

/// A button or menu with what was chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentUse {
    /// The message that it is under.
    pub message: Message,
    /// Its number within the message.
    pub component_id: u32,
    /// By which the application knows it.
    pub custom_id: String,
    /// What it is, by Discord's numbers of component types.
    pub kind: u8,
    /// What was chosen from a menu.
    pub values: Option<Vec<String>>,
    /// What chosen ids mean.
    pub resolved: Resolved,
}

/// One option with what was given for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenOption {
    /// The option's name.
    pub name: String,
    /// What was given.
    pub value: GivenValue,
}

/// What was given for an option.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "as in OptionKind")]
pub enum GivenValue {
    Subcommand(Vec<GivenOption>),
    Group(Vec<GivenOption>),
    Text(String),
    Integer(i64),
    Number(Finite),
    Boolean(bool),
    User(UserId),
    Channel(ChannelId),
    Role(RoleId),
    /// A user or a role.
    Mentionable(u64),
}

/// What ids mean that somebody gave to an application.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolved {
    /// Users, members or not.
    pub users: Vec<User>,
    /// Those of them that are members of the guild.
    pub members: Vec<(Member, Permissions)>,
    /// Roles of the guild.
    pub roles: Vec<Role>,
    /// Channels of the guild that the user sees, and what it may do there.
    pub channels: Vec<(Channel, Permissions)>,
}

/// What a token proves: which interaction its holder was told of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InteractionClaim {
    /// Which interaction.
    pub id: InteractionId,
    /// Whose application was told.
    pub application_id: ApplicationId,
    /// Where.
    pub channel_id: ChannelId,
    /// Who began it.
    pub user_id: UserId,
    /// What was used.
    pub occasion: Occasion,
}

/// That a message answers an interaction.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Answers {
    /// Which interaction.
    pub interaction_id: InteractionId,
    /// Whose application answers.
    pub application_id: ApplicationId,
    /// Who began it.
    pub user: User,
    /// What was used.
    pub occasion: Occasion,
    /// The first answer, where this is a later one.
    pub original_id: Option<MessageId>,
}

/// What was used, as an answer says it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Occasion {
    /// The command of this name.
    Command(String),
    /// Something under this message.
    Component(MessageId),
}
