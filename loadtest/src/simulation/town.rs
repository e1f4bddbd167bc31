//! The guilds that a simulation begins with, and who may see what in them.

use guildhall_model::channel::{ChannelKind, Overwrite, OverwriteTarget};
use guildhall_model::command::{GuildCommand, NewChannel, PermissionEdit, RoleUpdate};
use guildhall_model::event::{Event, Record, Source};
use guildhall_model::snowflake::Generator;
use guildhall_model::text::{ChannelName, GuildName, RoleName};
use guildhall_model::user::{Status, User};
use guildhall_model::{ChannelId, Epoch, GuildId, NodeId, Permissions, RoleId, Timestamp, UserId};
use guildhall_state::Mint;
use guildhall_state::guild::{GuildState, first_events};

use super::env::Env;
use super::log::{EventsRecord, encode};
use super::store::Slice;
use crate::history::Access;

/// Mints the ids of the beginning; no node of the simulation has its number.
const FOUNDER: u16 = 1_000;

/// A guild as its founder knows it.
#[derive(Clone, Debug)]
pub(super) struct Town {
    pub(super) guild: GuildId,
    /// Everybody sees the first; the second needs a role or an overwrite; the third is shown and
    /// hidden to all.
    pub(super) channels: [ChannelId; 3],
    /// Who holds it sees the second channel.
    pub(super) key: RoleId,
    pub(super) owner: UserId,
    pub(super) state: GuildState,
}

/// Somebody's public profile.
pub(super) fn person(id: UserId) -> User {
    User {
        id,
        username: format!("user{id}"),
        display_name: None,
        avatar_url: None,
        bot: false,
        status: Status::Online,
        updated_at: Timestamp(0),
    }
}

/// Founds the guilds: their events stand in the logs of a first owner, who is no node.
pub(super) fn found(env: &mut Env) -> Vec<Town> {
    let now = env.clock(-60_000);
    let mut ids = Generator::new(FOUNDER, 0);
    let count = env.scenario.guilds;
    let towns: Vec<Town> = (0..count)
        .map(|number| found_one(env, number, &mut Mint { now, ids: &mut ids }))
        .collect();
    let users = env.scenario.users;
    let access = towns
        .iter()
        .flat_map(|town| town.sights(env, users))
        .collect();
    env.tape.given(env.now, access);
    towns
}

fn found_one(env: &mut Env, number: usize, mint: &mut Mint<'_>) -> Town {
    let owner = env.user(number % env.scenario.users);
    let name = GuildName::parse("Town").expect("four letters");
    let founding = first_events(person(owner), name, (None, None, true), mint);
    let Event::GuildCreated(first) = &founding else {
        unreachable!("a guild begins with its founding")
    };
    let mut state = GuildState::found(first, 1);
    let guild = state.guild().id;
    let source = Source::Guild(guild);
    let mut records = vec![Record {
        source,
        gseq: 1,
        at: mint.now,
        event: founding,
    }];
    let everyone = guild.everyone_role();
    let hidden = |target| Overwrite {
        target,
        allow: Permissions::empty(),
        deny: Permissions::VIEW_CHANNEL,
    };
    let mut command = |state: &mut GuildState, actor: UserId, command: GuildCommand| {
        let events = state.decide(actor, command, mint);
        for event in events.expect("the owner may do all this") {
            let gseq = state.gseq() + 1;
            let record = Record {
                source,
                gseq,
                at: mint.now,
                event,
            };
            state.apply(&record);
            records.push(record);
        }
    };
    let bits = Permissions::empty();
    let role = RoleUpdate {
        name: Some(RoleName::parse("key").expect("three letters")),
        permissions: Some(PermissionEdit { mask: bits, bits }),
        ..RoleUpdate::default()
    };
    command(&mut state, owner, GuildCommand::CreateRole(role));
    let roles = state.roles().map(|role| role.id);
    let key = roles.max().expect("everyone is a role");
    let shown = Overwrite {
        target: OverwriteTarget::Role(key),
        allow: Permissions::VIEW_CHANNEL,
        deny: Permissions::empty(),
    };
    let overwrites = vec![hidden(OverwriteTarget::Role(everyone)), shown];
    command(&mut state, owner, new_channel("closed", overwrites));
    command(&mut state, owner, new_channel("changing", Vec::new()));
    for user in (0..env.scenario.users).map(|user| env.user(user)) {
        if user.get() % 4 != number as u64 % 4 && user != owner {
            let join = GuildCommand::Join {
                user: Box::new(person(user)),
                code: None,
            };
            command(&mut state, user, join);
        }
    }
    let slice = env.partition_of(guild);
    let epoch = env.directory.epoch(Slice::Event(slice));
    if epoch == Epoch::default() {
        let first = env.directory.claim(Slice::Event(slice), usize::MAX, epoch);
        let take = encode(&EventsRecord::Take(NodeId(FOUNDER)));
        env.events.append(slice, first.unwrap_or_default(), &[take]);
    }
    let epoch = env.directory.epoch(Slice::Event(slice));
    let payloads: Vec<_> = records
        .into_iter()
        .map(|record| encode(&EventsRecord::Event(Box::new(record))))
        .collect();
    env.events.append(slice, epoch, &payloads);
    env.store.found(state.clone(), epoch);
    let channels: Vec<ChannelId> = state.channels().map(|channel| channel.id).collect();
    Town {
        guild,
        channels: channels.try_into().expect("three channels were made"),
        key,
        owner,
        state,
    }
}

fn new_channel(name: &str, overwrites: Vec<Overwrite>) -> GuildCommand {
    GuildCommand::CreateChannel(NewChannel {
        name: ChannelName::parse(name).expect("a few letters"),
        kind: ChannelKind::Text,
        topic: None,
        position: None,
        overwrites,
    })
}

impl Town {
    /// Who sees which of the channels.
    pub(super) fn sights(&self, env: &Env, users: usize) -> Vec<Access<'static>> {
        let users = (0..users).map(|user| env.user(user));
        users
            .flat_map(|user| {
                self.channels.map(|channel| Access {
                    channel: channel.to_string().into(),
                    user: user.to_string().into(),
                    view: self.sees(user, channel),
                })
            })
            .collect()
    }

    pub(super) fn sees(&self, user: UserId, channel: ChannelId) -> bool {
        let channel = self.state.channel(channel);
        channel.is_some_and(|channel| self.state.can_view(user, channel))
    }

    /// The guild after a command. A command that is refused changes nothing.
    pub(super) fn after(&self, user: UserId, command: GuildCommand) -> Option<Self> {
        let mut town = self.clone();
        let mut ids = Generator::new(FOUNDER, 0);
        let now = Timestamp(1_700_000_000_000);
        let mut mint = Mint { now, ids: &mut ids };
        let events = self.state.decide(user, command, &mut mint).ok()?;
        for event in events {
            let gseq = town.state.gseq() + 1;
            let source = Source::Guild(self.guild);
            let at = now;
            town.state.apply(&Record {
                source,
                gseq,
                at,
                event,
            });
        }
        Some(town)
    }
}
