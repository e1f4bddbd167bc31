//! Small files that are replaced as a whole, durably, and checked when they are read.
//!
//! A file is `format (8 bytes) | length of the content (u64) | crc32c of both and the content
//! (u32) | content`, numbers little-endian.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use guildhall_ports::Failure;
use guildhall_ports::crash::{self, Point};

/// Names what a file holds and in which version of its layout.
pub(crate) type Format = [u8; 8];

/// How the names of files end that are not complete yet.
const UNFINISHED: &str = ".tmp";
const PREFIX_BYTES: usize = 20;

/// What reading a file may find instead of its content.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// There is no such file.
    #[error("missing")]
    Missing,
    /// The file is there but holds something else than was written.
    #[error("{0}")]
    Damaged(&'static str),
    /// The system could not read it.
    #[error(transparent)]
    Io(io::Error),
}

/// Replaces the file at `path`. When this returns the new content is durable; when it fails, or
/// the machine stops meanwhile, there is either the old content or the new one.
pub(crate) fn replace(path: &Path, format: Format, content: &[u8]) -> io::Result<()> {
    let unfinished = unfinished_name(path);
    let outcome = write_new(&unfinished, format, content)
        .inspect(|()| crash::pass(Point::FileWritten))
        .and_then(|()| fs::rename(&unfinished, path))
        .inspect(|()| crash::pass(Point::FileRenamed))
        .and_then(|()| sync_parent(path));
    if outcome.is_err() {
        // A full disk must not fill further with leftovers; whether there was one is the same.
        let _ = fs::remove_file(&unfinished);
    }
    outcome
}

/// Reads what [`replace`] wrote. Content over `bytes_max` bytes counts as damaged, so that a
/// wrong length cannot claim memory.
pub(crate) fn read(path: &Path, format: Format, bytes_max: u64) -> Result<Vec<u8>, ReadError> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(ReadError::Missing),
        Err(error) => return Err(ReadError::Io(error)),
    };
    let length = file.metadata().map_err(ReadError::Io)?.len();
    if length < PREFIX_BYTES as u64 {
        return Err(ReadError::Damaged("the file is cut off"));
    }
    if length - PREFIX_BYTES as u64 > bytes_max {
        return Err(ReadError::Damaged("the file is too long"));
    }
    let mut prefix = [0; PREFIX_BYTES];
    file.read_exact(&mut prefix).map_err(ReadError::Io)?;
    let mut content = Vec::new();
    file.take(bytes_max)
        .read_to_end(&mut content)
        .map_err(ReadError::Io)?;
    if prefix[..8] != format {
        return Err(ReadError::Damaged("the file holds something else"));
    }
    if prefix != prefix_of(format, &content) {
        return Err(ReadError::Damaged("the checksum does not match"));
    }
    Ok(content)
}

/// Removes what calls of [`replace`] left behind that a crash cut short, of files in `dir` whose
/// names begin with `prefix`. Only for who has the files to itself.
pub(crate) fn remove_unfinished(dir: &Path, prefix: &str) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        if let Some(name) = name.to_str()
            && name.starts_with(prefix)
            && name.ends_with(UNFINISHED)
        {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Makes the entries of the directory that holds `path` durable.
pub(crate) fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if parent != Path::new("") => sync_dir(parent),
        _ => sync_dir(Path::new(".")),
    }
}

/// Makes the entries of a directory durable: without this a new file's name may be lost with
/// the power though its content was synced.
pub(crate) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Makes a directory with its parents, durably.
pub(crate) fn create_dir(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    if let Some(parent) = dir.parent().filter(|parent| *parent != Path::new("")) {
        create_dir(parent)?;
    }
    match fs::create_dir(dir) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => sync_parent(dir),
    }
}

/// What an error of the file system means to whoever asked for `what`.
pub(crate) fn failure(what: &'static str, error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            Failure::Full { what }
        }
        _ => Failure::unavailable(what, error),
    }
}

fn write_new(path: &Path, format: Format, content: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(&prefix_of(format, content))?;
    file.write_all(content)?;
    file.sync_all()
}

fn prefix_of(format: Format, content: &[u8]) -> [u8; PREFIX_BYTES] {
    let length = (content.len() as u64).to_le_bytes();
    let crc = crc32c::crc32c(&format);
    let crc = crc32c::crc32c_append(crc, &length);
    let crc = crc32c::crc32c_append(crc, content);
    let mut prefix = [0; PREFIX_BYTES];
    prefix[..8].copy_from_slice(&format);
    prefix[8..16].copy_from_slice(&length);
    prefix[16..].copy_from_slice(&crc.to_le_bytes());
    prefix
}

/// A name beside `path` that no other call uses, so that two writers cannot mix their bytes.
fn unfinished_name(path: &Path) -> PathBuf {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{n}{UNFINISHED}"));
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORMAT: Format = *b"GHTEST\0\x01";

    #[test]
    fn a_file_reads_back_as_it_was_last_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        assert!(matches!(read(&path, FORMAT, 99), Err(ReadError::Missing)));
        for content in [&b"first"[..], b"", b"a longer one"] {
            replace(&path, FORMAT, content).unwrap();
            assert_eq!(read(&path, FORMAT, 99).unwrap(), content);
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        replace(&path, FORMAT, b"content").unwrap();
        let whole = fs::read(&path).unwrap();
        for bit in 0..whole.len() * 8 {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            fs::write(&path, &flipped).unwrap();
            assert!(read(&path, FORMAT, 99).is_err(), "bit {bit}");
        }
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            assert!(read(&path, FORMAT, 99).is_err(), "cut at {length}");
        }
        fs::write(&path, [whole, vec![0]].concat()).unwrap();
        assert!(read(&path, FORMAT, 99).is_err());
    }

    #[test]
    fn only_unfinished_files_of_the_prefix_are_removed() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["a", "a.0.tmp", "b.0.tmp"] {
            fs::write(dir.path().join(name), b"").unwrap();
        }
        remove_unfinished(dir.path(), "a").unwrap();
        assert!(dir.path().join("a").exists());
        assert!(!dir.path().join("a.0.tmp").exists());
        assert!(dir.path().join("b.0.tmp").exists());
    }

    #[test]
    fn a_file_over_the_bound_is_refused_unread() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        replace(&path, FORMAT, &[7; 100]).unwrap();
        assert!(matches!(
            read(&path, FORMAT, 99),
            Err(ReadError::Damaged("the file is too long"))
        ));
    }
}
