//! WebSocket frames as a client writes and reads them, spelled out.

/// Ends a message.
pub(crate) const FINAL: u8 = 0x80;
pub(crate) const TEXT: u8 = 1;
pub(crate) const BINARY: u8 = 2;
pub(crate) const CLOSE: u8 = 8;

/// A mask as good as any.
const KEY: [u8; 4] = [0xA5, 0x5A, 0x01, 0xFE];

/// A frame of the server's.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) opcode: u8,
    pub(crate) payload: Vec<u8>,
}

/// A client's frame.
pub(crate) fn frame(flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![flags, 0x80 | 0x7E];
    bytes.extend(u16::try_from(payload.len()).unwrap().to_be_bytes());
    bytes.extend(KEY);
    let masked = payload.iter().zip(KEY.iter().cycle());
    bytes.extend(masked.map(|(byte, key)| byte ^ key));
    bytes
}

/// Takes a whole frame of the server's from the front, if there is one.
pub(crate) fn take_frame(bytes: &mut Vec<u8>) -> Option<Frame> {
    let &[flags, short, ..] = &bytes[..] else {
        return None;
    };
    assert_eq!(flags & 0xF0, FINAL, "a frame of the server's is a message");
    let (start, len) = match short {
        126 => (4, number(bytes.get(2..4)?)),
        127 => (10, number(bytes.get(2..10)?)),
        _ => (2, usize::from(short)),
    };
    let payload = bytes.get(start..start + len)?.to_vec();
    bytes.drain(..start + len);
    let opcode = flags & 0x0F;
    Some(Frame { opcode, payload })
}

fn number(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .fold(0, |number, &byte| number << 8 | usize::from(byte))
}

/// The code of a close frame.
pub(crate) fn close_code(payload: &[u8]) -> Option<u16> {
    let code = payload.first_chunk::<2>()?;
    Some(u16::from_be_bytes(*code))
}
