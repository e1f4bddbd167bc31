//! Discord's own description of its API judges answers.
//!
//! The description is not ours to ship: it stands beside the repository where it was put. Without
//! it the judge says so once on the process's stderr and lets everything pass.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Write;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use jsonschema::Validator;
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::harness::Answer;

const DESCRIPTION: &str = "shared/data/discord-openapi.json";

/// What became of the operations that were called with success.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    /// Operations whose bodies were as described, with how often.
    pub(super) green: BTreeMap<String, u32>,
    /// Calls that the description does not know.
    pub(super) outside: BTreeSet<String>,
}

pub(super) struct Judge {
    description: Option<Value>,
    /// By the place of the schema in the description.
    validators: Mutex<HashMap<String, Validator>>,
    tally: Mutex<Tally>,
}

/// The judge of all tests of this process.
pub(super) fn judge() -> &'static Judge {
    static JUDGE: OnceLock<Judge> = OnceLock::new();
    JUDGE.get_or_init(|| {
        let description = description();
        if description.is_none() {
            say(&format!(
                "LEFT OUT: no {DESCRIPTION}; Discord's schemas judged nothing"
            ));
        }
        Judge {
            description,
            validators: Mutex::default(),
            tally: Mutex::default(),
        }
    })
}

/// Writes past the capture of tests, which keeps to itself what a passing test prints.
pub(super) fn say(line: &str) {
    std::io::stderr()
        .write_all(format!("{line}\n").as_bytes())
        .unwrap();
}

fn description() -> Option<Value> {
    let places = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let found: Option<PathBuf> = places
        .map(|place| place.join(DESCRIPTION))
        .find(|path| path.is_file());
    let text = std::fs::read_to_string(found?).unwrap();
    Some(serde_json::from_str(&text).unwrap())
}

impl Judge {
    /// An answer of success has a status and a body that are described; every answer spells ids in
    /// this dialect.
    #[track_caller]
    pub(super) fn answered(&self, method: &str, path: &str, answer: &Answer) {
        let path = path.split('?').next().unwrap_or_default();
        spelled(&answer.body, &format!("{method} {path}"));
        let Some(description) = self.description.as_ref().filter(|_| answer.status < 300) else {
            return;
        };
        let Some((template, place)) = operation(description, method, path) else {
            let outside = format!("{method} {}", shortened(path));
            self.tally.lock().outside.insert(outside);
            return;
        };
        let response = format!("{place}/responses/{}", answer.status);
        let described = description.pointer(&response);
        let described = described
            .unwrap_or_else(|| panic!("{method} {template}: {} is not described", answer.status));
        if described.get("content").is_none() {
            assert_eq!(answer.body, Value::Null, "{method} {template}");
        } else {
            let schema = format!("{response}/content/application~1json/schema");
            let faults = self.faults(description, &schema, &answer.body);
            assert!(
                faults.is_empty(),
                "{method} {template}: {faults:#?}\n{:#}",
                answer.body
            );
        }
        let mut tally = self.tally.lock();
        *tally
            .green
            .entry(format!("{method} {template}"))
            .or_default() += 1;
    }

    /// What has been judged until now; `None` without a description.
    pub(super) fn tally(&self) -> Option<Tally> {
        self.description.as_ref()?;
        Some(self.tally.lock().clone())
    }

    fn faults(&self, description: &Value, place: &str, body: &Value) -> Vec<String> {
        let mut validators = self.validators.lock();
        let validator = validators.entry(place.to_owned()).or_insert_with(|| {
            let root = json!({
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "components": description["components"],
                "allOf": [description.pointer(place).unwrap()],
            });
            jsonschema::draft202012::options()
                .should_validate_formats(true)
                .should_ignore_unknown_formats(true)
                .build(&root)
                .unwrap()
        });
        let errors = validator.iter_errors(body);
        errors
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect()
    }
}

/// The template of a path and where its operation stands. Literal parts go before parameters.
fn operation(description: &Value, method: &str, path: &str) -> Option<(String, String)> {
    let parts: Vec<&str> = path.split('/').collect();
    let fits = |template: &&String| {
        let template: Vec<&str> = template.split('/').collect();
        let mut pairs = template.iter().zip(&parts);
        template.len() == parts.len()
            && pairs.all(|(named, part)| named.starts_with('{') || named == part)
    };
    let templates = description["paths"].as_object()?.keys();
    let template = templates
        .filter(fits)
        .min_by_key(|template| template.matches('{').count())?;
    let place = format!(
        "/paths/{}/{}",
        template.replace('/', "~1"),
        method.to_lowercase()
    );
    description.pointer(&place)?;
    Some((template.clone(), place))
}

/// A path with `{}` in place of ids.
fn shortened(path: &str) -> String {
    let parts = path.split('/').map(|part| {
        let is_id = part.len() > 15 && part.bytes().all(|byte| byte.is_ascii_digit());
        if is_id { "{}" } else { part }
    });
    parts.collect::<Vec<_>>().join("/")
}

/// No id of the native dialect stands in a body: libraries read ids as numbers.
#[track_caller]
fn spelled(value: &Value, place: &str) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| spelled(item, place)),
        Value::Object(fields) => fields.values().for_each(|field| spelled(field, place)),
        Value::String(text) => {
            let dashes = text.bytes().filter(|&byte| byte == b'-').count();
            assert!(text.len() != 36 || dashes != 4, "{place} tells {text}");
        }
        _ => {}
    }
}

#[test]
fn the_judge_notices_a_missing_field_and_a_wrong_status() {
    let judge = judge();
    if judge.tally().is_none() {
        return;
    }
    let answer = |status, body| Answer {
        status,
        headers: axum::http::HeaderMap::new(),
        body,
    };
    let good = answer(200, json!({"url": "wss://chat.example/gateway"}));
    judge.answered("GET", "/gateway", &good);
    for bad in [
        answer(200, json!({})),
        answer(201, json!({"url": "wss://chat.example/gateway"})),
        answer(200, json!({"url": "019de712-e5ec-8580-8010-000000000000"})),
    ] {
        let judging = AssertUnwindSafe(|| judge.answered("GET", "/gateway", &bad));
        let judged = std::panic::catch_unwind(judging);
        assert!(judged.is_err(), "{}", bad.body);
    }
}
