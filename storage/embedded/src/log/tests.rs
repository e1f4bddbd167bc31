//! A log under crashes, damage, a failing disk and load.

mod crash;
mod disk_faults;
mod follow;
mod laws;
mod retention;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use guildhall_model::{Epoch, Position};
use guildhall_ports::log::LogRecord;
use guildhall_ports::{Env, Failure, Log};
use metrics_exporter_prometheus::PrometheusBuilder;

use super::{LogConfig, SegmentLog, Topic, segment};

const EPOCH: Epoch = Epoch(1);

fn open(dir: &Path, config: LogConfig) -> Result<SegmentLog, Failure> {
    SegmentLog::open(dir, Topic::Events, config, Env::system().random)
}

fn payload(text: impl Into<String>) -> Bytes {
    Bytes::from(text.into())
}

/// Appends one record and waits for it: a batch of its own.
async fn append(log: &SegmentLog, partition: u16, text: &str) -> Position {
    let appended = log.append(partition, EPOCH, vec![payload(text)]).await;
    appended.unwrap()[0]
}

/// All records of a partition, read in small slices.
async fn try_read(log: &SegmentLog, partition: u16) -> Result<Vec<LogRecord>, Failure> {
    let mut records = Vec::new();
    let mut from = Position::START;
    loop {
        let slice = log.read(partition, from, 64).await?;
        if slice.records.is_empty() {
            return Ok(records);
        }
        records.extend(slice.records);
        from = slice.next;
    }
}

async fn texts(log: &SegmentLog, partition: u16) -> Vec<String> {
    let records = try_read(log, partition).await.unwrap();
    let text = |record: LogRecord| String::from_utf8(record.payload.to_vec()).unwrap();
    records.into_iter().map(text).collect()
}

/// The log's segment files, oldest first.
fn segments(dir: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            segment::base_of(name).is_some()
        })
        .collect();
    paths.sort();
    paths
}

/// A copy of a closed log's files that may be damaged.
fn copy(dir: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    copy
}

#[tokio::test]
async fn acknowledged_records_come_back_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path(), LogConfig::default()).unwrap();
    for n in 0..10 {
        append(&log, n % 3, &format!("record {n}")).await;
    }
    log.close().await.unwrap();
    let log = open(dir.path(), LogConfig::default()).unwrap();
    assert_eq!(texts(&log, 1).await, ["record 1", "record 4", "record 7"]);
    let end = log.end(1).await.unwrap();
    assert!(append(&log, 1, "later").await >= end);
}

#[tokio::test]
async fn a_second_opener_is_refused_until_the_first_one_closes() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path(), LogConfig::default()).unwrap();
    let second = open(dir.path(), LogConfig::default());
    assert!(matches!(second, Err(Failure::Unavailable { .. })));
    log.close().await.unwrap();
    assert!(open(dir.path(), LogConfig::default()).is_ok());
}

#[tokio::test]
async fn a_closed_log_refuses_appends_and_keeps_those_before() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path(), LogConfig::default()).unwrap();
    let before: Vec<_> = (0..100)
        .map(|n| log.append(0, EPOCH, vec![payload(n.to_string())]))
        .collect();
    log.close().await.unwrap();
    for append in before {
        append.await.unwrap();
    }
    let after = log.append(0, EPOCH, vec![payload("late")]).await;
    assert!(matches!(after, Err(Failure::Closing)));
    assert_eq!(texts(&log, 0).await.len(), 100);
}

#[tokio::test]
async fn an_append_longer_than_a_batch_keeps_its_order() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path(), LogConfig::default()).unwrap();
    let records: Vec<_> = (0..9_u8).map(|n| Bytes::from(vec![n; 1 << 20])).collect();
    let positions = log.append(0, EPOCH, records.clone()).await.unwrap();
    let read = try_read(&log, 0).await.unwrap();
    let expected: Vec<_> = positions.into_iter().zip(records).collect();
    let found: Vec<_> = read
        .into_iter()
        .map(|record| (record.position, record.payload))
        .collect();
    assert!(found == expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_appends_in_flight_share_batches() {
    let dir = tempfile::tempdir().unwrap();
    let log = Arc::new(open(dir.path(), LogConfig::default()).unwrap());
    let appends: Vec<_> = (0..5_000_u16)
        .map(|n| log.append(n % 8, EPOCH, vec![payload(n.to_string())]))
        .collect();
    let mut last = [Position::START; 8];
    for (n, append) in appends.into_iter().enumerate() {
        let position = append.await.unwrap()[0];
        assert!(position > last[n % 8]);
        last[n % 8] = position;
    }
    for partition in 0..8 {
        let expected: Vec<_> = (0..5_000_u16)
            .filter(|n| n % 8 == partition)
            .map(|n| n.to_string())
            .collect();
        assert_eq!(texts(&log, partition).await, expected);
    }
}

#[tokio::test]
async fn every_batch_is_measured() {
    let dir = tempfile::tempdir().unwrap();
    let recorder = PrometheusBuilder::new().build_recorder();
    let open = || open(dir.path(), LogConfig::default()).unwrap();
    let log = metrics::with_local_recorder(&recorder, open);
    append(&log, 0, "one batch").await;
    let records = vec![payload("another"), payload("batch")];
    log.append(0, EPOCH, records).await.unwrap();
    let bytes = log.end(0).await.unwrap().0 - segment::HEADER_BYTES as u64;
    let measured = recorder.handle().render();
    for (name, value) in [
        ("batches_total", 2),
        ("written_bytes_total", bytes),
        ("batch_records_sum", 3),
        ("batch_records_count", 2),
        ("fsync_seconds_count", 2),
    ] {
        let line = format!("guildhall_log_{name}{{topic=\"events\"}} {value}\n");
        assert!(measured.contains(&line), "{line} is not in {measured}");
    }
}
