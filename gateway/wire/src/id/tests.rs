//! The spellings are bijections that keep the order and know their installation.

use guildhall_model::{MessageId, UserId};
use proptest::prelude::*;

use super::*;

const SPELLING: Spelling = Spelling::new(0x9_8765_4321_0FED);

const VECTORS: [(u64, &str); 2] = [
    (
        175_928_847_299_117_063,
        "015466e4-1b04-8080-8070-000000000000",
    ),
    (
        1_500_000_000_000_000_001,
        "019de712-e5ec-8580-8010-000000000000",
    ),
];

#[test]
fn the_published_vectors_hold() {
    let spelling = Spelling::new(0);
    for (raw, text) in VECTORS {
        let id = MessageId::new(raw).unwrap();
        assert_eq!(&*spelling.uuid(id), text);
        assert_eq!(spelling.parse(text), Some(id));
        assert_eq!(spelling.parse(&raw.to_string()), Some(id));
    }
}

#[test]
fn upper_case_uuids_are_read() {
    let text = VECTORS[1].1.to_uppercase();
    assert_eq!(Spelling::new(0).parse(&text), UserId::new(VECTORS[1].0));
}

#[test]
fn what_is_no_id_names_nothing() {
    for bad in [
        "",
        "0",
        "-1",
        "+1",
        "01",
        "1.0",
        "9223372036854775808",
        "99999999999999999999999999",
        "١٢٣",
        // Version 7, another variant, a time before the epoch, zero, misplaced and missing dashes.
        "015466e4-1b04-7080-8070-000000000000",
        "015466e4-1b04-8080-c070-000000000000",
        "005466e4-1b04-8080-8070-000000000000",
        "014aa2ca-b000-8000-8000-000000000000",
        "015466e41-b04-8080-8070-000000000000",
        "015466e4-1b04-8080-8070-00000000000",
        "015466e4-1b04-8080-8070-0000000000000",
        "015466e4-1b04-8080-8070-00000000000g",
        "015466e4-1b04-8080-8070-0000000000é0",
        "éééééééééééééééééé",
    ] {
        assert_eq!(Spelling::new(0).parse::<()>(bad), None, "{bad}");
    }
}

#[test]
fn times_beyond_63_bits_name_nothing() {
    let last = Spelling::new(0).uuid(UserId::new(i64::MAX as u64).unwrap());
    assert!(Spelling::new(0).parse::<()>(&last).is_some());
    assert_eq!(
        Spelling::new(0).parse::<()>("ffffffff-ffff-8fff-bff0-000000000000"),
        None
    );
}

fn raw() -> impl Strategy<Value = u64> {
    1_u64..=i64::MAX as u64
}

/// The ids of the years that the pattern knows.
fn recent() -> impl Strategy<Value = u64> {
    let raw = |unix_ms: u64| (unix_ms - EPOCH_MS.unsigned_abs()) << LOW_BITS;
    raw(1_451_606_400_000)..raw(3_471_292_800_000)
}

fn is_like(pattern: &str, text: &str) -> bool {
    let schema = serde_json::json!({ "pattern": pattern });
    jsonschema::is_valid(&schema, &text.into())
}

proptest! {
    #[test]
    fn ids_of_this_installation_are_like_its_pattern(raw in recent(), tail: u64) {
        let spelling = Spelling::new(tail);
        let id = MessageId::new(raw).unwrap();
        prop_assert!(is_like(&spelling.pattern(), &spelling.uuid(id)));
        let foreign = Spelling::new(tail ^ 1).uuid(id);
        prop_assert!(!is_like(&spelling.pattern(), &foreign));
    }

    #[test]
    fn what_is_like_the_pattern_is_an_id(
        text in prop::string::string_regex(SPELLING.pattern().trim_matches(['^', '$'])).unwrap(),
    ) {
        prop_assert!(SPELLING.parse::<()>(&text).is_some(), "{text}");
    }
}

proptest! {
    #[test]
    fn both_spellings_read_back(raw in raw(), tail: u64) {
        let spelling = Spelling::new(tail);
        let id = MessageId::new(raw).unwrap();
        prop_assert_eq!(spelling.parse(&spelling.uuid(id)), Some(id));
        prop_assert_eq!(spelling.parse(&raw.to_string()), Some(id));
    }

    #[test]
    fn texts_sort_as_ids(a in raw(), b in raw(), tail: u64) {
        let spelling = Spelling::new(tail);
        let text = |raw| spelling.uuid(UserId::new(raw).unwrap());
        prop_assert_eq!(text(a).cmp(&text(b)), a.cmp(&b));
    }

    #[test]
    fn a_foreign_uuid_names_nothing(raw in raw(), ours in 0..=TAIL_MASK, flip in 1..=TAIL_MASK) {
        let theirs = Spelling::new(ours ^ flip).uuid(UserId::new(raw).unwrap());
        prop_assert_eq!(Spelling::new(ours).parse::<()>(&theirs), None);
    }

    #[test]
    fn only_the_canonical_uuid_names_an_id(bits: u128) {
        let spelling = Spelling::new(field(bits, 0, 52));
        let text = UuidText::from_bits(bits);
        if let Some(id) = spelling.parse::<()>(&text) {
            prop_assert_eq!(spelling.uuid(id), text);
        }
    }

    #[test]
    fn any_text_is_read_without_harm(text in ".{0,40}") {
        let _ = Spelling::new(7).parse::<()>(&text);
    }
}
