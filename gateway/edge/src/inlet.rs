//! The reading side of a connection: whole messages of bounded size.

use std::task::{Context, Poll, ready};

use guildhall_wire::ws::reader::{Message, Reader, Violation};

use crate::socket::Socket;

/// What came.
#[derive(Debug)]
pub(crate) enum Heard {
    Message(Message),
    /// The client broke a rule of the framing.
    Broken(Violation),
    /// Nothing more comes.
    Gone,
}

/// Reads messages. Between frames it holds nothing, and within one no more than a message and
/// what one read brings.
#[derive(Debug)]
pub(crate) struct Inlet {
    reader: Reader,
    /// What has come of a frame that is not complete.
    held: Vec<u8>,
}

impl Inlet {
    /// Reads what came with the upgrade first.
    pub(crate) fn new(early: &[u8], message_bytes_max: usize) -> Self {
        Self {
            reader: Reader::new(message_bytes_max),
            held: early.to_vec(),
        }
    }

    /// The next message. Nothing is lost if it is not asked again for a while.
    pub(crate) fn poll_next(&mut self, socket: &Socket, cx: &mut Context<'_>) -> Poll<Heard> {
        loop {
            match self.reader.read(&self.held) {
                Ok(Some((used, message))) => {
                    self.release(used);
                    if let Some(message) = message {
                        return Poll::Ready(Heard::Message(message));
                    }
                }
                Ok(None) => match ready!(socket.poll_read(cx, &mut self.held)) {
                    Ok(0) | Err(_) => return Poll::Ready(Heard::Gone),
                    Ok(_) => {}
                },
                Err(violation) => return Poll::Ready(Heard::Broken(violation)),
            }
        }
    }

    /// Writes what has come and was not taken, as the client would send it. This is the end of
    /// reading here.
    pub(crate) fn give_up(&mut self, out: &mut Vec<u8>) {
        self.reader.unfinished(out);
        out.append(&mut self.held);
        self.held = Vec::new();
    }

    fn release(&mut self, used: usize) {
        if used == self.held.len() {
            self.held = Vec::new();
        } else {
            self.held.drain(..used);
        }
    }
}
