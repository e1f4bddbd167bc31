//! Promises of a channel's machine.

use guildhall_model::Timestamp;
use guildhall_model::snowflake::Generator;
use guildhall_model::user::Status;

use super::*;
use guildhall_model::message::Anchor;

fn user(id: u64) -> User {
    User {
        id: UserId::new(id).unwrap(),
        username: format!("user{id}"),
        display_name: None,
        avatar_url: None,
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
            author: user(author),
            content: Content::parse(text).unwrap(),
            nonce: nonce.map(|text| Nonce::Text(text.to_owned())),
            reply_to: None,
            mentions: Vec::new(),
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
    let text = || Content::parse("other").unwrap();
    let other = Writer::direct(UserId::new(2).unwrap());
    let refused = ChannelState::edit(&message, &other, text(), vec![], &mint);
    assert_eq!(refused.unwrap_err(), Rejection::NotTheAuthor);
    let author = Writer::direct(UserId::new(1).unwrap());
    let edited = ChannelState::edit(&message, &author, text(), vec![], &mint).unwrap();
    assert!(matches!(edited, Some(Event::MessageUpdated(m)) if m.edited_at.is_some()));
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
