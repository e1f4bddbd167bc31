//! `/openapi.json`

use std::collections::BTreeSet;

use guildhall_app::authorize::ROWS;
use serde_json::Value;

use crate::harness::House;

fn described(document: &Value) -> BTreeSet<(String, String)> {
    let mut routes = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            routes.insert((method.clone(), path.clone()));
        }
    }
    routes
}

#[tokio::test]
async fn the_description_and_the_authorization_table_hold_the_same_routes() {
    let house = House::open().await;
    let document = house.get(None, "/openapi.json").await.expect(200);
    let rows: BTreeSet<_> = ROWS
        .iter()
        .map(|row| {
            (
                format!("{:?}", row.method).to_lowercase(),
                row.path.to_owned(),
            )
        })
        .collect();
    assert_eq!(described(&document), rows);
}

/// Every `$ref` of the document.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        Value::Object(fields) => {
            if let Some(Value::String(to)) = fields.get("$ref") {
                found.insert(to.clone());
            }
            fields.values().for_each(|field| references(field, found));
        }
        _ => {}
    }
}

#[tokio::test]
async fn the_description_refers_to_nothing_that_it_does_not_hold() {
    let house = House::open().await;
    let document = house.get(None, "/openapi.json").await.expect(200);
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.len() > 20, "{found:?}");
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

#[tokio::test]
async fn every_operation_says_who_may_call_it_and_names_its_parameters() {
    let house = House::open().await;
    let document = house.get(None, "/openapi.json").await.expect(200);
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let place = format!("{method} {path}");
            let description = operation["description"].as_str().unwrap_or_default();
            assert!(description.contains("For "), "{place}");
            assert!(operation["security"].is_array(), "{place}");
            let named = operation["parameters"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            let named: BTreeSet<&str> = named
                .iter()
                .filter(|parameter| parameter["in"] == "path")
                .filter_map(|parameter| parameter["name"].as_str())
                .collect();
            let parts = path.split('/').filter_map(|part| part.strip_prefix('{'));
            let expected: BTreeSet<&str> = parts.map(|part| part.trim_end_matches('}')).collect();
            assert_eq!(named, expected, "{place}");
        }
    }
}

#[tokio::test]
async fn the_described_bounds_of_a_page_are_those_that_it_has() {
    let house = House::open().await;
    let document = house.get(None, "/openapi.json").await.expect(200);
    let ada = house.person("ada").await;
    let (server, channel) = house.server(&ada).await;
    for (template, path) in [
        (
            "/channels/{channel_id}/messages",
            format!("/channels/{channel}/messages"),
        ),
        (
            "/servers/{server_id}/members",
            format!("/servers/{server}/members"),
        ),
        (
            "/servers/{server_id}/bans",
            format!("/servers/{server}/bans"),
        ),
    ] {
        let parameters = document["paths"][template]["get"]["parameters"]
            .as_array()
            .unwrap();
        let limit = parameters
            .iter()
            .find(|each| each["name"] == "limit")
            .unwrap();
        let bound = |key: &str| limit["schema"][key].as_i64().unwrap();
        for (limit, status) in [
            (bound("minimum") - 1, 400),
            (bound("minimum"), 200),
            (bound("default"), 200),
            (bound("maximum"), 200),
            (bound("maximum") + 1, 400),
        ] {
            let answer = house.get(&ada, &format!("{path}?limit={limit}")).await;
            assert_eq!(answer.status, status, "{template} {limit}");
        }
    }
}

#[tokio::test]
async fn no_operation_leaves_its_errors_to_a_default() {
    let house = House::open().await;
    let document = house.get(None, "/openapi.json").await.expect(200);
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            for (status, response) in operation["responses"].as_object().unwrap() {
                let status: u16 = status.parse().unwrap();
                let schema = &response["content"]["application/json"]["schema"];
                let is_error = schema["$ref"] == "#/components/schemas/Error";
                assert_eq!(is_error, status >= 400, "{method} {path} {status}");
            }
        }
    }
}
