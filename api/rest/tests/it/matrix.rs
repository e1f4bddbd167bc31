//! Every route as every kind of caller, with an id of the caller's guild, of another guild, and of
//! what is deleted: the answer is the one that the row of the authorization table promises, and a
//! request that is refused changes nothing.

mod expectation;
mod stage;

use std::collections::BTreeSet;

use guildhall_app::authorize::{Method, ROWS, Row};
use serde_json::Value;

use crate::harness::House;
use expectation::{Expected, expected};
use stage::{Actor, Cast, Stage, Which};

#[tokio::test]
async fn routes_of_servers_answer_as_their_rows_say() {
    walk(|path| path.starts_with("/servers/{server_id}") && !is_about_members(path)).await;
}

#[tokio::test]
async fn routes_of_members_answer_as_their_rows_say() {
    walk(is_about_members).await;
}

#[tokio::test]
async fn routes_of_channels_and_messages_answer_as_their_rows_say() {
    walk(is_about_channels).await;
}

#[tokio::test]
async fn all_other_routes_answer_as_their_rows_say() {
    walk(|path| !path.starts_with("/servers/{server_id}") && !is_about_channels(path)).await;
}

fn is_about_members(path: &str) -> bool {
    ["/members", "/bans", "/bots"]
        .iter()
        .any(|part| path.contains(part))
}

fn is_about_channels(path: &str) -> bool {
    path.starts_with("/channels") || path.starts_with("/messages")
}

async fn walk(is_chosen: impl Fn(&str) -> bool) {
    let house = House::open().await;
    let cast = Cast::gather(&house).await;
    let document = house.get(None, "/openapi.json").await.expect(200);
    let mut cells = 0;
    for row in ROWS.iter().filter(|row| is_chosen(row.path)) {
        let mut stage = Stage::set(&house, &cast, row).await;
        for which in Which::of(row) {
            for actor in Actor::of(row) {
                let changed = cell(&house, &cast, &stage, &document, (row, which, actor)).await;
                if changed {
                    stage.clear(&house, &cast).await;
                    stage = Stage::set(&house, &cast, row).await;
                }
                cells += 1;
            }
        }
        stage.clear(&house, &cast).await;
    }
    assert!(cells > 100, "{cells} cells are no matrix");
}

/// Tries one cell. Tells whether the stage may look different now.
async fn cell(
    house: &House,
    cast: &Cast,
    stage: &Stage,
    document: &Value,
    (row, which, actor): (&Row, Which, Actor),
) -> bool {
    let place = format!("{:?} {} as {actor:?} with {which:?}", row.method, row.path);
    let caller = cast.caller(house, actor, row).await;
    let path = stage.path(cast, row, which);
    let body = stage.body(house, cast, row).await;
    let method = format!("{:?}", row.method).to_uppercase();
    match expected(row, which, actor) {
        Expected::Allowed => {
            let answer = house.call(caller.as_ref(), &method, &path, body).await;
            let documented = successes(document, row);
            assert!(
                documented.contains(&answer.status),
                "{place}: {}",
                answer.body
            );
            row.method != Method::Get
        }
        Expected::Refused(status, codes) => {
            let before = stage.photo(house, cast).await;
            let answer = house.call(caller.as_ref(), &method, &path, body).await;
            assert_eq!(answer.status, status, "{place}: {}", answer.body);
            assert!(codes.contains(&answer.code()), "{place}: {}", answer.body);
            assert_eq!(
                before,
                stage.photo(house, cast).await,
                "{place} changed something"
            );
            false
        }
    }
}

/// The answers of success that the description names for a route.
fn successes(document: &Value, row: &Row) -> BTreeSet<u16> {
    let method = format!("{:?}", row.method).to_lowercase();
    let responses = document["paths"][row.path][method]["responses"]
        .as_object()
        .unwrap();
    let statuses = responses.keys().filter_map(|status| status.parse().ok());
    statuses
        .filter(|status| (200..300).contains(status))
        .collect()
}
