//! What every adapter of [`Guilds`](crate::Guilds) promises about commits: their order, their
//! fences and the outbox.

#![expect(clippy::missing_panics_doc, reason = "a broken promise panics")]
#![expect(clippy::unwrap_used, reason = "the suites are tests")]

use futures_util::future::{join, join_all};
use guildhall_model::event::{Event, GuildChange, Record, Source};
use guildhall_model::message::Place;
use guildhall_model::{Epoch, EventPartition, GuildId};

use super::guilds::{
    GUILD, OWNER, Stores, commit, found, guild_record, load, profile_record, register, with_guild,
};
use super::sample::{account, founding, id, user};
use crate::accounts::Taken;
use crate::error::Failure;
use crate::guilds::{CommitError, FencingToken};

/// Makes a test of each promise about commits. `$fresh` names an async function that answers
/// [`Stores`], and whatever must live as long as they.
#[macro_export]
macro_rules! commits_promises {
    ($fresh:path) => {
        $crate::promises! { commits, $fresh:
            a_commit_of_nothing_changes_nothing
            a_commit_is_all_or_nothing
            a_place_is_given_once
            later_places_may_leave_gaps
            places_that_were_given_up_are_taken
            a_commit_on_its_way_comes_before_its_places_are_given_up_or_never
            an_earlier_epoch_is_stale
            a_fenced_partitions_outbox_is_whole
            of_many_who_want_a_place_one_gets_it
            streams_do_not_disturb_each_other
            events_of_messages_do_not_belong_here
            a_commit_has_one_stream_and_one_order
            the_outbox_keeps_events_until_they_are_done
        }
    };
}

fn renamed(guild: u64, gseq: u64, name: &str) -> Record {
    let before = founding(guild, user(1)).guild;
    let mut after = before.clone();
    name.clone_into(&mut after.name);
    guild_record(
        guild,
        gseq,
        Event::GuildUpdated(Box::new(GuildChange {
            before,
            after,
            roles: Vec::new(),
            emojis: Vec::new(),
            member_count: 1,
        })),
    )
}

fn is_stale(outcome: &Result<(), CommitError>) -> bool {
    matches!(outcome, Err(CommitError::Failure(Failure::Stale { .. })))
}

async fn last_gseq(stores: &Stores) -> u64 {
    let source = Source::Guild(id(GUILD));
    stores.guilds.last_gseq(source).await.unwrap()
}

/// Not even a place is taken.
pub async fn a_commit_of_nothing_changes_nothing(stores: Stores) {
    with_guild(&stores).await;
    commit(&stores, &[]).await;
    assert_eq!(last_gseq(&stores).await, 1);
    assert_eq!(stores.guilds.outbox().await.unwrap(), [found(GUILD)]);
}

/// One refused event takes the others of its commit with it: rows, places and outbox.
pub async fn a_commit_is_all_or_nothing(stores: Stores) {
    register(&stores, 2).await;
    let mut renamed = user(1);
    renamed.display_name = Some("Renamed".to_owned());
    let mut copied = renamed.clone();
    copied.username = user(2).username;
    let records = [
        profile_record(1, renamed, None),
        profile_record(2, copied, None),
    ];
    let outcome = stores.guilds.commit(OWNER, &records).await;
    assert!(matches!(outcome, Err(CommitError::Taken(Taken::Username))));

    let found = stores.accounts.account(id(1)).await.unwrap();
    assert_eq!(found, Some(account(1)));
    let source = Source::User(id(1));
    assert_eq!(stores.guilds.last_gseq(source).await.unwrap(), 0);
    assert_eq!(stores.guilds.outbox().await.unwrap(), []);
}

/// The same event again, another one at its place or one before it: all stale, and without trace.
pub async fn a_place_is_given_once(stores: Stores) {
    with_guild(&stores).await;
    commit(
        &stores,
        &[renamed(GUILD, 2, "Two"), renamed(GUILD, 3, "Three")],
    )
    .await;
    let rows = load(&stores, GUILD).await;
    for late in [
        vec![renamed(GUILD, 3, "Three")],
        vec![renamed(GUILD, 3, "Other")],
        vec![renamed(GUILD, 2, "Two"), renamed(GUILD, 4, "Four")],
        vec![renamed(GUILD, 1, "One")],
    ] {
        let outcome = stores.guilds.commit(OWNER, &late).await;
        assert!(is_stale(&outcome), "{outcome:?}");
        let later = FencingToken {
            epoch: Epoch(OWNER.epoch.0 + 1),
            ..OWNER
        };
        let later = stores.guilds.commit(later, &late).await;
        assert!(is_stale(&later), "{later:?}");
    }
    assert_eq!(load(&stores, GUILD).await, rows);
    assert_eq!(last_gseq(&stores).await, 3);
    assert_eq!(stores.guilds.outbox().await.unwrap().len(), 3);
    commit(&stores, &[renamed(GUILD, 4, "Four")]).await;
}

/// Messages take the places between.
pub async fn later_places_may_leave_gaps(stores: Stores) {
    with_guild(&stores).await;
    commit(
        &stores,
        &[renamed(GUILD, 7, "Seven"), renamed(GUILD, 9, "Nine")],
    )
    .await;
    assert_eq!(last_gseq(&stores).await, 9);
    let rows = load(&stores, GUILD).await;
    assert_eq!((rows.gseq, rows.guild.name.as_str()), (9, "Nine"));
    let outcome = stores
        .guilds
        .commit(OWNER, &[renamed(GUILD, 8, "Eight")])
        .await;
    assert!(is_stale(&outcome));
}

/// Nothing is written there, and what stands behind them is as before.
pub async fn places_that_were_given_up_are_taken(stores: Stores) {
    with_guild(&stores).await;
    let guilds = &stores.guilds;
    let source = Source::Guild(id(GUILD));
    guilds.give_up(OWNER, source, 4).await.unwrap();
    // Once is enough, and less changes nothing.
    for upto in [4, 0, 2] {
        guilds.give_up(OWNER, source, upto).await.unwrap();
    }
    assert_eq!(last_gseq(&stores).await, 4);
    for gseq in 2..=4 {
        let outcome = guilds.commit(OWNER, &[renamed(GUILD, gseq, "Late")]).await;
        assert!(is_stale(&outcome), "{gseq}");
    }
    assert_eq!(guilds.outbox().await.unwrap(), [found(GUILD)]);
    commit(&stores, &[renamed(GUILD, 5, "Five")]).await;
    assert_eq!(load(&stores, GUILD).await.guild.name, "Five");
    // Of a source that has nothing yet, too.
    let other = Source::User(id(2));
    guilds.give_up(OWNER, other, 3).await.unwrap();
    assert_eq!(guilds.last_gseq(other).await.unwrap(), 3);
    let later = FencingToken {
        epoch: Epoch(OWNER.epoch.0 + 1),
        ..OWNER
    };
    guilds.fence(later).await.unwrap();
    let former = guilds.give_up(OWNER, source, 9).await;
    assert!(matches!(former, Err(Failure::Stale { .. })));
    assert_eq!(last_gseq(&stores).await, 5);
}

/// Whoever reads the outbox afterwards knows all that there will ever be.
pub async fn a_commit_on_its_way_comes_before_its_places_are_given_up_or_never(stores: Stores) {
    with_guild(&stores).await;
    let (guilds, source) = (&stores.guilds, Source::Guild(id(GUILD)));
    for gseq in 2..22 {
        let records = [renamed(GUILD, gseq, "Now")];
        let known = async {
            guilds.give_up(OWNER, source, gseq).await.unwrap();
            guilds.outbox().await.unwrap().len()
        };
        let (committed, known) = join(guilds.commit(OWNER, &records), known).await;
        assert!(committed.is_ok() || is_stale(&committed));
        assert_eq!(guilds.outbox().await.unwrap().len(), known);
    }
}

/// An owner that wakes up after another one has taken over can change nothing, whether the other
/// one has written or not; its neighbours are not disturbed.
pub async fn an_earlier_epoch_is_stale(stores: Stores) {
    with_guild(&stores).await;
    let under = |epoch| FencingToken {
        epoch: Epoch(epoch),
        ..OWNER
    };
    let (former, present) = (OWNER, under(OWNER.epoch.0 + 5));
    let rename = async |token, gseq, name| {
        let record = renamed(GUILD, gseq, name);
        stores.guilds.commit(token, &[record]).await
    };
    stores.guilds.fence(former).await.unwrap();
    rename(former, 2, "Two").await.unwrap();
    stores.guilds.fence(present).await.unwrap();
    assert!(is_stale(&rename(former, 3, "Ghost").await));
    rename(present, 3, "Heir").await.unwrap();
    assert!(is_stale(&rename(former, 4, "Ghost").await));
    let fenced = stores.guilds.fence(under(OWNER.epoch.0 + 4)).await;
    assert!(matches!(fenced, Err(Failure::Stale { .. })));
    stores.guilds.fence(present).await.unwrap();
    rename(present, 4, "Heir").await.unwrap();
    let neighbour = FencingToken {
        partition: EventPartition(OWNER.partition.0 + 1),
        ..OWNER
    };
    let records = [found(GUILD + 10)];
    stores.guilds.commit(neighbour, &records).await.unwrap();
}

/// What is committed while a successor shuts its owner out is either refused or in the outbox
/// that the successor reads.
pub async fn a_fenced_partitions_outbox_is_whole(stores: Stores) {
    with_guild(&stores).await;
    let successor = FencingToken {
        epoch: Epoch(OWNER.epoch.0 + 1),
        ..OWNER
    };
    let commits = (1..30_u64).map(|number| {
        let stores = stores.clone();
        let record = found(GUILD + 10 * number);
        async move { (record.source, stores.guilds.commit(OWNER, &[record]).await) }
    });
    let takeover = async {
        stores.guilds.fence(successor).await.unwrap();
        stores.guilds.outbox().await.unwrap()
    };
    let (outcomes, outbox) = join(join_all(commits), takeover).await;
    for (source, outcome) in outcomes {
        let is_there = outbox.iter().any(|record| record.source == source);
        assert_eq!(is_there, outcome.is_ok(), "{source:?}: {outcome:?}");
    }
}

/// Rows and outbox are the winner's.
pub async fn of_many_who_want_a_place_one_gets_it(stores: Stores) {
    with_guild(&stores).await;
    let racers = (0..8).map(|number| {
        let stores = stores.clone();
        let record = renamed(GUILD, 2, &format!("Racer {number}"));
        async move { stores.guilds.commit(OWNER, &[record]).await }
    });
    let outcomes = join_all(racers).await;
    assert_eq!(
        outcomes.iter().filter(|outcome| is_stale(outcome)).count(),
        7
    );
    let winner = outcomes.iter().position(Result::is_ok).unwrap();
    let name = format!("Racer {winner}");
    assert_eq!(load(&stores, GUILD).await.guild.name, name);
    let outbox = stores.guilds.outbox().await.unwrap();
    assert_eq!(outbox, [found(GUILD), renamed(GUILD, 2, &name)]);
}

/// Many commits at once, one of which is refused: the others stand.
pub async fn streams_do_not_disturb_each_other(stores: Stores) {
    register(&stores, 1).await;
    commit(&stores, &[found(GUILD)]).await;
    let guilds: Vec<u64> = (0..20).map(|number| GUILD + 10 * number).collect();
    let founded = guilds.iter().map(|&guild| {
        let stores = stores.clone();
        async move { stores.guilds.commit(OWNER, &[found(guild)]).await }
    });
    let outcomes = join_all(founded).await;
    assert!(is_stale(&outcomes[0]), "the first one was there");
    assert!(outcomes[1..].iter().all(Result::is_ok), "{outcomes:?}");
    let listed = stores.guilds.guilds_of(id(1)).await.unwrap();
    let expected: Vec<GuildId> = guilds.into_iter().map(id).collect();
    assert_eq!(listed, expected);
}

/// They have a store of their own, and so have the streams of users and direct channels.
pub async fn events_of_messages_do_not_belong_here(stores: Stores) {
    with_guild(&stores).await;
    let deleted = Event::MessageDeleted {
        id: id(900),
        channel_id: id(GUILD + 1),
        place: Place::guild(id(GUILD)),
        only_for: None,
    };
    let profile = profile_record(1, user(1), None).event;
    for event in [deleted, profile] {
        let record = guild_record(GUILD, 2, event);
        let outcome = stores.guilds.commit(OWNER, &[record]).await;
        assert!(matches!(
            outcome,
            Err(CommitError::Failure(Failure::Damaged { .. }))
        ));
    }
    assert_eq!(last_gseq(&stores).await, 1);
    assert_eq!(stores.guilds.outbox().await.unwrap().len(), 1);
}

/// Whoever mixes streams or places has made a mistake, which is not stored.
pub async fn a_commit_has_one_stream_and_one_order(stores: Stores) {
    with_guild(&stores).await;
    for mixed in [
        vec![renamed(GUILD, 2, "Two"), found(GUILD + 10)],
        vec![renamed(GUILD, 3, "Three"), renamed(GUILD, 2, "Two")],
        vec![renamed(GUILD, 2, "Two"), renamed(GUILD, 2, "Two")],
    ] {
        let outcome = stores.guilds.commit(OWNER, &mixed).await;
        assert!(matches!(
            outcome,
            Err(CommitError::Failure(Failure::Damaged { .. }))
        ));
    }
    assert_eq!(last_gseq(&stores).await, 1);
}

/// In order per stream, up to the place that is named, and of no other stream.
pub async fn the_outbox_keeps_events_until_they_are_done(stores: Stores) {
    register(&stores, 1).await;
    let other = GUILD + 10;
    commit(&stores, &[found(other)]).await;
    commit(&stores, &[found(GUILD), renamed(GUILD, 2, "Two")]).await;
    commit(&stores, &[renamed(other, 2, "Other")]).await;
    commit(
        &stores,
        &[renamed(GUILD, 5, "Five"), renamed(GUILD, 12, "Twelve")],
    )
    .await;

    let of = async |guild: u64| {
        let mut waiting = stores.guilds.outbox().await.unwrap();
        waiting.retain(|record| record.source == Source::Guild(id(guild)));
        waiting
    };
    let all: Vec<Record> = vec![
        found(GUILD),
        renamed(GUILD, 2, "Two"),
        renamed(GUILD, 5, "Five"),
        renamed(GUILD, 12, "Twelve"),
    ];
    assert_eq!(of(GUILD).await, all);
    let done = async |upto| {
        let source = Source::Guild(id(GUILD));
        stores.guilds.outbox_done(source, upto).await.unwrap();
    };
    done(0).await;
    assert_eq!(of(GUILD).await, all);
    done(5).await;
    assert_eq!(of(GUILD).await, all[3..]);
    done(2).await;
    assert_eq!(of(GUILD).await, all[3..]);
    done(u64::MAX).await;
    assert_eq!(of(GUILD).await, []);
    assert_eq!(of(other).await, [found(other), renamed(other, 2, "Other")]);
    assert_eq!(last_gseq(&stores).await, 12);
}
