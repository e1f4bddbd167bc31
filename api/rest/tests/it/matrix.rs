//! Every route of both dialects as every kind of caller, with an id of the caller's guild, of another guild, and of
//! what is deleted: the answer is the one that the row of the authorization table promises, and a
//! request that is refused changes nothing.

mod expectation;
mod stage;

use std::collections::BTreeSet;

use guildhall_app::authorize::{DISCORD_ROWS, Method, ROWS, Row};
use serde_json::Value;

use crate::harness::House;
use expectation::{Expected, expected, number};
use stage::{Actor, Cast, Stage, Which};

#[tokio::test]
async fn routes_of_servers_answer_as_their_rows_say() {
    walk(ROWS, |path| {
        path.starts_with("/servers/{server_id}") && !is_about_members(path)
    })
    .await;
}

#[tokio::test]
async fn routes_of_members_answer_as_their_rows_say() {
    walk(ROWS, is_about_members).await;
}

#[tokio::test]
async fn routes_of_channels_and_messages_answer_as_their_rows_say() {
    walk(ROWS, is_about_channels).await;
}

#[tokio::test]
async fn all_other_routes_answer_as_their_rows_say() {
    walk(ROWS, |path| {
        !path.starts_with("/servers/{server_id}") && !is_about_channels(path)
    })
    .await;
}

#[tokio::test]
async fn discords_routes_of_guilds_answer_as_their_rows_say() {
    walk(DISCORD_ROWS, |path| {
        path.starts_with("/guilds") && !is_about_members(path)
    })
    .await;
}

#[tokio::test]
async fn discords_routes_of_members_answer_as_their_rows_say() {
    walk(DISCORD_ROWS, |path| {
        path.starts_with("/guilds") && is_about_members(path)
    })
    .await;
}

#[tokio::test]
async fn discords_routes_of_channels_and_messages_answer_as_their_rows_say() {
    walk(DISCORD_ROWS, is_about_channels).await;
}

#[tokio::test]
async fn all_other_routes_of_discord_answer_as_their_rows_say() {
    walk(DISCORD_ROWS, |path| {
        !path.starts_with("/guilds") && !is_about_channels(path)
    })
    .await;
}

fn is_about_members(path: &str) -> bool {
    ["/members", "/bans", "/bots", "/bulk-ban"]
        .iter()
        .any(|part| path.contains(part))
}

fn is_about_channels(path: &str) -> bool {
    path.starts_with("/channels") || path.starts_with("/messages")
}

async fn walk(rows: &[Row], is_chosen: impl Fn(&str) -> bool) {
    let house = House::open().await;
    let cast = Cast::gather(&house).await;
    let document = house.get(None, "/openapi.json").await.expect(200);
    let mut cells = 0;
    for row in rows.iter().filter(|row| is_chosen(place(row))) {
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

/// A row's path without the prefix of its dialect.
fn place(row: &Row) -> &'static str {
    row.path.strip_prefix("/api").unwrap_or(row.path)
}

fn is_discords(row: &Row) -> bool {
    row.path.starts_with("/api/")
}

/// Tries one cell. Tells whether the stage may look different now.
async fn cell(
    house: &House,
    cast: &Cast,
    stage: &Stage,
    document: &Value,
    (row, which, actor): (&Row, Which, Actor),
) -> bool {
    let cell = format!("{:?} {} as {actor:?} with {which:?}", row.method, row.path);
    let caller = cast.caller(house, actor, row).await;
    let path = stage.path(cast, row, which);
    let body = stage.body(house, cast, row).await;
    let method = format!("{:?}", row.method).to_uppercase();
    match expected(row, which, actor) {
        Expected::Allowed => {
            let answer = house.call(caller.as_ref(), &method, &path, body).await;
            let is_described = match successes(document, row) {
                Some(statuses) => statuses.contains(&answer.status),
                // Which one it is, Discord's own description says elsewhere.
                None => answer.status < 300,
            };
            assert!(is_described, "{cell}: {}", answer.body);
            row.method != Method::Get
        }
        Expected::Refused(status, codes) => {
            let before = stage.photo(house, cast).await;
            let answer = house.call(caller.as_ref(), &method, &path, body).await;
            assert_eq!(answer.status, status, "{cell}: {}", answer.body);
            let is_expected = if is_discords(row) {
                let code = answer.body["code"].as_u64();
                codes.iter().any(|native| Some(number(native)) == code)
            } else {
                codes.contains(&answer.code())
            };
            assert!(is_expected, "{cell}: {}", answer.body);
            assert_eq!(
                before,
                stage.photo(house, cast).await,
                "{cell} changed something"
            );
            false
        }
    }
}

/// The answers of success that our description names for a route; it holds none of Discord's.
fn successes(document: &Value, row: &Row) -> Option<BTreeSet<u16>> {
    if is_discords(row) {
        return None;
    }
    let method = format!("{:?}", row.method).to_lowercase();
    let responses = document["paths"][row.path][method]["responses"]
        .as_object()
        .unwrap();
    let statuses = responses.keys().filter_map(|status| status.parse().ok());
    Some(
        statuses
            .filter(|status| (200..300).contains(status))
            .collect(),
    )
}
