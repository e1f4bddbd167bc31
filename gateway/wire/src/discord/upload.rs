//! What a request with files says of them in its JSON: `attachments`, matched by number.
//!
//! <https://discord.com/developers/docs/reference#uploading-files>

use guildhall_model::Rejection;
use guildhall_model::limits::ATTACHMENTS_MAX;
use guildhall_model::rejection::FieldError;
use guildhall_model::text::{FileDescription, FileTitle, TextError};
use serde::Deserialize;

use crate::native::request::read_optional_json;

/// What is said of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileNote {
    /// The `n` of the part `files[n]`; or, in an edit, the id of a file that the message has.
    pub id: u64,
    /// A name instead of the part's.
    pub filename: Option<String>,
    /// Shown instead of the name.
    pub title: Option<String>,
    /// For those who cannot see the content.
    pub description: Option<String>,
    /// Hide it until it is asked for.
    pub is_spoiler: bool,
}

/// Of the JSON only what concerns files; the rest is read by whom it concerns.
#[derive(Default, Deserialize)]
struct Payload {
    attachments: Option<Vec<Entry>>,
}

#[derive(Deserialize)]
struct Entry {
    id: Number,
    filename: Option<String>,
    title: Option<String>,
    description: Option<String>,
    is_spoiler: Option<bool>,
}

/// Libraries write ids as numbers and as texts.
#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Number(u64),
    Text(String),
}

/// Reads `attachments`. `None` if the JSON does not speak of files, which for an edit is another
/// thing than to name none.
pub fn read_notes(payload: &[u8]) -> Result<Option<Vec<FileNote>>, Rejection> {
    let Payload { attachments } = read_optional_json(payload)?;
    let Some(entries) = attachments else {
        return Ok(None);
    };
    if ATTACHMENTS_MAX < entries.len() {
        let why = format!("must be at most {ATTACHMENTS_MAX}");
        return Err(Rejection::field("attachments", "too_many", why));
    }
    let mut notes: Vec<FileNote> = Vec::new();
    let mut errors = Vec::new();
    for (n, entry) in entries.into_iter().enumerate() {
        match entry.read(n) {
            Ok(note) if notes.iter().any(|other| other.id == note.id) => {
                errors.push(error(n, "id", "repeated", "must be there once"));
            }
            Ok(note) => notes.push(note),
            Err(wrong) => errors.extend(wrong),
        }
    }
    if errors.is_empty() {
        Ok(Some(notes))
    } else {
        Err(Rejection::Invalid(errors))
    }
}

impl Entry {
    fn read(self, n: usize) -> Result<FileNote, Vec<FieldError>> {
        let mut errors = Vec::new();
        let mut note = |field: &str, wrong: TextError| {
            errors.push(wrong.at(&format!("attachments.{n}.{field}")));
        };
        let title = self.title.as_deref().map(FileTitle::parse);
        let title = title.and_then(|title| title.map_err(|wrong| note("title", wrong)).ok());
        let description = self.description.as_deref().map(FileDescription::parse);
        let description =
            description.and_then(|text| text.map_err(|wrong| note("description", wrong)).ok());
        // What a name may be is not asked here: it is made safe, however it is.
        let filename = self.filename.filter(|name| !name.is_empty());
        let id = self.id.read();
        if id.is_none() {
            errors.push(error(n, "id", "invalid_id", "must be a whole number"));
        }
        match id {
            Some(id) if errors.is_empty() => Ok(FileNote {
                id,
                filename,
                title: title.map(String::from).filter(|text| !text.is_empty()),
                description: description
                    .map(String::from)
                    .filter(|text| !text.is_empty()),
                is_spoiler: self.is_spoiler.unwrap_or_default(),
            }),
            _ => Err(errors),
        }
    }
}

impl Number {
    fn read(&self) -> Option<u64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok(),
            Self::Text(_) => None,
        }
    }
}

fn error(n: usize, field: &str, code: &'static str, message: &str) -> FieldError {
    FieldError {
        path: format!("attachments.{n}.{field}"),
        code,
        message: message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use guildhall_model::limits::FILE_DESCRIPTION_CHARS_MAX;
    use serde_json::json;

    use super::*;

    fn wrong(payload: &serde_json::Value) -> Vec<(String, &'static str)> {
        match read_notes(payload.to_string().as_bytes()) {
            Err(Rejection::Invalid(fields)) => fields
                .into_iter()
                .map(|field| (field.path, field.code))
                .collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn ids_are_read_as_numbers_and_as_texts() {
        let payload = json!({"content": "x", "attachments": [
            {"id": 0, "filename": "a.png", "description": "A cat", "is_spoiler": true},
            {"id": "1", "description": null, "title": ""},
            {"id": "1500000000000000061", "url": "passed over"},
        ]});
        let notes = read_notes(payload.to_string().as_bytes()).unwrap().unwrap();
        assert_eq!(
            notes[0],
            FileNote {
                id: 0,
                filename: Some("a.png".to_owned()),
                title: None,
                description: Some("A cat".to_owned()),
                is_spoiler: true,
            }
        );
        assert_eq!(
            notes[1],
            FileNote {
                id: 1,
                ..FileNote::default()
            }
        );
        assert_eq!(notes[2].id, 1_500_000_000_000_000_061);
    }

    #[test]
    fn to_name_no_files_is_not_to_speak_of_them() {
        assert_eq!(read_notes(b"").unwrap(), None);
        assert_eq!(read_notes(b"{}").unwrap(), None);
        assert_eq!(read_notes(b"{\"attachments\": null}").unwrap(), None);
        assert_eq!(read_notes(b"{\"attachments\": []}").unwrap(), Some(vec![]));
    }

    #[test]
    fn what_is_wrong_is_told_by_its_place() {
        let long = "x".repeat(FILE_DESCRIPTION_CHARS_MAX + 1);
        let payload = json!({"attachments": [
            {"id": "x"}, {"id": 1}, {"id": "1"}, {"id": 2, "description": long, "title": "a\0"},
        ]});
        let place = |path: &str| path.to_owned();
        assert_eq!(
            wrong(&payload),
            [
                (place("attachments.0.id"), "invalid_id"),
                (place("attachments.2.id"), "repeated"),
                (place("attachments.3.title"), "invalid_characters"),
                (place("attachments.3.description"), "too_long"),
            ]
        );
        let many: Vec<_> = (0..=ATTACHMENTS_MAX)
            .map(|id| json!({ "id": id }))
            .collect();
        let many = wrong(&json!({ "attachments": many }));
        assert_eq!(many, [(place("attachments"), "too_many")]);
    }

    #[test]
    fn anything_else_is_refused_and_nothing_panics() {
        for payload in [
            "[]",
            "7",
            "{",
            "{\"attachments\": 7}",
            "{\"attachments\": [7]}",
            "{\"attachments\": [{}]}",
            "{\"attachments\": [{\"id\": -1}]}",
            "{\"attachments\": [{\"id\": 1.5}]}",
            "{\"attachments\": [{\"id\": null}]}",
            "{\"attachments\": [{\"id\": \"\"}]}",
            "{\"attachments\": [{\"id\": \"99999999999999999999\"}]}",
            "{\"attachments\": [{\"id\": 0, \"filename\": 7}]}",
        ] {
            assert!(read_notes(payload.as_bytes()).is_err(), "{payload}");
        }
        assert!(read_notes(b"\xff").is_err());
    }
}
