//! The bodies of all dispatches, held against files. `GUILDHALL_GOLDEN=1` writes them anew.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use guildhall_model::dispatch::Dispatch;
use guildhall_wire::dispatch::{Look, body, name};
use guildhall_wire::{Dialect, Encoding};
use serde_json::Value;

use crate::happenings::dispatches;
use crate::sample::{SPELLING, guild_id, installation};

const DIALECTS: [(Dialect, &str); 2] = [(Dialect::Discord, "discord"), (Dialect::Native, "native")];

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn look(dialect: Dialect, encoding: Encoding) -> Look {
    Look {
        dialect,
        encoding,
        blanked: false,
    }
}

fn json(dispatch: &Dispatch, dialect: Dialect) -> Value {
    let bytes = body(dispatch, &look(dialect, Encoding::Json), &installation()).unwrap();
    let value: Value = serde_json::from_slice(&bytes).unwrap();
    // A key that stood twice would be longer here than there.
    assert_eq!(value.to_string().len(), bytes.len(), "a key stands twice");
    value
}

#[test]
fn bodies_are_as_in_their_golden_files() {
    let is_writing = std::env::var_os("GUILDHALL_GOLDEN").is_some();
    let mut written = BTreeSet::new();
    for (slug, dispatch) in dispatches() {
        assert!(slug.starts_with(&name(&dispatch).to_lowercase()), "{slug}");
        for (dialect, suffix) in DIALECTS {
            let file = format!("{slug}.{suffix}.json");
            let path = directory().join(&file);
            let frame = serde_json::json!({"t": name(&dispatch), "d": json(&dispatch, dialect)});
            if is_writing {
                fs::write(&path, format!("{frame:#}\n")).unwrap();
            }
            let golden = fs::read_to_string(&path)
                .unwrap_or_else(|error| panic!("{file}: {error}; GUILDHALL_GOLDEN=1 writes it"));
            let golden: Value = serde_json::from_str(&golden).unwrap();
            assert_eq!(frame, golden, "{file}");
            written.insert(file);
        }
    }
    let present = fs::read_dir(directory()).unwrap();
    let present = present.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(
        present.collect::<BTreeSet<_>>(),
        written,
        "golden files without a dispatch"
    );
}

#[test]
fn both_encodings_hold_the_same_document() {
    for (slug, dispatch) in dispatches() {
        for (dialect, _) in DIALECTS {
            let packed = body(
                &dispatch,
                &look(dialect, Encoding::Msgpack),
                &installation(),
            )
            .unwrap();
            let unpacked: Value = rmp_serde::from_slice(&packed).unwrap();
            assert_eq!(unpacked, json(&dispatch, dialect), "{slug}");
        }
    }
}

/// All keys of a document, at any depth.
fn keys(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                into.insert(key.clone());
                keys(value, into);
            }
        }
        Value::Array(list) => list.iter().for_each(|value| keys(value, into)),
        _ => {}
    }
}

#[test]
fn each_dialect_keeps_to_its_words_and_ids() {
    for (slug, dispatch) in dispatches() {
        for (dialect, foreign, foreign_id) in [
            (Dialect::Native, "guild", "\"15000000000000"),
            (Dialect::Discord, "server", "\"019de712-"),
        ] {
            let value = json(&dispatch, dialect);
            let mut words = BTreeSet::new();
            keys(&value, &mut words);
            let stray = words.iter().find(|key| key.contains(foreign));
            assert_eq!(stray, None, "{slug}");
            assert!(!value.to_string().contains(foreign_id), "{slug}");
        }
    }
}

#[test]
fn only_what_its_author_composed_differs_in_a_blanked_message() {
    for (slug, dispatch) in dispatches() {
        for (dialect, _) in DIALECTS {
            let blanked = Look {
                blanked: true,
                ..look(dialect, Encoding::Json)
            };
            let bytes = body(&dispatch, &blanked, &installation()).unwrap();
            let mut blank: Value = serde_json::from_slice(&bytes).unwrap();
            let full = json(&dispatch, dialect);
            if matches!(name(&dispatch), "MESSAGE_CREATE" | "MESSAGE_UPDATE") {
                assert_eq!(blank["content"], "", "{slug}");
                assert_ne!(full["content"], "", "{slug}");
                blank["content"] = full["content"].clone();
                for part in ["attachments", "embeds", "components"] {
                    assert_eq!(blank[part], Value::Array(Vec::new()), "{slug}");
                    blank[part] = full[part].clone();
                }
            }
            assert_eq!(blank, full, "{slug}");
        }
    }
}

#[test]
fn everyone_has_the_guilds_own_id_in_both_dialects() {
    for (_, dispatch) in dispatches()
        .iter()
        .filter(|(slug, _)| *slug == "guild_create")
    {
        for (dialect, _) in DIALECTS {
            let guild = json(dispatch, dialect);
            assert_eq!(guild["roles"][0]["id"], guild["id"]);
        }
        assert_eq!(
            json(dispatch, Dialect::Native)["id"],
            *SPELLING.uuid(guild_id())
        );
    }
}
