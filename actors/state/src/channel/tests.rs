//! Promises of a channel's machine.

use guildhall_model::Timestamp;
use guildhall_model::command::{Allowed, AllowedMentions, Draft, Edit, Given};
use guildhall_model::emoji::CustomEmoji;
use guildhall_model::message::embed::Embed;
use guildhall_model::message::{Anchor, Emoji, Message, MessageFlags, MessageKind};
use guildhall_model::snowflake::Generator;
use guildhall_model::text::Content;
use guildhall_model::user::{Status, User};
use guildhall_model::{Id, RoleId};

use super::decide::mentioned_roles;
use super::*;
use crate::Mint;

fn user(id: u64) -> User {
    User {
        id: UserId::new(id).unwrap(),
        username: format!("user{id}"),
        display_name: None,
        avatar: None,
        bot: false,
        status: Status::Online,
        updated_at: Timestamp(0),
    }
}

struct Room {
    state: ChannelState,
    ids: Generator,
    now: i64,
}

impl Room {
    fn new() -> Self {
        let place = Place::Direct([UserId::new(1).unwrap(), UserId::new(2).unwrap()]);
        let state = ChannelState::new(ChannelId::new(9).unwrap(), place, Window::over(vec![], 50));
        Self {
            state,
            ids: Generator::new(0, 0),
            now: 1_700_000_000_000,
        }
    }

    fn post(&mut self, author: u64, text: &str, nonce: Option<&str>) -> Posted {
        self.now += 1;
        let mut mint = Mint {
            now: Timestamp(self.now),
            ids: &mut self.ids,
        };
        let draft = Draft {
            nonce: nonce.map(|text| Nonce::Text(text.to_owned())),
            ..Draft::said(user(author), Content::parse(text).unwrap())
        };
        let writer = Writer::direct(UserId::new(author).unwrap());
        let posted = self.state.post(&writer, draft, &mut mint).unwrap();
        if let Posted::New(message) = &posted {
            self.state.apply(&Event::MessageCreated(message.clone()));
        }
        posted
    }
}

#[test]
fn a_repeated_nonce_answers_with_the_first_message() {
    let mut room = Room::new();
    let Posted::New(first) = room.post(1, "hello", Some("a")) else {
        panic!("is new")
    };
    assert!(matches!(room.post(1, "hello", Some("a")), Posted::Repeat(id) if id == first.id));
    assert!(
        matches!(room.post(2, "hello", Some("a")), Posted::New(_)),
        "nonces are per author"
    );
    assert!(matches!(room.post(1, "hello", Some("b")), Posted::New(_)));
}

#[test]
fn only_the_author_edits() {
    let mut room = Room::new();
    let Posted::New(message) = room.post(1, "hello", None) else {
        panic!("is new")
    };
    let mint = Mint {
        now: Timestamp(room.now),
        ids: &mut room.ids,
    };
    let text = || Edit::of_content(Content::parse("other").unwrap());
    let other = Writer::direct(UserId::new(2).unwrap());
    let refused = ChannelState::edit(&message, &other, text(), vec![], &mint);
    assert_eq!(refused.unwrap_err(), Rejection::NotTheAuthor);
    let author = Writer::direct(UserId::new(1).unwrap());
    let edited = ChannelState::edit(&message, &author, text(), vec![], &mint).unwrap();
    assert!(matches!(edited, Some(Event::MessageUpdated(m)) if m.edited_at.is_some()));
}

fn posted(room: &mut Room, author: u64, text: &str) -> Message {
    match room.post(author, text, None) {
        Posted::New(message) => *message,
        Posted::Repeat(_) => panic!("is new"),
    }
}

fn member(author: u64, access: Permissions) -> Writer {
    Writer {
        access: access | Permissions::VIEW_CHANNEL,
        ..Writer::direct(UserId::new(author).unwrap())
    }
}

fn boxed() -> Vec<Embed> {
    vec![Embed {
        title: Some("box".to_owned()),
        ..Embed::default()
    }]
}

#[test]
fn a_webhook_writes_without_being_a_member_and_mentions_whom_it_likes() {
    let mut room = Room::new();
    let guild = Place::guild(guildhall_model::GuildId::new(5).unwrap());
    room.state = ChannelState::new(ChannelId::new(9).unwrap(), guild, Window::over(vec![], 50));
    let webhook = WebhookId::new(40).unwrap();
    let writer = Writer::webhook(webhook, vec![RoleId::new(6).unwrap()]);
    let content = Content::parse("@everyone <@&6> <@&7>").unwrap();
    let mut draft = Draft::said(user(40), content);
    draft.rich.embeds = boxed();
    draft.rich.tts = true;
    let mut mint = Mint {
        now: Timestamp(room.now),
        ids: &mut room.ids,
    };
    let Ok(Posted::New(message)) = room.state.post(&writer, draft, &mut mint) else {
        panic!("is new")
    };
    assert!(message.mention_everyone);
    assert_eq!(message.mention_roles, [RoleId::new(6).unwrap()]);
    assert!(matches!(message.place, Place::Guild { member: None, .. }));
    let edit = Edit::of_content(Content::parse("other").unwrap());
    let edited = ChannelState::edit(&message, &writer, edit.clone(), vec![], &mint);
    assert!(edited.unwrap().is_some());
    assert!(room.state.delete(&message, &writer).is_ok());
    let other = Writer::webhook(WebhookId::new(41).unwrap(), vec![]);
    let refused = ChannelState::edit(&message, &other, edit, vec![], &mint);
    assert_eq!(refused.unwrap_err(), Rejection::NotTheAuthor);
    let refused = room.state.delete(&message, &other);
    let needed = Permissions::MANAGE_MESSAGES;
    assert_eq!(refused.unwrap_err(), Rejection::MissingPermission(needed));
}

#[test]
fn a_message_shows_something_and_its_parts_are_rights_of_their_own() {
    let mut room = Room::new();
    let mut draft = Draft::said(user(1), Content::parse("x").unwrap());
    draft.content = None;
    let mut post = |writer: &Writer, draft: &Draft| {
        let mut mint = Mint {
            now: Timestamp(room.now),
            ids: &mut room.ids,
        };
        room.state.post(writer, draft.clone(), &mut mint)
    };
    let plain = member(1, Permissions::SEND_MESSAGES);
    assert_eq!(post(&plain, &draft).unwrap_err(), Rejection::EmptyMessage);
    draft.rich.embeds = boxed();
    assert_eq!(
        post(&plain, &draft).unwrap_err(),
        Rejection::MissingPermission(Permissions::EMBED_LINKS)
    );
    let boxer = member(1, Permissions::SEND_MESSAGES | Permissions::EMBED_LINKS);
    assert!(matches!(post(&boxer, &draft), Ok(Posted::New(it)) if it.embeds() == boxed()));
    draft.rich.tts = true;
    assert_eq!(
        post(&boxer, &draft).unwrap_err(),
        Rejection::MissingPermission(Permissions::SEND_TTS_MESSAGES)
    );
}

#[test]
fn a_moderator_hides_embeds_and_changes_nothing_else() {
    let mut room = Room::new();
    let message = posted(&mut room, 1, "hello");
    let mint = Mint {
        now: Timestamp(room.now),
        ids: &mut room.ids,
    };
    let hide = || Edit {
        suppress_embeds: Some(true),
        ..Edit::default()
    };
    let edit = |writer: &Writer, edit| ChannelState::edit(&message, writer, edit, vec![], &mint);
    let other = member(2, Permissions::empty());
    assert!(edit(&other, hide()).is_err());
    let moderator = member(2, Permissions::MANAGE_MESSAGES);
    let hidden = edit(&moderator, hide()).unwrap();
    let Some(Event::MessageUpdated(after)) = hidden else {
        panic!("it changes")
    };
    assert_eq!(after.flags(), MessageFlags::SUPPRESS_EMBEDS);
    let more = Edit {
        embeds: Some(boxed()),
        ..hide()
    };
    assert_eq!(edit(&moderator, more).unwrap_err(), Rejection::NotTheAuthor);
    let nothing = Edit {
        content: Some(None),
        ..Edit::default()
    };
    let author = member(1, Permissions::empty());
    assert_eq!(edit(&author, nothing).unwrap_err(), Rejection::EmptyMessage);
    assert_eq!(edit(&author, Edit::default()).unwrap(), None);
}

#[test]
fn a_content_mentions_only_whom_it_may() {
    let mut room = Room::new();
    let role = RoleId::new(7).unwrap();
    let mut writer = member(
        1,
        Permissions::SEND_MESSAGES | Permissions::MENTION_EVERYONE,
    );
    writer.mentionable = vec![role];
    let mut mentioned = |allowed_mentions: AllowedMentions| {
        let mut mint = Mint {
            now: Timestamp(room.now),
            ids: &mut room.ids,
        };
        let draft = Draft {
            allowed_mentions,
            ..Draft::said(user(1), Content::parse("@everyone <@&7>").unwrap())
        };
        match room.state.post(&writer, draft, &mut mint).unwrap() {
            Posted::New(message) => (message.mention_everyone, message.mention_roles),
            Posted::Repeat(_) => panic!("is new"),
        }
    };
    assert_eq!(mentioned(AllowedMentions::default()), (true, vec![role]));
    let nobody = AllowedMentions {
        everyone: false,
        roles: Allowed::These(Vec::new()),
        ..AllowedMentions::default()
    };
    assert_eq!(mentioned(nobody), (false, Vec::new()));
}

#[test]
fn a_pin_is_told_with_its_message_its_list_and_a_notice() {
    let mut room = Room::new();
    let message = posted(&mut room, 1, "hello");
    let now = Timestamp(room.now);
    let pinner = Writer::direct(UserId::new(2).unwrap());
    let mut pin = |message: &Message, writer: &Writer, pins| {
        let mut mint = Mint {
            now,
            ids: &mut room.ids,
        };
        room.state.pin(message, writer, user(2), pins, &mut mint)
    };
    let events = pin(&message, &pinner, 0).unwrap();
    let [
        Event::MessageUpdated(pinned),
        Event::PinsChanged { last_pin, .. },
        Event::MessageCreated(notice),
    ] = &events[..]
    else {
        panic!("{events:?}")
    };
    assert_eq!((pinned.pinned_at, *last_pin), (Some(now), Some(now)));
    assert_eq!(pinned.edited_at, None, "nothing of it was edited");
    assert_eq!(notice.kind(), MessageKind::Pinned);
    assert_eq!(
        (notice.reply_to, notice.author.id),
        (Some(message.id), user(2).id)
    );
    assert_eq!(pin(pinned, &pinner, 1).unwrap(), []);
    assert!(matches!(
        pin(&message, &pinner, limits::PINS_MAX),
        Err(Rejection::LimitReached { what: "pins", .. })
    ));
    let moderator = member(2, Permissions::MANAGE_MESSAGES);
    assert_eq!(
        pin(&message, &moderator, 0).unwrap_err(),
        Rejection::MissingPermission(Permissions::PIN_MESSAGES)
    );
    assert_eq!(room.state.unpin(&message, &pinner, None).unwrap(), []);
    let unpinned = room.state.unpin(pinned, &pinner, None).unwrap();
    assert!(matches!(&unpinned[..],
        [Event::MessageUpdated(it), Event::PinsChanged { last_pin: None, .. }] if **it == message));
}

#[test]
fn several_messages_are_deleted_at_once_unless_one_is_old() {
    let mut room = Room::new();
    let ids: Vec<MessageId> = (0..3)
        .map(|n| posted(&mut room, 1, &n.to_string()).id)
        .collect();
    let moderator = member(2, Permissions::MANAGE_MESSAGES);
    let now = Timestamp(room.now);
    let asked = vec![ids[2], ids[0], ids[2]];
    let deleted = room
        .state
        .delete_many(asked.clone(), &moderator, now)
        .unwrap()
        .unwrap();
    room.state.apply(&deleted);
    assert!(
        matches!(deleted, Event::MessagesDeleted { ids: told, .. } if told == [ids[0], ids[2]])
    );
    let page = room.state.window().page(Anchor::Newest, 10).unwrap();
    assert_eq!(page.iter().map(|it| it.id).collect::<Vec<_>>(), [ids[1]]);
    assert_eq!(
        room.state.delete_many(vec![], &moderator, now).unwrap(),
        None
    );
    let later = now.plus_ms(i64::try_from(limits::BULK_DELETE_AGE_MS).unwrap() + 10);
    assert_eq!(
        room.state
            .delete_many(asked.clone(), &moderator, later)
            .unwrap_err(),
        Rejection::TooOld
    );
    let author = member(1, Permissions::empty());
    assert!(room.state.delete_many(asked, &author, now).is_err());
}

fn given(emoji: Emoji) -> Given {
    Given {
        emoji,
        is_external: false,
    }
}

#[test]
fn an_emoji_of_another_guild_needs_a_permission_until_it_is_there() {
    let mut room = Room::new();
    let message = posted(&mut room, 1, "hello");
    let custom = |name: &str| Given {
        emoji: Emoji::Custom(CustomEmoji {
            id: Id::new(7).unwrap(),
            name: name.to_owned(),
            is_animated: false,
        }),
        is_external: true,
    };
    let rights = Permissions::READ_MESSAGE_HISTORY | Permissions::ADD_REACTIONS;
    let plain = member(2, rights);
    assert_eq!(
        room.state.react(&message, &plain, custom("beer"), false),
        Err(Rejection::MissingPermission(
            Permissions::USE_EXTERNAL_EMOJIS
        ))
    );
    let traveller = member(3, rights | Permissions::USE_EXTERNAL_EMOJIS);
    let event = room
        .state
        .react(&message, &traveller, custom("beer"), false);
    room.state.apply(&event.unwrap().unwrap());
    let message = Arc::clone(room.state.window().get(message.id).unwrap());
    // Whoever joins in does not name it anew.
    let event = room.state.react(&message, &plain, custom("ale"), false);
    let Some(Event::ReactionAdded(added)) = event.unwrap() else {
        panic!("a reaction is added");
    };
    let Emoji::Custom(shown) = &added.emoji else {
        panic!("it is the guild's own");
    };
    assert_eq!(shown.name, "beer");
    room.state.apply(&Event::ReactionAdded(added));
    let counts = &room.state.window().get(message.id).unwrap().reactions;
    assert_eq!((counts.len(), counts[0].count), (1, 2));
}

#[test]
fn reactions_are_cleared_all_or_of_one_emoji() {
    let mut room = Room::new();
    let message = posted(&mut room, 1, "hello");
    let emoji = |text: &str| Emoji::Standard(text.to_owned());
    for text in ["👍", "🍺"] {
        let reactor = Writer::direct(UserId::new(2).unwrap());
        let given = room
            .state
            .react(&message, &reactor, given(emoji(text)), false)
            .unwrap();
        room.state.apply(&given.unwrap());
    }
    let counted = |room: &Room| {
        room.state
            .window()
            .get(message.id)
            .unwrap()
            .reactions
            .clone()
    };
    let moderator = member(2, Permissions::MANAGE_MESSAGES);
    let clear = |room: &mut Room, which| {
        let message = Arc::clone(room.state.window().get(message.id).unwrap());
        let event = room
            .state
            .clear_reactions(&message, &moderator, which)
            .unwrap();
        event.is_some_and(|event| {
            room.state.apply(&event);
            true
        })
    };
    assert!(!clear(&mut room, Some(emoji("🎉"))));
    assert!(clear(&mut room, Some(emoji("👍"))));
    assert_eq!(counted(&room).len(), 1);
    assert!(clear(&mut room, None));
    assert!(counted(&room).is_empty());
    assert!(!clear(&mut room, None));
}

#[test]
fn who_cannot_view_learns_nothing() {
    let room = Room::new();
    let mut writer = Writer::direct(UserId::new(3).unwrap());
    writer.access = Permissions::empty();
    assert_eq!(
        writer.require(Permissions::SEND_MESSAGES).unwrap_err(),
        Rejection::Unknown(Noun::Channel)
    );
    drop(room);
}

#[test]
fn the_window_answers_only_for_what_it_holds() {
    let mut room = Room::new();
    let n = limits::RECENT_MESSAGES_MAX;
    for i in 0..n {
        room.post(1, &format!("message {i}"), None);
    }
    let window = room.state.window();
    assert_eq!(
        window.page(Anchor::Newest, 200).map(|page| page.len()),
        Some(n),
        "it is whole"
    );
    room.post(1, "one more", None);
    let window = room.state.window();
    assert!(
        window.page(Anchor::Newest, 200).is_none(),
        "older messages are elsewhere"
    );
    let page = window.page(Anchor::Newest, 2).unwrap();
    assert_eq!(page[0].content, "one more");
    assert!(page[0].id > page[1].id, "newest first");
    let after = window.page(Anchor::After(page[1].id), 50).unwrap();
    assert_eq!(after.len(), 1);
}

#[test]
fn mentions_are_found_once_each() {
    let users = mentioned_users("<@5> and <@!5>, <@&7> <@x> <@6");
    assert_eq!(users, [UserId::new(5).unwrap()]);
    let role = RoleId::new(7).unwrap();
    assert_eq!(mentioned_roles("<@&7><@&7><@&8>", &[role]), [role]);
}
