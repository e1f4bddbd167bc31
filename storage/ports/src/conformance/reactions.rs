//! What every adapter of [`Messages`] promises about reactions.

#![expect(clippy::missing_panics_doc, reason = "a broken promise panics")]
#![expect(clippy::unwrap_used, reason = "the suites are tests")]

use std::sync::Arc;

use guildhall_model::event::Event;
use guildhall_model::message::{Anchor, Message};
use guildhall_model::{MessageId, UserId};

use super::messages::{CHANNEL, apply, created, deleted};
use super::sample::{self, EMOJI, id, message, reaction, sorted};
use crate::messages::{Messages, NonceUse};

/// Makes a test of each promise about reactions. `$fresh` names an async function that answers
/// an `Arc<dyn Messages>` without messages, and whatever must live as long as it.
#[macro_export]
macro_rules! reactions_promises {
    ($fresh:path) => {
        $crate::promises! { reactions, $fresh:
            reactions_are_counted_in_order_of_first_use
            an_emoji_keeps_its_place_while_somebody_gives_it
            a_reaction_given_again_counts_once
            a_reaction_that_was_not_given_cannot_be_taken
            a_deleted_message_takes_its_reactions_along
            every_view_of_a_message_counts_its_reactions
            reactors_are_listed_in_pages
            a_readers_own_reactions_are_found
        }
    };
}

type Store = Arc<dyn Messages>;

const THUMB: usize = 0;
const HEART: usize = 1;
const PARTY: usize = 2;

fn add(message: &Message, emoji: usize, user: u64) -> Event {
    Event::ReactionAdded(Box::new(reaction(message, emoji, id(user))))
}

fn take(message: &Message, emoji: usize, user: u64) -> Event {
    Event::ReactionRemoved(Box::new(reaction(message, emoji, id(user))))
}

async fn with_message(store: &Store) -> Message {
    let message = message(1000, CHANNEL, 1);
    apply(store, [created(&message)]).await;
    message
}

fn counted(message: &Message) -> Vec<(&str, u32)> {
    let counts = message.reactions.iter();
    counts
        .map(|reaction| (sample::emoji_text(&reaction.emoji), reaction.count))
        .collect()
}

async fn counts(store: &Store, of: MessageId) -> Vec<(String, u32)> {
    let message = store.get(of).await.unwrap().unwrap();
    let counts = counted(&message).into_iter();
    counts.map(|(emoji, n)| (emoji.to_owned(), n)).collect()
}

fn expected(list: &[(usize, u32)]) -> Vec<(String, u32)> {
    let list = list.iter();
    list.map(|&(emoji, n)| (EMOJI[emoji].to_owned(), n))
        .collect()
}

async fn reactors(store: &Store, of: MessageId, emoji: usize) -> Vec<u64> {
    let emoji = sample::emoji(emoji);
    let users = store.reactors(of, &emoji, None, 1_000).await.unwrap();
    users.into_iter().map(UserId::get).collect()
}

/// Not by their number, nor by their spelling.
pub async fn reactions_are_counted_in_order_of_first_use(store: Store) {
    let message = with_message(&store).await;
    apply(
        &store,
        [
            add(&message, PARTY, 5),
            add(&message, THUMB, 5),
            add(&message, HEART, 4),
            add(&message, HEART, 3),
            add(&message, HEART, 9),
        ],
    )
    .await;
    let all = expected(&[(PARTY, 1), (THUMB, 1), (HEART, 3)]);
    assert_eq!(counts(&store, message.id).await, all);
    assert_eq!(reactors(&store, message.id, HEART).await, [3, 4, 9]);
}

/// Also when whoever gave it first takes it back; only the last one to leave gives the place up.
pub async fn an_emoji_keeps_its_place_while_somebody_gives_it(store: Store) {
    let message = with_message(&store).await;
    apply(
        &store,
        [
            add(&message, THUMB, 1),
            add(&message, HEART, 1),
            add(&message, THUMB, 2),
            take(&message, THUMB, 1),
        ],
    )
    .await;
    let kept = expected(&[(THUMB, 1), (HEART, 1)]);
    assert_eq!(counts(&store, message.id).await, kept);
    apply(&store, [take(&message, THUMB, 2)]).await;
    assert_eq!(counts(&store, message.id).await, expected(&[(HEART, 1)]));
    apply(&store, [add(&message, THUMB, 1)]).await;
    let back = expected(&[(HEART, 1), (THUMB, 1)]);
    assert_eq!(counts(&store, message.id).await, back);
}

/// Whoever gives an emoji twice has given it once.
pub async fn a_reaction_given_again_counts_once(store: Store) {
    let message = with_message(&store).await;
    let twice = [add(&message, THUMB, 1), add(&message, THUMB, 1)];
    apply(&store, twice).await;
    assert_eq!(counts(&store, message.id).await, expected(&[(THUMB, 1)]));
    apply(&store, [take(&message, THUMB, 1)]).await;
    assert_eq!(counts(&store, message.id).await, []);
}

/// Another one's stays, and the count does not fall below what there is.
pub async fn a_reaction_that_was_not_given_cannot_be_taken(store: Store) {
    let message = with_message(&store).await;
    apply(
        &store,
        [
            add(&message, THUMB, 1),
            take(&message, THUMB, 2),
            take(&message, HEART, 1),
        ],
    )
    .await;
    assert_eq!(counts(&store, message.id).await, expected(&[(THUMB, 1)]));
}

/// And one that comes too late finds nothing to react to.
pub async fn a_deleted_message_takes_its_reactions_along(store: Store) {
    let gone = with_message(&store).await;
    let kept = message(1001, CHANNEL, 1);
    apply(
        &store,
        [
            created(&kept),
            add(&gone, THUMB, 1),
            add(&kept, THUMB, 1),
            deleted(&gone),
            add(&gone, THUMB, 2),
        ],
    )
    .await;
    assert_eq!(reactors(&store, gone.id, THUMB).await, [0_u64; 0]);
    let given = store.reactions_by(id(1), &[gone.id, kept.id]).await;
    assert_eq!(given.unwrap(), [(kept.id, sample::emoji(THUMB))]);
    assert_eq!(counts(&store, kept.id).await, expected(&[(THUMB, 1)]));
}

/// Pages of every kind, the message alone, and the one that its nonce finds.
pub async fn every_view_of_a_message_counts_its_reactions(store: Store) {
    let messages = [1000, 1001, 1002, 1003].map(|number| message(number, CHANNEL, 1));
    let other = message(1004, CHANNEL + 1, 1);
    apply(&store, messages.iter().chain([&other]).map(created)).await;
    apply(
        &store,
        [
            add(&messages[0], THUMB, 1),
            add(&messages[2], HEART, 1),
            add(&messages[2], THUMB, 1),
            add(&messages[2], HEART, 2),
            add(&messages[3], PARTY, 1),
            add(&other, PARTY, 1),
        ],
    )
    .await;
    let [zero, two, three] = [
        vec![(EMOJI[THUMB], 1)],
        vec![(EMOJI[HEART], 2), (EMOJI[THUMB], 1)],
        vec![(EMOJI[PARTY], 1)],
    ];
    let whole = [three, two.clone(), vec![], zero.clone()];
    for (anchor, expected) in [
        (Anchor::Newest, &whole[..]),
        (Anchor::Before(id(1003)), &whole[1..]),
        (Anchor::After(id(1000)), &whole[..3]),
        (Anchor::Around(id(1002)), &whole[..]),
    ] {
        let page = store.page(id(CHANNEL), anchor, 50).await.unwrap();
        let found: Vec<_> = page.iter().map(counted).collect();
        assert_eq!(found, expected, "{anchor:?}");
    }
    let nonce = messages[2].nonce.clone().unwrap();
    let by_nonce = store.by_nonce(id(CHANNEL), id(1), &nonce, id(1)).await;
    let Some(NonceUse::Message(by_nonce)) = by_nonce.unwrap() else {
        panic!("the nonce has a message")
    };
    assert_eq!(counted(&by_nonce), two);
    let alone = store.get(messages[0].id).await.unwrap().unwrap();
    assert_eq!(counted(&alone), zero);
}

/// In order of ids, each user once, from behind the last one of the page before.
pub async fn reactors_are_listed_in_pages(store: Store) {
    let message = with_message(&store).await;
    let given = (1..=25).rev().map(|user| add(&message, THUMB, user));
    apply(&store, given.chain([add(&message, HEART, 99)])).await;
    let emoji = sample::emoji(THUMB);
    let mut all = Vec::new();
    loop {
        let after = all.last().copied();
        let next = store.reactors(message.id, &emoji, after, 10).await.unwrap();
        assert!(next.len() <= 10);
        if next.is_empty() {
            break;
        }
        assert!(
            after < next.first().copied(),
            "a page begins behind the last one"
        );
        all.extend(next);
    }
    let expected: Vec<UserId> = (1..=25).map(id).collect();
    assert_eq!(all, expected);
}

/// Of the messages that were asked about, and of nobody else.
pub async fn a_readers_own_reactions_are_found(store: Store) {
    let messages = [1000, 1001, 1002].map(|number| message(number, CHANNEL, 1));
    apply(&store, messages.iter().map(created)).await;
    apply(
        &store,
        [
            add(&messages[0], THUMB, 1),
            add(&messages[0], HEART, 1),
            add(&messages[0], HEART, 2),
            add(&messages[1], THUMB, 1),
            add(&messages[2], THUMB, 2),
        ],
    )
    .await;
    let asked = [messages[0].id, messages[2].id, id(5_000)];
    let given = store.reactions_by(id(1), &asked).await.unwrap();
    let emoji = |emoji: usize| sample::emoji(emoji);
    let expected = [
        (messages[0].id, emoji(THUMB)),
        (messages[0].id, emoji(HEART)),
    ];
    assert_eq!(sorted(given), sorted(expected.to_vec()));
    assert_eq!(store.reactions_by(id(1), &[]).await.unwrap(), []);
}
