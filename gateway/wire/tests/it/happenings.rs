//! Every kind of dispatch that can happen in the small world.

use std::sync::Arc;

use guildhall_model::GuildId;
use guildhall_model::audit::{AuditEntry, Deed, Turn};
use guildhall_model::channel::Channel;
use guildhall_model::dispatch::{Dispatch, MembersChunk, Ready, Shard, Typing};
use guildhall_model::emoji::{EmojiChange, EmojisChange};
use guildhall_model::event::{
    Change, Departure, Event, Founding, GuildChange, Reaction, Record, RoleEnd, Source,
};
use guildhall_model::intent::Intents;
use guildhall_model::interaction::{ComponentUse, Interaction, InteractionData, Resolved};
use guildhall_model::member::Member;
use guildhall_model::message::{Emoji, Message, MessageFlags, Nonce, Place, Rich};
use guildhall_model::user::Appearance;

use crate::sample::*;

fn timed_out_bob() -> Member {
    Member {
        nick: Some("Bobby".to_owned()),
        timed_out_until: Some(at(90)),
        ..keeper_bob()
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
        emoji: Emoji::Standard("🍺".to_owned()),
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
        application: Some((id(12), Intents::GUILD_MEMBERS)),
        version: 9,
    }
}

fn ready_of_a_person() -> Ready {
    Ready {
        user: ada(),
        email: Some("ada@example.org".to_owned()),
        direct_channels: vec![(direct(), bob())],
        shard: None,
        application: None,
        version: 10,
        ..ready_of_a_bot()
    }
}

fn typing(member: Option<(GuildId, Member)>) -> Dispatch {
    Dispatch::Typing(Box::new(Typing {
        channel_id: match member {
            Some(_) => general().id,
            None => direct().id,
        },
        user_id: bob().id,
        since: id::<()>(77).created_at().plus_ms(1_999),
        member,
    }))
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
            Event::GuildUpdated(Box::new(GuildChange {
                before: guild(),
                after: guild(),
                roles: vec![everyone(), keeper()],
                emojis: vec![ale()],
                member_count: 2,
            })),
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
        (
            "guild_emojis_update",
            Event::EmojisChanged(Box::new(EmojisChange {
                change: EmojiChange::Created(ale()),
                emojis: vec![ale()],
            })),
        ),
        (
            "guild_audit_log_entry_create",
            Event::Audited(Box::new(AuditEntry {
                id: id(9_001),
                by: ada().id,
                reason: Some("spring".to_owned()),
                deed: Deed::Member(Box::new(change(member(bob()), timed_out_bob()))),
            })),
        ),
        (
            "guild_audit_log_entry_create_role",
            Event::Audited(Box::new(AuditEntry {
                id: id(9_002),
                by: ada().id,
                reason: None,
                deed: Deed::Role(Box::new(Turn::made(keeper()))),
            })),
        ),
        ("invite_create", Event::InviteCreated(invite())),
        ("invite_delete", Event::InviteDeleted(invite())),
    ]
}

fn webhook_events() -> Vec<(&'static str, Event)> {
    vec![
        (
            "webhooks_update_created",
            Event::WebhookCreated(Box::new(webhook())),
        ),
        (
            "webhooks_update",
            Event::WebhookUpdated(Box::new(change(webhook(), webhook()))),
        ),
        (
            "webhooks_update_deleted",
            Event::WebhookDeleted(Box::new(webhook())),
        ),
        (
            "message_create_webhook",
            Event::MessageCreated(Box::new(cry())),
        ),
    ]
}

fn message_events() -> Vec<(&'static str, Event)> {
    let deleted = |message: Message| Event::MessageDeleted {
        id: message.id,
        channel_id: message.channel_id,
        place: message.place,
        only_for: None,
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
            "message_delete_bulk",
            Event::MessagesDeleted {
                ids: vec![reply().id, whisper().id],
                channel_id: general().id,
                place: place(),
            },
        ),
        (
            "channel_pins_update",
            Event::PinsChanged {
                channel_id: general().id,
                place: place(),
                last_pin: Some(at(8)),
            },
        ),
        (
            "channel_pins_update_last_gone",
            Event::PinsChanged {
                channel_id: direct().id,
                place: whisper().place,
                last_pin: None,
            },
        ),
    ]
}

fn cleared_events() -> Vec<(&'static str, Event)> {
    let place = || Place::guild(guild_id());
    let cleared = |emoji| Event::ReactionsCleared {
        message_id: reply().id,
        channel_id: general().id,
        place: place(),
        emoji,
    };
    vec![
        ("message_reaction_remove_all", cleared(None)),
        (
            "message_reaction_remove_emoji",
            cleared(Some(Emoji::Standard("🍺".to_owned()))),
        ),
    ]
}

fn reaction_events() -> Vec<(&'static str, Event)> {
    let place = || Place::guild(guild_id());
    vec![
        (
            "message_reaction_add",
            Event::ReactionAdded(Box::new(reaction(place()))),
        ),
        (
            "message_reaction_add_custom",
            Event::ReactionAdded(Box::new(Reaction {
                emoji: Emoji::Custom(ale().given()),
                ..reaction(place())
            })),
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

fn interaction_events() -> Vec<(&'static str, Event)> {
    let pressed = InteractionData::Component(Box::new(ComponentUse {
        message: reply(),
        component_id: 2,
        custom_id: "order".to_owned(),
        kind: 2,
        values: None,
        resolved: Resolved::default(),
    }));
    let mut announced = reply();
    announced.nonce = Some(Nonce::Interaction(interaction().id));
    announced.rich = Some(Box::new(Rich {
        flags: MessageFlags::LOADING,
        answers: Some(Box::new(answers())),
        only_for: Some(bob().id),
        ..Rich::default()
    }));
    let press = Interaction {
        place: Place::Direct(direct().users),
        channel_id: direct().id,
        channel: None,
        member: None,
        data: pressed,
        ..interaction()
    };
    vec![
        (
            "interaction_create",
            Event::InteractionCreated(Box::new(interaction())),
        ),
        (
            "interaction_create_pressed",
            Event::InteractionCreated(Box::new(press)),
        ),
        (
            "interaction_success",
            Event::InteractionAcknowledged {
                id: interaction().id,
                application_id: interaction().application_id,
                user_id: bob().id,
                channel_id: general().id,
                place: Place::guild(guild_id()),
            },
        ),
        (
            "message_create_announced",
            Event::MessageCreated(Box::new(announced)),
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
    let in_guild = [
        channel_events(),
        guild_events(),
        webhook_events(),
        message_events(),
        cleared_events(),
        reaction_events(),
        interaction_events(),
    ]
    .concat();
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
        ("typing_start", typing(Some((guild_id(), keeper_bob())))),
        ("typing_start_direct", typing(None)),
        ("soundboard_sounds", Dispatch::Sounds(guild_id())),
        ("channel_info", Dispatch::ChannelInfo(guild_id())),
    ];
    records.chain(of_user).chain(made).collect()
}
