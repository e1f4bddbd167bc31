//! Where an interaction happens, and what the ids mean that are given to it.

use std::sync::Arc;

use guildhall_host::{GuildView, Refused};
use guildhall_model::application_command::{ApplicationCommand, CommandOption, OptionKind};
use guildhall_model::channel::{Channel, ChannelKind, DirectChannel};
use guildhall_model::interaction::{GivenOption, GivenValue, Resolved};
use guildhall_model::message::Place;
use guildhall_model::message::component::SelectKind;
use guildhall_model::{
    ApplicationId, ChannelId, GuildId, Permissions, Rejection, RoleId, Timestamp, UserId,
};

use crate::{App, Context};

/// A channel as somebody sees it who uses something there.
pub(super) struct Here {
    at: At,
    held: Permissions,
}

enum At {
    Guild {
        id: GuildId,
        channel: Arc<Channel>,
        view: GuildView,
    },
    Direct(DirectChannel),
}

/// Ids that were given, by what they stand for, each with the field that it came in.
#[derive(Default)]
struct Ids {
    users: Vec<(String, UserId)>,
    roles: Vec<(String, RoleId)>,
    channels: Vec<(String, ChannelId, Vec<u8>)>,
    either: Vec<(String, u64)>,
}

impl Here {
    pub(super) fn in_guild(
        ctx: &Context,
        id: GuildId,
        channel: ChannelId,
        view: GuildView,
    ) -> Option<Self> {
        let (channel, held) = view.read(|state| {
            let found = state.channel(channel).map(Arc::clone)?;
            let held = state.channel_permissions(ctx.user_id(), channel, ctx.now);
            Some((found, held))
        })?;
        let at = At::Guild { id, channel, view };
        held.contains(Permissions::VIEW_CHANNEL)
            .then_some(Self { at, held })
    }

    pub(super) fn direct(direct: DirectChannel) -> Self {
        Self {
            at: At::Direct(direct),
            held: Permissions::DEFAULT,
        }
    }

    pub(super) fn guild(&self) -> Option<GuildId> {
        match &self.at {
            At::Guild { id, .. } => Some(*id),
            At::Direct(_) => None,
        }
    }

    /// What the user may do here.
    pub(super) fn held(&self) -> Permissions {
        self.held
    }

    pub(super) fn channel_id(&self) -> ChannelId {
        match &self.at {
            At::Guild { channel, .. } => channel.id,
            At::Direct(direct) => direct.id,
        }
    }

    pub(super) fn channel(&self) -> Option<Box<Channel>> {
        match &self.at {
            At::Guild { channel, .. } => Some(Box::new(Channel::clone(channel))),
            At::Direct(_) => None,
        }
    }

    pub(super) fn place(&self) -> Place {
        match &self.at {
            At::Guild { id, .. } => Place::guild(*id),
            At::Direct(direct) => Place::Direct(direct.users),
        }
    }

    /// The applications whose bots are here. Between two users, whoever is none has no commands.
    pub(super) fn applications(&self) -> Vec<ApplicationId> {
        let of = |user: UserId| ApplicationId::new(user.get());
        match &self.at {
            At::Guild { view, .. } => view.read(|state| {
                let bots = state.members().filter(|member| member.user.bot);
                bots.filter_map(|bot| of(bot.user.id)).collect()
            }),
            At::Direct(direct) => direct.users.into_iter().filter_map(of).collect(),
        }
    }

    /// What an application's bot may do here.
    pub(super) fn permissions_of(&self, application: ApplicationId, now: Timestamp) -> Permissions {
        let bot = application.bot_user();
        match &self.at {
            At::Guild { channel, view, .. } => {
                view.read(|state| state.channel_permissions(bot, channel.id, now))
            }
            At::Direct(_) => Permissions::DEFAULT,
        }
    }

    /// What ids mean that are given to a command.
    pub(super) async fn resolve_options(
        &self,
        app: &App,
        ctx: &Context,
        command: &ApplicationCommand,
        options: &[GivenOption],
    ) -> Result<Resolved, Refused> {
        let mut ids = Ids::default();
        ids.read(options, &command.definition.options, "options");
        self.resolve(app, ctx, ids).await
    }

    /// What ids mean that are chosen from a menu.
    pub(super) async fn resolve_values(
        &self,
        app: &App,
        ctx: &Context,
        kind: &SelectKind,
        values: &[String],
    ) -> Result<Resolved, Refused> {
        let mut ids = Ids::default();
        for (n, value) in values.iter().enumerate() {
            let path = format!("values.{n}");
            let Ok(number) = value.parse::<u64>() else {
                continue;
            };
            match kind {
                SelectKind::Text(_) => {}
                SelectKind::User => ids.users.extend(UserId::new(number).map(|id| (path, id))),
                SelectKind::Role => ids.roles.extend(RoleId::new(number).map(|id| (path, id))),
                SelectKind::Mentionable => ids.either.push((path, number)),
                SelectKind::Channel(types) => {
                    let id = ChannelId::new(number).map(|id| (path, id, types.clone()));
                    ids.channels.extend(id);
                }
            }
        }
        self.resolve(app, ctx, ids).await
    }

    async fn resolve(&self, app: &App, ctx: &Context, ids: Ids) -> Result<Resolved, Refused> {
        let mut resolved = Resolved::default();
        for (path, id) in ids
            .channels
            .iter()
            .map(|(path, id, types)| (path, (*id, types)))
        {
            let channel = self.channel_for(ctx, id);
            resolved.channels.push(channel.ok_or_else(|| absent(path))?);
        }
        for (path, id) in &ids.roles {
            resolved
                .roles
                .push(self.role(*id).ok_or_else(|| absent(path))?);
        }
        let mut users = ids.users;
        for (path, number) in ids.either {
            match RoleId::new(number).and_then(|id| self.role(id)) {
                Some(role) => resolved.roles.push(role),
                None => users.extend(UserId::new(number).map(|id| (path, id))),
            }
        }
        let wanted: Vec<UserId> = users.iter().map(|(_, id)| *id).collect();
        resolved.users = match wanted.as_slice() {
            [] => Vec::new(),
            wanted => app.accounts_store().users(wanted).await?,
        };
        for (path, id) in &users {
            if resolved.users.iter().all(|user| user.id != *id) {
                return Err(absent(path));
            }
        }
        if let At::Guild { channel, view, .. } = &self.at {
            resolved.members = view.read(|state| {
                let member = |id: &UserId| {
                    let held = state.channel_permissions(*id, channel.id, ctx.now);
                    Some((state.member(*id)?.as_ref().clone(), held))
                };
                wanted.iter().filter_map(member).collect()
            });
        }
        Ok(resolved)
    }

    fn role(&self, id: RoleId) -> Option<guildhall_model::role::Role> {
        match &self.at {
            At::Guild { view, .. } => {
                view.read(|state| state.role(id).map(|role| role.as_ref().clone()))
            }
            At::Direct(_) => None,
        }
    }

    /// A channel that the user sees, of one of these types.
    fn channel_for(
        &self,
        ctx: &Context,
        (id, types): (ChannelId, &Vec<u8>),
    ) -> Option<(Channel, Permissions)> {
        let At::Guild { view, .. } = &self.at else {
            return None;
        };
        let (channel, held) = view.read(|state| {
            let held = state.channel_permissions(ctx.user_id(), id, ctx.now);
            Some((state.channel(id)?.as_ref().clone(), held))
        })?;
        let is_right = types.is_empty() || types.contains(&number_of(channel.kind));
        (is_right && held.contains(Permissions::VIEW_CHANNEL)).then_some((channel, held))
    }
}

/// Discord's number of a channel's type, as menus and options name it.
const fn number_of(kind: ChannelKind) -> u8 {
    match kind {
        ChannelKind::Text => 0,
        ChannelKind::Voice => 2,
        ChannelKind::Category => 4,
    }
}

impl Ids {
    fn read(&mut self, given: &[GivenOption], defined: &[CommandOption], at: &str) {
        for (n, option) in given.iter().enumerate() {
            let path = format!("{at}.{n}.value");
            let definition = defined.iter().find(|one| one.name.text == option.name);
            match &option.value {
                GivenValue::Subcommand(within) | GivenValue::Group(within) => {
                    let below = definition.and_then(|one| one.kind.below());
                    let at = format!("{at}.{n}.options");
                    self.read(within, below.unwrap_or_default(), &at);
                }
                GivenValue::User(id) => self.users.push((path, *id)),
                GivenValue::Role(id) => self.roles.push((path, *id)),
                GivenValue::Mentionable(id) => self.either.push((path, *id)),
                GivenValue::Channel(id) => {
                    let types = match definition.map(|one| &one.kind) {
                        Some(OptionKind::Channel(types)) => types.clone(),
                        _ => Vec::new(),
                    };
                    self.channels.push((path, *id, types));
                }
                _ => {}
            }
        }
    }
}

fn absent(path: &str) -> Refused {
    Rejection::field(path, "unknown_value", "is not there").into()
}
