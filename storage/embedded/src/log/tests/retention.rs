//! Old segments go when they are released and old, and never leave a gap.

use std::fs::{self, File};
use std::time::{Duration, UNIX_EPOCH};

use guildhall_model::Timestamp;

use super::*;
use crate::log::Trimmed;
use crate::log::catalog::Opened;

const RETENTION_MS: u64 = 1_000;
const LATE: Timestamp = Timestamp(i64::MAX);

/// Segments of one batch each.
fn config() -> LogConfig {
    LogConfig {
        segment_bytes: 1,
        retention_ms: RETENTION_MS,
        ..LogConfig::default()
    }
}

/// A log of segments of one record each, of partitions 0, 1, 0, 1 and so on.
async fn written(dir: &Path, segments: usize) -> (SegmentLog, Vec<Position>) {
    let log = open(dir, config()).unwrap();
    let mut positions = Vec::new();
    for n in 0..segments {
        let partition = u16::try_from(n % 2).unwrap();
        positions.push(append(&log, partition, &n.to_string()).await);
    }
    (log, positions)
}

async fn release(log: &SegmentLog, partition: u16, before: u64) {
    log.release(partition, Position(before)).await.unwrap();
}

#[tokio::test]
async fn a_segment_goes_when_all_its_partitions_released_it() {
    let dir = tempfile::tempdir().unwrap();
    let (log, positions) = written(dir.path(), 6).await;
    release(&log, 0, positions[4].0).await;
    assert_eq!(log.trim(LATE).await.unwrap().segments, 1);
    // Partition 1 has the second one; its own record is needed until the place behind it.
    release(&log, 1, positions[1].0).await;
    assert_eq!(log.trim(LATE).await.unwrap(), Trimmed::default());
    release(&log, 1, positions[1].0 + 1).await;
    assert_eq!(log.trim(LATE).await.unwrap().segments, 2);
    assert_eq!(log.start(0).await.unwrap(), positions[4]);
    assert_eq!(log.start(1).await.unwrap(), positions[3]);
    assert_eq!(texts(&log, 1).await, ["3", "5"]);
}

#[tokio::test]
async fn the_active_segment_stays() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = written(dir.path(), 4).await;
    for partition in 0..2 {
        release(&log, partition, u64::MAX).await;
    }
    let bytes: u64 = segments(dir.path())[..3]
        .iter()
        .map(|path| fs::metadata(path).unwrap().len())
        .sum();
    assert_eq!(
        log.trim(LATE).await.unwrap(),
        Trimmed { segments: 3, bytes }
    );
    assert_eq!(segments(dir.path()).len(), 1);
    assert_eq!(texts(&log, 1).await, ["3"]);
    assert_eq!(log.start(0).await.unwrap(), log.end(0).await.unwrap());
    assert_eq!(
        fs::read_dir(dir.path()).unwrap().count(),
        2,
        "the segment and the lock"
    );
}

#[tokio::test]
async fn a_segment_stays_for_the_retention_time() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = written(dir.path(), 4).await;
    log.close().await.unwrap();
    let written_ms = 1_700_000_000_000;
    for (n, path) in (0..).zip(segments(dir.path())) {
        let at = UNIX_EPOCH + Duration::from_millis(written_ms + n * 100);
        File::options()
            .write(true)
            .open(path)
            .unwrap()
            .set_modified(at)
            .unwrap();
    }
    let log = open(dir.path(), config()).unwrap();
    for partition in 0..2 {
        release(&log, partition, u64::MAX).await;
    }
    let aged = |ms: u64| Timestamp(i64::try_from(written_ms + RETENTION_MS + ms).unwrap());
    assert_eq!(log.trim(aged(0).plus_ms(-1)).await.unwrap().segments, 0);
    assert_eq!(log.trim(aged(0)).await.unwrap().segments, 1);
    assert_eq!(log.trim(aged(99)).await.unwrap().segments, 0);
    assert_eq!(log.trim(aged(1_000)).await.unwrap().segments, 2);
}

#[tokio::test]
async fn a_restart_forgets_what_was_released_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (log, positions) = written(dir.path(), 6).await;
    for partition in 0..2 {
        release(&log, partition, positions[2].0).await;
    }
    log.trim(LATE).await.unwrap();
    for partition in 0..2 {
        release(&log, partition, u64::MAX).await;
    }
    log.close().await.unwrap();
    let log = open(dir.path(), config()).unwrap();
    assert_eq!(log.trim(LATE).await.unwrap(), Trimmed::default());
    assert_eq!(texts(&log, 0).await, ["2", "4"]);
    assert_eq!(log.start(1).await.unwrap(), positions[3]);
}

#[tokio::test]
async fn a_reader_of_a_segment_that_is_trimmed_reads_on_behind_it() {
    let dir = tempfile::tempdir().unwrap();
    let (log, positions) = written(dir.path(), 6).await;
    let view = log.shared.catalog.view(0, 0);
    for partition in 0..2 {
        release(&log, partition, positions[2].0).await;
    }
    log.trim(LATE).await.unwrap();
    let opened = log.shared.catalog.open(&view.closed[0]).unwrap();
    assert!(matches!(opened, Opened::Gone));
    let slice = log.read(0, Position::START, 1_000).await.unwrap();
    assert_eq!(slice.records[0].position, positions[2]);
}

#[tokio::test]
async fn a_segment_that_cannot_be_removed_is_kept_and_holds_back_the_later_ones() {
    let dir = tempfile::tempdir().unwrap();
    let (log, positions) = written(dir.path(), 6).await;
    for partition in 0..2 {
        release(&log, partition, u64::MAX).await;
    }
    // A directory cannot be removed as a file, whoever asks.
    let first = segments(dir.path()).remove(0);
    let aside = dir.path().join("aside");
    fs::rename(&first, &aside).unwrap();
    fs::create_dir(&first).unwrap();
    assert!(log.trim(LATE).await.is_err());
    assert_eq!(segments(dir.path()).len(), 6);
    fs::remove_dir(&first).unwrap();
    fs::rename(&aside, &first).unwrap();
    assert_eq!(log.start(0).await.unwrap(), positions[0]);
    assert_eq!(log.trim(LATE).await.unwrap().segments, 5);
}

#[tokio::test]
async fn a_summary_without_its_segment_is_removed_at_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = written(dir.path(), 3).await;
    log.close().await.unwrap();
    let stray = dir.path().join("99999999999999999999.sum");
    fs::copy(segments(dir.path())[0].with_extension("sum"), &stray).unwrap();
    let log = open(dir.path(), config()).unwrap();
    assert!(!stray.exists());
    assert!(segments(dir.path())[0].with_extension("sum").exists());
    assert_eq!(texts(&log, 0).await, ["0", "2"]);
}
