//! One small world.

use guildhall_model::application_command::Finite;
use guildhall_model::attachment::{Attachment, Dimensions, FileName, Signature};
use guildhall_model::channel::{Channel, ChannelKind, DirectChannel, Overwrite, OverwriteTarget};
use guildhall_model::emoji::GuildEmoji;
use guildhall_model::guild::{Guild, GuildSnapshot};
use guildhall_model::interaction::{
    Answers, CommandUse, GivenOption, GivenValue, Interaction, InteractionData, InteractionToken,
    Occasion, Resolved,
};
use guildhall_model::invite::Invite;
use guildhall_model::limits::WEBHOOK_TOKEN_CHARS;
use guildhall_model::member::{Ban, Member};
use guildhall_model::message::component::{
    ActionRow, Button, ButtonStyle, ButtonTarget, Component, ComponentEmoji, Select, SelectKind,
    SelectOption,
};
use guildhall_model::message::embed::{Author, Embed, Field, Footer};
use guildhall_model::message::{
    Authorship, Emoji, Message, MessageFlags, MessageKind, Nonce, Place, ReactionCount, Rich,
};
use guildhall_model::picture::{Picture, PictureHash};
use guildhall_model::role::Role;
use guildhall_model::user::{Status, User};
use guildhall_model::webhook::{Webhook, WebhookToken};
use guildhall_model::{GuildId, Id, Permissions, Timestamp};
use guildhall_wire::{FileUrls, Installation, Spelling};

/// The installation whose golden files these are.
pub(crate) const SPELLING: Spelling = Spelling::new(0x000B_EEF0_CAFE);

/// Ids with the digits that clients expect: 18 to 19, of the year 2026.
pub(crate) fn id<K>(n: u64) -> Id<K> {
    Id::new(1_500_000_000_000_000_000 + n).unwrap()
}

pub(crate) fn guild_id() -> GuildId {
    id(1)
}

pub(crate) fn at(minutes: i64) -> Timestamp {
    Timestamp(1_777_700_000_123 + minutes * 60_000)
}

fn user(n: u64, name: &str) -> User {
    User {
        id: id(n),
        username: name.to_owned(),
        display_name: None,
        avatar: None,
        bot: false,
        status: Status::Online,
        updated_at: at(0),
    }
}

pub(crate) fn ada() -> User {
    User {
        display_name: Some("Ada, Countess".to_owned()),
        avatar: Some(Picture::Address("https://example.org/ada.png".to_owned())),
        status: Status::Invisible,
        ..user(10, "ada")
    }
}

pub(crate) fn bob() -> User {
    User {
        avatar: Some(stored(0x0C, false)),
        ..user(11, "bob")
    }
}

fn stored(byte: u8, is_animated: bool) -> Picture {
    Picture::Stored(PictureHash {
        code: [byte; 16],
        is_animated,
    })
}

pub(crate) fn butler() -> User {
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
        icon: Some(stored(0xAB, true)),
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
        parent_id: None,
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

pub(crate) fn rooms() -> Channel {
    Channel {
        id: id(32),
        kind: ChannelKind::Category,
        name: "Rooms".to_owned(),
        topic: None,
        position: 2,
        overwrites: Vec::new(),
        ..general()
    }
}

pub(crate) fn parlor() -> Channel {
    Channel {
        id: id(31),
        kind: ChannelKind::Voice,
        name: "parlor".to_owned(),
        topic: None,
        position: 1,
        parent_id: Some(rooms().id),
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
            emoji: Emoji::Standard("🍺".to_owned()),
            count: 2,
        }],
        pinned_at: Some(at(8)),
        rich: Some(Box::new(rich())),
    }
}

/// Something of everything that a message can show.
fn rich() -> Rich {
    let link = Button {
        id: 3,
        style: ButtonStyle::Link,
        label: Some("Menu".to_owned()),
        emoji: Some(ComponentEmoji {
            id: None,
            name: Some("🍺".to_owned()),
            animated: false,
        }),
        target: ButtonTarget::Url("https://example.org/menu".to_owned()),
        disabled: false,
    };
    let order = Button {
        id: 2,
        style: ButtonStyle::Success,
        label: Some("Order".to_owned()),
        emoji: None,
        target: ButtonTarget::CustomId("order".to_owned()),
        disabled: false,
    };
    let buttons = [order, link].map(Component::Button);
    let drinks = Component::Select(Select {
        id: 5,
        kind: SelectKind::Text(vec![SelectOption {
            label: "Ale".to_owned(),
            value: "ale".to_owned(),
            description: Some("Dark".to_owned()),
            emoji: None,
            is_default: true,
        }]),
        custom_id: "drink".to_owned(),
        placeholder: Some("What will it be?".to_owned()),
        min_values: 1,
        max_values: 1,
        disabled: false,
    });
    let row = |id, components| ActionRow { id, components };
    Rich {
        kind: MessageKind::Written,
        flags: MessageFlags::SUPPRESS_NOTIFICATIONS,
        tts: false,
        embeds: vec![embed()],
        components: vec![row(1, buttons.into()), row(4, vec![drinks])],
        attachments: vec![picture(), notes()],
        ..Rich::default()
    }
}

fn embed() -> Embed {
    let icon = Some("https://example.org/icon.png".to_owned());
    Embed {
        title: Some("Tonight".to_owned()),
        description: Some("Ale and stew".to_owned()),
        url: Some("https://example.org/tonight".to_owned()),
        timestamp: Some(at(9)),
        color: Some(0x00C0_FFEE),
        footer: Some(Footer {
            text: "Until midnight".to_owned(),
            icon_url: icon.clone(),
        }),
        image: Some("https://example.org/stew.png".to_owned()),
        thumbnail: icon.clone(),
        author: Some(Author {
            name: "Bob".to_owned(),
            url: None,
            icon_url: icon,
        }),
        fields: vec![Field {
            name: "Stew".to_owned(),
            value: "Three coins".to_owned(),
            inline: true,
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
        pinned_at: None,
        rich: None,
        ..reply()
    }
}

pub(crate) fn direct() -> DirectChannel {
    DirectChannel {
        id: id(40),
        users: [ada().id, bob().id],
    }
}

pub(crate) fn ale() -> GuildEmoji {
    GuildEmoji {
        id: id(90),
        guild_id: guild_id(),
        name: "ale".to_owned(),
        is_animated: true,
        roles: vec![keeper().id],
        creator_id: bob().id,
    }
}

pub(crate) fn snapshot() -> GuildSnapshot {
    GuildSnapshot {
        guild: guild(),
        roles: vec![everyone(), keeper()],
        channels: vec![general(), parlor(), rooms()],
        members: vec![member(ada()), keeper_bob(), member(butler())],
        member_count: 3,
        large: false,
        emojis: vec![ale()],
        me: butler().id,
    }
}

/// A picture with everything that may be said of one.
pub(crate) fn picture() -> Attachment {
    Attachment {
        id: id(60),
        filename: FileName::clean("SPOILER_my cat.png"),
        title: Some("my cat".to_owned()),
        description: Some("A cat asleep on a keyboard".to_owned()),
        content_type: "image/png".to_owned(),
        size: 41_812,
        dimensions: Some(Dimensions {
            width: 640,
            height: 480,
        }),
        is_spoiler: true,
        signature: Signature([0xA7; 16]),
    }
}

/// A file of which little is known.
pub(crate) fn notes() -> Attachment {
    Attachment {
        id: id(61),
        filename: FileName::clean("notes.txt"),
        title: None,
        description: None,
        content_type: "text/plain".to_owned(),
        size: 0,
        dimensions: None,
        is_spoiler: false,
        signature: Signature([0; 16]),
    }
}

pub(crate) fn installation() -> Installation {
    Installation {
        spelling: SPELLING,
        urls: file_urls(),
    }
}

pub(crate) fn file_urls() -> FileUrls {
    FileUrls::new("https://chat.example.org")
}

pub(crate) fn webhook() -> Webhook {
    Webhook {
        id: id(40),
        guild_id: guild_id(),
        channel_id: general().id,
        name: "Town crier".to_owned(),
        avatar: Some(stored(0x0D, false)),
        token: WebhookToken::parse(&"t".repeat(WEBHOOK_TOKEN_CHARS)).unwrap(),
        creator_id: ada().id,
        application_id: Some(id(12)),
    }
}

/// What the webhook says under another name.
pub(crate) fn cry() -> Message {
    let picture = "https://example.org/bell.png".to_owned();
    Message {
        author: webhook().author(Some("Bell".to_owned()), Some(picture)),
        place: Place::guild(guild_id()),
        reply_to: None,
        rich: Some(Box::new(Rich {
            webhook_id: Some(webhook().id),
            application_id: webhook().application_id,
            ..Rich::default()
        })),
        ..reply()
    }
}

/// A command that bob runs.
pub(crate) fn interaction() -> Interaction {
    let option = |name: &str, value| GivenOption {
        name: name.to_owned(),
        value,
    };
    let options = vec![
        option("what", GivenValue::Text("ale".to_owned())),
        option("many", GivenValue::Integer(2)),
        option("warm", GivenValue::Number(Finite::new(0.5).unwrap())),
        option("whom", GivenValue::User(ada().id)),
    ];
    Interaction {
        id: id(70),
        application_id: id(12),
        token: InteractionToken("token".to_owned()),
        channel_id: general().id,
        place: Place::guild(guild_id()),
        channel: Some(Box::new(general())),
        user: bob(),
        member: Some(keeper_bob()),
        permissions: Permissions::DEFAULT,
        app_permissions: Permissions::EVERYTHING,
        data: InteractionData::Command(Box::new(CommandUse {
            id: id(71),
            name: "order".to_owned(),
            guild_id: None,
            options: vec![option("drink", GivenValue::Subcommand(options))],
            resolved: Resolved {
                users: vec![ada()],
                members: vec![(member(ada()), Permissions::DEFAULT)],
                roles: vec![keeper()],
                channels: vec![(parlor(), Permissions::DEFAULT)],
            },
        })),
    }
}

/// That something answers [`interaction`].
pub(crate) fn answers() -> Answers {
    Answers {
        interaction_id: interaction().id,
        application_id: interaction().application_id,
        user: bob(),
        occasion: Occasion::Command("order".to_owned()),
        original_id: None,
    }
}
