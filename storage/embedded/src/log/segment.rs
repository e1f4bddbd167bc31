//! Segment files: their names, their headers, and how the bytes of one are addressed.
//!
//! `DIR/<base>.seg`, where `base` is the position of the file's first byte in 20 digits; the byte
//! at offset `n` of the file has the position `base + n`. Segments follow each other without gaps.
//! A file begins with a header: magic (8 bytes), base (u64), salt (u64), zero (u32), crc32c of all
//! this (u32).

use std::path::{Path, PathBuf};

use guildhall_ports::{Failure, Random};

use super::config::Topic;

/// Bytes of a segment's header.
pub(super) const HEADER_BYTES: usize = 32;
const ENDING: &str = ".seg";
/// The last byte is the version of the format.
const MAGIC: [u8; 8] = *b"GHLOG\0\0\x01";

/// The file of the segment that begins at `base`.
pub(super) fn path(dir: &Path, base: u64) -> PathBuf {
    dir.join(format!("{base:020}{ENDING}"))
}

/// The base that a file name tells, if it names a segment. Half the numbers are enough for any
/// disk, and so no sum of a base and an offset overflows.
pub(super) fn base_of(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(ENDING)?;
    let plain = digits.len() == 20 && digits.bytes().all(|digit| digit.is_ascii_digit());
    let base = digits.parse().ok().filter(|_| plain)?;
    i64::try_from(base).is_ok().then_some(base)
}

/// The position of a segment's first record.
pub(super) fn first_record(base: u64) -> u64 {
    base + HEADER_BYTES as u64
}

/// A new segment's header and the seed of its records' checksums.
pub(super) fn new_header(base: u64, random: &dyn Random) -> ([u8; HEADER_BYTES], u32) {
    let mut header = [0; HEADER_BYTES];
    header[..8].copy_from_slice(&MAGIC);
    header[8..16].copy_from_slice(&base.to_le_bytes());
    random.fill(&mut header[16..24]);
    let crc = crc32c::crc32c(&header[..28]);
    header[28..].copy_from_slice(&crc.to_le_bytes());
    (header, seed(&header))
}

/// The seed of the records' checksums; `None` if this is not the header of the segment at `base`.
pub(super) fn read_header(header: &[u8; HEADER_BYTES], base: u64) -> Option<u32> {
    let whole = header[..8] == MAGIC
        && header[8..16] == base.to_le_bytes()
        && header[28..] == crc32c::crc32c(&header[..28]).to_le_bytes();
    whole.then(|| seed(header))
}

/// The failure of finding something else than was written.
pub(super) fn damaged(topic: Topic, path: &Path, offset: u64, found: &str) -> Failure {
    let path = path.display();
    Failure::damaged(
        topic.what(),
        format!(
            "corruption in the middle of {path} at offset {offset}: {found}. Stop the server and \
             restore the log's directory from a backup, or give up every later record: remove \
             the segments after this one and run `truncate -s {offset} {path}`"
        ),
    )
}

fn seed(header: &[u8; HEADER_BYTES]) -> u32 {
    crc32c::crc32c(&header[16..24])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_tells_its_base_in_one_spelling() {
        let path = path(Path::new(""), 1_234);
        assert_eq!(base_of(path.to_str().unwrap()), Some(1_234));
        for other in [
            "1234.seg",
            "+0000000000000001234.seg",
            ".seg",
            "99999999999999999999.seg",
            "09999999999999999999.seg",
        ] {
            assert_eq!(base_of(other), None, "{other}");
        }
    }
}
