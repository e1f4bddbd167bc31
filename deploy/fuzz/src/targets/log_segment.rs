//! The embedded log over damaged segment files: it recovers what a slow twin of the format finds,
//! or refuses, and goes on from there.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use guildhall_embedded::log::{Durability, LogConfig, SegmentLog, Topic};
use guildhall_model::{Epoch, Position};
use guildhall_ports::log::LogRecord;
use guildhall_ports::{Failure, Log};

use crate::script::Script;
use crate::workbench::{Fixed, block_on, folder};

const HEADER_BYTES: usize = 32;
const RECORD_HEADER_BYTES: usize = 28;
const PARTITIONS: u16 = 3;
const MARK: u16 = 0x4752;
const SALT: [u8; 8] = *b"saltsalt";
/// Bytes of one batch at most, which no case reaches.
const RECORD_BYTES_MAX: usize = 4 * 1024 * 1024 - RECORD_HEADER_BYTES;

/// A segment's file.
struct Segment {
    base: u64,
    bytes: Vec<u8>,
}

/// One record as the twin reads it.
struct Read {
    partition: u16,
    batch: u64,
    record: LogRecord,
    next: u64,
    /// The payload is what was appended.
    is_whole: bool,
}

/// What the twin expects of a log.
enum Expected {
    Refused,
    /// For each partition its records, and whether damage follows them.
    Opened(Vec<(Vec<LogRecord>, bool)>),
}

pub(crate) fn run(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let mut segments = segments(&mut script);
    damage(&mut script, &mut segments);
    let dir = folder();
    for segment in &segments {
        let name = format!("{:020}.seg", segment.base);
        fs::write(dir.path().join(name), &segment.bytes).expect("there is room");
    }
    match (expected(&segments), open(dir.path())) {
        (Expected::Refused, Err(Failure::Damaged { .. })) => {}
        (Expected::Opened(expected), Ok(log)) => check_reads(&log, &expected),
        (Expected::Refused, Ok(_)) => panic!("damage was not noticed"),
        (_, Err(failure)) => panic!("{failure}"),
    }
}

fn open(dir: &Path) -> Result<SegmentLog, Failure> {
    let config = LogConfig {
        durability: Durability::Os,
        ..LogConfig::default()
    };
    SegmentLog::open(dir, Topic::Events, config, Arc::new(Fixed))
}

/// A log of up to three segments that nothing has damaged yet.
fn segments(script: &mut Script<'_>) -> Vec<Segment> {
    let mut base = 0;
    (0..=script.below(3))
        .map(|_| {
            let segment = segment(script, base);
            base += segment.bytes.len() as u64;
            segment
        })
        .collect()
}

fn segment(script: &mut Script<'_>, base: u64) -> Segment {
    let mut bytes = segment_header(base);
    for _ in 0..script.below(5) {
        let batch = base + bytes.len() as u64;
        for _ in 0..=script.below(3) {
            let partition = u16::from(script.byte()) % PARTITIONS;
            let epoch = Epoch(script.byte().into());
            let length = script.below(40);
            let payload = script.take(length);
            let position = base + bytes.len() as u64;
            bytes.extend(record_header(position, batch, partition, epoch, payload));
            bytes.extend_from_slice(payload);
        }
    }
    Segment { base, bytes }
}

fn segment_header(base: u64) -> Vec<u8> {
    let mut bytes = b"GHLOG\0\0\x01".to_vec();
    bytes.extend(base.to_le_bytes());
    bytes.extend(SALT);
    bytes.extend([0; 4]);
    bytes.extend(crc32c::crc32c(&bytes).to_le_bytes());
    bytes
}

fn record_header(
    position: u64,
    batch: u64,
    partition: u16,
    epoch: Epoch,
    payload: &[u8],
) -> Vec<u8> {
    let mut rest = crc32c::crc32c(payload).to_le_bytes().to_vec();
    let length = u32::try_from(payload.len()).expect("short");
    rest.extend(length.to_le_bytes());
    rest.extend(epoch.0.to_le_bytes());
    rest.extend(batch.to_le_bytes());
    rest.extend(partition.to_le_bytes());
    rest.extend(MARK.to_le_bytes());
    let mut bytes = sum(&SALT, position, &rest).to_le_bytes().to_vec();
    bytes.extend(rest);
    bytes
}

fn sum(salt: &[u8], position: u64, rest: &[u8]) -> u32 {
    let crc = crc32c::crc32c_append(crc32c::crc32c(salt), &position.to_le_bytes());
    crc32c::crc32c_append(crc, rest)
}

fn damage(script: &mut Script<'_>, segments: &mut Vec<Segment>) {
    for _ in 0..script.below(6) {
        let which = script.below(segments.len());
        let kind = script.below(8);
        // What a log trims is whole segments from its beginning, so that one is not missed.
        if kind == 6 && which > 0 {
            segments.remove(which);
            continue;
        }
        let bytes = &mut segments[which].bytes;
        match kind {
            0 | 1 if !bytes.is_empty() => {
                let at = script.below(bytes.len());
                bytes[at] ^= 1 << script.below(8);
            }
            2 => bytes.truncate(script.below(bytes.len() + 1)),
            3 => {
                let length = script.below(80);
                bytes.extend_from_slice(script.take(length));
            }
            4 => bytes.resize(bytes.len() + script.below(100), 0),
            5 if !bytes.is_empty() => {
                let (from, to) = (script.below(bytes.len()), script.below(bytes.len()));
                let length = script.below(80).min(bytes.len() - from.max(to));
                bytes.copy_within(from..from + length, to);
            }
            _ => *bytes = script.take(120).to_vec(),
        }
    }
}

impl Segment {
    fn end(&self) -> u64 {
        self.base + self.bytes.len() as u64
    }

    /// The salt, if the header is one of this segment.
    fn salt(&self) -> Option<&[u8]> {
        let header = self.bytes.get(..HEADER_BYTES)?;
        let is_whole = header[..16] == segment_header(self.base)[..16]
            && header[28..] == crc32c::crc32c(&header[..28]).to_le_bytes();
        is_whole.then_some(&header[16..24])
    }

    /// The record whose header stands at this offset. It may reach beyond the end.
    fn record(&self, salt: &[u8], offset: usize) -> Option<Read> {
        let header = self.bytes.get(offset..offset + RECORD_HEADER_BYTES)?;
        let field = |at: usize, bytes: usize| {
            let mut number = [0; 8];
            number[..bytes].copy_from_slice(&header[at..at + bytes]);
            u64::from_le_bytes(number)
        };
        let position = self.base + offset as u64;
        let (length, batch) = (field(8, 4), field(16, 8));
        let is_header = field(26, 2) == u64::from(MARK)
            && batch <= position
            && length <= RECORD_BYTES_MAX as u64
            && field(0, 4) == u64::from(sum(salt, position, &header[4..]));
        if !is_header {
            return None;
        }
        let begin = offset + RECORD_HEADER_BYTES;
        let end = begin + usize::try_from(length).expect("32 bits");
        let payload = self.bytes.get(begin..end);
        Some(Read {
            partition: u16::try_from(field(24, 2)).expect("two bytes"),
            batch,
            next: self.base + end as u64,
            is_whole: payload
                .is_some_and(|payload| field(4, 4) == u64::from(crc32c::crc32c(payload))),
            record: LogRecord {
                position: Position(position),
                epoch: Epoch(u32::try_from(field(12, 4)).expect("four bytes")),
                payload: Bytes::copy_from_slice(payload.unwrap_or_default()),
            },
        })
    }

    /// The records from the beginning, as far as each has its header and ends within the file.
    fn records(&self, salt: &[u8]) -> Vec<Read> {
        let mut records: Vec<Read> = Vec::new();
        let mut offset = HEADER_BYTES;
        while let Some(read) = self.record(salt, offset)
            && read.next <= self.end()
        {
            offset = usize::try_from(read.next - self.base).expect("within the file");
            records.push(read);
        }
        records
    }
}

/// What a log of these segments is, by the description of its format.
fn expected(segments: &[Segment]) -> Expected {
    let has_gap = segments
        .windows(2)
        .any(|pair| pair[0].end() != pair[1].base);
    let Some((last, closed)) = segments.split_last().filter(|_| !has_gap) else {
        return Expected::Refused;
    };
    let Some(tail) = recovered(last) else {
        return Expected::Refused;
    };
    let of_partition = |partition| {
        let mut records = Vec::new();
        for segment in closed {
            let Some(found) = trusted(segment, partition) else {
                return (records, true);
            };
            let is_damaged = found.iter().any(|read| !read.is_whole);
            let whole = found.into_iter().take_while(|read| read.is_whole);
            records.extend(whole.map(|read| read.record));
            if is_damaged {
                return (records, true);
            }
        }
        let own = tail.iter().filter(|read| read.partition == partition);
        records.extend(own.map(|read| read.record.clone()));
        (records, false)
    };
    Expected::Opened((0..PARTITIONS).map(of_partition).collect())
}

/// The records of the last segment up to a tail that a crash may have torn; `None` for damage.
fn recovered(last: &Segment) -> Option<Vec<Read>> {
    let Some(salt) = last.salt() else {
        // The header is written before any record.
        return (last.bytes.len() <= HEADER_BYTES).then(Vec::new);
    };
    let mut records = last.records(salt);
    if let Some(torn) = records.iter().position(|read| !read.is_whole) {
        records.truncate(torn);
    }
    let begin = records.last().map_or(HEADER_BYTES, |read| {
        usize::try_from(read.next - last.base).expect("within the file")
    });
    // A later batch proves that the one which the tail begins in was stable.
    let is_damage = (begin + 1..last.bytes.len())
        .filter_map(|offset| last.record(salt, offset))
        .any(|read| read.batch > last.base + begin as u64);
    (!is_damage).then_some(records)
}

/// One partition's records of a closed segment, which was written to its end; `None` for damage.
fn trusted(closed: &Segment, partition: u16) -> Option<Vec<Read>> {
    let salt = closed.salt()?;
    let records = closed.records(salt);
    let end = records
        .last()
        .map_or(closed.base + HEADER_BYTES as u64, |read| read.next);
    let own = records.into_iter();
    let own = own.filter(|read| read.partition == partition).collect();
    (end == closed.end()).then_some(own)
}

fn check_reads(log: &SegmentLog, expected: &[(Vec<LogRecord>, bool)]) {
    for (partition, (records, is_damaged)) in (0..PARTITIONS).zip(expected) {
        let (found, failure) = read_all(log, partition);
        if *is_damaged {
            assert!(matches!(failure, Some(Failure::Damaged { .. })));
            // A slice that would reach into the damage fails as a whole.
            assert!(records.starts_with(&found), "{found:?} of {records:?}");
        } else {
            assert!(failure.is_none(), "{failure:?}");
            assert_eq!(found, *records);
            check_append(log, partition, records);
        }
    }
}

fn read_all(log: &SegmentLog, partition: u16) -> (Vec<LogRecord>, Option<Failure>) {
    let mut records = Vec::new();
    let mut from = Position::START;
    loop {
        match block_on(log.read(partition, from, 64)) {
            Ok(slice) if slice.records.is_empty() => return (records, None),
            Ok(slice) => {
                records.extend(slice.records);
                from = slice.next;
            }
            Err(failure) => return (records, Some(failure)),
        }
    }
}

/// A recovered log goes on behind what it holds.
fn check_append(log: &SegmentLog, partition: u16, records: &[LogRecord]) {
    let payload = Bytes::from_static(b"later");
    let appended = log.append(partition, Epoch(9), vec![payload.clone()]);
    let position = block_on(appended).expect("there is room")[0];
    let (found, _) = read_all(log, partition);
    let later = LogRecord {
        position,
        epoch: Epoch(9),
        payload,
    };
    assert_eq!(found, [records, &[later]].concat());
}
