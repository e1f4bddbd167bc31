//! What every adapter of [`Messages`] promises about applying records, once and again.

#![expect(clippy::missing_panics_doc, reason = "a broken promise panics")]
#![expect(clippy::unwrap_used, reason = "the suites are tests")]

mod script;
mod twin;

use std::sync::Arc;

use futures_util::future::join_all;
use guildhall_model::event::{Event, Record, Source};
use guildhall_model::message::Anchor;
use guildhall_model::{EventPartition, MessageId, Position};

use self::twin::Twin;
use super::messages::{CHANNEL, GUILD, PARTITION, created, deleted, edited, page, record};
use super::property::{for_all, same};
use super::sample::{id, message, reaction, sorted};
use crate::messages::Messages;

/// Makes a test of each promise about redone records. `$fresh` names an async function that
/// answers an `Arc<dyn Messages>` without messages, and whatever must live as long as it.
#[macro_export]
macro_rules! redo_promises {
    ($fresh:path) => {
        $crate::promises! { redo, $fresh:
            a_batch_is_noted_as_a_whole
            a_long_batch_is_applied_in_its_order
            a_redo_changes_nothing
            a_deleted_message_does_not_come_back
            an_old_edit_does_not_come_back
            partitions_are_applied_side_by_side
        }
    };
}

type Store = Arc<dyn Messages>;

/// The cursor and the places of streams move with the rows, also for events of other kinds, and
/// never back.
pub async fn a_batch_is_noted_as_a_whole(store: Store) {
    let direct = Source::Direct(id(900));
    let records = [
        record(GUILD, 1, created(&message(1000, CHANNEL, 1))),
        record(direct, 1, Event::GuildDeleted),
        record(GUILD, 2, created(&message(1001, CHANNEL, 1))),
        record(GUILD, 3, Event::GuildDeleted),
    ];
    let apply = async |records: &[Arc<Record>], upto| {
        store
            .apply(PARTITION, records, Position(upto))
            .await
            .unwrap();
    };
    apply(&records, 500).await;
    assert_eq!(store.last_gseq(GUILD).await.unwrap(), 3);
    assert_eq!(store.last_gseq(direct).await.unwrap(), 1);
    assert_eq!(store.applied(PARTITION).await.unwrap(), Position(500));
    let other = store.applied(EventPartition(0)).await.unwrap();
    assert_eq!(other, Position::START);

    apply(&records[..1], 200).await;
    assert_eq!(store.last_gseq(GUILD).await.unwrap(), 3);
    assert_eq!(store.applied(PARTITION).await.unwrap(), Position(500));
    apply(&[], 700).await;
    assert_eq!(store.applied(PARTITION).await.unwrap(), Position(700));
    assert_eq!(page(&store, Anchor::Newest, 9).await, [1001, 1000]);
}

/// Creations, of which an adapter may write many at once, with edits and an end among them.
pub async fn a_long_batch_is_applied_in_its_order(store: Store) {
    let mut events: Vec<Event> = (1000..1095)
        .map(|number| created(&message(number, CHANNEL, 1)))
        .collect();
    let first = message(1000, CHANNEL, 1);
    let edit = |text| Event::MessageUpdated(Box::new(edited(&first, text)));
    events.insert(2, edit("Early"));
    events.insert(70, deleted(&message(1040, CHANNEL, 1)));
    events.push(edit("Late"));
    let records: Vec<_> = (1..)
        .zip(events)
        .map(|(gseq, event)| record(GUILD, gseq, event))
        .collect();
    store
        .apply(PARTITION, &records, Position(98))
        .await
        .unwrap();
    let mut expected: Vec<u64> = (1000..1095).rev().collect();
    expected.retain(|&number| number != 1040);
    assert_eq!(page(&store, Anchor::Newest, 100).await, expected);
    let shown = store.get(first.id).await.unwrap();
    assert_eq!(shown, Some(edited(&first, "Late")));
}

/// However records are cut into batches and wherever a redo begins and ends, the store shows what
/// one pass over them makes.
pub async fn a_redo_changes_nothing(store: Store) {
    for_all(48, script::lives(), async |call, (steps, cuts)| {
        let base = call * 10_000;
        let partition = EventPartition(u16::try_from(call).unwrap());
        let records = script::records(&steps, base);
        let mut twin = Twin::default();
        let mut applied = 0;
        for cut in cuts.iter().cycle() {
            if applied == records.len() {
                break;
            }
            let end = records.len().min(applied + cut.batch);
            let from = applied.saturating_sub(cut.back);
            let again = end.min(from + cut.redone);
            for range in [applied..end, from..again] {
                let upto = Position(range.end as u64);
                let outcome = store.apply(partition, &records[range], upto).await;
                outcome.map_err(|error| error.to_string())?;
            }
            for record in &records[applied..end] {
                twin.fold(&record.event);
            }
            applied = end;
            let upto = store.applied(partition).await.unwrap();
            same("cursor", &upto, &Position(applied as u64))?;
            compare(&store, &twin, base).await?;
        }
        for source in script::sources(base) {
            let last = records.iter().rfind(|record| record.source == source);
            let found = store.last_gseq(source).await.unwrap();
            same("place", &found, &last.map_or(0, |record| record.gseq))?;
        }
        Ok(())
    })
    .await;
}

/// Everything that can be asked about the messages of a script.
async fn compare(store: &Store, twin: &Twin, base: u64) -> Result<(), String> {
    let shown = twin.shown();
    let middle: MessageId = shown.get(shown.len() / 2).map_or(id(base + 1), |m| m.id);
    for channel in script::channels(base) {
        for anchor in [
            Anchor::Newest,
            Anchor::Before(middle),
            Anchor::After(middle),
            Anchor::Around(middle),
        ] {
            let found = store.page(channel, anchor, 5).await.unwrap();
            same("page", &found, &twin.page(channel, anchor, 5))?;
        }
    }
    for message in &shown {
        for count in &message.reactions {
            let found = store.reactors(message.id, &count.emoji, None, 100).await;
            let expected = twin.reactors(message.id, &count.emoji);
            same("reactors", &found.unwrap(), &expected)?;
        }
    }
    let ids: Vec<MessageId> = (0..70).map(|n| id(base + 100 + n)).collect();
    let found = store.reactions_by(id(1), &ids).await.unwrap();
    same("given", &sorted(found), &sorted(twin.given_by(id(1))))
}

/// Its creation, edits and reactions, applied once more, leave it as it is: gone.
pub async fn a_deleted_message_does_not_come_back(store: Store) {
    let gone = message(1000, CHANNEL, 1);
    let given = reaction(&gone, 0, id(1));
    let records = [
        record(GUILD, 1, created(&gone)),
        record(GUILD, 2, Event::ReactionAdded(Box::new(given.clone()))),
        record(GUILD, 3, Event::MessageUpdated(Box::new(gone.clone()))),
        record(GUILD, 4, deleted(&gone)),
    ];
    store.apply(PARTITION, &records, Position(4)).await.unwrap();
    for again in [&records[..3], &records[..1], &records[2..3], &records[..]] {
        store.apply(PARTITION, again, Position(3)).await.unwrap();
        assert_eq!(store.get(gone.id).await.unwrap(), None);
        assert_eq!(page(&store, Anchor::Newest, 9).await, [0_u64; 0]);
        let reactors = store.reactors(gone.id, &given.emoji, None, 9).await;
        assert_eq!(reactors.unwrap(), []);
    }
}

/// A redo that ends before the newest edit does not show the one before it.
pub async fn an_old_edit_does_not_come_back(store: Store) {
    let first = message(1000, CHANNEL, 1);
    let newest = edited(&first, "Newest");
    let records = [
        record(GUILD, 1, created(&first)),
        record(
            GUILD,
            2,
            Event::MessageUpdated(Box::new(edited(&first, "Old"))),
        ),
        record(GUILD, 3, Event::MessageUpdated(Box::new(newest.clone()))),
    ];
    store.apply(PARTITION, &records, Position(3)).await.unwrap();
    store
        .apply(PARTITION, &records[..2], Position(2))
        .await
        .unwrap();
    assert_eq!(store.get(first.id).await.unwrap(), Some(newest));
}

/// Each has its own cursor, and none waits for another's messages.
pub async fn partitions_are_applied_side_by_side(store: Store) {
    let applied = (1..=16_u16).map(|number| {
        let store = Arc::clone(&store);
        async move {
            let base = u64::from(number) * 10_000;
            let records: Vec<Arc<Record>> = (1..=50)
                .map(|n| {
                    record(
                        Source::Guild(id(base)),
                        n,
                        created(&message(base + n, base + 1, 1)),
                    )
                })
                .collect();
            let partition = EventPartition(number);
            for (n, records) in (1..).zip(records.chunks(10)) {
                store.apply(partition, records, Position(n)).await.unwrap();
            }
            let page = store.page(id(base + 1), Anchor::Newest, 100).await.unwrap();
            assert_eq!(page.len(), 50, "a page shows what was acknowledged");
            assert_eq!(store.applied(partition).await.unwrap(), Position(5));
        }
    });
    join_all(applied).await;
}
