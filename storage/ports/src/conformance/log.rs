//! What every log promises.

#![expect(missing_docs, reason = "a promise's name is its documentation")]
#![expect(clippy::unwrap_used, reason = "the suites are tests")]

use std::task::Poll;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future;
use guildhall_model::{Epoch, Position};

use crate::log::{Log, LogRecord, SharedLog};

/// A log whose records outlive it.
#[async_trait]
pub trait Fixture: Send {
    /// The open log.
    fn log(&self) -> SharedLog;
    /// Stops the log in good order and opens it again.
    async fn restart(&mut self);
    /// Lets the log drop whatever it may, as if the retention time had passed.
    async fn trim(&mut self);
    /// The highest partition that the log has, 8 or more; every number, unless its engine has
    /// only so many.
    fn last_partition(&self) -> u16 {
        u16::MAX
    }
}

/// Makes a test of each promise. `$fresh` names an async function that answers a [`Fixture`] with
/// an empty log, and whatever must live as long as it.
#[macro_export]
macro_rules! log_promises {
    ($fresh:path) => {
        $crate::promises! { log, $fresh:
            an_empty_log_starts_at_its_end
            records_come_back_as_they_were_appended
            positions_rise_and_name_their_records
            appends_take_effect_in_the_order_of_the_calls
            an_append_happens_though_nobody_waits_for_it
            an_append_of_nothing_is_answered
            a_later_read_sees_what_was_acknowledged
            partitions_do_not_see_each_others_records
            every_epoch_may_append_and_is_kept
            a_slice_is_bounded_but_never_empty_before_the_end
            following_next_visits_every_record_once
            a_place_between_two_records_means_the_later_one
            the_place_behind_the_last_record_finds_the_next_one
            a_reader_that_follows_neither_goes_back_nor_skips
            no_later_record_stands_before_the_end
            acknowledged_records_survive_a_restart
            a_place_found_before_a_restart_is_good_after_it
            nothing_is_dropped_without_release
            only_what_was_released_is_dropped
            a_partition_that_never_wrote_holds_nothing_back
        }
    };
}

const EPOCH: Epoch = Epoch(1);

fn payloads(n: std::ops::Range<u32>) -> Vec<Bytes> {
    n.map(|n| Bytes::from(format!("record {n}"))).collect()
}

async fn append(log: &dyn Log, partition: u16, records: Vec<Bytes>) -> Vec<Position> {
    log.append(partition, EPOCH, records).await.unwrap()
}

/// All records of a partition from a place on, read by slices of about `bytes_max` bytes.
async fn read(log: &dyn Log, partition: u16, from: Position, bytes_max: usize) -> Vec<LogRecord> {
    let mut records = Vec::new();
    let mut from = from;
    loop {
        let slice = log.read(partition, from, bytes_max).await.unwrap();
        assert!(from <= slice.next, "reading goes on, not back");
        if slice.records.is_empty() {
            return records;
        }
        records.extend(slice.records);
        from = slice.next;
    }
}

async fn read_all(log: &dyn Log, partition: u16) -> Vec<LogRecord> {
    read(log, partition, Position::START, 1 << 20).await
}

fn payloads_of(records: &[LogRecord]) -> Vec<Bytes> {
    records
        .iter()
        .map(|record| record.payload.clone())
        .collect()
}

fn positions_of(records: &[LogRecord]) -> Vec<Position> {
    records.iter().map(|record| record.position).collect()
}

pub async fn an_empty_log_starts_at_its_end(fixture: impl Fixture) {
    let log = fixture.log();
    assert_eq!(log.start(0).await.unwrap(), log.end(0).await.unwrap());
    let slice = log.read(0, Position::START, 100).await.unwrap();
    assert!(slice.records.is_empty());
}

pub async fn records_come_back_as_they_were_appended(fixture: impl Fixture) {
    let log = fixture.log();
    let lengthy = Bytes::from((0..=u8::MAX).cycle().take(300_000).collect::<Vec<_>>());
    let appended = vec![
        Bytes::new(),
        Bytes::from("short"),
        lengthy,
        Bytes::from(vec![0; 100]),
    ];
    let positions = append(&*log, 3, appended.clone()).await;
    let records = read_all(&*log, 3).await;
    assert!(payloads_of(&records) == appended);
    assert_eq!(positions_of(&records), positions);
    assert!(records.iter().all(|record| record.epoch == EPOCH));
}

pub async fn positions_rise_and_name_their_records(fixture: impl Fixture) {
    let log = fixture.log();
    let mut positions = append(&*log, 0, payloads(0..5)).await;
    append(&*log, 1, payloads(0..5)).await;
    positions.extend(append(&*log, 0, payloads(5..9)).await);
    assert!(positions.is_sorted_by(|a, b| a < b));
    assert_eq!(log.start(0).await.unwrap(), positions[0]);
    for (n, &position) in positions.iter().enumerate() {
        let slice = log.read(0, position, 1).await.unwrap();
        assert_eq!(slice.records[0].position, position);
        assert_eq!(slice.records[0].payload, format!("record {n}"));
    }
}

pub async fn appends_take_effect_in_the_order_of_the_calls(fixture: impl Fixture) {
    let log = fixture.log();
    let calls: Vec<_> = (0..200)
        .map(|n| log.append((n % 2) as u16, EPOCH, payloads(n..n + 1)))
        .collect();
    // The answers are awaited backwards: the order of the calls is what counts.
    for call in calls.into_iter().rev() {
        call.await.unwrap();
    }
    for partition in 0..2 {
        let found = payloads_of(&read_all(&*log, partition).await);
        let of_partition = payloads(0..200)
            .into_iter()
            .skip(partition.into())
            .step_by(2);
        assert_eq!(found, of_partition.collect::<Vec<_>>());
    }
}

pub async fn an_append_happens_though_nobody_waits_for_it(fixture: impl Fixture) {
    let log = fixture.log();
    drop(log.append(0, EPOCH, payloads(0..1)));
    append(&*log, 0, payloads(1..2)).await;
    assert_eq!(payloads_of(&read_all(&*log, 0).await), payloads(0..2));
}

pub async fn an_append_of_nothing_is_answered(fixture: impl Fixture) {
    let log = fixture.log();
    assert_eq!(append(&*log, 0, Vec::new()).await, []);
    assert!(read_all(&*log, 0).await.is_empty());
}

pub async fn a_later_read_sees_what_was_acknowledged(fixture: impl Fixture) {
    let log = fixture.log();
    for n in 0..50 {
        let position = append(&*log, 0, payloads(n..n + 1)).await[0];
        let slice = log.read(0, position, 100).await.unwrap();
        assert_eq!(payloads_of(&slice.records), payloads(n..n + 1));
    }
}

pub async fn partitions_do_not_see_each_others_records(fixture: impl Fixture) {
    let (log, last) = (fixture.log(), fixture.last_partition());
    for n in 0..30 {
        let partition = [0, 7, last][n as usize % 3];
        append(&*log, partition, payloads(n..n + 1)).await;
    }
    for (partition, first) in [(0, 0), (7, 1), (last, 2)] {
        let expected: Vec<_> = payloads(0..30).into_iter().skip(first).step_by(3).collect();
        assert_eq!(payloads_of(&read_all(&*log, partition).await), expected);
    }
    assert!(read_all(&*log, 1).await.is_empty());
    assert_eq!(log.start(1).await.unwrap(), log.end(1).await.unwrap());
}

/// Readers drop the records of superseded owners; the log must show them all.
pub async fn every_epoch_may_append_and_is_kept(fixture: impl Fixture) {
    let log = fixture.log();
    let epochs = [Epoch(1), Epoch(2), Epoch(1), Epoch(u32::MAX), Epoch(0)];
    for epoch in epochs {
        log.append(0, epoch, payloads(0..1)).await.unwrap();
    }
    let records = read_all(&*log, 0).await;
    let found: Vec<_> = records.iter().map(|record| record.epoch).collect();
    assert_eq!(found, epochs);
}

pub async fn a_slice_is_bounded_but_never_empty_before_the_end(fixture: impl Fixture) {
    let log = fixture.log();
    let records = vec![Bytes::from(vec![7; 1_000]); 20];
    let position = append(&*log, 0, records).await[0];
    for (bytes_max, records_max) in [(0, 1), (1, 1), (1_000, 2), (5_500, 6)] {
        let slice = log.read(0, position, bytes_max).await.unwrap();
        assert!(!slice.records.is_empty());
        assert!(slice.records.len() <= records_max, "{bytes_max}");
    }
}

pub async fn following_next_visits_every_record_once(fixture: impl Fixture) {
    let log = fixture.log();
    for n in 0..40 {
        append(&*log, 0, payloads(n..n + 1)).await;
        append(&*log, 1, payloads(0..n % 3)).await;
    }
    let whole = read_all(&*log, 0).await;
    assert_eq!(payloads_of(&whole), payloads(0..40));
    for bytes_max in [0, 1, 9, 10, 25, 100, 1_000] {
        let visited = read(&*log, 0, Position::START, bytes_max).await;
        assert!(visited == whole, "{bytes_max}");
    }
}

pub async fn a_place_between_two_records_means_the_later_one(fixture: impl Fixture) {
    let log = fixture.log();
    for n in 0..20 {
        append(&*log, 0, payloads(n..n + 1)).await;
        append(&*log, 1, payloads(n..n + 1)).await;
    }
    let whole = read_all(&*log, 0).await;
    for (n, record) in whole.iter().enumerate() {
        let behind = Position(record.position.0 + 1);
        assert!(read(&*log, 0, behind, 1).await == whole[n + 1..]);
    }
}

pub async fn the_place_behind_the_last_record_finds_the_next_one(fixture: impl Fixture) {
    let log = fixture.log();
    let mut from = Position::START;
    for n in 0..20 {
        append(&*log, 0, payloads(n..n + 1)).await;
        append(&*log, 1, payloads(n..n + 1)).await;
        let slice = log.read(0, from, 1_000).await.unwrap();
        assert_eq!(payloads_of(&slice.records), payloads(n..n + 1));
        let behind = log.read(0, slice.next, 1_000).await.unwrap();
        assert!(behind.records.is_empty());
        from = behind.next;
    }
}

/// While the log grows, begins new segments, drops old ones and is opened anew.
pub async fn a_reader_that_follows_neither_goes_back_nor_skips(mut fixture: impl Fixture) {
    const PHASE: u32 = 60;
    let mut from = Position::START;
    for phase in 0..8 {
        let log = fixture.log();
        let records = phase * PHASE..(phase + 1) * PHASE;
        let write = async {
            for n in records.clone() {
                append(&*log, (n % 3) as u16, payloads(n..n + 1)).await;
                give_way().await;
            }
        };
        let expected = payloads(records.clone()).into_iter().step_by(3).collect();
        let follow = follow(&*log, from, expected);
        (from, ..) = future::join3(follow, write, fixture.trim()).await;
        for partition in 0..3 {
            log.release(partition, from).await.unwrap();
        }
        drop(log);
        if phase % 2 == 1 {
            fixture.restart().await;
        }
    }
}

/// Reads on from a place until these records have come, and says where the next one is read.
async fn follow(log: &dyn Log, mut from: Position, expected: Vec<Bytes>) -> Position {
    let mut expected = expected.into_iter().enumerate().peekable();
    while let Some((n, _)) = expected.peek() {
        let slice = log.read(0, from, [0, 1, 30, 1_000][n % 4]).await.unwrap();
        assert!(from <= slice.next, "a reader goes on, not back");
        for record in slice.records {
            assert!(from <= record.position && record.position < slice.next);
            let next = expected.next().map(|(_, payload)| payload);
            assert_eq!(Some(record.payload), next);
        }
        from = slice.next;
        give_way().await;
    }
    from
}

/// Lets others go on first.
async fn give_way() {
    let mut turns = 0;
    future::poll_fn(|context| {
        context.waker().wake_by_ref();
        turns += 1;
        (turns > 1).then_some(()).map_or(Poll::Pending, Poll::Ready)
    })
    .await;
}

pub async fn no_later_record_stands_before_the_end(fixture: impl Fixture) {
    let log = fixture.log();
    for n in 0..10 {
        let end = log.end(0).await.unwrap();
        let positions = append(&*log, 0, payloads(n..n + 2)).await;
        assert!(end <= positions[0]);
        assert!(positions[1] < log.end(0).await.unwrap());
    }
}

pub async fn acknowledged_records_survive_a_restart(mut fixture: impl Fixture) {
    for n in 0..10 {
        let log = fixture.log();
        append(&*log, 0, payloads(n * 10..n * 10 + 9)).await;
        append(&*log, 1, payloads(n..n + 1)).await;
        append(&*log, 0, payloads(n * 10 + 9..n * 10 + 10)).await;
        let before = read_all(&*log, 0).await;
        let end = log.end(0).await.unwrap();
        drop(log);
        fixture.restart().await;
        let log = fixture.log();
        assert_eq!(read_all(&*log, 0).await, before);
        assert!(end <= log.end(0).await.unwrap());
    }
    let log = fixture.log();
    assert_eq!(payloads_of(&read_all(&*log, 0).await), payloads(0..100));
    assert_eq!(payloads_of(&read_all(&*log, 1).await), payloads(0..10));
}

pub async fn a_place_found_before_a_restart_is_good_after_it(mut fixture: impl Fixture) {
    let log = fixture.log();
    append(&*log, 0, payloads(0..10)).await;
    let behind = log.read(0, Position::START, 1_000).await.unwrap().next;
    drop(log);
    fixture.restart().await;
    let log = fixture.log();
    append(&*log, 0, payloads(10..20)).await;
    let later = read(&*log, 0, behind, 1_000).await;
    assert_eq!(payloads_of(&later), payloads(10..20));
}

pub async fn nothing_is_dropped_without_release(mut fixture: impl Fixture) {
    for n in 0..100 {
        append(&*fixture.log(), (n % 2) as u16, payloads(n..n + 1)).await;
    }
    // One partition alone must not take the other's records with it.
    let log = fixture.log();
    log.release(1, log.end(1).await.unwrap()).await.unwrap();
    drop(log);
    for _ in 0..2 {
        fixture.trim().await;
        let records = read_all(&*fixture.log(), 0).await;
        let even: Vec<_> = payloads(0..100).into_iter().step_by(2).collect();
        assert_eq!(payloads_of(&records), even);
        fixture.restart().await;
    }
}

pub async fn only_what_was_released_is_dropped(mut fixture: impl Fixture) {
    for n in 0..100 {
        append(&*fixture.log(), (n % 2) as u16, payloads(n..n + 1)).await;
    }
    let log = fixture.log();
    let whole = read_all(&*log, 0).await;
    let needed = whole[30].position;
    log.release(0, needed).await.unwrap();
    // A lower place later takes nothing back.
    log.release(0, whole[3].position).await.unwrap();
    log.release(1, log.end(1).await.unwrap()).await.unwrap();
    drop(log);
    fixture.trim().await;
    let log = fixture.log();
    let start = log.start(0).await.unwrap();
    assert!(whole[0].position < start && start <= needed);
    let kept = read_all(&*log, 0).await;
    assert_eq!(kept[0].position, start);
    assert!(whole.ends_with(&kept));
    assert!(read(&*log, 0, needed, 100).await == whole[30..]);
    drop(log);
    fixture.restart().await;
    let log = fixture.log();
    assert_eq!(read_all(&*log, 0).await, kept);
    assert_eq!(log.start(0).await.unwrap(), start);
}

pub async fn a_partition_that_never_wrote_holds_nothing_back(mut fixture: impl Fixture) {
    for n in 0..100 {
        append(&*fixture.log(), 0, payloads(n..n + 1)).await;
    }
    let log = fixture.log();
    let first = log.start(0).await.unwrap();
    log.release(0, log.end(0).await.unwrap()).await.unwrap();
    drop(log);
    fixture.trim().await;
    assert!(first < fixture.log().start(0).await.unwrap());
}
