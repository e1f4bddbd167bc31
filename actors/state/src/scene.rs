//! A guild with a cast of users, for tests: commands are decided and folded in, history is kept.

mod dice;

use guildhall_model::channel::{ChannelKind, Overwrite, OverwriteTarget};
use guildhall_model::command::{
    ChannelUpdate, GuildCommand, NewChannel, NewInvite, NewWebhook, PermissionEdit, RoleUpdate,
};
use guildhall_model::event::{Event, Record, Source};
use guildhall_model::guild::GuildRows;
use guildhall_model::limits::WEBHOOK_TOKEN_CHARS;
use guildhall_model::message::{Message, Place};
use guildhall_model::snowflake::Generator;
use guildhall_model::text::{ChannelName, GuildName, WebhookName};
use guildhall_model::user::{Status, User};
use guildhall_model::webhook::WebhookToken;
use guildhall_model::{ChannelId, Permissions, Rejection, RoleId, Timestamp, UserId, WebhookId};

use crate::Mint;
use crate::guild::{GuildState, first_events};
pub(crate) use dice::{Dice, dice};

/// The owner at first.
pub(crate) const OWNER: u64 = 1;
/// The one bot of the cast.
pub(crate) const BOT: u64 = 7;
/// Everybody whom random commands are about: members, strangers and the bot.
pub(crate) const CAST: std::ops::RangeInclusive<u64> = OWNER..=BOT;

/// When every scene begins.
pub(crate) const NOW: Timestamp = Timestamp(1_700_000_000_000);

pub(crate) fn id(number: u64) -> UserId {
    UserId::new(number).unwrap()
}

pub(crate) fn user(number: u64) -> User {
    User {
        id: id(number),
        username: format!("user{number}"),
        display_name: None,
        avatar: None,
        bot: number == BOT,
        status: Status::Online,
        updated_at: Timestamp(0),
    }
}

/// An overwrite for everybody who has a role.
pub(crate) fn for_role(role: RoleId, allow: Permissions, deny: Permissions) -> Overwrite {
    let target = OverwriteTarget::Role(role);
    Overwrite {
        target,
        allow,
        deny,
    }
}

/// A command that makes an invite to whatever channel the caller can see.
pub(crate) fn invite(code: &str, max_uses: u32, max_age_s: u32) -> GuildCommand {
    GuildCommand::CreateInvite(NewInvite {
        code: code.to_owned(),
        channel_id: None,
        max_uses,
        max_age_s,
        temporary: false,
    })
}

/// A command that makes a webhook in a guild that stands here, whose token shows this number.
pub(crate) fn webhook_in(state: &GuildState, channel_id: ChannelId, number: u64) -> GuildCommand {
    GuildCommand::CreateWebhook(NewWebhook {
        // Every event moves the guild on, so no other webhook has this id.
        id: WebhookId::new(6_000 + state.gseq()).unwrap(),
        avatar: None,
        channel_id,
        name: WebhookName::parse("Hook").unwrap(),
        token: token(number),
        application_id: None,
    })
}

pub(crate) fn token(number: u64) -> WebhookToken {
    WebhookToken::parse(&format!("{number:0>WEBHOOK_TOKEN_CHARS$}")).unwrap()
}

/// A command that sets all bits of a role.
pub(crate) fn permissions_of(role: RoleId, bits: Permissions) -> GuildCommand {
    let mask = Permissions::EVERYTHING;
    let permissions = Some(PermissionEdit { mask, bits });
    GuildCommand::UpdateRole(
        role,
        RoleUpdate {
            permissions,
            ..RoleUpdate::default()
        },
    )
}

/// A guild whose every event is kept.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) state: GuildState,
    /// From the founding on.
    pub(crate) history: Vec<Record>,
    pub(crate) now: Timestamp,
    ids: Generator,
}

impl Scene {
    /// A guild that has only its owner.
    pub(crate) fn new() -> Self {
        let mut ids = Generator::new(0, 0);
        let now = NOW;
        let mut mint = Mint { now, ids: &mut ids };
        let name = GuildName::parse("Guild").unwrap();
        let event = first_events(user(OWNER), name, (None, None, false), &mut mint);
        let Event::GuildCreated(founding) = &event else {
            panic!("a guild begins with its founding");
        };
        let state = GuildState::found(founding, 1);
        let source = Source::Guild(state.guild().id);
        let founding = Record {
            source,
            gseq: 1,
            at: now,
            event,
        };
        Self {
            state,
            history: vec![founding],
            now,
            ids,
        }
    }

    /// A guild with a moderator (2), two helpers of equal position (3, the older role, and 4), and
    /// two members without roles (5 and the bot). User 6 is a stranger.
    pub(crate) fn peopled() -> Self {
        let mut scene = Self::new();
        for member in [2, 3, 4, 5, BOT] {
            scene.join(member);
        }
        let powers = Permissions::MANAGE_ROLES
            | Permissions::MANAGE_CHANNELS
            | Permissions::KICK_MEMBERS
            | Permissions::MANAGE_NICKNAMES;
        let moderator = scene.role(
            5,
            powers | Permissions::MANAGE_GUILD | Permissions::BAN_MEMBERS,
        );
        let older = scene.role(3, powers);
        let younger = scene.role(3, powers);
        for (member, role) in [(2, moderator), (3, older), (4, younger)] {
            scene.give(member, &[role]);
        }
        scene
    }

    /// Has a command decided and folded in.
    pub(crate) fn attempt(
        &mut self,
        actor: u64,
        command: GuildCommand,
    ) -> Result<Vec<Event>, Rejection> {
        self.now = self.now.plus_ms(1);
        let mut mint = Mint {
            now: self.now,
            ids: &mut self.ids,
        };
        let events = self.state.decide(id(actor), command, &mut mint)?;
        for event in &events {
            self.append(event.clone());
        }
        Ok(events)
    }

    /// Folds in what has happened without a command of the guild.
    pub(crate) fn append(&mut self, event: Event) -> Record {
        let record = Record {
            source: Source::Guild(self.state.guild().id),
            gseq: self.state.gseq() + 1,
            at: self.now,
            event,
        };
        self.state.apply(&record);
        self.history.push(record.clone());
        record
    }

    /// A message that somebody has posted.
    pub(crate) fn message(&mut self, author: u64, channel_id: ChannelId) -> Event {
        let mut mint = Mint {
            now: self.now,
            ids: &mut self.ids,
        };
        Event::MessageCreated(Box::new(Message {
            id: mint.id(),
            channel_id,
            place: Place::guild(self.state.guild().id),
            author: user(author),
            content: "hello".to_owned(),
            edited_at: None,
            nonce: None,
            reply_to: None,
            mentions: Vec::new(),
            mention_roles: Vec::new(),
            mention_everyone: false,
            reactions: Vec::new(),
            pinned_at: None,
            rich: None,
        }))
    }

    /// Lets a user in by an invite of the owner.
    pub(crate) fn join(&mut self, who: u64) {
        if self.state.invite("door").is_none() {
            self.attempt(OWNER, invite("door", 0, 0)).unwrap();
        }
        self.attempt(who, join(who, Some("door"))).unwrap();
    }

    /// A role that the owner has made.
    pub(crate) fn role(&mut self, position: u16, bits: Permissions) -> RoleId {
        let mask = Permissions::EVERYTHING;
        let new = RoleUpdate {
            position: Some(position),
            permissions: Some(PermissionEdit { mask, bits }),
            ..RoleUpdate::default()
        };
        match &self.attempt(OWNER, GuildCommand::CreateRole(new)).unwrap()[..] {
            [Event::RoleCreated(role)] => role.id,
            other => panic!("a role is made by one event: {other:?}"),
        }
    }

    /// Gives a member exactly these roles.
    pub(crate) fn give(&mut self, who: u64, roles: &[RoleId]) {
        let command = GuildCommand::SetMemberRoles(id(who), roles.to_vec());
        self.attempt(OWNER, command).unwrap();
    }

    /// A channel that the owner has made.
    pub(crate) fn channel(&mut self, overwrites: Vec<Overwrite>) -> ChannelId {
        let events = self.attempt(OWNER, new_channel(overwrites)).unwrap();
        match &events[..] {
            [Event::ChannelCreated(channel)] => channel.id,
            other => panic!("a channel is made by one event: {other:?}"),
        }
    }

    /// Gives a channel exactly these overwrites.
    pub(crate) fn overwrite(&mut self, channel: ChannelId, overwrites: Vec<Overwrite>) {
        let command = overwrites_of(channel, overwrites);
        self.attempt(OWNER, command).unwrap();
    }

    /// The channel that the guild began with.
    pub(crate) fn general(&self) -> ChannelId {
        self.state.channels().next().unwrap().id
    }

    pub(crate) fn everyone(&self) -> RoleId {
        self.state.guild().id.everyone_role()
    }

    /// What a user may do in the guild as a whole.
    pub(crate) fn held(&self, who: u64) -> Permissions {
        self.state.permissions(id(who), self.now)
    }
}

pub(crate) fn join(who: u64, code: Option<&str>) -> GuildCommand {
    GuildCommand::Join {
        user: Box::new(user(who)),
        code: code.map(str::to_owned),
    }
}

pub(crate) fn new_channel(overwrites: Vec<Overwrite>) -> GuildCommand {
    GuildCommand::CreateChannel(NewChannel {
        name: ChannelName::parse("room").unwrap(),
        kind: ChannelKind::Text,
        topic: None,
        position: None,
        parent_id: None,
        overwrites,
    })
}

pub(crate) fn new_category() -> GuildCommand {
    GuildCommand::CreateChannel(NewChannel {
        name: ChannelName::parse("rooms").unwrap(),
        kind: ChannelKind::Category,
        topic: None,
        position: None,
        parent_id: None,
        overwrites: Vec::new(),
    })
}

pub(crate) fn overwrites_of(channel: ChannelId, overwrites: Vec<Overwrite>) -> GuildCommand {
    let update = ChannelUpdate {
        overwrites: Some(overwrites.into_iter().map(Into::into).collect()),
        ..ChannelUpdate::default()
    };
    GuildCommand::UpdateChannel(channel, update)
}

/// The rows that a store would hold of a state.
pub(crate) fn rows_of(state: &GuildState) -> GuildRows {
    GuildRows {
        guild: (**state.guild()).clone(),
        deleted: state.is_deleted(),
        roles: state.roles().map(|role| (**role).clone()).collect(),
        channels: state.channels().map(|c| (**c).clone()).collect(),
        members: state.members().map(|m| (**m).clone()).collect(),
        bans: state.bans().map(|ban| (**ban).clone()).collect(),
        invites: state.invites().map(|i| (**i).clone()).collect(),
        webhooks: state.webhooks().map(|w| (**w).clone()).collect(),
        emojis: state.emojis().map(|emoji| (**emoji).clone()).collect(),
        gseq: state.gseq(),
    }
}
