//! The two spellings of an id: each names one id, each id has one of both, and everything else is
//! refused.

use guildhall_model::id::kind::Channel;
use guildhall_model::{ChannelId, Id};
use guildhall_wire::Spelling;
use guildhall_wire::id::Decimal;

use crate::script::Script;

pub(crate) fn run(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let tail = script.u64();
    let spelling = Spelling::new(tail);
    let (a, b) = (script.u64(), script.u64());
    let ids = [a, b].map(ChannelId::new);
    for (raw, id) in [a, b].into_iter().zip(ids) {
        assert_eq!(id.is_some(), raw != 0 && raw >> 63 == 0);
        if let Some(id) = id {
            check_both_ways(spelling, id);
            let other = Spelling::new(tail ^ 1 << script.below(52));
            let foreign: Option<ChannelId> = spelling.parse(&other.uuid(id));
            assert_eq!(foreign, None, "another installation's");
            // Bits beyond the 52 do not count.
            assert_eq!(Spelling::new(tail ^ 1 << 52).uuid(id), spelling.uuid(id));
        }
    }
    if let [Some(a), Some(b)] = ids {
        assert_eq!(a.cmp(&b), spelling.uuid(a).cmp(&spelling.uuid(b)));
        check_damaged(&mut script, spelling, &spelling.uuid(a));
        check_damaged(&mut script, spelling, &a.to_string());
    }
    check_text(spelling, &String::from_utf8_lossy(script.rest()));
    check_text(spelling, &String::from_utf8_lossy(bytes));
}

fn check_both_ways(spelling: Spelling, id: ChannelId) {
    let uuid = spelling.uuid(id);
    assert_eq!(spelling.parse(&uuid), Some(id));
    assert_eq!(spelling.parse(&uuid.to_uppercase()), Some(id));
    let decimal = serde_json::to_value(Decimal(id)).expect("a text");
    let decimal = decimal.as_str().expect("a text");
    assert_eq!(decimal, id.get().to_string());
    assert_eq!(spelling.parse(decimal), Some(id));
}

fn check_damaged(script: &mut Script<'_>, spelling: Spelling, text: &str) {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..=script.below(3) {
        let at = script.below(bytes.len());
        bytes[at] = script.byte();
    }
    check_text(spelling, &String::from_utf8_lossy(&bytes));
}

/// What is read is one of the two spellings of what it is read as.
fn check_text(spelling: Spelling, text: &str) {
    let read: Option<Id<Channel>> = spelling.parse(text);
    if let Some(id) = read {
        let is_decimal = text == id.get().to_string();
        let is_uuid = text.eq_ignore_ascii_case(&spelling.uuid(id));
        assert!(is_decimal || is_uuid, "{text:?} is read as {id}");
    }
}
