//! A disk that is full, fails or is slow: what each step of a commit leaves behind.

use std::fs::File;
use std::io;
use std::sync::Arc;

use futures_util::{FutureExt, StreamExt};
use parking_lot::{Condvar, Mutex};

use super::*;
use crate::log::disk::{Disk, OsDisk};
use crate::log::record;
use crate::log::{Durability, Health};

/// A step that fails.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Failing {
    Sync,
    Cut,
    /// The writer panics.
    Write,
}

/// What the disk does, and what was asked of it.
#[derive(Default)]
struct Plan {
    /// Bytes that can still be written; unlimited if absent.
    room: Option<usize>,
    failing: Option<Failing>,
    /// Syncs wait until this is false.
    syncs_held: bool,
    syncs_waiting: usize,
    /// Offset and bytes of every write that succeeded.
    writes: Vec<(u64, Vec<u8>)>,
    syncs: usize,
}

#[derive(Default)]
struct Control {
    plan: Mutex<Plan>,
    changed: Condvar,
}

impl Control {
    fn set(&self, change: impl FnOnce(&mut Plan)) {
        change(&mut self.plan.lock());
        self.changed.notify_all();
    }

    fn wait_until(&self, condition: impl Fn(&Plan) -> bool) {
        let mut plan = self.plan.lock();
        self.changed.wait_while(&mut plan, |plan| !condition(plan));
    }
}

struct FakeDisk(Arc<Control>);

impl Disk for FakeDisk {
    fn create(&self, path: &Path) -> io::Result<File> {
        OsDisk.create(path)
    }

    fn write(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut plan = self.0.plan.lock();
        assert!(plan.failing != Some(Failing::Write), "as planned");
        let room = plan.room.unwrap_or(usize::MAX);
        let fitting = bytes.len().min(room);
        plan.room = plan.room.map(|room| room - fitting);
        OsDisk.write(file, &bytes[..fitting], offset)?;
        if fitting < bytes.len() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        plan.writes.push((offset, bytes.to_vec()));
        self.0.changed.notify_all();
        Ok(())
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        let mut plan = self.0.plan.lock();
        plan.syncs_waiting += 1;
        self.0.changed.notify_all();
        self.0.changed.wait_while(&mut plan, |plan| plan.syncs_held);
        plan.syncs_waiting -= 1;
        plan.syncs += 1;
        if plan.failing == Some(Failing::Sync) {
            return Err(io::Error::other("the disk has failed"));
        }
        OsDisk.sync(file)
    }

    fn sync_entry(&self, path: &Path) -> io::Result<()> {
        OsDisk.sync_entry(path)
    }

    fn cut(&self, file: &File, length: u64) -> io::Result<()> {
        let mut plan = self.0.plan.lock();
        if plan.failing == Some(Failing::Cut) {
            return Err(io::Error::other("the disk has failed"));
        }
        let freed = usize::try_from(file.metadata()?.len() - length).unwrap();
        plan.room = plan.room.map(|room| room + freed);
        OsDisk.cut(file, length)
    }
}

/// A log on a disk that obeys, and the disk's controls.
fn open_faulty(dir: &Path, config: LogConfig) -> (SegmentLog, Arc<Control>) {
    let control = Arc::new(Control::default());
    let disk = Box::new(FakeDisk(Arc::clone(&control)));
    let random = Env::system().random;
    let log = SegmentLog::open_on(disk, dir, Topic::Events, config, random).unwrap();
    (log, control)
}

/// A disk that is never asked by the writer itself, so that tests decide when it is.
fn unasked() -> LogConfig {
    LogConfig {
        full_retry_ms: u64::MAX >> 20,
        ..LogConfig::default()
    }
}

#[tokio::test]
async fn a_full_disk_refuses_batches_and_works_on_when_there_is_room() {
    let dir = tempfile::tempdir().unwrap();
    let (log, disk) = open_faulty(dir.path(), unasked());
    append(&log, 0, "before").await;
    let end = log.end(0).await.unwrap();
    // Every cut of the batch, from nothing to all but its last byte.
    for room in 0..record::HEADER_BYTES + 7 {
        disk.set(|plan| plan.room = Some(room));
        let refused = log.append(0, EPOCH, vec![payload("refused")]).await;
        assert!(
            matches!(refused, Err(Failure::Full { .. })),
            "room for {room}"
        );
        assert_eq!(log.health(), Health::Full);
        assert_eq!(texts(&log, 0).await, ["before"]);
        let length = std::fs::metadata(&segments(dir.path())[0]).unwrap().len();
        assert_eq!(length, end.0, "nothing of the batch is left");
    }
    disk.set(|plan| plan.room = None);
    assert_eq!(append(&log, 0, "after").await, end);
    log.close().await.unwrap();
    assert_eq!(log.health(), Health::Working);
    let log = open(dir.path(), LogConfig::default()).unwrap();
    assert_eq!(texts(&log, 0).await, ["before", "after"]);
}

#[tokio::test]
async fn a_disk_that_has_room_for_a_small_batch_only_is_still_full() {
    let dir = tempfile::tempdir().unwrap();
    let (log, disk) = open_faulty(dir.path(), unasked());
    disk.set(|plan| plan.room = Some(0));
    let refused = log.append(0, EPOCH, vec![payload("refused")]).await;
    assert!(matches!(refused, Err(Failure::Full { .. })));
    disk.set(|plan| plan.room = Some(1_000));
    append(&log, 0, "small").await;
    log.close().await.unwrap();
    assert_eq!(log.health(), Health::Full);
}

#[tokio::test]
async fn failed_batches_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let recorder = PrometheusBuilder::new().build_recorder();
    let (log, disk) =
        metrics::with_local_recorder(&recorder, || open_faulty(dir.path(), unasked()));
    disk.set(|plan| plan.room = Some(0));
    for _ in 0..2 {
        let refused = log.append(0, EPOCH, vec![payload("refused")]).await;
        assert!(refused.is_err());
    }
    let measured = recorder.handle().render();
    let line = "guildhall_log_failed_batches_total{topic=\"events\"} 2\n";
    assert!(measured.contains(line), "{measured}");
}

#[tokio::test]
async fn a_full_disk_that_has_room_again_is_noticed_without_an_append() {
    let dir = tempfile::tempdir().unwrap();
    let config = LogConfig {
        full_retry_ms: 1,
        ..LogConfig::default()
    };
    let (log, disk) = open_faulty(dir.path(), config);
    disk.set(|plan| plan.room = Some(0));
    assert!(
        log.append(0, EPOCH, vec![payload("refused")])
            .await
            .is_err()
    );
    assert_eq!(log.health(), Health::Full);
    let asked = disk.plan.lock().writes.len();
    disk.set(|plan| plan.room = None);
    disk.wait_until(|plan| plan.writes.len() > asked);
    log.close().await.unwrap();
    assert_eq!(log.health(), Health::Working);
    let log = open(dir.path(), config).unwrap();
    assert!(texts(&log, 0).await.is_empty());
}

#[tokio::test]
async fn a_segment_that_cannot_begin_leaves_the_former_one_in_use() {
    let dir = tempfile::tempdir().unwrap();
    let config = LogConfig {
        segment_bytes: 10,
        ..unasked()
    };
    let (log, disk) = open_faulty(dir.path(), config);
    append(&log, 0, "first segment").await;
    disk.set(|plan| plan.room = Some(segment::HEADER_BYTES - 1));
    assert!(
        log.append(0, EPOCH, vec![payload("refused")])
            .await
            .is_err()
    );
    assert_eq!(segments(dir.path()).len(), 1);
    assert_eq!(texts(&log, 0).await, ["first segment"]);
    disk.set(|plan| plan.room = None);
    append(&log, 0, "second segment").await;
    assert_eq!(segments(dir.path()).len(), 2);
    log.close().await.unwrap();
    let log = open(dir.path(), config).unwrap();
    assert_eq!(texts(&log, 0).await, ["first segment", "second segment"]);
}

#[tokio::test]
async fn appends_behind_a_failed_one_fail_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let (log, disk) = open_faulty(dir.path(), unasked());
    disk.set(|plan| plan.syncs_held = true);
    let first = log.append(0, EPOCH, vec![payload("first")]);
    disk.wait_until(|plan| plan.syncs_waiting > 0);
    // Too much for one batch: of the next two only the second one would find room.
    let lengthy = log.append(0, EPOCH, vec![Bytes::from(vec![0; 3 << 20])]);
    let behind = log.append(0, EPOCH, vec![Bytes::from(vec![0; 2 << 20])]);
    disk.set(|plan| {
        plan.room = Some(5 << 19);
        plan.syncs_held = false;
    });
    first.await.unwrap();
    assert!(matches!(lengthy.await, Err(Failure::Full { .. })));
    assert!(matches!(behind.await, Err(Failure::Full { .. })));
    assert_eq!(texts(&log, 0).await, ["first"]);
}

#[tokio::test]
async fn a_failed_sync_ends_all_appends_for_good() {
    let dir = tempfile::tempdir().unwrap();
    let (log, disk) = open_faulty(dir.path(), unasked());
    append(&log, 0, "before").await;
    let mut follower = log.follow(0, log.end(0).await.unwrap(), 1);
    assert!(follower.next().now_or_never().is_none());
    disk.set(|plan| plan.failing = Some(Failing::Sync));
    let failed = log.append(0, EPOCH, vec![payload("unsure")]).await;
    assert!(matches!(failed, Err(Failure::Unavailable { .. })));
    let ended = follower.next().await.unwrap();
    assert!(matches!(ended, Err(Failure::Unavailable { .. })));
    disk.set(|plan| plan.failing = None);
    let later = log.append(0, EPOCH, vec![payload("refused")]).await;
    let Err(Failure::Unavailable { why, .. }) = later else {
        panic!("an append after a failed sync must not succeed");
    };
    assert!(why.contains("a sync failed"), "{why}");
    assert_eq!(log.health(), Health::Broken);
    assert_eq!(texts(&log, 0).await, ["before"]);
    log.close().await.unwrap();
    assert_eq!(log.health(), Health::Broken);
}

#[tokio::test]
async fn a_failed_batch_that_cannot_be_cut_ends_all_appends() {
    let dir = tempfile::tempdir().unwrap();
    let (log, disk) = open_faulty(dir.path(), unasked());
    disk.set(|plan| (plan.room, plan.failing) = (Some(10), Some(Failing::Cut)));
    assert!(
        log.append(0, EPOCH, vec![payload("refused")])
            .await
            .is_err()
    );
    disk.set(|plan| (plan.room, plan.failing) = (None, None));
    assert!(
        log.append(0, EPOCH, vec![payload("refused")])
            .await
            .is_err()
    );
    assert_eq!(log.health(), Health::Broken);
}

#[tokio::test]
async fn a_writer_that_panics_leaves_nobody_waiting() {
    let dir = tempfile::tempdir().unwrap();
    let (log, disk) = open_faulty(dir.path(), unasked());
    disk.set(|plan| plan.failing = Some(Failing::Write));
    assert!(
        log.append(0, EPOCH, vec![payload("refused")])
            .await
            .is_err()
    );
    assert!(
        log.append(0, EPOCH, vec![payload("refused")])
            .await
            .is_err()
    );
    log.close().await.unwrap();
    assert_eq!(log.health(), Health::Broken);
}

#[tokio::test]
async fn records_are_unseen_and_unanswered_until_they_are_synced() {
    let dir = tempfile::tempdir().unwrap();
    let (log, disk) = open_faulty(dir.path(), unasked());
    let before = append(&log, 0, "before").await;
    let end = log.end(0).await.unwrap();
    disk.set(|plan| plan.syncs_held = true);
    let mut follower = log.follow(0, end, 1);
    let mut unstable = log.append(0, EPOCH, vec![payload("unstable")]);
    disk.wait_until(|plan| plan.syncs_waiting > 0);
    assert!((&mut unstable).now_or_never().is_none());
    assert!(follower.next().now_or_never().is_none());
    assert_eq!(log.end(0).await.unwrap(), end);
    assert_eq!(log.start(0).await.unwrap(), before);
    assert_eq!(texts(&log, 0).await, ["before"]);
    disk.set(|plan| plan.syncs_held = false);
    assert_eq!(unstable.await.unwrap(), [end]);
    let heard = follower.next().await.unwrap().unwrap();
    assert_eq!(heard.records[0].position, end);
    assert_eq!(texts(&log, 0).await, ["before", "unstable"]);
}

#[tokio::test]
async fn what_comes_while_a_batch_is_synced_is_one_batch() {
    let dir = tempfile::tempdir().unwrap();
    let (log, disk) = open_faulty(dir.path(), unasked());
    disk.set(|plan| plan.syncs_held = true);
    let first = log.append(0, EPOCH, vec![payload("first")]);
    disk.wait_until(|plan| plan.syncs_waiting > 0);
    let (writes, syncs) = {
        let plan = disk.plan.lock();
        (plan.writes.len(), plan.syncs)
    };
    let others: Vec<_> = (0..1_000)
        .map(|n| log.append(n % 8, EPOCH, vec![payload(n.to_string())]))
        .collect();
    disk.set(|plan| plan.syncs_held = false);
    first.await.unwrap();
    for other in others {
        other.await.unwrap();
    }
    let plan = disk.plan.lock();
    assert_eq!(plan.writes.len() - writes, 1);
    assert_eq!(plan.syncs - syncs, 2);
}

#[tokio::test]
async fn only_fsync_waits_for_the_disk() {
    for (durability, syncs) in [(Durability::Fsync, 10), (Durability::Os, 0)] {
        let dir = tempfile::tempdir().unwrap();
        let config = LogConfig {
            durability,
            ..unasked()
        };
        let (log, disk) = open_faulty(dir.path(), config);
        let before = disk.plan.lock().syncs;
        for _ in 0..10 {
            append(&log, 0, "a batch").await;
        }
        assert_eq!(disk.plan.lock().syncs - before, syncs);
    }
}

#[tokio::test]
async fn a_full_queue_refuses_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let config = LogConfig {
        queue_appends_max: 2,
        ..unasked()
    };
    let (log, disk) = open_faulty(dir.path(), config);
    disk.set(|plan| plan.syncs_held = true);
    let syncing = log.append(0, EPOCH, vec![payload("syncing")]);
    disk.wait_until(|plan| plan.syncs_waiting > 0);
    let waiting = [
        log.append(0, EPOCH, vec![payload("waits")]),
        log.append(0, EPOCH, vec![payload("waits")]),
    ];
    let refused = log
        .append(0, EPOCH, vec![payload("refused")])
        .now_or_never();
    assert!(matches!(refused, Some(Err(Failure::Unavailable { .. }))));
    disk.set(|plan| plan.syncs_held = false);
    syncing.await.unwrap();
    for waits in waiting {
        waits.await.unwrap();
    }
    assert_eq!(texts(&log, 0).await, ["syncing", "waits", "waits"]);
}

/// Pages of a batch whose sync failed may count as clean though the disk never got them.
#[tokio::test]
async fn opening_writes_the_last_batch_again_and_syncs_it() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path(), LogConfig::default()).unwrap();
    let first = append(&log, 0, "first batch").await.0;
    let last = append(&log, 0, "last batch").await.0;
    let end = log.end(0).await.unwrap().0;
    log.close().await.unwrap();
    let file = std::fs::read(&segments(dir.path())[0]).unwrap();
    let (log, disk) = open_faulty(dir.path(), LogConfig::default());
    {
        let plan = disk.plan.lock();
        let offset = usize::try_from(last).unwrap();
        assert_eq!(plan.writes, [(last, file[offset..].to_vec())]);
        assert_eq!(plan.syncs, 1);
    }
    assert_eq!(log.start(0).await.unwrap().0, first);
    assert_eq!(log.end(0).await.unwrap().0, end);
}
