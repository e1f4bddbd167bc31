//! What a connection asks its gateway for, and how the payloads that come over it are read.

use anyhow::{Context, Result, anyhow, bail, ensure};
use flate2::{Decompress, FlushDecompress, Status};
use guildhall_loadtest::client::gateway::Dialect;
use serde::Deserialize;
use zstd_safe::{DCtx, InBuffer, OutBuffer};

use crate::frame::{self, Frame, Marks};

/// GUILDS, GUILD_MESSAGES and MESSAGE_CONTENT: what a bot needs that reads a channel.
const INTENTS: u64 = 1 | 1 << 9 | 1 << 15;
/// Bytes that one step of a decompressor may yield.
const STEP_BYTES: usize = 16 * 1024;
/// What every message of a zlib stream ends with.
const ZLIB_SUFFIX: [u8; 4] = [0, 0, 0xff, 0xff];

/// Transport compression of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Compression {
    /// Plain text frames.
    #[default]
    None,
    /// One zlib stream.
    Zlib,
    /// One zstd frame that never ends.
    Zstd,
}

impl Compression {
    /// Its name in the query of the gateway's address, and in tables.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Zlib => "zlib-stream",
            Self::Zstd => "zstd-stream",
        }
    }
}

/// What a member asks for when it connects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) dialect: Dialect,
    pub(crate) compression: Compression,
}

impl Link {
    /// The query of the gateway's address.
    pub(crate) fn query(self) -> String {
        let (dialect, compression) = (self.dialect.name(), self.compression.name());
        format!("v=10&encoding=json&dialect={dialect}&compress={compression}")
    }

    /// The member of READY that lists guilds.
    pub(crate) const fn guilds_of_ready(self) -> &'static str {
        match self.dialect {
            Dialect::Native => "servers",
            Dialect::Discord => "guilds",
        }
    }

    /// The intents that it names; people name none.
    pub(crate) fn intents(self) -> Option<u64> {
        (self.dialect == Dialect::Discord).then_some(INTENTS)
    }
}

/// The receiving end of one connection.
pub(crate) struct Inlet {
    stream: Stream,
    /// Bots read each payload whole, as their libraries do; others look for number and mark.
    is_read_whole: bool,
}

enum Stream {
    Plain,
    Zlib(Box<Decompress>),
    Zstd(DCtx<'static>),
}

/// What a payload is to a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// A message of the benchmark, with its `s` and its mark.
    Message { s: u32, mark: u64 },
    /// Another dispatch, with its `s`.
    Dispatch(u32),
    /// No dispatch.
    Other,
}

/// What all connections of a crowd need for reading.
pub(crate) struct Reader {
    marks: Marks,
    /// Bytes of every message's content.
    content_bytes: usize,
    /// Room for what a decompressor yields.
    room: Vec<u8>,
}

impl Inlet {
    pub(crate) fn new(link: Link) -> Self {
        let stream = match link.compression {
            Compression::None => Stream::Plain,
            Compression::Zlib => Stream::Zlib(Box::new(Decompress::new(true))),
            Compression::Zstd => Stream::Zstd(DCtx::create()),
        };
        Self {
            stream,
            is_read_whole: link.dialect == Dialect::Discord,
        }
    }

    /// The text of a frame, which may be written to `room`; `None` for a control frame.
    pub(crate) fn text<'a>(
        &mut self,
        frame: &Frame<'a>,
        room: &'a mut Vec<u8>,
    ) -> Result<Option<&'a [u8]>> {
        ensure!(frame.opcode != frame::CLOSE, "the server says close");
        room.clear();
        match (&mut self.stream, frame.opcode) {
            (Stream::Plain, frame::TEXT) => return Ok(Some(frame.payload)),
            (Stream::Zlib(inflate), frame::BINARY) => unzip(inflate, frame.payload, room)?,
            (Stream::Zstd(context), frame::BINARY) => unzstd(context, frame.payload, room)?,
            (_, frame::TEXT | frame::BINARY) => {
                bail!("a frame of another kind than was asked for")
            }
            _ => return Ok(None),
        }
        Ok(Some(room))
    }
}

impl Reader {
    pub(crate) const fn new(marks: Marks, content_bytes: usize) -> Self {
        Self {
            marks,
            content_bytes,
            room: Vec::new(),
        }
    }

    /// What a frame means that came over a connection; broken ones are errors.
    pub(crate) fn hear(&mut self, inlet: &mut Inlet, frame: &Frame<'_>) -> Result<Heard> {
        let Some(text) = inlet.text(frame, &mut self.room)? else {
            return Ok(Heard::Other);
        };
        let Some(s) = frame::message_number(text) else {
            return Ok(frame::dispatch_number(text).map_or(Heard::Other, Heard::Dispatch));
        };
        let mark = if inlet.is_read_whole {
            whole(text, self.content_bytes)?
        } else {
            self.marks.find(text).context("a message without mark")?
        };
        Ok(Heard::Message { s, mark })
    }
}

/// The mark of a message that is JSON from its first byte to its last and carries the very
/// content that was posted.
fn whole(text: &[u8], content_bytes: usize) -> Result<u64> {
    #[derive(Deserialize)]
    struct Event<'a> {
        #[serde(borrow)]
        d: Message<'a>,
    }
    #[derive(Deserialize)]
    struct Message<'a> {
        content: &'a str,
    }
    let event: Event<'_> = serde_json::from_slice(text).context("a message is not whole")?;
    let content = event.d.content.as_bytes();
    frame::posted(content, content_bytes)
        .with_context(|| format!("this is not what was posted: {}", event.d.content))
}

fn unzip(inflate: &mut Decompress, message: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let is_flushed = message.ends_with(&ZLIB_SUFFIX);
    ensure!(is_flushed, "a message of zlib does not end flushed");
    let mut read = 0;
    loop {
        let (read_before, written_before) = (inflate.total_in(), out.len());
        out.reserve(STEP_BYTES);
        let status = inflate.decompress_vec(&message[read..], out, FlushDecompress::Sync)?;
        ensure!(status != Status::StreamEnd, "a zlib stream ends");
        read += usize::try_from(inflate.total_in() - read_before)?;
        if read == message.len() && (out.len() < out.capacity() || out.len() == written_before) {
            return Ok(());
        }
    }
}

fn unzstd(context: &mut DCtx<'static>, message: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let mut input = InBuffer::around(message);
    loop {
        out.reserve(STEP_BYTES);
        let written = out.len();
        let mut output = OutBuffer::around_pos(out, written);
        let hint = context
            .decompress_stream(&mut output, &mut input)
            .map_err(|code| anyhow!("zstd: {}", zstd_safe::get_error_name(code)))?;
        ensure!(hint != 0, "a zstd frame ends");
        if input.pos() == message.len() && out.len() < out.capacity() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests;
