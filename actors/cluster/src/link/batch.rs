//! The bytes of a frame: its number in the connection, then messages until its end.
//!
//! Messages are read one by one, so that a frame takes no more memory than it has bytes.

use std::io::Cursor;

use bytes::Bytes;
use rmp_serde::Deserializer;
use rmp_serde::decode::ReadReader;
use serde::{Deserialize, Serialize};
use tokio_util::codec::LengthDelimitedCodec;

use super::bounds::{BATCH_BYTES, FRAME_BYTES_MAX, MESSAGE_OVERHEAD_BYTES};
use super::error::Ended;

/// What travels on a lane. Calls and one-way messages go from the side that connected to the
/// other, answers come back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Message {
    #[serde(rename = "c")]
    Call { id: u64, body: Bytes },
    #[serde(rename = "a")]
    Answer { id: u64, body: Bytes },
    /// There will be no answer to this call.
    #[serde(rename = "n")]
    NoAnswer { id: u64 },
    #[serde(rename = "t")]
    Tell { body: Bytes },
}

impl Message {
    /// Bytes that it counts in queues, and takes at most in a frame.
    pub(super) fn weight(&self) -> usize {
        let body = match self {
            Self::Call { body, .. } | Self::Answer { body, .. } | Self::Tell { body } => body.len(),
            Self::NoAnswer { .. } => 0,
        };
        body + MESSAGE_OVERHEAD_BYTES
    }
}

/// Frames on the wire: four bytes of length, then as many bytes.
pub(super) fn framing() -> LengthDelimitedCodec {
    LengthDelimitedCodec::builder()
        .length_field_type::<u32>()
        .max_frame_length(FRAME_BYTES_MAX)
        .new_codec()
}

/// A frame that is being filled.
pub(super) struct Batch {
    bytes: Vec<u8>,
    weight: usize,
}

impl Batch {
    /// Empty, with its number in the connection.
    pub(super) fn new(number: u64) -> Self {
        Self {
            bytes: rmp_serde::to_vec(&number).expect("a vector takes every byte"),
            weight: 0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.weight == 0
    }

    /// Whether the message belongs into this frame and not into the next one.
    pub(super) fn has_room(&self, message: &Message) -> bool {
        self.is_empty() || self.weight + message.weight() <= BATCH_BYTES
    }

    pub(super) fn add(&mut self, message: &Message) {
        self.weight += message.weight();
        rmp_serde::encode::write(&mut self.bytes, message).expect("a vector takes every byte");
    }

    pub(super) fn into_bytes(self) -> Bytes {
        self.bytes.into()
    }
}

/// The messages of a frame that came, in their order.
pub(super) struct Messages<'a> {
    length: u64,
    reader: Deserializer<ReadReader<Cursor<&'a [u8]>>>,
}

impl<'a> Messages<'a> {
    /// Of the frame that has to have this number.
    pub(super) fn of(frame: &'a [u8], expected: u64) -> Result<Self, Ended> {
        let mut reader = Deserializer::new(Cursor::new(frame));
        let said = u64::deserialize(&mut reader)?;
        if said != expected {
            return Err(Ended::OutOfOrder { said, expected });
        }
        Ok(Self {
            length: frame.len() as u64,
            reader,
        })
    }

    /// The next one, or none at the end of the frame.
    pub(super) fn next(&mut self) -> Result<Option<Message>, Ended> {
        if self.reader.position() == self.length {
            return Ok(None);
        }
        Ok(Some(Message::deserialize(&mut self.reader)?))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::bounds::BODY_BYTES_MAX;
    use super::*;

    fn message() -> impl Strategy<Value = Message> {
        let body = || prop::collection::vec(any::<u8>(), 0..64).prop_map(Bytes::from);
        prop_oneof![
            (any::<u64>(), body()).prop_map(|(id, body)| Message::Call { id, body }),
            (any::<u64>(), body()).prop_map(|(id, body)| Message::Answer { id, body }),
            any::<u64>().prop_map(|id| Message::NoAnswer { id }),
            body().prop_map(|body| Message::Tell { body }),
        ]
    }

    fn read(frame: &[u8], number: u64) -> Result<Vec<Message>, Ended> {
        let mut messages = Messages::of(frame, number)?;
        let mut read = Vec::new();
        while let Some(message) = messages.next()? {
            read.push(message);
        }
        Ok(read)
    }

    #[test]
    fn the_largest_message_fits_into_a_frame() {
        let mut batch = Batch::new(u64::MAX);
        let largest = Message::Answer {
            id: u64::MAX,
            body: Bytes::from(vec![0; BODY_BYTES_MAX]),
        };
        assert!(batch.has_room(&largest));
        batch.add(&largest);
        assert!(batch.into_bytes().len() <= FRAME_BYTES_MAX);
    }

    #[test]
    fn a_frame_out_of_order_is_no_frame() {
        let frame = Batch::new(7).into_bytes();
        assert_eq!(read(&frame, 7).unwrap(), []);
        assert!(matches!(
            read(&frame, 8),
            Err(Ended::OutOfOrder {
                said: 7,
                expected: 8
            })
        ));
    }

    proptest! {
        #[test]
        fn what_was_batched_is_read(
            number in any::<u64>(),
            messages in prop::collection::vec(message(), 0..20),
        ) {
            let mut batch = Batch::new(number);
            for message in &messages {
                prop_assert!(batch.has_room(message));
                batch.add(message);
            }
            prop_assert_eq!(batch.is_empty(), messages.is_empty());
            prop_assert_eq!(read(&batch.into_bytes(), number).unwrap(), messages);
        }

        #[test]
        fn garbage_is_refused_or_read_but_never_a_panic(
            garbage in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let _ = read(&garbage, 0);
            let mut batch = Batch::new(0).into_bytes().to_vec();
            batch.extend(&garbage);
            let _ = read(&batch, 0);
        }
    }
}
