//! Where settings come from: a TOML file, the environment, the command line.

use std::ffi::OsString;
use std::ops::Range;
use std::path::PathBuf;

use toml::de::{DeTable, DeValue};

use super::Mistake;

/// Bytes of a configuration file at most; a file this long is some other file.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// What the names of environment variables begin with.
pub(super) const ENVIRONMENT_PREFIX: &str = "GUILDHALL__";

/// Everything that may say something about a setting. Later fields override earlier ones.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// A TOML file. It has to exist.
    pub file: Option<PathBuf>,
    /// Environment variables. Those with names other than `GUILDHALL__PART__KEY` are ignored.
    pub environment: Vec<(OsString, OsString)>,
    /// Flags.
    pub command_line: Vec<CommandLineSetting>,
}

/// A setting given by a flag.
#[derive(Clone, Debug)]
pub struct CommandLineSetting {
    /// The flag, to name it in a message: `--listen`.
    pub flag: &'static str,
    /// The part of the setting that it sets.
    pub part: &'static str,
    /// The key in the part.
    pub key: &'static str,
    /// The value.
    pub value: String,
}

/// A value that some source gives, not yet judged.
#[derive(Debug)]
pub(super) struct Given {
    /// Who says so.
    pub(super) origin: String,
    /// What it says.
    pub(super) found: Found,
}

/// A raw value.
#[derive(Debug)]
pub(super) enum Found {
    /// A string in TOML.
    Quoted(String),
    /// A number in TOML, in decimal.
    Bare(String),
    /// Text of a source without types.
    Untyped(String),
    /// A kind of TOML value that no setting has.
    Other(&'static str),
}

type Path = (String, String);

impl Sources {
    /// Collects what all sources say, in rising precedence.
    pub(super) fn gather(&self, mistakes: &mut Vec<Mistake>) -> Vec<(Path, Given)> {
        let mut given = Vec::new();
        self.read_file(&mut given, mistakes);
        self.read_environment(&mut given, mistakes);
        given.extend(self.command_line.iter().map(|setting| {
            let found = Found::Untyped(setting.value.clone());
            let origin = setting.flag.to_owned();
            let path = (setting.part.to_owned(), setting.key.to_owned());
            (path, Given { origin, found })
        }));
        given
    }

    fn read_file(&self, given: &mut Vec<(Path, Given)>, mistakes: &mut Vec<Mistake>) {
        let Some(path) = &self.file else { return };
        let name = path.display().to_string();
        let whole = |what: String| Mistake {
            origin: Some(name.clone()),
            path: String::new(),
            what,
        };
        let text = match read_bounded(path) {
            Ok(text) => text,
            Err(error) => return mistakes.push(whole(format!("cannot be read: {error}"))),
        };
        let (document, errors) = DeTable::parse_recoverable(&text);
        for error in errors {
            mistakes.push(Mistake {
                origin: Some(at_line(&name, &text, &error.span().unwrap_or_default())),
                path: String::new(),
                what: format!("is not TOML: {}", error.message()),
            });
        }
        for (part, value) in document.get_ref() {
            let part_name = part.get_ref().to_string();
            let DeValue::Table(table) = value.get_ref() else {
                let origin = at_line(&name, &text, &part.span());
                let found = found_in(value.get_ref());
                given.push(((part_name, String::new()), Given { origin, found }));
                continue;
            };
            for (key, value) in table {
                let origin = at_line(&name, &text, &key.span());
                let found = found_in(value.get_ref());
                given.push((
                    (part_name.clone(), key.get_ref().to_string()),
                    Given { origin, found },
                ));
            }
        }
    }

    fn read_environment(&self, given: &mut Vec<(Path, Given)>, mistakes: &mut Vec<Mistake>) {
        for (name, value) in &self.environment {
            let name = name.to_string_lossy();
            let Some(rest) = name.strip_prefix(ENVIRONMENT_PREFIX) else {
                continue;
            };
            let (part, key) = rest.split_once("__").unwrap_or((rest, ""));
            let path = (part.to_lowercase(), key.to_lowercase());
            let origin = name.to_string();
            match value.to_str() {
                Some(text) => {
                    let found = Found::Untyped(text.to_owned());
                    given.push((path, Given { origin, found }));
                }
                None => mistakes.push(Mistake {
                    origin: Some(origin),
                    path: String::new(),
                    what: "expected UTF-8".to_owned(),
                }),
            }
        }
    }
}

fn read_bounded(path: &std::path::Path) -> std::io::Result<String> {
    use std::io::Read;
    let mut text = String::new();
    std::fs::File::open(path)?
        .take(FILE_BYTES_MAX + 1)
        .read_to_string(&mut text)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        let what = format!("longer than {FILE_BYTES_MAX} bytes");
        return Err(std::io::Error::other(what));
    }
    Ok(text)
}

fn at_line(name: &str, text: &str, span: &Range<usize>) -> String {
    let before = text.as_bytes().iter().take(span.start);
    let line = 1 + before.filter(|byte| **byte == b'\n').count();
    format!("{name}:{line}")
}

fn found_in(value: &DeValue<'_>) -> Found {
    match value {
        DeValue::String(text) => Found::Quoted(text.to_string()),
        DeValue::Integer(number) => match i128::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Found::Bare(number.to_string()),
            Err(_) => Found::Other("a number that is far too large"),
        },
        DeValue::Float(_) => Found::Other("a fraction"),
        DeValue::Boolean(_) => Found::Other("a boolean"),
        DeValue::Datetime(_) => Found::Other("a date"),
        DeValue::Array(_) => Found::Other("a list"),
        DeValue::Table(_) => Found::Other("a table"),
    }
}
