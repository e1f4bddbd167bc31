//! One small world, and every kind of dispatch that can happen in it.

use std::sync::Arc;

use guildhall_model::channel::{Channel, ChannelKind, DirectChannel, Overwrite, OverwriteTarget};
use guildhall_model::dispatch::{Dispatch, MembersChunk, Ready, Shard};
use guildhall_model::event::{
    Change, Departure, Event, Founding, Reaction, Record, RoleEnd, Source,
};
use guildhall_model::guild::{Guild, GuildSnapshot};
use guildhall_model::invite::Invite;
use guildhall_model::member::{Ban, Member};
use guildhall_model::message::{Authorship, Emoji, Message, Nonce, Place, ReactionCount};
use guildhall_model::role::Role;
use guildhall_model::user::{Appearance, Status, User};
use guildhall_model::{GuildId, Id, Permissions, Timestamp};
use guildhall_wire::Spelling;

/// The installation whose golden files these are.
pub(crate) const SPELLING: Spelling = Spelling::new(0x000B_EEF0_CAFE);

/// Ids with the digits that clients expect: 18 to 19, of the year 2026.
pub(crate) fn id<K>(n: u64) -> Id<K> {
    Id::new(1_500_000_000_000_000_000 + n).unwrap()
}

pub(crate) fn guild_id() -> GuildId {
    id(1)
}

fn at(minutes: i64) -> Timestamp {
    Timestamp(1_777_700_000_123 + minutes * 60_000)
}

fn user(n: u64, name: &str) -> User {
    User {
        id: id(n),
        username: name.to_owned(),
        display_name: None,
        avatar_url: None,
        bot: false,
        status: Status::Online,
        updated_at: at(0),
    }
}

pub(crate) fn ada() -> User {
    User {
        display_name: Some("Ada, Countess".to_owned()),
        avatar_url: Some("https://example.org/ada.png".to_owned()),
        status: Status::Invisible,
        ..user(10, "ada")
    }
}

pub(crate) fn bob() -> User {
    user(11, "bob")
}

fn butler() -> User {
    User {
        bot: true,
        ..user(12, "butler")
    }
}

pub(crate) fn guild() -> Guild {
    Guild {
        id: guild_id(),
        name: "Tavern".to_owned(),
        owner_id: ada().id,
        description: Some("Warm \"beer\"".to_owned()),
        icon_url: None,
        is_public: true,
    }
}

pub(crate) fn everyone() -> Role {
    Role {
        id: guild_id().everyone_role(),
        guild_id: guild_id(),
        name: "@everyone".to_owned(),
        color: 0,
        hoist: false,
        mentionable: false,
        managed: false,
        permissions: Permissions::DEFAULT,
        position: 0,
    }
}

pub(crate) fn keeper() -> Role {
    Role {
        id: id(20),
        name: "Keeper".to_owned(),
        color: 0x2E_CC71,
        hoist: true,
        mentionable: true,
        permissions: Permissions::MANAGE_MESSAGES | Permissions::KICK_MEMBERS,
        position: 1,
        ..everyone()
    }
}

pub(crate) fn general() -> Channel {
    Channel {
        id: id(30),
        guild_id: guild_id(),
        kind: ChannelKind::Text,
        name: "general".to_owned(),
        topic: Some("Anything goes".to_owned()),
        position: 0,
        overwrites: vec![
            Overwrite {
                target: OverwriteTarget::Role(everyone().id),
                allow: Permissions::empty(),
                deny: Permissions::SEND_MESSAGES,
            },
            Overwrite {
                target: OverwriteTarget::Member(bob().id),
                allow: Permissions::SEND_MESSAGES | Permissions::MANAGE_CHANNELS,
                deny: Permissions::empty(),
            },
        ],
    }
}

pub(crate) fn parlor() -> Channel {
    Channel {
        id: id(31),
        kind: ChannelKind::Voice,
        name: "parlor".to_owned(),
        topic: None,
        position: 1,
        overwrites: Vec::new(),
        ..general()
    }
}

pub(crate) fn member(user: User) -> Member {
    Member {
        user,
        nick: None,
        roles: Vec::new(),
        joined_at: at(1),
        timed_out_until: None,
        temporary: false,
    }
}

pub(crate) fn keeper_bob() -> Member {
    Member {
        nick: Some("Bobby".to_owned()),
        roles: vec![keeper().id],
        timed_out_until: Some(at(90)),
        ..member(bob())
    }
}

pub(crate) fn ban() -> Ban {
    Ban {
        user: bob(),
        reason: Some("brawling".to_owned()),
        by: ada().id,
        at: at(9),
    }
}

pub(crate) fn invite() -> Invite {
    Invite {
        code: "aB3dE5fG".to_owned(),
        guild_id: guild_id(),
        channel_id: general().id,
        inviter_id: ada().id,
        uses: 1,
        max_uses: 5,
        max_age_s: 3_600,
        temporary: false,
        created_at: at(5),
    }
}

/// A reply with everything that a message can have.
pub(crate) fn reply() -> Message {
    Message {
        id: id(4_194_304),
        channel_id: general().id,
        place: Place::Guild {
            guild_id: guild_id(),
            member: Some(Authorship {
                nick: Some("Bobby".to_owned()),
                roles: vec![keeper().id],
                joined_at: at(1),
            }),
        },
        author: bob(),
        content: "Aye <@1500000000000000010>! 🍺".to_owned(),
        edited_at: Some(at(7)),
        nonce: Some(Nonce::Text("n-1".to_owned())),
        reply_to: Some(id(4_194_303)),
        mentions: vec![ada()],
        mention_roles: vec![keeper().id],
        mention_everyone: false,
        reactions: vec![ReactionCount {
            emoji: Emoji("🍺".to_owned()),
            count: 2,
        }],
    }
}

/// The plainest message, between two users.
pub(crate) fn whisper() -> Message {
    Message {
        id: id(4_194_310),
        channel_id: direct().id,
        place: Place::Direct(direct().users),
        content: "psst".to_owned(),
        edited_at: None,
        nonce: Some(Nonce::Number(-42)),
        reply_to: None,
        mentions: Vec::new(),
        mention_roles: Vec::new(),
        reactions: Vec::new(),
        ..reply()
    }
}

pub(crate) fn direct() -> DirectChannel {
    DirectChannel {
        id: id(40),
        users: [ada().id, bob().id],
    }
}

fn reaction(place: Place) -> Reaction {
    Reaction {
        message_id: reply().id,
        message_author_id: bob().id,
        channel_id: general().id,
        place,
        user_id: ada().id,
        member: Some(member(ada())),
        emoji: Emoji("🍺".to_owned()),
    }
}

pub(crate) fn snapshot() -> GuildSnapshot {
    GuildSnapshot {
        guild: guild(),
        roles: vec![everyone(), keeper()],
        channels: vec![general(), parlor()],
        members: vec![member(ada()), keeper_bob(), member(butler())],
        member_count: 3,
        large: false,
        me: butler().id,
    }
}

fn ready_of_a_bot() -> Ready {
    Ready {
        user: butler(),
        email: None,
        session_id: "s-0a1b2c".to_owned(),
        resume_url: "ws://127.0.0.1:8080".to_owned(),
        guilds: vec![guild_id()],
        direct_channels: Vec::new(),
        shard: Some(Shard::WHOLE),
        application_id: Some(id(12)),
    }
}

fn ready_of_a_person() -> Ready {
    Ready {
        user: ada(),
        email: Some("ada@example.org".to_owned()),
        direct_channels: vec![(direct(), bob())],
        shard: None,
        application_id: None,
        ..ready_of_a_bot()
    }
}

fn chunk() -> MembersChunk {
    MembersChunk {
        guild_id: guild_id(),
        members: vec![keeper_bob()],
        index: 0,
        count: 1,
        not_found: vec![id(99)],
        presences: Some(vec![(bob().id, Appearance::Idle)]),
        nonce: Some("chunk-1".to_owned()),
    }
}

fn change<T>(before: T, after: T) -> Change<T> {
    Change { before, after }
}

fn channel_events() -> Vec<(&'static str, Event)> {
    let moved = Channel {
        position: 4,
        ..general()
    };
    vec![
        ("channel_create", Event::ChannelCreated(parlor())),
        (
            "channel_update",
            Event::ChannelUpdated(Box::new(change(general(), moved))),
        ),
        ("channel_delete", Event::ChannelDeleted(general())),
        ("guild_role_create", Event::RoleCreated(keeper())),
        (
            "guild_role_update",
            Event::RoleUpdated(Box::new(change(keeper(), everyone()))),
        ),
        (
            "guild_role_delete",
            Event::RoleDeleted(Box::new(RoleEnd {
                role: keeper(),
                holders: vec![bob().id],
                overwrites: Vec::new(),
            })),
        ),
    ]
}

fn guild_events() -> Vec<(&'static str, Event)> {
    let founding = Founding {
        guild: guild(),
        everyone: everyone(),
        channel: general(),
        owner: member(ada()),
    };
    let joined = Event::MemberJoined {
        member: Box::new(member(bob())),
        invite: Some(invite()),
    };
    let removed = Event::MemberRemoved {
        member: Box::new(keeper_bob()),
        how: Departure::Kicked,
    };
    vec![
        (
            "guild_create_founded",
            Event::GuildCreated(Box::new(founding)),
        ),
        (
            "guild_update",
            Event::GuildUpdated(Box::new(change(guild(), guild()))),
        ),
        ("guild_delete_ended", Event::GuildDeleted),
        ("guild_member_add", joined),
        (
            "guild_member_update",
            Event::MemberUpdated(Box::new(change(member(bob()), keeper_bob()))),
        ),
        ("guild_member_remove", removed),
        ("guild_ban_add", Event::BanAdded(ban())),
        ("guild_ban_remove", Event::BanRemoved(ban())),
        ("invite_create", Event::InviteCreated(invite())),
        ("invite_delete", Event::InviteDeleted(invite())),
    ]
}

fn message_events() -> Vec<(&'static str, Event)> {
    let deleted = |message: Message| Event::MessageDeleted {
        id: message.id,
        channel_id: message.channel_id,
        place: message.place,
    };
    let place = || Place::guild(guild_id());
    vec![
        ("message_create", Event::MessageCreated(Box::new(reply()))),
        (
            "message_create_direct",
            Event::MessageCreated(Box::new(whisper())),
        ),
        ("message_update", Event::MessageUpdated(Box::new(reply()))),
        ("message_delete", deleted(reply())),
        ("message_delete_direct", deleted(whisper())),
        (
            "message_reaction_add",
            Event::ReactionAdded(Box::new(reaction(place()))),
        ),
        (
            "message_reaction_remove",
            Event::ReactionRemoved(Box::new(reaction(place()))),
        ),
        (
            "message_reaction_add_direct",
            Event::ReactionAdded(Box::new(Reaction {
                channel_id: direct().id,
                member: None,
                ..reaction(Place::Direct(direct().users))
            })),
        ),
    ]
}

fn user_events() -> Vec<(&'static str, Event)> {
    let opened = Event::DirectOpened {
        channel: direct(),
        users: Box::new([ada(), bob()]),
    };
    let updated = Event::UserUpdated {
        user: Box::new(ada()),
        email: Some("ada@example.org".to_owned()),
    };
    vec![("channel_create_direct", opened), ("user_update", updated)]
}

fn record(source: Source, event: Event) -> Dispatch {
    Dispatch::Event(Arc::new(Record {
        source,
        gseq: 1,
        at: at(8),
        event,
    }))
}

/// Every kind of dispatch with the name of its golden file: the event's name in lower case, and
/// what makes it another case of that event.
pub(crate) fn dispatches() -> Vec<(&'static str, Dispatch)> {
    let guild = Source::Guild(guild_id());
    let in_guild = [channel_events(), guild_events(), message_events()].concat();
    let records = in_guild
        .into_iter()
        .map(|(name, event)| (name, record(guild, event)));
    let of_user = user_events().into_iter();
    let of_user = of_user.map(|(name, event)| (name, record(Source::User(ada().id), event)));
    let presence = Dispatch::Presence {
        guild_id: guild_id(),
        user_id: bob().id,
        appearance: Appearance::Dnd,
    };
    let made = [
        ("ready_bot", Dispatch::Ready(Box::new(ready_of_a_bot()))),
        (
            "ready_person",
            Dispatch::Ready(Box::new(ready_of_a_person())),
        ),
        (
            "guild_create",
            Dispatch::GuildAvailable(Box::new(snapshot())),
        ),
        ("guild_delete", Dispatch::GuildGone(guild_id())),
        (
            "channel_create_shown",
            Dispatch::ChannelShown(Box::new(general())),
        ),
        (
            "channel_delete_hidden",
            Dispatch::ChannelHidden(Box::new(general())),
        ),
        (
            "guild_members_chunk",
            Dispatch::MembersChunk(Box::new(chunk())),
        ),
        ("presence_update", presence),
    ];
    records.chain(of_user).chain(made).collect()
}
