//! Pages that go over the borders of buckets.

use std::sync::Arc;

use guildhall_model::message::{Anchor, Message, Rich};
use guildhall_model::snowflake::Generator;
use guildhall_model::{MessageId, Position, Timestamp};
use guildhall_ports::Messages;

use crate::engine::fresh;
use crate::lives::{NOW, PARTITION, created, id, message, record};

const DAY_MS: i64 = 24 * 3_600 * 1_000;

async fn post(store: &Arc<dyn Messages>, posted: &[Message]) {
    let records: Vec<_> = (1..)
        .zip(posted)
        .map(|(gseq, message)| record(gseq, created(message)))
        .collect();
    let upto = Position(records.len() as u64);
    store.apply(PARTITION, &records, upto).await.unwrap();
}

fn mint(days: impl IntoIterator<Item = i64>) -> Vec<MessageId> {
    let mut ids = Generator::new(1, 0);
    let days = days.into_iter();
    days.map(|day| ids.mint(NOW.plus_ms(day * DAY_MS)))
        .collect()
}

async fn page(store: &Arc<dyn Messages>, anchor: Anchor, limit: u16) -> Vec<MessageId> {
    let page = store.page(id(101), anchor, limit).await.unwrap();
    page.iter().map(|message| message.id).collect()
}

#[tokio::test]
async fn a_quiet_channel_is_walked_over_many_buckets() {
    let (store, _kept) = fresh().await;
    // More buckets than are looked up at once, with gaps of years between some of them.
    let ids = mint((0..50).map(|n| n * 11 + if n < 25 { 0 } else { 1_000 }));
    let posted: Vec<Message> = ids.iter().map(|id| message(*id, 101, "quiet")).collect();
    post(&store, &posted).await;
    let newest_first: Vec<MessageId> = ids.iter().rev().copied().collect();
    assert_eq!(page(&store, Anchor::Newest, 100).await, newest_first);
    let before = page(&store, Anchor::Before(ids[30]), 10).await;
    assert_eq!(before, newest_first[20..30]);
    let after = page(&store, Anchor::After(ids[20]), 10).await;
    assert_eq!(after, newest_first[19..29]);
    let around = page(&store, Anchor::Around(ids[25]), 6).await;
    assert_eq!(around, newest_first[21..27]);
    assert_eq!(page(&store, Anchor::After(ids[49]), 10).await, []);
    assert_eq!(page(&store, Anchor::Before(ids[0]), 10).await, []);
}

#[tokio::test]
async fn pages_are_found_behind_buckets_that_have_become_empty() {
    let (store, _kept) = fresh().await;
    let ids = mint([0, 20, 40, 60]);
    let posted: Vec<Message> = ids.iter().map(|id| message(*id, 101, "gone")).collect();
    post(&store, &posted).await;
    let gone = guildhall_model::event::Event::MessagesDeleted {
        ids: ids[1..].to_vec(),
        channel_id: id(101),
        place: posted[0].place.clone(),
    };
    let records = [record(5, gone)];
    store.apply(PARTITION, &records, Position(5)).await.unwrap();
    assert_eq!(page(&store, Anchor::Newest, 10).await, ids[..1]);
    assert_eq!(page(&store, Anchor::After(ids[0]), 10).await, []);
}

#[tokio::test]
async fn what_one_user_sees_costs_pages_nothing_and_is_deleted_like_all() {
    let (store, _kept) = fresh().await;
    let ids = mint([0, 0, 0]);
    let mut posted: Vec<Message> = ids.iter().map(|id| message(*id, 101, "here")).collect();
    let hidden = Rich {
        only_for: Some(id(2)),
        ..Rich::default()
    };
    posted[1].rich = Some(Box::new(hidden));
    post(&store, &posted).await;
    assert_eq!(page(&store, Anchor::Newest, 2).await, [ids[2], ids[0]]);
    let found = store.get(ids[1]).await.unwrap();
    assert_eq!(found.as_ref(), Some(&posted[1]));
    let gone = guildhall_model::event::Event::MessageDeleted {
        id: ids[1],
        channel_id: id(101),
        place: posted[1].place.clone(),
        only_for: Some(id(2)),
    };
    let records = [record(4, gone)];
    store.apply(PARTITION, &records, Position(4)).await.unwrap();
    assert_eq!(store.get(ids[1]).await.unwrap(), None);
    let pins = store.pins(id(101), Timestamp(i64::MAX), 50).await.unwrap();
    assert_eq!(pins, []);
}
