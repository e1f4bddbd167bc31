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

/// Users are numbered from one.
pub(super) fn user_id(number: usize) -> UserId {
    UserId::new(number as u64 + 1).expect("few users")
}

/// Somebody's public profile.
pub(super) fn person(id: UserId) -> User {
    User {
        id,
        username: format!("user{id}"),
        display_name: None,
        avatar: None,
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
    let access = towns.iter().flat_map(|town| town.sights(users)).collect();
    env.tape.given(env.now, access);
    towns
}

fn found_one(env: &mut Env, number: usize, mint: &mut Mint<'_>) -> Town {
    let owner = user_id(number % env.scenario.users);
    let mut founder = Founder::new(owner, mint);
    let guild = founder.state.guild().id;
    let bits = Permissions::empty();
    let role = RoleUpdate {
        name: Some(RoleName::parse("key").expect("three letters")),
        permissions: Some(PermissionEdit { mask: bits, bits }),
        ..RoleUpdate::default()
    };
    founder.command(owner, GuildCommand::CreateRole(role), mint);
    let roles = founder.state.roles().map(|role| role.id);
    let key = roles.max().expect("everyone is a role");
    let overwrite = |role, allow, deny| Overwrite {
        target: OverwriteTarget::Role(role),
        allow,
        deny,
    };
    let overwrites = vec![
        overwrite(guild.everyone_role(), bits, Permissions::VIEW_CHANNEL),
        overwrite(key, Permissions::VIEW_CHANNEL, bits),
    ];
    founder.command(owner, new_channel("closed", overwrites), mint);
    founder.command(owner, new_channel("changing", Vec::new()), mint);
    for user in (0..env.scenario.users).map(user_id) {
        if user.get() % 4 != number as u64 % 4 && user != owner {
            let join = GuildCommand::Join {
                user: Box::new(person(user)),
                code: None,
            };
            founder.command(user, join, mint);
        }
    }
    founder.settle(env);
    let state = founder.state;
    let channels: Vec<ChannelId> = state.channels().map(|channel| channel.id).collect();
    Town {
        guild,
        channels: channels.try_into().expect("three channels were made"),
        key,
        owner,
        state,
    }
}

/// A guild in the making.
struct Founder {
    state: GuildState,
    records: Vec<Record>,
}

impl Founder {
    fn new(owner: UserId, mint: &mut Mint<'_>) -> Self {
        let name = GuildName::parse("Town").expect("four letters");
        let event = first_events(person(owner), name, (None, None, true), mint);
        let Event::GuildCreated(first) = &event else {
            unreachable!("a guild begins with its founding")
        };
        let state = GuildState::found(first, 1);
        let founding = Record {
            source: Source::Guild(state.guild().id),
            gseq: 1,
            at: mint.now,
            event,
        };
        Self {
            state,
            records: vec![founding],
        }
    }

    fn command(&mut self, actor: UserId, command: GuildCommand, mint: &mut Mint<'_>) {
        let events = self.state.decide(actor, command, mint);
        for event in events.expect("this may be done in a new guild") {
            let record = Record {
                source: Source::Guild(self.state.guild().id),
                gseq: self.state.gseq() + 1,
                at: mint.now,
                event,
            };
            self.state.apply(&record);
            self.records.push(record);
        }
    }

    /// Puts rows and records where a first owner would have put them.
    fn settle(&self, env: &mut Env) {
        let number = env.partition_of(self.state.guild().id);
        let slice = Slice::Event(number);
        if env.directory.epoch(slice) == Epoch::default() {
            let first = env.directory.claim(slice, usize::MAX, Epoch::default());
            let take = encode(&EventsRecord::Take(NodeId(FOUNDER)));
            env.events
                .append(number, first.unwrap_or_default(), &[take]);
        }
        let epoch = env.directory.epoch(slice);
        let records = self.records.iter().cloned();
        let payloads: Vec<_> = records
            .map(|record| encode(&EventsRecord::Event(Box::new(record))))
            .collect();
        env.events.append(number, epoch, &payloads);
        env.store.found(self.state.clone(), epoch);
    }
}

fn new_channel(name: &str, overwrites: Vec<Overwrite>) -> GuildCommand {
    GuildCommand::CreateChannel(NewChannel {
        name: ChannelName::parse(name).expect("a few letters"),
        kind: ChannelKind::Text,
        topic: None,
        position: None,
        parent_id: None,
        overwrites,
    })
}

impl Town {
    /// Who sees which of the channels.
    pub(super) fn sights(&self, users: usize) -> Vec<Access<'static>> {
        let users = (0..users).map(user_id);
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
