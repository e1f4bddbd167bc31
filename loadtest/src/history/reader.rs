//! Streams the lines of a history, one at a time, with the place of each.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::{Entry, FORMAT, Line};

/// The longest line that is read. Pages of 100 messages stay far below it.
const LINE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Where a line stands: the file's index in [`files`] and the line's number from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The file.
    pub file: u32,
    /// The line.
    pub line: u32,
}

/// Why a history cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The directory or a file in it cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// There is no file to judge.
    #[error("{} holds no *.jsonl file", .0.display())]
    Empty(PathBuf),
    /// A line is no line of a history.
    #[error("{}:{line}: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u32,
        /// What is wrong with it.
        reason: String,
    },
}

/// The files of a history, by name.
pub fn files(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for item in fs::read_dir(directory)? {
        let path = item?.path();
        if path.extension().is_some_and(|ext| ext == "jsonl") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Hands every line of a history to `visit`, file by file, holding one line in memory.
pub fn visit(
    directory: &Path,
    mut visit: impl FnMut(Place, Line<'_>) -> Result<(), String>,
) -> Result<(), ReadError> {
    let unreadable = |path: &Path, source| ReadError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let files = files(directory).map_err(|source| unreadable(directory, source))?;
    if files.is_empty() {
        return Err(ReadError::Empty(directory.to_owned()));
    }
    for (file, path) in (0..).zip(&files) {
        let handle = File::open(path).map_err(|source| unreadable(path, source))?;
        let mut lines = Lines::new(handle);
        loop {
            let malformed = |line, reason| ReadError::Malformed {
                path: path.clone(),
                line,
                reason,
            };
            let Some(raw) = lines.next().map_err(|source| unreadable(path, source))? else {
                break;
            };
            let place = Place {
                file,
                line: raw.number,
            };
            let line = parse(raw.number, raw.text).map_err(|why| malformed(raw.number, why))?;
            visit(place, line).map_err(|why| malformed(raw.number, why))?;
        }
    }
    Ok(())
}

/// The text of the lines at `places`, in the order asked for; read in one pass.
pub fn quote(directory: &Path, places: &[Place]) -> io::Result<Vec<String>> {
    let mut quotes = vec![String::new(); places.len()];
    for (file, path) in (0..).zip(files(directory)?) {
        let mut wanted: Vec<(u32, usize)> = (0..)
            .zip(places)
            .filter(|(_, place)| place.file == file)
            .map(|(index, place)| (place.line, index))
            .collect();
        wanted.sort_unstable();
        let mut wanted = wanted.into_iter().peekable();
        let mut lines = Lines::new(File::open(path)?);
        while wanted.peek().is_some() {
            let Some(raw) = lines.next()? else { break };
            while let Some((_, index)) = wanted.next_if(|(line, _)| *line == raw.number) {
                quotes[index] = String::from_utf8_lossy(raw.text).into_owned();
            }
        }
    }
    Ok(quotes)
}

fn parse(number: u32, text: &[u8]) -> Result<Line<'_>, String> {
    let line: Line<'_> = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    match line.what {
        Entry::Begin { format } if format != FORMAT => Err(format!(
            "the history has format {format}, this tool reads {FORMAT}"
        )),
        Entry::Begin { .. } if number != 1 => Err("a second beginning".to_owned()),
        ref what if number == 1 && !matches!(what, Entry::Begin { .. }) => {
            Err("a history begins with its format".to_owned())
        }
        _ => Ok(line),
    }
}

struct Lines {
    file: BufReader<File>,
    buffer: Vec<u8>,
    number: u32,
}

struct Raw<'a> {
    number: u32,
    text: &'a [u8],
}

impl Lines {
    fn new(file: File) -> Self {
        Self {
            file: BufReader::with_capacity(256 * 1024, file),
            buffer: Vec::new(),
            number: 0,
        }
    }

    fn next(&mut self) -> io::Result<Option<Raw<'_>>> {
        self.buffer.clear();
        let limit = LINE_BYTES_MAX as u64 + 1;
        let read = (&mut self.file)
            .take(limit)
            .read_until(b'\n', &mut self.buffer)?;
        if read == 0 {
            return Ok(None);
        }
        if LINE_BYTES_MAX < read || self.number == u32::MAX {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "a line or the whole file is longer than a history may be",
            ));
        }
        self.number += 1;
        let text = self.buffer.trim_ascii_end();
        Ok(Some(Raw {
            number: self.number,
            text,
        }))
    }
}

#[cfg(test)]
mod tests;
