//! What every log promises to those who follow it.

#![expect(missing_docs, reason = "a promise's name is its documentation")]
#![expect(clippy::unwrap_used, reason = "the suites are tests")]

use std::ops::Range;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{self, Either, select};
use futures_util::stream::BoxStream;
use futures_util::{FutureExt, StreamExt};
use guildhall_model::{Epoch, Position};

use super::log::Fixture;
use crate::error::Failure;
use crate::log::{Log, LogRecord, Slice};

/// Makes a test of each promise. `$fresh` names an async function that answers a
/// [`Fixture`](crate::conformance::log::Fixture) with an empty log, and whatever must live as long
/// as it.
#[macro_export]
macro_rules! follow_promises {
    ($fresh:path) => {
        $crate::promises! { follow, $fresh:
            a_follower_hears_what_was_there_and_what_is_appended_once_in_order
            a_follower_hears_every_record_while_it_is_written
            a_follower_hears_one_partition_and_every_epoch
            a_follower_begins_at_the_place_it_names_or_the_first_record_after_it
            a_place_beyond_the_end_is_waited_for
            just_behind_the_last_record_nothing_fails
            a_slice_of_a_follower_is_bounded_and_says_where_to_read_on
            an_append_wakes_whoever_waits_for_it
            followers_of_one_partition_do_not_wait_for_each_other
            all_partitions_can_be_followed_at_once
            a_follower_begins_with_the_first_record_that_is_kept
            a_follower_goes_on_after_a_restart_from_where_it_was
            the_ends_are_those_of_each_partition_and_above_what_was_acknowledged
        }
    };
}

type Follower = BoxStream<'static, Result<Slice, Failure>>;

const EPOCH: Epoch = Epoch(1);
/// What cannot be late even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

fn payloads(n: Range<u32>) -> Vec<Bytes> {
    n.map(|n| Bytes::from(format!("record {n}"))).collect()
}

async fn append(log: &dyn Log, partition: u16, n: Range<u32>) -> Vec<Position> {
    let appended = log.append(partition, EPOCH, payloads(n)).await;
    appended.unwrap()
}

async fn next(follower: &mut Follower) -> Slice {
    let slice = tokio::time::timeout(PATIENCE, follower.next()).await;
    let slice = slice.expect("a follower hears in time what is there");
    slice.expect("a follower goes on").unwrap()
}

/// What a follower hears until it has heard `count` records, and where it would read on.
async fn hear(follower: &mut Follower, count: usize) -> (Vec<LogRecord>, Position) {
    let mut heard: Vec<LogRecord> = Vec::new();
    let mut at = Position::START;
    while heard.len() < count {
        let slice = next(follower).await;
        let last = slice.records.last().expect("a slice is never empty");
        assert!(last.position < slice.next, "reading goes on behind it");
        at = slice.next;
        heard.extend(slice.records);
    }
    assert!(heard.is_sorted_by(|a, b| a.position < b.position));
    (heard, at)
}

async fn payloads_heard(follower: &mut Follower, count: usize) -> Vec<Bytes> {
    let (heard, _) = hear(follower, count).await;
    heard.into_iter().map(|record| record.payload).collect()
}

pub async fn a_follower_hears_what_was_there_and_what_is_appended_once_in_order(
    fixture: impl Fixture,
) {
    let log = fixture.log();
    let mut positions = append(&*log, 0, 0..20).await;
    for bytes_max in [0, 1, 25, 1_000] {
        let mut follower = log.follow(0, Position::START, bytes_max);
        let (mut heard, _) = hear(&mut follower, positions.len()).await;
        for _ in 0..20 {
            let n = u32::try_from(positions.len()).unwrap();
            positions.extend(append(&*log, 0, n..n + 3).await);
            heard.extend(hear(&mut follower, 3).await.0);
        }
        let count = u32::try_from(positions.len()).unwrap();
        let found: Vec<_> = heard.iter().map(|record| record.position).collect();
        assert_eq!(found, positions);
        let found: Vec<_> = heard.into_iter().map(|record| record.payload).collect();
        assert_eq!(found, payloads(0..count));
        assert!(follower.next().now_or_never().is_none());
    }
}

pub async fn a_follower_hears_every_record_while_it_is_written(fixture: impl Fixture) {
    const APPENDS: u32 = 300;
    let log = fixture.log();
    let write = async {
        for n in 0..APPENDS {
            // Some are on their way together, and some come alone.
            let appended = log.append(0, EPOCH, payloads(n..n + 1));
            if n % 7 == 0 {
                appended.await.unwrap();
            }
        }
    };
    let mut followers = [0, 100, 1 << 20].map(|bytes| log.follow(0, Position::START, bytes));
    let hearing = followers
        .iter_mut()
        .map(|follower| payloads_heard(follower, APPENDS as usize));
    let (heard, ()) = future::join(future::join_all(hearing), write).await;
    for heard in heard {
        assert_eq!(heard, payloads(0..APPENDS));
    }
}

pub async fn a_follower_hears_one_partition_and_every_epoch(fixture: impl Fixture) {
    let (log, last) = (fixture.log(), fixture.last_partition());
    let mut follower = log.follow(last, Position::START, 1 << 20);
    for n in 0..30 {
        append(&*log, 0, n..n + 1).await;
        let epoch = Epoch(n % 3);
        let appended = log.append(last, epoch, payloads(n..n + 1)).await.unwrap();
        append(&*log, 7, n..n + 1).await;
        let heard = next(&mut follower).await.records;
        let expected = LogRecord {
            position: appended[0],
            epoch,
            payload: payloads(n..n + 1).remove(0),
        };
        assert_eq!(heard, [expected]);
    }
}

pub async fn a_follower_begins_at_the_place_it_names_or_the_first_record_after_it(
    fixture: impl Fixture,
) {
    let log = fixture.log();
    let mut positions = Vec::new();
    for n in 0..10 {
        positions.extend(append(&*log, 0, n..n + 1).await);
        append(&*log, 1, n..n + 1).await;
    }
    for (n, position) in (0..).zip(positions) {
        let mut follower = log.follow(0, position, 1);
        assert_eq!(next(&mut follower).await.records[0].position, position);
        if n < 9 {
            let mut follower = log.follow(0, Position(position.0 + 1), 1);
            let heard = next(&mut follower).await.records;
            assert_eq!(heard[0].payload, format!("record {}", n + 1));
        }
    }
}

pub async fn a_place_beyond_the_end_is_waited_for(fixture: impl Fixture) {
    let log = fixture.log();
    append(&*log, 0, 0..3).await;
    let end = log.end(0).await.unwrap();
    let mut follower = log.follow(0, end, 1 << 20);
    assert!(follower.next().now_or_never().is_none());
    append(&*log, 1, 0..3).await;
    let positions = append(&*log, 0, 3..5).await;
    let (heard, _) = hear(&mut follower, 2).await;
    assert_eq!(heard[0].position, positions[0]);
    let from = Position(positions[1].0 + 1);
    let mut follower = log.follow(0, from, 1 << 20);
    assert!(follower.next().now_or_never().is_none());
    append(&*log, 0, 5..6).await;
    assert_eq!(payloads_heard(&mut follower, 1).await, payloads(5..6));
}

/// However long it takes until there is one more.
pub async fn just_behind_the_last_record_nothing_fails(fixture: impl Fixture) {
    let log = fixture.log();
    let last = append(&*log, 0, 0..1).await[0];
    let mut follower = log.follow(0, Position(last.0 + 1), 1 << 20);
    let mut other = log.follow(1, Position::START, 1 << 20);
    let meanwhile = async {
        for n in 0..20 {
            append(&*log, 1, n..n + 1).await;
            next(&mut other).await;
        }
    };
    let mut meanwhile = pin!(meanwhile);
    let is_early = matches!(
        select(follower.next(), &mut meanwhile).await,
        Either::Left(_)
    );
    assert!(!is_early, "there was nothing to hear");
    append(&*log, 0, 1..2).await;
    assert_eq!(payloads_heard(&mut follower, 1).await, payloads(1..2));
}

pub async fn a_slice_of_a_follower_is_bounded_and_says_where_to_read_on(fixture: impl Fixture) {
    const RECORDS: usize = 20;
    let log = fixture.log();
    let records = vec![Bytes::from(vec![7; 1_000]); RECORDS];
    let positions = log.append(0, EPOCH, records).await.unwrap();
    for (bytes_max, records_max) in [(0, 1), (1, 1), (1_000, 2), (5_500, 6)] {
        let mut follower = log.follow(0, Position::START, bytes_max);
        let mut heard = 0;
        while heard < RECORDS {
            let slice = next(&mut follower).await;
            assert!((1..=records_max).contains(&slice.records.len()));
            heard += slice.records.len();
            if let Some(position) = positions.get(heard) {
                let read = log.read(0, slice.next, 1).await.unwrap();
                assert_eq!(read.records[0].position, *position);
            }
        }
    }
}

/// A log that looks every second would need a minute.
pub async fn an_append_wakes_whoever_waits_for_it(fixture: impl Fixture) {
    let log = fixture.log();
    let mut follower = log.follow(0, Position::START, 1 << 20);
    let woken = async {
        for n in 0..60 {
            let waits = follower.next().now_or_never();
            assert!(waits.is_none(), "nothing is there yet");
            let (heard, _) = future::join(next(&mut follower), append(&*log, 0, n..n + 1)).await;
            assert_eq!(heard.records.len(), 1);
        }
    };
    let in_time = tokio::time::timeout(PATIENCE / 2, woken).await;
    in_time.expect("a follower is woken and does not look now and then");
}

pub async fn followers_of_one_partition_do_not_wait_for_each_other(fixture: impl Fixture) {
    let log = fixture.log();
    append(&*log, 0, 0..10).await;
    // One begins and is not read, and one goes away.
    let mut idle = log.follow(0, Position::START, 1);
    next(&mut idle).await;
    let mut leaver = log.follow(0, Position::START, 1);
    next(&mut leaver).await;
    let mut followers: Vec<_> = (0..8)
        .map(|_| log.follow(0, Position::START, 1 << 20))
        .collect();
    for follower in &mut followers {
        assert_eq!(payloads_heard(follower, 10).await, payloads(0..10));
    }
    drop(leaver);
    let lengthy = Bytes::from(vec![5; 100_000]);
    for _ in 0..20 {
        let records = vec![lengthy.clone()];
        log.append(0, EPOCH, records).await.unwrap();
        for follower in &mut followers {
            assert!(payloads_heard(follower, 1).await == [lengthy.clone()]);
        }
    }
    // It has missed nothing.
    let heard = payloads_heard(&mut idle, 29).await;
    assert_eq!(heard[..9], payloads(1..10));
    assert!(heard[9..].iter().all(|payload| *payload == lengthy));
}

pub async fn all_partitions_can_be_followed_at_once(fixture: impl Fixture) {
    let log = fixture.log();
    let count = fixture.last_partition().min(63) + 1;
    let mut followers: Vec<_> = (0..count)
        .map(|partition| log.follow(partition, Position::START, 1 << 20))
        .collect();
    for n in 0..3 {
        let appends = (0..count).map(|partition| append(&*log, partition, n..n + 1));
        future::join_all(appends).await;
        let heard = followers
            .iter_mut()
            .map(|follower| payloads_heard(follower, 1));
        for heard in future::join_all(heard).await {
            assert_eq!(heard, payloads(n..n + 1));
        }
    }
    // Who goes and comes again finds its partition as it was.
    for (partition, follower) in (0..count).zip(&mut followers) {
        *follower = log.follow(partition, Position::START, 1);
        assert_eq!(payloads_heard(follower, 3).await, payloads(0..3));
    }
}

pub async fn a_follower_begins_with_the_first_record_that_is_kept(mut fixture: impl Fixture) {
    for n in 0..100 {
        append(&*fixture.log(), 0, n..n + 1).await;
    }
    let log = fixture.log();
    let mut early = log.follow(0, Position::START, 1);
    let first = next(&mut early).await.records.remove(0);
    log.release(0, log.end(0).await.unwrap()).await.unwrap();
    drop(log);
    fixture.trim().await;
    let log = fixture.log();
    append(&*log, 0, 100..101).await;
    let start = log.start(0).await.unwrap();
    assert!(first.position < start);
    let kept = log.read(0, start, 1).await.unwrap().records.remove(0);
    let mut late = log.follow(0, Position::START, 1);
    assert_eq!(next(&mut late).await.records, [kept]);
    // Whoever was there before goes on, too, though what it wanted next may be gone.
    let newest = payloads(100..101).remove(0);
    while next(&mut early).await.records[0].payload != newest {}
}

pub async fn a_follower_goes_on_after_a_restart_from_where_it_was(mut fixture: impl Fixture) {
    let (mut at, mut heard) = (Position::START, 0);
    for phase in 0..4 {
        let log = fixture.log();
        let mut follower = log.follow(0, at, 1);
        for n in phase * 10..(phase + 1) * 10 {
            append(&*log, 0, n..n + 1).await;
        }
        // The rest is for the next one.
        let count = if phase == 0 { 5 } else { 10 };
        let (records, next) = hear(&mut follower, count).await;
        for record in records {
            assert_eq!(record.payload, format!("record {heard}"));
            heard += 1;
        }
        at = next;
        drop((follower, log));
        fixture.restart().await;
    }
}

pub async fn the_ends_are_those_of_each_partition_and_above_what_was_acknowledged(
    fixture: impl Fixture,
) {
    let (log, last) = (fixture.log(), fixture.last_partition());
    let asked = [last, 0, 3, 0];
    assert_eq!(log.ends(&[]).await.unwrap(), []);
    for n in 0..20 {
        let before = log.ends(&asked).await.unwrap();
        let positions = append(&*log, 0, n..n + 2).await;
        assert!(before[1] <= positions[0] && before[3] <= positions[0]);
        append(&*log, last, n..n + 1).await;
        let ends = log.ends(&asked).await.unwrap();
        assert!(positions[1] < ends[1]);
        for (partition, end) in asked.into_iter().zip(ends) {
            assert_eq!(end, log.end(partition).await.unwrap());
        }
    }
}
