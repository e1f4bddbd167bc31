//! Torn tails are cut at every byte, damage is refused at every byte, gaps are noticed.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;

use super::*;
use crate::log::record;

/// Small enough that a segment holds a few batches.
fn small() -> LogConfig {
    LogConfig {
        segment_bytes: 400,
        ..LogConfig::default()
    }
}

/// One batch of a written log: its records' texts, and where it ends.
struct Batch {
    texts: Vec<String>,
    end: u64,
}

/// A closed log of several batches, of one to three records each, in partition 0.
async fn written(config: LogConfig, batches: usize) -> (tempfile::TempDir, Vec<Batch>) {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path(), config).unwrap();
    let mut written = Vec::new();
    for n in 0..batches {
        let texts: Vec<_> = (0..=n % 3)
            .map(|m| format!("batch {n} record {m}"))
            .collect();
        let records = texts.iter().map(|text| payload(text.as_str())).collect();
        log.append(0, EPOCH, records).await.unwrap();
        let end = log.end(0).await.unwrap().0;
        written.push(Batch { texts, end });
    }
    log.close().await.unwrap();
    (dir, written)
}

fn all(batches: &[Batch]) -> Vec<String> {
    batches
        .iter()
        .flat_map(|batch| batch.texts.clone())
        .collect()
}

fn base(path: &Path) -> u64 {
    segment::base_of(path.file_name().unwrap().to_str().unwrap()).unwrap()
}

fn flip(path: &Path, offset: u64, bit: u8) {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, offset).unwrap();
    file.write_all_at(&[byte[0] ^ 1 << bit], offset).unwrap();
}

#[tokio::test]
async fn a_tail_torn_at_any_byte_loses_nothing_that_was_acknowledged_before_it() {
    let (dir, batches) = written(small(), 12).await;
    let last = segments(dir.path()).pop().unwrap();
    let base = base(&last);
    assert!(segments(dir.path()).len() > 1 && batches.last().unwrap().end - base > 150);
    for length in 0..=fs::metadata(&last).unwrap().len() {
        let copy = copy(dir.path());
        let torn = copy.path().join(last.file_name().unwrap());
        File::options()
            .write(true)
            .open(&torn)
            .unwrap()
            .set_len(length)
            .unwrap();
        let log = open(copy.path(), small()).unwrap();
        let kept = texts(&log, 0).await;
        let acknowledged = batches
            .iter()
            .filter(|batch| batch.end <= base + length)
            .count();
        assert!(
            kept.starts_with(&all(&batches[..acknowledged])),
            "cut at {length}"
        );
        assert!(all(&batches).starts_with(&kept), "cut at {length}");
        let before = try_read(&log, 0).await.unwrap().pop().unwrap().position;
        assert!(append(&log, 0, "later").await > before);
        log.close().await.unwrap();
        let log = open(copy.path(), small()).unwrap();
        assert_eq!(
            texts(&log, 0).await,
            [kept, vec!["later".to_owned()]].concat()
        );
    }
}

#[tokio::test]
async fn a_tail_of_other_bytes_is_cut() {
    let (dir, batches) = written(LogConfig::default(), 3).await;
    for tail in [
        vec![0; 5_000],
        vec![0xff; 27],
        vec![0x47; 28],
        vec![0x52; 1 << 20],
    ] {
        let copy = copy(dir.path());
        let file = File::options()
            .write(true)
            .open(&segments(copy.path())[0])
            .unwrap();
        file.write_all_at(&tail, batches.last().unwrap().end)
            .unwrap();
        let log = open(copy.path(), LogConfig::default()).unwrap();
        assert_eq!(texts(&log, 0).await, all(&batches));
        assert_eq!(log.end(0).await.unwrap().0, batches.last().unwrap().end);
    }
}

/// A batch is at most 4 MiB, so a longer unreadable tail held batches that were stable.
#[tokio::test]
async fn a_tail_longer_than_a_batch_is_no_torn_tail() {
    let (dir, batches) = written(LogConfig::default(), 3).await;
    let file = File::options()
        .write(true)
        .open(&segments(dir.path())[0])
        .unwrap();
    file.set_len(batches.last().unwrap().end + (4 << 20) + 1)
        .unwrap();
    let refused = open(dir.path(), LogConfig::default());
    assert!(matches!(refused, Err(Failure::Damaged { .. })));
}

#[tokio::test]
async fn a_bit_flipped_before_the_last_batch_is_refused_and_in_it_is_cut() {
    let (dir, batches) = written(LogConfig::default(), 5).await;
    let last_begins = batches[3].end;
    for offset in 0..batches[4].end {
        let copy = copy(dir.path());
        flip(
            &segments(copy.path())[0],
            offset,
            u8::try_from(offset % 8).unwrap(),
        );
        let opened = open(copy.path(), LogConfig::default());
        if offset < last_begins {
            let Err(Failure::Damaged { why, .. }) = opened else {
                panic!("a flipped bit at {offset} went unnoticed");
            };
            assert!(why.contains("00000000000000000000.seg"), "{why}");
        } else {
            let kept = texts(&opened.unwrap(), 0).await;
            assert!(kept.starts_with(&all(&batches[..4])), "flipped at {offset}");
            assert!(kept.len() < all(&batches).len(), "flipped at {offset}");
            assert!(all(&batches).starts_with(&kept), "flipped at {offset}");
        }
    }
}

#[tokio::test]
async fn a_bit_flipped_in_an_older_segment_is_refused_by_reads() {
    let (dir, batches) = written(small(), 12).await;
    let first = &segments(dir.path())[0];
    for summaries in [true, false] {
        for offset in 0..fs::metadata(first).unwrap().len() {
            let copy = copy(dir.path());
            let damaged = copy.path().join(first.file_name().unwrap());
            flip(&damaged, offset, u8::try_from(offset % 8).unwrap());
            if !summaries {
                fs::remove_file(damaged.with_extension("sum")).unwrap();
            }
            let log = open(copy.path(), small()).unwrap();
            let read = try_read(&log, 0).await;
            // The salt's own checksum covers the reserved bytes too, so nothing is unguarded.
            assert!(
                matches!(read, Err(Failure::Damaged { .. })),
                "flipped at {offset}"
            );
        }
    }
    let log = open(dir.path(), small()).unwrap();
    assert_eq!(texts(&log, 0).await, all(&batches));
}

#[tokio::test]
async fn a_flipped_bit_in_another_partitions_payload_disturbs_nobody_else() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path(), small()).unwrap();
    let position = append(&log, 0, "to be damaged").await.0;
    for n in 0..12 {
        append(&log, 1, &format!("a record of another partition {n}")).await;
    }
    log.close().await.unwrap();
    flip(
        &segments(dir.path())[0],
        position + record::HEADER_BYTES as u64,
        0,
    );
    let log = open(dir.path(), small()).unwrap();
    assert_eq!(texts(&log, 1).await.len(), 12);
    assert!(matches!(
        try_read(&log, 0).await,
        Err(Failure::Damaged { .. })
    ));
}

#[tokio::test]
async fn a_missing_or_shortened_segment_in_the_middle_is_refused() {
    let (dir, _) = written(small(), 12).await;
    let names = segments(dir.path());
    assert!(names.len() > 2);
    let middle = names[1].file_name().unwrap();
    let without = copy(dir.path());
    fs::remove_file(without.path().join(middle)).unwrap();
    assert!(matches!(
        open(without.path(), small()),
        Err(Failure::Damaged { .. })
    ));
    for length in [0, 31, 32, fs::metadata(&names[1]).unwrap().len() - 1] {
        let shortened = copy(dir.path());
        let file = File::options()
            .write(true)
            .open(shortened.path().join(middle))
            .unwrap();
        file.set_len(length).unwrap();
        assert!(matches!(
            open(shortened.path(), small()),
            Err(Failure::Damaged { .. })
        ));
    }
}

#[tokio::test]
async fn a_segment_that_vanishes_while_the_log_is_open_is_noticed() {
    let (dir, _) = written(small(), 12).await;
    let log = open(dir.path(), small()).unwrap();
    fs::remove_file(&segments(dir.path())[1]).unwrap();
    assert!(matches!(
        try_read(&log, 0).await,
        Err(Failure::Damaged { .. })
    ));
}

#[tokio::test]
async fn a_lost_or_damaged_summary_is_made_again() {
    let (dir, batches) = written(small(), 12).await;
    let summary = segments(dir.path())[0].with_extension("sum");
    let kept = fs::read(&summary).unwrap();
    for damage in [None, Some(&b"garbage"[..]), Some(&kept[..kept.len() - 1])] {
        fs::remove_file(&summary).unwrap();
        if let Some(damage) = damage {
            fs::write(&summary, damage).unwrap();
        }
        let log = open(dir.path(), small()).unwrap();
        assert_eq!(texts(&log, 0).await, all(&batches));
        assert_eq!(fs::read(&summary).unwrap(), kept);
    }
}

/// Whoever can guess where a message will be stored still cannot put a record into it, because
/// the checksum begins with a number that is in the segment's header only.
#[tokio::test]
async fn a_record_inside_a_payload_is_not_taken_for_one() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path(), LogConfig::default()).unwrap();
    let begins = append(&log, 0, "before").await.0 + record::HEADER_BYTES as u64 + 6;
    let inside = begins + record::HEADER_BYTES as u64;
    let header = record::Header::of(b"", 0, EPOCH, inside).encode(0, inside);
    log.append(
        0,
        EPOCH,
        vec![Bytes::copy_from_slice(&header), payload("end")],
    )
    .await
    .unwrap();
    log.close().await.unwrap();
    flip(&segments(dir.path())[0], begins, 0);
    let log = open(dir.path(), LogConfig::default()).unwrap();
    assert_eq!(texts(&log, 0).await, ["before"]);
}
