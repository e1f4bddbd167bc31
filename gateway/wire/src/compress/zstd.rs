//! Parts of one zstd frame that never ends (RFC 8878).
//!
//! A frame is a header and blocks. A raw block says nothing about others. A compressed block may
//! refer to earlier bytes, to the last three offsets and to earlier tables; those made here do so
//! only within one body, so the blocks of a body may stand anywhere in any frame. The frame is
//! never ended, because discord.py and hikari cannot go on after an end (measured).

use std::cell::RefCell;

use super::sequences::Encoder;

/// Magic number, no content size, no checksum, no dictionary, a window of [`WINDOW_LOG`] bits.
const HEADER: [u8; 6] = [0x28, 0xB5, 0x2F, 0xFD, 0x00, (WINDOW_LOG - 10) << 3];
/// Bytes of the header that libzstd writes under the same parameters; only its window may differ.
const HEADER_BYTES: usize = HEADER.len();
/// 128 KiB, the least that allows the longest blocks; clients allocate it once.
pub(super) const WINDOW_LOG: u8 = 17;
/// Bytes that one block holds at most, before compression.
const BLOCK_BYTES_MAX: usize = 1 << WINDOW_LOG;
/// Bytes of a block's header.
const BLOCK_HEADER_BYTES: usize = 3;
/// Below this nothing is gained that would be worth the work.
const COMPRESSED_BYTES_MIN: usize = 48;

thread_local! {
    /// Tables and a reader for the check, reset for each body. `None` where there was no memory for them.
    static ENCODER: RefCell<Option<Encoder>> = RefCell::new(Encoder::new(WINDOW_LOG));
}

/// Writes the frame's header.
pub(super) fn open(out: &mut Vec<u8>) {
    out.extend_from_slice(&HEADER);
}

/// Writes raw blocks; nothing where there are no bytes.
pub(super) fn raw(bytes: &[u8], out: &mut Vec<u8>) {
    for part in bytes.chunks(BLOCK_BYTES_MAX) {
        let header = BlockHeader {
            is_last: false,
            kind: BlockKind::Raw,
            size: part.len(),
        };
        out.extend_from_slice(&header.to_bytes());
        out.extend_from_slice(part);
    }
}

/// Writes blocks that refer to nothing outside themselves: compressed where that makes them fewer
/// bytes.
pub(super) fn blocks(bytes: &[u8], out: &mut Vec<u8>) {
    let raw_len = bytes.len() + bytes.len().div_ceil(BLOCK_BYTES_MAX) * BLOCK_HEADER_BYTES;
    match compressed(bytes) {
        Some(blocks) if blocks.len() < raw_len => out.extend_from_slice(&blocks),
        _ => raw(bytes, out),
    }
}

/// The blocks of a frame that holds these bytes, none of them marked as the last; `None` where
/// libzstd gives up.
fn compressed(bytes: &[u8]) -> Option<Vec<u8>> {
    if bytes.len() < COMPRESSED_BYTES_MIN {
        return None;
    }
    let mut frame = ENCODER.with_borrow_mut(|encoder| encoder.as_mut()?.frame(bytes))?;
    open_end(&mut frame)?;
    frame.drain(..HEADER_BYTES);
    Some(frame)
}

/// Takes the mark of the last block away; `None` where this is not a frame as we ask for it.
fn open_end(frame: &mut [u8]) -> Option<()> {
    let (header, blocks) = frame.split_at_mut_checked(HEADER_BYTES)?;
    if header[..5] != HEADER[..5] {
        return None;
    }
    let mut at = 0;
    loop {
        let mark = blocks.get_mut(at..at + BLOCK_HEADER_BYTES)?;
        let block = BlockHeader::read([mark[0], mark[1], mark[2]])?;
        at += BLOCK_HEADER_BYTES + block.content_len();
        if block.is_last {
            let open = BlockHeader {
                is_last: false,
                ..block
            };
            mark.copy_from_slice(&open.to_bytes());
            return (at == blocks.len()).then_some(());
        }
    }
}

/// What stands before a block.
#[derive(Clone, Copy)]
struct BlockHeader {
    is_last: bool,
    kind: BlockKind,
    /// Bytes of content; for [`BlockKind::Run`] how often its one byte is repeated.
    size: usize,
}

#[derive(Clone, Copy)]
enum BlockKind {
    Raw,
    Run,
    Compressed,
}

impl BlockHeader {
    fn read(bytes: [u8; BLOCK_HEADER_BYTES]) -> Option<Self> {
        let [a, b, c] = bytes;
        let bits = u32::from_le_bytes([a, b, c, 0]);
        let kind = match (bits >> 1) & 3 {
            0 => BlockKind::Raw,
            1 => BlockKind::Run,
            2 => BlockKind::Compressed,
            _ => return None,
        };
        Some(Self {
            is_last: bits & 1 == 1,
            kind,
            size: (bits >> 3) as usize,
        })
    }

    fn to_bytes(self) -> [u8; BLOCK_HEADER_BYTES] {
        let size = u32::try_from(self.size).expect("a block has at most 128 KiB");
        let bits = (size << 3) | ((self.kind as u32) << 1) | u32::from(self.is_last);
        let [a, b, c, _] = bits.to_le_bytes();
        [a, b, c]
    }

    /// Bytes that follow the header.
    const fn content_len(self) -> usize {
        match self.kind {
            BlockKind::Raw | BlockKind::Compressed => self.size,
            BlockKind::Run => 1,
        }
    }
}
