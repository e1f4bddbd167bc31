//! What every adapter of [`Messages`] promises about messages and their pages.

#![expect(clippy::missing_panics_doc, reason = "a broken promise panics")]
#![expect(clippy::unwrap_used, reason = "the suites are tests")]

use std::sync::Arc;

use guildhall_model::event::{Event, Record, Source};
use guildhall_model::message::{Anchor, Message, Nonce, Place, Rich};
use guildhall_model::snowflake::Generator;
use guildhall_model::{
    ApplicationId, ChannelId, EventPartition, Id, InteractionId, Position, Timestamp, UserId,
    limits,
};

use super::sample::{NOW, id, message};
use crate::messages::{Messages, NonceUse};

/// Makes a test of each promise about messages. `$fresh` names an async function that answers an
/// `Arc<dyn Messages>` without messages, and whatever must live as long as it.
#[macro_export]
macro_rules! messages_promises {
    ($fresh:path) => {
        $crate::promises! { messages, $fresh:
            unknown_messages_are_absent
            a_message_is_read_back_as_it_was_posted
            an_edit_replaces_the_message
            a_page_holds_the_newest_first
            a_page_does_not_hold_its_anchor
            a_page_around_a_message_has_it_in_the_middle
            pages_walk_a_channel_without_gaps
            pins_are_listed_from_the_last_one
            a_nonce_finds_its_message
            what_one_user_alone_sees_is_on_no_page
            what_was_answered_stays_answered_as_long_as_it_may_be_followed
            the_highest_message_id_never_falls
        }
    };
}

type Store = Arc<dyn Messages>;

pub(super) const PARTITION: EventPartition = EventPartition(2);
/// The guild of [`message`], and two of its channels.
pub(super) const GUILD: Source = Source::Guild(match Id::new(100) {
    Some(id) => id,
    None => unreachable!(),
});
pub(super) const CHANNEL: u64 = 101;
const OTHER: u64 = 102;

pub(super) fn created(message: &Message) -> Event {
    Event::MessageCreated(Box::new(message.clone()))
}

pub(super) fn deleted(message: &Message) -> Event {
    Event::MessageDeleted {
        id: message.id,
        channel_id: message.channel_id,
        place: message.place.clone(),
        only_for: None,
    }
}

pub(super) fn edited(message: &Message, content: &str) -> Message {
    Message {
        content: content.to_owned(),
        edited_at: Some(NOW),
        ..message.clone()
    }
}

/// Applies events of the guild behind those that it has.
pub(super) async fn apply(store: &Store, events: impl IntoIterator<Item = Event>) {
    let first = store.last_gseq(GUILD).await.unwrap() + 1;
    let records: Vec<Arc<Record>> = (first..)
        .zip(events)
        .map(|(gseq, event)| record(GUILD, gseq, event))
        .collect();
    let upto = Position(first + records.len() as u64);
    store.apply(PARTITION, &records, upto).await.unwrap();
}

pub(super) fn record(source: Source, gseq: u64, event: Event) -> Arc<Record> {
    Arc::new(Record {
        source,
        gseq,
        at: NOW,
        event,
    })
}

/// Ten messages of the channel, numbers 1010, 1020 … 1100, with others between them.
async fn with_history(store: &Store) -> Vec<Message> {
    let ours: Vec<Message> = (1..=10)
        .map(|n| message(1000 + 10 * n, CHANNEL, 1))
        .collect();
    let others: Vec<Message> = (1..=10).map(|n| message(1005 + 10 * n, OTHER, 1)).collect();
    let both = ours.iter().zip(&others).flat_map(|(a, b)| [a, b]);
    apply(store, both.map(created)).await;
    ours
}

pub(super) async fn page(store: &Store, anchor: Anchor, limit: u16) -> Vec<u64> {
    let page = store.page(id(CHANNEL), anchor, limit).await.unwrap();
    page.iter().map(|message| message.id.get()).collect()
}

/// Absence is an answer.
pub async fn unknown_messages_are_absent(store: Store) {
    let channel: ChannelId = id(CHANNEL);
    assert_eq!(store.get(id(1)).await.unwrap(), None);
    for anchor in [
        Anchor::Newest,
        Anchor::Before(id(1)),
        Anchor::After(id(1)),
        Anchor::Around(id(1)),
    ] {
        assert_eq!(store.page(channel, anchor, 50).await.unwrap(), []);
    }
    assert_eq!(store.applied(PARTITION).await.unwrap(), Position::START);
    assert_eq!(store.last_gseq(GUILD).await.unwrap(), 0);
    assert_eq!(store.highest_id().await.unwrap(), 0);
}

/// Every field, in guilds and between two users.
pub async fn a_message_is_read_back_as_it_was_posted(store: Store) {
    let full = message(1000, CHANNEL, 1);
    let direct = Message {
        place: Place::Direct([id(1), id(2)]),
        edited_at: Some(NOW),
        nonce: Some(Nonce::Number(-7)),
        mentions: Vec::new(),
        mention_roles: Vec::new(),
        ..message(1001, OTHER, 2)
    };
    let bare = Message {
        place: Place::guild(id(100)),
        content: String::new(),
        nonce: None,
        ..message(1003, CHANNEL, 1)
    };
    let posted = [full, direct, bare];
    for (gseq, message) in (1..).zip(&posted) {
        let source = message.place.source(message.channel_id);
        let record = record(source, gseq, created(message));
        let upto = Position(gseq + 1);
        store.apply(PARTITION, &[record], upto).await.unwrap();
    }
    for message in &posted {
        let found = store.get(message.id).await.unwrap();
        assert_eq!(found.as_ref(), Some(message));
    }
    let page = store.page(id(CHANNEL), Anchor::Newest, 50).await.unwrap();
    assert_eq!(page, [posted[2].clone(), posted[0].clone()]);
}

/// As a whole: it is afterwards what the event says.
pub async fn an_edit_replaces_the_message(store: Store) {
    let before = message(1000, CHANNEL, 1);
    let mut after = edited(&before, "Better");
    after.mentions.clear();
    after.mention_everyone = true;
    let event = Event::MessageUpdated(Box::new(after.clone()));
    apply(&store, [created(&before), event]).await;
    assert_eq!(store.get(before.id).await.unwrap(), Some(after.clone()));
    let page = store.page(id(CHANNEL), Anchor::Newest, 50).await.unwrap();
    assert_eq!(page, [after]);
}

/// Of its own channel, and as many as were asked for.
pub async fn a_page_holds_the_newest_first(store: Store) {
    let ours = with_history(&store).await;
    assert_eq!(page(&store, Anchor::Newest, 3).await, [1100, 1090, 1080]);
    assert_eq!(page(&store, Anchor::Newest, 0).await, [0_u64; 0]);
    let whole = store.page(id(CHANNEL), Anchor::Newest, 100).await.unwrap();
    let expected: Vec<Message> = ours.into_iter().rev().collect();
    assert_eq!(whole, expected);
}

/// On either side, whether the anchor exists, is another channel's, or lies outside.
pub async fn a_page_does_not_hold_its_anchor(store: Store) {
    with_history(&store).await;
    let before = async |number, limit| page(&store, Anchor::Before(id(number)), limit).await;
    assert_eq!(before(1050, 2).await, [1040, 1030]);
    assert_eq!(before(1051, 2).await, [1050, 1040]);
    assert_eq!(before(1045, 100).await, [1040, 1030, 1020, 1010]);
    assert_eq!(before(1010, 100).await, [0_u64; 0]);
    assert_eq!(before(9999, 1).await, [1100]);
    let after = async |number, limit| page(&store, Anchor::After(id(number)), limit).await;
    assert_eq!(after(1050, 2).await, [1070, 1060]);
    assert_eq!(after(1049, 2).await, [1060, 1050]);
    assert_eq!(after(1075, 100).await, [1100, 1090, 1080]);
    assert_eq!(after(1100, 100).await, [0_u64; 0]);
    assert_eq!(after(1, 1).await, [1010]);
}

/// Half of the page is newer; the message itself counts to the other half.
pub async fn a_page_around_a_message_has_it_in_the_middle(store: Store) {
    with_history(&store).await;
    let around = async |number, limit| page(&store, Anchor::Around(id(number)), limit).await;
    assert_eq!(around(1050, 4).await, [1070, 1060, 1050, 1040]);
    assert_eq!(around(1050, 5).await, [1070, 1060, 1050, 1040, 1030]);
    assert_eq!(around(1050, 1).await, [1050]);
    assert_eq!(around(1055, 4).await, [1070, 1060, 1050, 1040]);
    assert_eq!(around(1010, 4).await, [1030, 1020, 1010]);
    assert_eq!(around(1100, 4).await, [1100, 1090]);
}

/// Each living message once, backwards and forwards, while others are deleted between.
pub async fn pages_walk_a_channel_without_gaps(store: Store) {
    let mut living = with_history(&store).await;
    for place in [7, 4, 3, 0] {
        let gone = living.remove(place);
        apply(&store, [deleted(&gone)]).await;
        assert_eq!(store.get(gone.id).await.unwrap(), None);
    }
    for limit in [1, 2, 3, 100] {
        let mut backwards = page(&store, Anchor::Newest, limit).await;
        loop {
            let oldest = backwards.last().copied().unwrap();
            let next = page(&store, Anchor::Before(id(oldest)), limit).await;
            if next.is_empty() {
                break;
            }
            assert!(next[0] < oldest, "a walk back goes back");
            backwards.extend(next);
        }
        let mut forwards = vec![1];
        loop {
            let newest = forwards.last().copied().unwrap();
            let next = page(&store, Anchor::After(id(newest)), limit).await;
            if next.is_empty() {
                break;
            }
            assert!(*next.last().unwrap() > newest, "a walk on goes on");
            forwards.extend(next.iter().rev());
        }
        let expected: Vec<u64> = living.iter().map(|message| message.id.get()).collect();
        assert_eq!(forwards[1..], expected);
        assert!(backwards.iter().rev().eq(&expected));
    }
}

/// Of one channel, in the order in which they were pinned, and in pages.
pub async fn pins_are_listed_from_the_last_one(store: Store) {
    let pinned = |number: u64, channel: u64, at: i64| Message {
        pinned_at: Some(NOW.plus_ms(at)),
        ..message(number, channel, 1)
    };
    let plain = Message {
        pinned_at: None,
        ..message(1004, CHANNEL, 1)
    };
    let pins = [
        pinned(1000, CHANNEL, 30),
        pinned(1001, CHANNEL, 10),
        pinned(1002, OTHER, 40),
        pinned(1003, CHANNEL, 20),
    ];
    apply(&store, pins.iter().chain([&plain]).map(created)).await;
    let list = async |before: i64, limit| {
        let before = NOW.plus_ms(before);
        let pins = store.pins(id(CHANNEL), before, limit).await.unwrap();
        pins.iter().map(|pin| pin.id.get()).collect::<Vec<_>>()
    };
    assert_eq!(list(100, 50).await, [1000, 1003, 1001]);
    assert_eq!(list(100, 2).await, [1000, 1003]);
    assert_eq!(list(20, 50).await, [1001]);
    let unpinned = Message {
        pinned_at: None,
        ..pins[0].clone()
    };
    let unpinned = Event::MessageUpdated(Box::new(unpinned));
    apply(&store, [unpinned, deleted(&pins[3])]).await;
    assert_eq!(list(100, 50).await, [1001]);
}

/// The author's own, in the same channel, of the same spelling and not too old. It stays used when
/// its message is deleted.
pub async fn a_nonce_finds_its_message(store: Store) {
    let first = Generator::new(0, 0).mint::<()>(NOW).get();
    let with = |number, channel, author, nonce: &Nonce| Message {
        nonce: Some(nonce.clone()),
        ..message(first + number, channel, author)
    };
    let nonce = Nonce::Text("7".to_owned());
    let empty = Nonce::Text(String::new());
    let posted = [
        with(0, CHANNEL, 1, &nonce),
        with(1, OTHER, 1, &nonce),
        with(2, CHANNEL, 2, &nonce),
        with(3, CHANNEL, 1, &Nonce::Number(7)),
        with(4, CHANNEL, 1, &empty),
    ];
    apply(&store, posted.iter().map(created)).await;
    let find = async |channel: u64, author: u64, nonce: &Nonce, oldest: u64| {
        let (channel, author): (ChannelId, UserId) = (id(channel), id(author));
        let found = store.by_nonce(channel, author, nonce, id(first + oldest));
        found.await.unwrap()
    };
    let it_is = |number: usize| Some(NonceUse::Message(Box::new(posted[number].clone())));
    assert_eq!(find(CHANNEL, 1, &nonce, 0).await, it_is(0));
    assert_eq!(find(CHANNEL, 1, &nonce, 1).await, None);
    assert_eq!(find(OTHER, 1, &nonce, 1).await, it_is(1));
    assert_eq!(find(CHANNEL, 2, &nonce, 0).await, it_is(2));
    assert_eq!(find(CHANNEL, 1, &Nonce::Number(7), 0).await, it_is(3));
    assert_eq!(find(CHANNEL, 1, &empty, 0).await, it_is(4));
    assert_eq!(find(OTHER, 2, &nonce, 0).await, None);
    apply(&store, [deleted(&posted[0])]).await;
    assert_eq!(find(CHANNEL, 1, &nonce, 0).await, Some(NonceUse::Deleted));
    assert_eq!(find(CHANNEL, 1, &nonce, 1).await, None);
    assert_eq!(find(CHANNEL, 2, &nonce, 0).await, it_is(2));
}

/// From no side and among no pins; by its id and its nonce it is found, and an edit leaves it so.
pub async fn what_one_user_alone_sees_is_on_no_page(store: Store) {
    let shown = message(1_001, CHANNEL, 1);
    let nonce = Nonce::Interaction(id(7));
    let mut alone = message(1_002, CHANNEL, 1);
    alone.nonce = Some(nonce.clone());
    alone.pinned_at = Some(NOW);
    alone.rich = Some(Box::new(Rich {
        only_for: Some(id(2)),
        ..Rich::default()
    }));
    let later = message(1_003, CHANNEL, 1);
    apply(&store, [&shown, &alone, &later].map(created)).await;
    let alone = edited(&alone, "still alone");
    apply(&store, [Event::MessageUpdated(Box::new(alone.clone()))]).await;
    let channel: ChannelId = id(CHANNEL);
    for anchor in [
        Anchor::Newest,
        Anchor::Before(id(2_000)),
        Anchor::After(id(1_000)),
        Anchor::Around(alone.id),
    ] {
        let page = store.page(channel, anchor, 50).await.unwrap();
        let ids: Vec<u64> = page.iter().map(|message| message.id.get()).collect();
        assert_eq!(ids, [1_003, 1_001], "{anchor:?}");
    }
    let pins = store.pins(channel, Timestamp(i64::MAX), 50).await.unwrap();
    assert_eq!(pins, []);
    assert_eq!(store.get(alone.id).await.unwrap(), Some(alone.clone()));
    let found = store.by_nonce(channel, id(1), &nonce, id(7)).await.unwrap();
    assert_eq!(found, Some(NonceUse::Message(Box::new(alone))));
}

/// Whether by a message that is deleted meanwhile or by none.
pub async fn what_was_answered_stays_answered_as_long_as_it_may_be_followed(store: Store) {
    let ids = Generator::new(0, 0).mint::<()>(NOW).get();
    let (by_message, by_none): (InteractionId, InteractionId) = (id(ids), id(ids + 1));
    let application: ApplicationId = id(1);
    let mut answer = message(ids + 2, CHANNEL, 1);
    answer.nonce = Some(Nonce::Interaction(by_message));
    let acknowledged = Event::InteractionAcknowledged {
        id: by_none,
        application_id: application,
        user_id: id(2),
        channel_id: id(CHANNEL),
        place: answer.place.clone(),
    };
    apply(&store, [created(&answer), acknowledged]).await;
    let age = i64::try_from(limits::INTERACTION_AGE_MS).unwrap();
    let other = message(ids + 3, CHANNEL, 1);
    // Deletions are when a store may forget.
    for event in [created(&other), deleted(&answer), deleted(&other)] {
        let gseq = store.last_gseq(GUILD).await.unwrap() + 1;
        let mut late = Record::clone(&record(GUILD, gseq, event));
        late.at = NOW.plus_ms(age - 1);
        let records = [Arc::new(late)];
        store
            .apply(PARTITION, &records, Position(gseq + 1))
            .await
            .unwrap();
    }
    for interaction in [by_message, by_none] {
        let (channel, bot) = (id(CHANNEL), application.bot_user());
        let (nonce, oldest) = (Nonce::Interaction(interaction), id(interaction.get()));
        let found = store.by_nonce(channel, bot, &nonce, oldest).await;
        assert_eq!(found.unwrap(), Some(NonceUse::Deleted));
    }
}

/// Not even when the message is gone: an id is never given twice.
pub async fn the_highest_message_id_never_falls(store: Store) {
    let messages = [1000, 1002, 1001].map(|number| message(number, CHANNEL, 1));
    apply(&store, messages.iter().map(created)).await;
    assert_eq!(store.highest_id().await.unwrap(), 1002);
    apply(&store, messages.iter().map(deleted)).await;
    assert_eq!(store.highest_id().await.unwrap(), 1002);
}
