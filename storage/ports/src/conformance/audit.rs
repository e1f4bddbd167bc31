//! What every adapter of [`Messages`] promises about audit logs, and about what somebody has
//! written lately.

#![expect(clippy::missing_panics_doc, reason = "a broken promise panics")]
#![expect(clippy::unwrap_used, reason = "the suites are tests")]

use std::sync::Arc;

use guildhall_model::audit::{AuditEntry, AuditFrom, AuditQuery, Deed, DeedKind};
use guildhall_model::event::{Event, Record, Source};
use guildhall_model::snowflake::Generator;
use guildhall_model::{GuildId, Position, Timestamp, limits};

use super::messages::{CHANNEL, GUILD, PARTITION, apply, created, deleted, record};
use super::sample::{NOW, id, message};
use crate::messages::Messages;

/// Makes a test of each promise about audit logs. `$fresh` names an async function that answers an
/// `Arc<dyn Messages>` without messages, and whatever must live as long as it.
#[macro_export]
macro_rules! audit_promises {
    ($fresh:path) => {
        $crate::promises! { audit, $fresh:
            an_audit_log_is_paged_both_ways
            an_entry_is_found_by_who_did_what_to_whom
            an_audit_log_is_one_guilds
            old_entries_go_when_new_ones_come
            an_audit_log_ends_with_its_guild
            what_somebody_wrote_is_found_in_all_channels
        }
    };
}

type Store = Arc<dyn Messages>;

/// The first id of the instant at which everything happens.
fn first() -> u64 {
    Generator::new(0, 0).mint::<()>(NOW).get()
}

fn entry(number: u64, by: u64, deed: Deed) -> AuditEntry {
    AuditEntry {
        id: id(first() + number),
        by: id(by),
        reason: number.is_multiple_of(2).then(|| "because".to_owned()),
        deed,
    }
}

fn audited(entry: &AuditEntry) -> Event {
    Event::Audited(Box::new(entry.clone()))
}

fn guild() -> GuildId {
    GUILD.guild_id().unwrap()
}

async fn list(store: &Store, query: AuditQuery, limit: u16) -> Vec<u64> {
    let entries = store.audit_entries(guild(), query, limit).await.unwrap();
    entries
        .iter()
        .map(|entry| entry.id.get() - first())
        .collect()
}

fn from(from: AuditFrom) -> AuditQuery {
    AuditQuery {
        from,
        ..AuditQuery::default()
    }
}

/// As they were written, the newest first, or on from an entry to newer ones; a redo changes
/// nothing.
pub async fn an_audit_log_is_paged_both_ways(store: Store) {
    let entries: Vec<AuditEntry> = (1..=5)
        .map(|n| entry(1_000 + n, n, Deed::Kick(id(n + 1))))
        .collect();
    apply(&store, entries.iter().map(audited)).await;
    let again = record(GUILD, 1, audited(&entries[0]));
    store.apply(PARTITION, &[again], Position(2)).await.unwrap();
    let all = store.audit_entries(guild(), AuditQuery::default(), 100);
    assert!(all.await.unwrap().iter().rev().eq(&entries));
    let before = from(AuditFrom::Before(id(first() + 1_004)));
    assert_eq!(list(&store, before, 2).await, [1_003, 1_002]);
    let after = from(AuditFrom::After(id(first() + 1_002)));
    assert_eq!(list(&store, after, 2).await, [1_003, 1_004]);
    let beyond = from(AuditFrom::After(id(first() + 1_005)));
    assert_eq!(list(&store, beyond, 2).await, [0_u64; 0]);
    assert_eq!(store.highest_id().await.unwrap(), first() + 1_005);
}

/// By each of them, and by all of them together.
pub async fn an_entry_is_found_by_who_did_what_to_whom(store: Store) {
    let entries = [
        entry(1_001, 1, Deed::Ban(id(7))),
        entry(1_002, 2, Deed::Ban(id(8))),
        entry(1_003, 1, Deed::Unban(id(7))),
        entry(1_004, 1, Deed::Ban(id(8))),
    ];
    apply(&store, entries.iter().map(audited)).await;
    let by = AuditQuery {
        by: Some(id(1)),
        ..AuditQuery::default()
    };
    assert_eq!(list(&store, by, 9).await, [1_004, 1_003, 1_001]);
    let target = AuditQuery {
        target: Some(7),
        ..AuditQuery::default()
    };
    assert_eq!(list(&store, target, 9).await, [1_003, 1_001]);
    let kind = AuditQuery {
        kind: Some(DeedKind::MemberBanAdd),
        ..AuditQuery::default()
    };
    assert_eq!(list(&store, kind, 9).await, [1_004, 1_002, 1_001]);
    let all = AuditQuery {
        by: by.by,
        target: Some(8),
        kind: kind.kind,
        from: AuditFrom::After(id(1)),
    };
    assert_eq!(list(&store, all, 9).await, [1_004]);
}

/// Other guilds have their own.
pub async fn an_audit_log_is_one_guilds(store: Store) {
    let ours = entry(1_001, 1, Deed::Kick(id(7)));
    let theirs = entry(1_002, 1, Deed::Kick(id(7)));
    apply(&store, [audited(&ours)]).await;
    let other = Source::Guild(id(555));
    let records = [record(other, 1, audited(&theirs))];
    store.apply(PARTITION, &records, Position(9)).await.unwrap();
    assert_eq!(list(&store, AuditQuery::default(), 9).await, [1_001]);
    let page = store.audit_entries(id(555), AuditQuery::default(), 9).await;
    assert_eq!(page.unwrap(), [theirs]);
}

async fn apply_at(store: &Store, at: Timestamp, event: Event) {
    let gseq = store.last_gseq(GUILD).await.unwrap() + 1;
    let mut late = Record::clone(&record(GUILD, gseq, event));
    late.at = at;
    let upto = Position(gseq + 1);
    store
        .apply(PARTITION, &[Arc::new(late)], upto)
        .await
        .unwrap();
}

/// Not a moment before they are as old as is promised.
pub async fn old_entries_go_when_new_ones_come(store: Store) {
    let mut ids = Generator::new(0, 0);
    let age = i64::try_from(limits::AUDIT_AGE_MS).unwrap();
    let times = [NOW, NOW.plus_ms(1), NOW.plus_ms(age)];
    let numbers = times.map(|at| ids.mint::<()>(at).get() - first());
    for (number, at) in numbers.into_iter().zip(times) {
        let deed = Deed::Kick(id(7));
        apply_at(&store, at, audited(&entry(number, 1, deed))).await;
    }
    let [oldest, second, third] = numbers;
    let all = AuditQuery::default();
    assert_eq!(list(&store, all, 9).await, [third, second, oldest]);
    let last = NOW.plus_ms(age + 1);
    let fourth = ids.mint::<()>(last).get() - first();
    apply_at(&store, last, audited(&entry(fourth, 1, Deed::Kick(id(7))))).await;
    assert_eq!(list(&store, all, 9).await, [fourth, third, second]);
}

/// Its ids are not given again.
pub async fn an_audit_log_ends_with_its_guild(store: Store) {
    let last = entry(1_001, 1, Deed::Kick(id(7)));
    apply(&store, [audited(&last), Event::GuildDeleted]).await;
    assert_eq!(list(&store, AuditQuery::default(), 9).await, [0_u64; 0]);
    assert_eq!(store.highest_id().await.unwrap(), first() + 1_001);
}

/// What is deleted is not, nor what only one user sees, nor what others wrote.
pub async fn what_somebody_wrote_is_found_in_all_channels(store: Store) {
    let mut alone = message(1_004, CHANNEL, 1);
    alone.rich = Some(Box::new(guildhall_model::message::Rich {
        only_for: Some(id(2)),
        ..Default::default()
    }));
    let posted = [
        message(1_000, CHANNEL, 1),
        message(1_001, 102, 1),
        message(1_002, CHANNEL, 2),
        message(1_003, CHANNEL, 1),
        alone,
        message(1_005, 103, 1),
    ];
    apply(&store, posted.iter().map(created)).await;
    apply(&store, [deleted(&posted[3])]).await;
    let found = store.written_by(id(1), id(1_000), 9).await.unwrap();
    assert_eq!(found, [(id(102), id(1_001)), (id(103), id(1_005))]);
    let found = store.written_by(id(1), id(1), 2).await.unwrap();
    assert_eq!(found, [(id(CHANNEL), id(1_000)), (id(102), id(1_001))]);
}
