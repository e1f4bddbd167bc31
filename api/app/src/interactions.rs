//! Interactions: people use commands and components, and applications answer.

mod answers;
mod resolve;

use guildhall_host::Refused;
use guildhall_model::application_command::{ApplicationCommand, CommandContext, CommandDefinition};
use guildhall_model::command::ChannelCommand;
use guildhall_model::interaction::{
    CommandUse, ComponentUse, GivenOption, Interaction, InteractionClaim, InteractionData,
    Occasion, Resolved,
};
use guildhall_model::message::Message;
use guildhall_model::message::component::{Component, Select, SelectKind};
use guildhall_model::rejection::Noun;
use guildhall_model::{
    ApplicationId, ChannelId, CommandId, GuildId, InteractionId, MessageId, Permissions, Rejection,
    limits,
};
use guildhall_ports::guilds::Home;

use crate::guilds::within;
use crate::{App, Context};

pub use answers::{Answer, Answering};
use resolve::Here;

/// The use cases around interactions.
#[derive(Clone, Copy, Debug)]
pub struct Interactions<'a> {
    app: &'a App,
}

/// Something that was chosen from a menu, as it was written and as the id that it spells.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// As it was written.
    pub text: String,
    /// The id, if it spells one.
    pub id: Option<u64>,
}

impl App {
    /// The use cases around interactions.
    pub const fn interactions(&self) -> Interactions<'_> {
        Interactions { app: self }
    }
}

impl Interactions<'_> {
    /// The commands that the caller may run in a channel, by application and oldest first.
    pub async fn offered(
        &self,
        ctx: &Context,
        channel: ChannelId,
    ) -> Result<Vec<ApplicationCommand>, Refused> {
        ctx.require_person()?;
        let here = self.here(ctx, channel).await?;
        let limit = limits::COMMANDS_OFFERED_MAX;
        let store = self.app.commands_store();
        let mut offered = store
            .offered(&here.applications(), here.guild(), limit)
            .await?;
        offered.retain(|command| here.offers(command));
        Ok(offered)
    }

    /// A command that the caller may run in a channel.
    pub async fn offered_command(
        &self,
        ctx: &Context,
        channel: ChannelId,
        id: CommandId,
    ) -> Result<ApplicationCommand, Refused> {
        ctx.require_person()?;
        let here = self.here(ctx, channel).await?;
        let found = self.app.commands_store().command(id).await?;
        let unknown = || Rejection::Unknown(Noun::ApplicationCommand);
        let command = found
            .filter(|command| here.knows(command))
            .ok_or_else(unknown)?;
        if !here.offers(&command) {
            return Err(Rejection::MissingPermission(here.missing_for(&command)).into());
        }
        Ok(command)
    }

    /// Runs a command with what its definition has read.
    pub async fn run(
        &self,
        ctx: &Context,
        channel: ChannelId,
        command: ApplicationCommand,
        options: Vec<GivenOption>,
    ) -> Result<InteractionId, Refused> {
        let here = self.here(ctx, channel).await?;
        let resolved = here
            .resolve_options(self.app, ctx, &command, &options)
            .await?;
        let occasion = Occasion::Command(command.definition.name.text.clone());
        let data = InteractionData::Command(Box::new(CommandUse {
            id: command.id,
            name: command.definition.name.text,
            guild_id: command.guild_id,
            options,
            resolved,
        }));
        let application = command.application_id;
        self.begin(ctx, here, (application, occasion), data).await
    }

    /// Presses a button, or chooses from a menu.
    pub async fn press(
        &self,
        ctx: &Context,
        message: MessageId,
        custom_id: &str,
        values: Option<Vec<Chosen>>,
    ) -> Result<InteractionId, Refused> {
        ctx.require_person()?;
        let message = self.app.node().message(message, ctx.user_id()).await?;
        let component = component(&message, custom_id)?;
        let here = self.here(ctx, message.channel_id).await;
        let here = here.map_err(within(Noun::Message))?;
        let application = application_of(&message);
        let application = application.filter(|id| here.applications().contains(id));
        let application = application.ok_or(Rejection::Unknown(Noun::Application))?;
        let (component_id, kind, select) = match component {
            Component::Button(button) => (button.id, BUTTON, None),
            Component::Select(select) => (select.id, kind_of(select), Some(select)),
        };
        let (values, resolved) = match (select, values) {
            (None, None) => (None, Resolved::default()),
            (None, Some(_)) => return Err(wrong("values", "a button has none")),
            (Some(select), values) => {
                let chosen = values.unwrap_or_default();
                let values = chosen_from(select, chosen)?;
                let resolved = here
                    .resolve_values(self.app, ctx, &select.kind, &values)
                    .await?;
                (Some(values), resolved)
            }
        };
        let occasion = Occasion::Component(message.id);
        let data = InteractionData::Component(Box::new(ComponentUse {
            message: Message::clone(&message),
            component_id,
            custom_id: custom_id.to_owned(),
            kind,
            values,
            resolved,
        }));
        self.begin(ctx, here, (application, occasion), data).await
    }

    /// Tells the application.
    async fn begin(
        &self,
        ctx: &Context,
        here: Here,
        (application_id, occasion): (ApplicationId, Occasion),
        data: InteractionData,
    ) -> Result<InteractionId, Refused> {
        let app = self.app;
        let id: InteractionId = app.node().mint();
        let channel_id = here.channel_id();
        let claim = InteractionClaim {
            id,
            application_id,
            channel_id,
            user_id: ctx.user_id(),
            occasion,
        };
        let interaction = Interaction {
            id,
            application_id,
            token: app.interaction_tokens().mint(&claim),
            channel_id,
            place: here.place(),
            channel: here.channel(),
            user: app.own_account(ctx).await?.user,
            // The channel says it, at the moment at which the interaction happens.
            member: None,
            permissions: Permissions::empty(),
            app_permissions: here.permissions_of(application_id, ctx.now),
            data,
        };
        let command = ChannelCommand::Interact(Box::new(interaction));
        app.node().write(channel_id, ctx.user_id(), command).await?;
        Ok(id)
    }

    /// The channel as the caller sees it.
    async fn here(&self, ctx: &Context, channel: ChannelId) -> Result<Here, Refused> {
        let unknown = || Refused::from(Rejection::Unknown(Noun::Channel));
        match self.app.node().home_of(channel).await? {
            Some(Home::Guild(guild)) => {
                let view = self.app.guild_of_member(guild, ctx.user_id()).await;
                let view = view.map_err(within(Noun::Channel))?;
                Here::in_guild(ctx, guild, channel, view).ok_or_else(unknown)
            }
            Some(Home::Direct(direct)) if direct.users.contains(&ctx.user_id()) => {
                Ok(Here::direct(direct))
            }
            _ => Err(unknown()),
        }
    }
}

/// The application that a message's components belong to: its author's, or its webhook's.
fn application_of(message: &Message) -> Option<ApplicationId> {
    if message.webhook_id().is_some() {
        return message.application_id();
    }
    ApplicationId::new(message.author.id.get()).filter(|_| message.author.bot)
}

/// Discord's numbers of component types.
const BUTTON: u8 = 2;

const fn kind_of(select: &Select) -> u8 {
    match select.kind {
        SelectKind::Text(_) => 3,
        SelectKind::User => 5,
        SelectKind::Role => 6,
        SelectKind::Mentionable => 7,
        SelectKind::Channel(_) => 8,
    }
}

fn wrong(path: &str, why: &'static str) -> Refused {
    Rejection::field(path, "unknown_value", why).into()
}

/// The component of a message that has this text, if it can be used.
fn component<'a>(message: &'a Message, custom_id: &str) -> Result<&'a Component, Refused> {
    let mut components = message.components().iter().flat_map(|row| &row.components);
    let found = components.find(|component| component.custom_id() == Some(custom_id));
    let why = "is no component of the message";
    let unknown = || Rejection::field("custom_id", "unknown_component", why);
    let found = found.ok_or_else(unknown)?;
    let is_disabled = match found {
        Component::Button(button) => button.disabled,
        Component::Select(select) => select.disabled,
    };
    if is_disabled {
        return Err(wrong("custom_id", "is disabled"));
    }
    Ok(found)
}

/// What a menu takes: as many as it says, each once, among what it offers. Ids come out as
/// Discord writes them.
fn chosen_from(select: &Select, chosen: Vec<Chosen>) -> Result<Vec<String>, Refused> {
    let count = chosen.len();
    if !(usize::from(select.min_values)..=usize::from(select.max_values)).contains(&count) {
        return Err(wrong("values", "are fewer or more than the menu takes"));
    }
    let mut values: Vec<String> = Vec::new();
    for (n, one) in chosen.into_iter().enumerate() {
        let value = match &select.kind {
            SelectKind::Text(options) => {
                let is_offered = options.iter().any(|option| option.value == one.text);
                is_offered.then_some(one.text)
            }
            _ => one.id.map(|id| id.to_string()),
        };
        let path = format!("values.{n}");
        let value = value.ok_or_else(|| wrong(&path, "is not offered"))?;
        if values.contains(&value) {
            return Err(wrong(&path, "is given twice"));
        }
        values.push(value);
    }
    Ok(values)
}

/// Where commands of direct messages are offered.
const fn context_of(guild: Option<GuildId>) -> CommandContext {
    match guild {
        Some(_) => CommandContext::Guild,
        None => CommandContext::BotDirect,
    }
}

/// Whether a command is offered in such a place to somebody who holds these permissions there.
fn may_run(command: &ApplicationCommand, place: CommandContext, held: Permissions) -> bool {
    let CommandDefinition {
        contexts,
        default_member_permissions: needed,
        ..
    } = &command.definition;
    let is_here = contexts.as_ref().is_none_or(|all| all.contains(&place));
    let may = needed.is_none_or(|needed| {
        held.contains(Permissions::ADMINISTRATOR) || (!needed.is_empty() && held.contains(needed))
    });
    is_here && (may || place != CommandContext::Guild)
}

impl Here {
    /// The command is one of those that could be offered here.
    fn knows(&self, command: &ApplicationCommand) -> bool {
        let is_here = command.guild_id.is_none() || command.guild_id == self.guild();
        is_here && self.applications().contains(&command.application_id)
    }

    /// The user may run it here.
    fn offers(&self, command: &ApplicationCommand) -> bool {
        let may = self.held().contains(Permissions::USE_APPLICATION_COMMANDS);
        may && may_run(command, context_of(self.guild()), self.held())
    }

    fn missing_for(&self, command: &ApplicationCommand) -> Permissions {
        let needed = command.definition.default_member_permissions;
        let needed = needed.unwrap_or(Permissions::empty()) | Permissions::USE_APPLICATION_COMMANDS;
        let missing = needed - self.held();
        if missing.is_empty() {
            Permissions::ADMINISTRATOR
        } else {
            missing
        }
    }
}
