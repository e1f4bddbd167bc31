//! Made-up people and things that the suites store.

use std::fmt::Debug;

use guildhall_model::account::Account;
use guildhall_model::attachment::{Attachment, FileName, Signature};
use guildhall_model::channel::{Channel, ChannelKind};
use guildhall_model::emoji::{CustomEmoji, GuildEmoji};
use guildhall_model::event::{Founding, Reaction};
use guildhall_model::guild::Guild;
use guildhall_model::invite::Invite;
use guildhall_model::limits::WEBHOOK_TOKEN_CHARS;
use guildhall_model::member::Member;
use guildhall_model::message::component::{
    ActionRow, Button, ButtonStyle, ButtonTarget, Component,
};
use guildhall_model::message::embed::Embed;
use guildhall_model::message::{
    Authorship, Emoji, Message, MessageFlags, MessageKind, Nonce, Place, Rich,
};
use guildhall_model::picture::{Picture, PictureHash};
use guildhall_model::role::Role;
use guildhall_model::user::{Status, User};
use guildhall_model::webhook::{Webhook, WebhookToken};
use guildhall_model::{Id, Permissions, Timestamp, UserId};

/// Some instant.
pub(super) const NOW: Timestamp = Timestamp(1_700_000_000_000);
/// Some emoji.
pub(super) const EMOJI: [&str; 3] = ["👍", "❤️", "party"];

/// The id with this number.
pub(super) fn id<K>(number: u64) -> Id<K> {
    Id::new(number).expect("suites use small numbers above zero")
}

/// The user with this number.
pub(super) fn user(number: u64) -> User {
    User {
        id: id(number),
        username: format!("Person.{number}"),
        display_name: number.is_multiple_of(2).then(|| format!("The {number}th")),
        avatar: picture(number),
        bot: false,
        status: match number % 4 {
            0 => Status::Online,
            1 => Status::Idle,
            2 => Status::Dnd,
            _ => Status::Invisible,
        },
        updated_at: NOW.plus_ms(number.cast_signed()),
    }
}

/// Some have one elsewhere, some one of ours, some none.
fn picture(number: u64) -> Option<Picture> {
    match number % 3 {
        0 => Some(Picture::Address(format!(
            "https://pictures.example/{number}"
        ))),
        1 => Some(Picture::Stored(PictureHash {
            code: u128::from(number).to_be_bytes(),
            is_animated: number.is_multiple_of(2),
        })),
        _ => None,
    }
}

/// The account of the user with this number.
pub(super) fn account(number: u64) -> Account {
    Account {
        user: user(number),
        email: Some(format!("person.{number}@mail.example")),
    }
}

/// The list in an order that does not depend on the adapter.
pub(super) fn sorted<T: Debug>(mut list: Vec<T>) -> Vec<T> {
    list.sort_by_key(|item| format!("{item:?}"));
    list
}

/// The user's membership of a guild, without roles.
pub(super) fn member(user: User) -> Member {
    Member {
        joined_at: user.updated_at,
        user,
        nick: None,
        roles: Vec::new(),
        timed_out_until: None,
        temporary: false,
    }
}

/// A guild with this number and its first channel, of the number after it.
pub(super) fn founding(number: u64, owner: User) -> Founding {
    let guild = Guild {
        id: id(number),
        name: format!("Guild {number}"),
        owner_id: owner.id,
        description: Some("Where it's \"quoted\"; DROP TABLE guilds".to_owned()),
        icon: picture(number),
        is_public: number.is_multiple_of(2),
    };
    Founding {
        everyone: Role {
            name: "@everyone".to_owned(),
            permissions: Permissions::DEFAULT,
            ..role(number, number)
        },
        channel: channel(number + 1, number),
        owner: member(owner),
        guild,
    }
}

/// A role of a guild.
pub(super) fn role(number: u64, guild: u64) -> Role {
    Role {
        id: id(number),
        guild_id: id(guild),
        name: format!("Role {number}"),
        color: 0x00FF_FFFF,
        hoist: true,
        mentionable: false,
        managed: false,
        permissions: Permissions::empty(),
        position: 0,
    }
}

/// A channel of a guild.
pub(super) fn channel(number: u64, guild: u64) -> Channel {
    Channel {
        id: id(number),
        guild_id: id(guild),
        kind: match number % 3 {
            0 => ChannelKind::Text,
            1 => ChannelKind::Voice,
            _ => ChannelKind::Category,
        },
        name: format!("channel-{number}"),
        topic: None,
        position: 3,
        parent_id: None,
        overwrites: Vec::new(),
    }
}

/// An invite to a guild.
pub(super) fn invite(code: &str, guild: u64) -> Invite {
    Invite {
        code: code.to_owned(),
        guild_id: id(guild),
        channel_id: id(guild + 1),
        inviter_id: id(1),
        uses: 0,
        max_uses: 10,
        max_age_s: 3_600,
        temporary: false,
        created_at: NOW,
    }
}

/// A webhook in the first channel of a guild.
pub(super) fn webhook(number: u64, guild: u64) -> Webhook {
    Webhook {
        id: id(number),
        guild_id: id(guild),
        channel_id: id(guild + 1),
        name: format!("Hook {number}'s \"quotes\""),
        avatar: picture(number),
        token: WebhookToken::parse(&format!("{number:0>WEBHOOK_TOKEN_CHARS$}"))
            .expect("the length is right"),
        creator_id: id(1),
        application_id: number.is_multiple_of(2).then(|| id(9)),
    }
}

/// A message in a channel of guild 100, with something in every field.
pub(super) fn message(number: u64, channel: u64, author: u64) -> Message {
    Message {
        id: id(number),
        channel_id: id(channel),
        place: Place::Guild {
            guild_id: id(100),
            member: Some(Authorship {
                nick: Some("Nick".to_owned()),
                roles: vec![id(111), id(112)],
                joined_at: NOW,
            }),
        },
        author: user(author),
        content: format!("Message {number}, it's \"fine\" 👍"),
        edited_at: None,
        nonce: Some(Nonce::Text(format!("nonce {number}"))),
        reply_to: number.is_multiple_of(2).then(|| id(number - 1)),
        mentions: vec![user(author + 1)],
        mention_roles: vec![id(111)],
        mention_everyone: number.is_multiple_of(3),
        reactions: Vec::new(),
        pinned_at: number.is_multiple_of(5).then_some(NOW),
        rich: number.is_multiple_of(2).then(|| Box::new(rich())),
    }
}

fn rich() -> Rich {
    let embed = Embed {
        title: Some("A box".to_owned()),
        color: Some(0x00FF_8800),
        timestamp: Some(NOW),
        ..Embed::default()
    };
    let button = Button {
        id: 2,
        style: ButtonStyle::Primary,
        label: Some("Press".to_owned()),
        emoji: None,
        target: ButtonTarget::CustomId("pressed".to_owned()),
        disabled: false,
    };
    Rich {
        kind: MessageKind::Written,
        flags: MessageFlags::SUPPRESS_NOTIFICATIONS,
        tts: true,
        embeds: vec![embed],
        components: vec![ActionRow {
            id: 1,
            components: vec![Component::Button(button)],
        }],
        attachments: vec![file()],
        webhook_id: Some(id(8_000)),
        application_id: Some(id(9)),
        ..Rich::default()
    }
}

fn file() -> Attachment {
    Attachment {
        id: id(7_000),
        filename: FileName::clean("stew.png"),
        title: None,
        description: Some("A bowl".to_owned()),
        content_type: "image/png".to_owned(),
        size: 512,
        dimensions: None,
        is_spoiler: false,
        signature: Signature([7; 16]),
    }
}

/// One of [`EMOJI`], of which the last is a guild's own.
pub(super) fn emoji(n: usize) -> Emoji {
    let name = EMOJI[n].to_owned();
    if name.is_ascii() {
        return Emoji::Custom(CustomEmoji {
            id: id(77),
            name,
            is_animated: true,
        });
    }
    Emoji::Standard(name)
}

/// The text or the name of an emoji.
pub(super) fn emoji_text(emoji: &Emoji) -> &str {
    match emoji {
        Emoji::Standard(text) => text,
        Emoji::Custom(custom) => &custom.name,
    }
}

/// An emoji of a guild.
pub(super) fn guild_emoji(number: u64, guild: u64) -> GuildEmoji {
    GuildEmoji {
        id: id(number),
        guild_id: id(guild),
        name: format!("emoji_{number}"),
        is_animated: number.is_multiple_of(2),
        roles: Vec::new(),
        creator_id: id(1),
    }
}

/// An emoji by a user on a message.
pub(super) fn reaction(message: &Message, emoji: usize, user: UserId) -> Reaction {
    Reaction {
        message_id: message.id,
        message_author_id: message.author.id,
        channel_id: message.channel_id,
        place: message.place.clone(),
        user_id: user,
        member: None,
        emoji: self::emoji(emoji),
    }
}
