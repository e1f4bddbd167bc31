//! Snapshots of session partitions: any bytes are read or refused, what is read can be kept and
//! read again, and a file that is not what was written counts as absent.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use guildhall_embedded::snapshots::FileSnapshots;
use guildhall_model::{Epoch, EventPartition, Position, SessionPartition as Number};
use guildhall_ports::Snapshots;
use guildhall_state::session_partition::record::{Entry, FrameRecord, Slot};
use guildhall_state::session_partition::{Session, SessionPartition};
use roaring::RoaringBitmap;

use crate::invent::invent;
use crate::script::Script;
use crate::workbench::{block_on, folder};

const PARTITION: Number = Number(3);
const UPTO: Position = Position(77);
const FORMAT: &[u8; 8] = b"GHSNAP\0\x01";
const PREFIX_BYTES: usize = 20;

pub(crate) fn run(bytes: &[u8]) {
    check_bytes(bytes);
    check_records(bytes);
    check_file(&mut Script::new(bytes));
}

/// Everything that a partition knows, in an order that does not depend on hashing.
#[derive(Debug, PartialEq)]
struct Facts {
    epoch: Epoch,
    next: (Slot, u32),
    sessions: BTreeMap<Slot, Session>,
    audiences: BTreeMap<u32, Arc<RoaringBitmap>>,
    heard: Vec<Position>,
}

fn facts(machine: &SessionPartition) -> Facts {
    let audience = |id| {
        let slots = machine.audience(id).expect("it was just listed");
        (id, Arc::clone(slots))
    };
    Facts {
        epoch: machine.epoch(),
        next: (machine.next_slot(), machine.next_audience()),
        sessions: machine.sessions().map(|(n, s)| (n, s.clone())).collect(),
        audiences: machine.audience_ids().map(audience).collect(),
        heard: (0..64)
            .map(|partition| machine.heard(EventPartition(partition)))
            .collect(),
    }
}

fn check_bytes(bytes: &[u8]) {
    if let Ok(machine) = SessionPartition::from_snapshot(bytes) {
        check_again(&machine);
    }
}

fn check_again(machine: &SessionPartition) {
    let again = SessionPartition::from_snapshot(&machine.to_snapshot());
    assert_eq!(
        facts(&again.expect("a snapshot of our own")),
        facts(machine)
    );
}

/// Records that bytes say, and others that no owner would write.
fn check_records(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let mut machine = SessionPartition::default();
    let said = rmp_serde::from_slice::<FrameRecord>(bytes).ok();
    let records = said.into_iter().chain(invented(&mut script));
    for record in records.filter(is_small) {
        let epoch = Epoch(1);
        machine.fold(epoch, &record);
        check_again(&machine);
    }
}

/// Twelve bytes may claim all slots there are; to walk over them takes longer than any case may.
fn is_small(record: &FrameRecord) -> bool {
    let FrameRecord::Frame(frame) = record else {
        return true;
    };
    frame.entries.iter().all(|entry| match entry {
        Entry::Audience { slots, .. } => slots.len() < 10_000,
        _ => true,
    })
}

fn invented(script: &mut Script<'_>) -> impl Iterator<Item = FrameRecord> {
    std::iter::from_fn(|| (!script.is_over()).then(|| invent(script))).flatten()
}

fn check_file(script: &mut Script<'_>) {
    let dir = folder();
    let snapshots = FileSnapshots::open(dir.path()).expect("an empty directory");
    let length = script.below(200);
    let content = Bytes::copy_from_slice(script.take(length));
    block_on(snapshots.put(PARTITION, UPTO, content)).expect("there is room");
    let path = only_file(dir.path().join("p03"));
    let mut file = fs::read(&path).expect("it was just written");
    damage(script, &mut file);
    fs::write(&path, &file).expect("there is room");
    let snapshots = FileSnapshots::open(dir.path()).expect("a directory of ours");
    let found = block_on(snapshots.get(PARTITION, UPTO)).expect("a readable directory");
    let expected = whole(&file);
    assert_eq!(found.as_deref(), expected);
    let listed = block_on(snapshots.list(PARTITION)).expect("a readable directory");
    assert_eq!(listed.contains(&UPTO), expected.is_some());
}

fn only_file(dir: PathBuf) -> PathBuf {
    let mut entries = fs::read_dir(dir).expect("it was just made");
    let entry = entries.next().expect("one snapshot");
    entry.expect("a readable directory").path()
}

fn damage(script: &mut Script<'_>, file: &mut Vec<u8>) {
    for _ in 0..script.below(4) {
        match script.below(3) {
            0 if !file.is_empty() => {
                let at = script.below(file.len());
                file[at] = script.byte();
            }
            1 => file.truncate(script.below(file.len() + 1)),
            _ => {
                let length = script.below(40);
                file.extend_from_slice(script.take(length));
            }
        }
    }
}

/// The content of a file as it is described: format, length, checksum, content.
fn whole(file: &[u8]) -> Option<&[u8]> {
    let (prefix, content) = file.split_at_checked(PREFIX_BYTES)?;
    let (sealed, sum) = prefix.split_at(16);
    let length = (content.len() as u64).to_le_bytes();
    let crc = crc32c::crc32c_append(crc32c::crc32c(sealed), content);
    (sealed[..8] == FORMAT[..] && sealed[8..] == length && sum == crc.to_le_bytes())
        .then_some(content)
}
