//! Discord's own description of its API, against which answers are held. It is not ours to ship:
//! it stands beside the repository where it was put.

use std::collections::HashMap;

use jsonschema::Validator;
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::record::Exchange;
use crate::binary::repository;

/// Where the description stands, beside the repository or above it.
pub const DESCRIPTION: &str = "shared/data/discord-openapi.json";
/// What the described paths begin with.
const BASES: [&str; 3] = ["/api/v10", "/api/v9", "/api"];
/// Faults of one answer that are worth telling.
const FAULTS_MAX: usize = 5;

/// The description and what was made of it.
#[derive(Debug)]
pub struct Schemas {
    document: Value,
    /// By the place of the schema in the document.
    validators: Mutex<HashMap<String, Validator>>,
}

/// What the description says to an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// There is no such operation.
    Undescribed,
    /// The operation, all of whose rules were kept.
    Good(String),
    /// The operation, and what was wrong.
    Bad(String, Vec<String>),
}

impl Schemas {
    /// Reads the description, if it was put there.
    pub fn read() -> Option<Self> {
        let places = repository().ancestors();
        let path = places
            .map(|it| it.join(DESCRIPTION))
            .find(|it| it.is_file())?;
        let text = std::fs::read_to_string(path).expect("the description is text");
        Some(Self {
            document: serde_json::from_str(&text).expect("the description is JSON"),
            validators: Mutex::default(),
        })
    }

    /// Judges an answer.
    pub fn judge(&self, exchange: &Exchange) -> Verdict {
        let Some((template, operation)) = self.operation(exchange) else {
            return Verdict::Undescribed;
        };
        let name = format!("{} {template}", exchange.method);
        let faults = self.faults(exchange, &operation);
        if faults.is_empty() {
            Verdict::Good(name)
        } else {
            Verdict::Bad(name, faults)
        }
    }

    /// The template and its place in the document. One with fewer parameters goes first.
    fn operation(&self, exchange: &Exchange) -> Option<(String, String)> {
        let path = BASES
            .iter()
            .find_map(|base| exchange.path.strip_prefix(base))?;
        let parts: Vec<&str> = path.split('/').collect();
        let fits = |template: &&String| {
            let template: Vec<&str> = template.split('/').collect();
            template.len() == parts.len()
                && template
                    .iter()
                    .zip(&parts)
                    .all(|(named, part)| named.starts_with('{') || named == part)
        };
        let template = self.document["paths"]
            .as_object()?
            .keys()
            .filter(fits)
            .min_by_key(|template| template.matches('{').count())?;
        let method = exchange.method.to_lowercase();
        let place = format!("/paths/{}/{method}", escaped(template));
        self.document.pointer(&place)?;
        Some((template.clone(), place))
    }

    fn faults(&self, exchange: &Exchange, operation: &str) -> Vec<String> {
        let status = exchange.status.to_string();
        let class = format!("{}XX", exchange.status / 100);
        let responses = [&status, &class].map(|key| format!("{operation}/responses/{key}"));
        let place = responses
            .iter()
            .find(|place| self.document.pointer(place).is_some());
        let Some(place) = place.map(|place| self.followed(place)) else {
            return vec!["status is not described".to_owned()];
        };
        let content = format!("{place}/content");
        if self.document.pointer(&content).is_none() {
            let is_empty = exchange.body.is_empty();
            return if is_empty {
                vec![]
            } else {
                vec!["a body that is not described".to_owned()]
            };
        }
        if exchange.media_type != "application/json" {
            return vec![format!("media type {:?}", exchange.media_type)];
        }
        match serde_json::from_slice(&exchange.body) {
            Ok(body) => self.faults_of_body(&format!("{content}/application~1json/schema"), &body),
            Err(error) => vec![error.to_string()],
        }
    }

    /// Where a reference leads to.
    fn followed(&self, place: &str) -> String {
        let reference = self
            .document
            .pointer(place)
            .and_then(|it| it["$ref"].as_str());
        let target = reference.and_then(|it| it.strip_prefix('#'));
        target.unwrap_or(place).to_owned()
    }

    fn faults_of_body(&self, place: &str, body: &Value) -> Vec<String> {
        let mut validators = self.validators.lock();
        let validator = validators
            .entry(place.to_owned())
            .or_insert_with(|| self.validator(place));
        let errors = validator.iter_errors(body).take(FAULTS_MAX);
        errors
            .map(|error| format!("{} {}", error.instance_path(), short(&error.to_string())))
            .collect()
    }

    fn validator(&self, place: &str) -> Validator {
        let schema = self.document.pointer(place).expect("it was found before");
        let root = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "components": self.document["components"],
            "allOf": [schema],
        });
        let validator = jsonschema::draft202012::options()
            .should_validate_formats(true)
            .should_ignore_unknown_formats(true)
            .build(&root);
        validator.expect("the description has schemas")
    }
}

/// As a segment of a JSON pointer.
fn escaped(template: &str) -> String {
    template.replace('~', "~0").replace('/', "~1")
}

/// Whole objects stand in the messages; their end says what is wrong with them.
fn short(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    match chars.len() {
        0..=200 => text.to_owned(),
        length => format!(
            "{} … {}",
            String::from_iter(&chars[..60]),
            String::from_iter(&chars[length - 120..])
        ),
    }
}
