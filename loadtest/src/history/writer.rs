//! Appends lines to one worker's file, through one buffer of fixed size.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Entry, FORMAT, Line};
use crate::clock::now_ns;

/// Bytes that a worker holds back from the file.
const BUFFER_BYTES: usize = 64 * 1024;

/// One worker's file. Clones write to the same one.
///
/// Writing blocks for as long as the page cache takes, microseconds; it is done on the worker's
/// own thread, because a queue in between would need a bound and would stamp lines too late.
#[derive(Clone, Debug)]
pub struct Recorder(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    file: BufWriter<File>,
    /// The first error. Nothing is written after it: a history with a hole convicts the innocent.
    broken: Option<io::Error>,
}

/// Makes `directory` and opens `workers` files in it.
///
/// # Errors
/// The directory cannot be made, or holds a history already: two runs must not be mixed.
pub fn open(directory: &Path, workers: usize) -> io::Result<Vec<Recorder>> {
    fs::create_dir_all(directory)?;
    if !super::reader::files(directory)?.is_empty() {
        return Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            format!("{} already holds a history", directory.display()),
        ));
    }
    (0..workers)
        .map(|worker| {
            let path = directory.join(format!("worker-{worker:03}.jsonl"));
            let file = OpenOptions::new().write(true).create_new(true).open(path)?;
            let recorder = Recorder(Arc::new(Mutex::new(Inner {
                file: BufWriter::with_capacity(BUFFER_BYTES, file),
                broken: None,
            })));
            recorder.record(Entry::Begin { format: FORMAT });
            Ok(recorder)
        })
        .collect()
}

/// Writes lines that were stamped elsewhere into one file in `directory`.
///
/// # Errors
/// As in [`open`].
pub fn write_all(directory: &Path, lines: &[Line<'_>]) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(directory.join("simulation.jsonl"))?;
    let mut file = BufWriter::with_capacity(BUFFER_BYTES, file);
    let begin = Line {
        at: 0,
        what: Entry::Begin { format: FORMAT },
    };
    for line in std::iter::once(&begin).chain(lines) {
        serde_json::to_writer(&mut file, line)?;
        file.write_all(b"\n")?;
    }
    file.flush()
}

impl Recorder {
    /// Appends a line and returns its time. Lines of one file ascend in time.
    pub fn record(&self, what: Entry<'_>) -> u64 {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Stamped under the lock, so that the order of lines is the order of times.
        let line = Line { at: now_ns(), what };
        if inner.broken.is_none() {
            let written = serde_json::to_writer(&mut inner.file, &line)
                .map_err(io::Error::from)
                .and_then(|()| inner.file.write_all(b"\n"));
            inner.broken = written.err();
        }
        line.at
    }

    /// Hands everything to the operating system.
    ///
    /// # Errors
    /// This or an earlier write failed: the history is not complete.
    pub fn flush(&self) -> io::Result<()> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &inner.broken {
            Some(error) => Err(io::Error::new(error.kind(), error.to_string())),
            None => inner.file.flush(),
        }
    }
}
