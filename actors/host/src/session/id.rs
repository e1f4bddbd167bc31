//! Session ids: where a session is, which it is, and a secret, in the one text that READY tells
//! and RESUME repeats.

use std::fmt::Write as _;

use guildhall_model::SessionPartition;
use guildhall_state::session_partition::record::Slot;

/// The version of session ids; another one is of another topology.
const ID_VERSION: u8 = 1;
const ID_BYTES: usize = 1 + 2 + 4 + 16;

/// A session's name for its client: where it is, which it is, and a secret.
pub fn session_id(partition: SessionPartition, slot: Slot, secret: &[u8; 16]) -> String {
    let mut bytes = Vec::with_capacity(ID_BYTES);
    bytes.push(ID_VERSION);
    bytes.extend(partition.0.to_be_bytes());
    bytes.extend(slot.to_be_bytes());
    bytes.extend(secret);
    let mut id = String::with_capacity(2 * ID_BYTES);
    for byte in bytes {
        write!(id, "{byte:02x}").expect("a string takes every write");
    }
    id
}

/// Reads back what [`session_id`] wrote; `None` for any other text.
pub fn parse_session_id(id: &str) -> Option<(SessionPartition, Slot, [u8; 16])> {
    // The standard library would also read capitals and a sign before a digit.
    let is_ours = |digit: u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
    if id.len() != 2 * ID_BYTES || !id.bytes().all(is_ours) {
        return None;
    }
    let mut bytes = [0_u8; ID_BYTES];
    for (i, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(id.get(2 * i..2 * i + 2)?, 16).ok()?;
    }
    let partition = u16::from_be_bytes([bytes[1], bytes[2]]);
    let slot = u32::from_be_bytes([bytes[3], bytes[4], bytes[5], bytes[6]]);
    let secret = bytes[7..].try_into().ok()?;
    (bytes[0] == ID_VERSION).then_some((SessionPartition(partition), slot, secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_id_names_partition_slot_and_secret() {
        let id = session_id(SessionPartition(7), 70_000, &[9; 16]);
        assert_eq!(
            parse_session_id(&id),
            Some((SessionPartition(7), 70_000, [9; 16]))
        );
        assert_eq!(parse_session_id(""), None);
        assert_eq!(parse_session_id(&id[1..]), None);
        assert_eq!(parse_session_id(&"é".repeat(ID_BYTES)), None);
        assert_eq!(
            parse_session_id(&format!("02{}", &id[2..])),
            None,
            "another version"
        );
    }

    #[test]
    fn a_session_id_has_one_spelling() {
        let id = session_id(SessionPartition(0x0A0B), 1, &[0xAB; 16]);
        assert_eq!(parse_session_id(&id.to_uppercase()), None);
        assert_eq!(parse_session_id(&format!("+1{}", &id[2..])), None);
    }
}
