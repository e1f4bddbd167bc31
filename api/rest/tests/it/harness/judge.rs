//! Holds what the house takes and answers against the description that it gives of itself.

use std::collections::HashMap;
use std::sync::OnceLock;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use jsonschema::Validator;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tower::ServiceExt;

/// The description; it is the same in every house.
#[derive(Debug)]
pub(crate) struct Judge {
    document: Value,
    /// By the place of the schema in the document.
    validators: Mutex<HashMap<String, Validator>>,
}

impl Judge {
    pub(crate) async fn of(router: &Router) -> &'static Self {
        static JUDGE: OnceLock<Judge> = OnceLock::new();
        if let Some(judge) = JUDGE.get() {
            return judge;
        }
        let request = Request::get("/openapi.json").body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        JUDGE.get_or_init(|| Self {
            document: serde_json::from_slice(&bytes).unwrap(),
            validators: Mutex::default(),
        })
    }

    /// An answer has a status and a body that are described. What no route takes is passed over.
    #[track_caller]
    pub(crate) fn answered(&self, method: &str, path: &str, status: u16, body: &Value) {
        let Some(operation) = self.operation(method, path) else {
            return;
        };
        let response = format!("{operation}/responses/{status}");
        let described = self.document.pointer(&response);
        let described = described.unwrap_or_else(|| panic!("{response} is not described: {body}"));
        if described.get("content").is_none() {
            assert_eq!(*body, Value::Null, "{response}");
            return;
        }
        let schema = format!("{response}/content/application~1json/schema");
        assert_eq!(self.faults(&schema, body), [""; 0], "{schema}: {body:#}");
    }

    /// A body that was accepted is as described.
    #[track_caller]
    pub(crate) fn accepted(&self, method: &str, path: &str, body: &Value) {
        let path = path.split('?').next().unwrap();
        let Some(operation) = self.operation(method, path) else {
            return;
        };
        let schema = format!("{operation}/requestBody/content/application~1json/schema");
        if self.document.pointer(&schema).is_some() {
            assert_eq!(self.faults(&schema, body), [""; 0], "{schema}: {body:#}");
        }
    }

    /// Where the route stands in the document. A template with fewer parameters goes first.
    fn operation(&self, method: &str, path: &str) -> Option<String> {
        let parts: Vec<&str> = path.split('/').collect();
        let fits = |template: &&String| {
            let template: Vec<&str> = template.split('/').collect();
            template.len() == parts.len()
                && template
                    .iter()
                    .zip(&parts)
                    .all(|(named, part)| named.starts_with('{') || named == part)
        };
        let templates = self.document["paths"].as_object().unwrap();
        let template = templates
            .keys()
            .filter(fits)
            .min_by_key(|template| template.matches('{').count())?;
        let place = format!(
            "/paths/{}/{}",
            template.replace('/', "~1"),
            method.to_lowercase()
        );
        self.document.pointer(&place)?;
        Some(place)
    }

    fn faults(&self, place: &str, body: &Value) -> Vec<String> {
        let mut validators = self.validators.lock();
        let validator = validators
            .entry(place.to_owned())
            .or_insert_with(|| self.validator(place));
        let errors = validator.iter_errors(body);
        errors
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect()
    }

    fn validator(&self, place: &str) -> Validator {
        let schema = self.document.pointer(place).unwrap();
        let root = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "components": self.document["components"],
            "allOf": [schema],
        });
        jsonschema::draft202012::options()
            .should_validate_formats(true)
            .should_ignore_unknown_formats(true)
            .build(&root)
            .unwrap()
    }
}
