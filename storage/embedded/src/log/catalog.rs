//! What a log knows about its segments: which there are, how far they are stable, what may go.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use guildhall_model::Timestamp;
use guildhall_ports::Failure;
use parking_lot::Mutex;

use super::config::Topic;
use super::segment;
use super::summary::{Extent, Summary};
use crate::files;

/// A segment that is written no more.
pub(super) struct Closed {
    pub(super) path: PathBuf,
    pub(super) base: u64,
    /// Where the next segment begins.
    pub(super) end: u64,
    /// When it was last written, by the file system's clock.
    pub(super) written_at: Timestamp,
    /// Loaded when first asked for, so that opening a long log reads none of its old segments.
    pub(super) summary: OnceLock<Summary>,
}

/// The segment that is being written.
pub(super) struct Active {
    pub(super) file: Arc<File>,
    pub(super) path: PathBuf,
    pub(super) base: u64,
    pub(super) seed: u32,
    /// Everything before this is stable.
    pub(super) end: u64,
    /// Of the stable records.
    pub(super) summary: Summary,
}

/// The segments of one log. The writer alone adds to it; trimming alone removes.
pub(super) struct Catalog {
    topic: Topic,
    state: Mutex<State>,
}

struct State {
    closed: VecDeque<Arc<Closed>>,
    active: Active,
    /// Before which position each partition's owner needs nothing any more.
    floors: HashMap<u16, u64>,
}

/// A moment's stable records of one partition, to be read without a lock.
pub(super) struct View {
    /// Rising; those that end before the records asked for are left out.
    pub(super) closed: Vec<Arc<Closed>>,
    pub(super) active: Arc<File>,
    pub(super) active_path: PathBuf,
    pub(super) active_base: u64,
    pub(super) active_seed: u32,
    /// Where the partition's records are in the active segment.
    pub(super) active_extent: Option<Extent>,
    /// Everything before this is stable.
    pub(super) end: u64,
}

/// A closed segment, opened.
pub(super) enum Opened {
    /// The file and the seed of its checksums.
    File(File, u32),
    /// It has been trimmed meanwhile.
    Gone,
}

impl Catalog {
    pub(super) fn new(topic: Topic, closed: Vec<Closed>, active: Active) -> Self {
        Self {
            topic,
            state: Mutex::new(State {
                closed: closed.into_iter().map(Arc::new).collect(),
                active,
                floors: HashMap::new(),
            }),
        }
    }

    /// Everything before this is stable.
    pub(super) fn end(&self) -> u64 {
        self.state.lock().active.end
    }

    /// Whether a partition may have records from `from` on. Closed segments are not looked into.
    pub(super) fn has(&self, partition: u16, from: u64) -> bool {
        let state = self.state.lock();
        let active = state.active.summary.extent(partition);
        active.is_some_and(|extent| from <= extent.last)
            || state.closed.back().is_some_and(|closed| from < closed.end)
    }

    /// What can be read of a partition at present, from `from` on.
    pub(super) fn view(&self, partition: u16, from: u64) -> View {
        let state = self.state.lock();
        let first = state.closed.partition_point(|segment| segment.end <= from);
        View {
            closed: state.closed.range(first..).cloned().collect(),
            active: Arc::clone(&state.active.file),
            active_path: state.active.path.clone(),
            active_base: state.active.base,
            active_seed: state.active.seed,
            active_extent: state.active.summary.extent(partition),
            end: state.active.end,
        }
    }

    /// The active segment has grown up to `end` by these records, which are stable.
    pub(super) fn grown(&self, end: u64, records: &Summary) {
        let mut state = self.state.lock();
        state.active.end = end;
        state.active.summary.extend(records);
    }

    /// A new segment has begun; the former active one is closed and returned.
    pub(super) fn rolled(&self, active: Active) -> Arc<Closed> {
        let mut state = self.state.lock();
        // Without an age it never looks old: kept for longer, until the next start asks again.
        let written_at = written_at(&state.active.file).unwrap_or(Timestamp(i64::MAX));
        let former = std::mem::replace(&mut state.active, active);
        let closed = Arc::new(Closed {
            path: former.path,
            base: former.base,
            end: former.end,
            written_at,
            summary: OnceLock::from(former.summary),
        });
        state.closed.push_back(Arc::clone(&closed));
        closed
    }

    /// Notes that a partition's owner needs nothing before `before` any more.
    pub(super) fn release(&self, partition: u16, before: u64) {
        let mut state = self.state.lock();
        let floor = state.floors.entry(partition).or_default();
        *floor = before.max(*floor);
    }

    /// The oldest segment, if it is closed.
    pub(super) fn oldest_closed(&self) -> Option<Arc<Closed>> {
        self.state.lock().closed.front().cloned()
    }

    /// Whether the owners of all partitions of this summary have released it.
    pub(super) fn is_released(&self, summary: &Summary) -> bool {
        let state = self.state.lock();
        summary.lasts().all(|(partition, last)| {
            state
                .floors
                .get(&partition)
                .is_some_and(|&floor| last < floor)
        })
    }

    /// Forgets the oldest closed segment, so that no new reader looks for it.
    pub(super) fn forget_oldest(&self) {
        self.state.lock().closed.pop_front();
    }

    /// Takes back a segment that was forgotten but is still there.
    pub(super) fn remember_oldest(&self, segment: Arc<Closed>) {
        self.state.lock().closed.push_front(segment);
    }

    /// Opens a closed segment for reading.
    pub(super) fn open(&self, segment: &Closed) -> Result<Opened, Failure> {
        let file = match File::open(&segment.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return self.missing(segment),
            Err(error) => return Err(files::failure(self.topic.what(), &error)),
        };
        let mut header = [0; segment::HEADER_BYTES];
        let seed = match file.read_exact_at(&mut header, 0) {
            Ok(()) => segment::read_header(&header, segment.base),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => None,
            Err(error) => return Err(files::failure(self.topic.what(), &error)),
        };
        match seed {
            Some(seed) => Ok(Opened::File(file, seed)),
            None => Err(segment::damaged(
                self.topic,
                &segment.path,
                0,
                "no segment's header",
            )),
        }
    }

    /// The summary of a closed segment; `None` if the segment has been trimmed meanwhile.
    pub(super) fn summary<'s>(&self, segment: &'s Closed) -> Result<Option<&'s Summary>, Failure> {
        if let Some(summary) = segment.summary.get() {
            return Ok(Some(summary));
        }
        let loaded = Summary::load(&segment.path, segment.base, segment.end);
        let summary = match loaded {
            Some(summary) => summary,
            None => match self.open(segment)? {
                Opened::Gone => return Ok(None),
                Opened::File(file, seed) => self.scan(segment, &file, seed)?,
            },
        };
        Ok(Some(segment.summary.get_or_init(|| summary)))
    }

    fn scan(&self, segment: &Closed, file: &File, seed: u32) -> Result<Summary, Failure> {
        match Summary::scan(file, segment.base, segment.end, seed) {
            Ok(Ok(summary)) => {
                if let Err(error) = summary.store(&segment.path) {
                    let path = segment.path.display();
                    tracing::warn!("the summary of {path} is not kept: {error}");
                }
                Ok(summary)
            }
            Ok(Err(position)) => Err(segment::damaged(
                self.topic,
                &segment.path,
                position - segment.base,
                "no record's header",
            )),
            Err(error) => Err(files::failure(self.topic.what(), &error)),
        }
    }

    /// A file that is not there was trimmed if the log has forgotten it, else it was taken away.
    fn missing(&self, segment: &Closed) -> Result<Opened, Failure> {
        let oldest = self.oldest_closed();
        if oldest.is_none_or(|oldest| segment.base < oldest.base) {
            return Ok(Opened::Gone);
        }
        let path = segment.path.display();
        Err(Failure::damaged(
            self.topic.what(),
            format!("{path} is missing; stop the server and restore it from a backup"),
        ))
    }
}

/// When a segment was last written.
pub(super) fn written_at(file: &File) -> io::Result<Timestamp> {
    let since = file
        .metadata()?
        .modified()?
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    Ok(Timestamp(
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
    ))
}
