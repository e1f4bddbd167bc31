//! Roles

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::harness::{Caller, House, text};

/// READ_MESSAGES, SEND_MESSAGES and MANAGE_ROLES in the native numbers.
const MANAGER: u64 = 1 | 2 | 128;
const KICK_MEMBERS: u64 = 16;
const ADMINISTRATOR: u64 = 64;

async fn role(house: &House, by: &Caller, server: &str, form: Value) -> String {
    let made = house
        .post(by, &format!("/servers/{server}/roles"), form)
        .await
        .expect(201);
    text(&made["id"])
}

async fn give(house: &House, by: &Caller, server: &str, to: &Caller, roles: &[&str]) {
    let path = format!("/servers/{server}/members/{}/roles", to.id);
    house
        .put(by, &path, json!({"roles": roles}))
        .await
        .expect(200);
}

#[tokio::test]
async fn a_role_is_made_listed_changed_and_ended() {
    let house = House::open().await;
    let ada = house.person("ada").await;
    let (server, _) = house.server(&ada).await;
    let path = format!("/servers/{server}/roles");
    let form = json!({
        "name": "moderator", "color": "#2ECC71", "hoist": true, "mentionable": true,
        "permissions_bitmask": MANAGER, "position": 5,
    });
    let made = house.post(&ada, &path, form).await;
    assert_snapshot!(house.show(&made), @r##"
    201
    {
      "color": "#2ecc71",
      "hoist": true,
      "id": "<id 1>",
      "mentionable": true,
      "name": "moderator",
      "permissions_bitmask": 131,
      "position": 5,
      "server_id": "<tavern>"
    }
    "##);
    let listed = house.get(&ada, &path).await;
    assert_snapshot!(house.show(&listed), @r##"
    200
    [
      {
        "color": "#000000",
        "hoist": false,
        "id": "<tavern>",
        "mentionable": false,
        "name": "@everyone",
        "permissions_bitmask": 823637507,
        "position": 0,
        "server_id": "<tavern>"
      },
      {
        "color": "#2ecc71",
        "hoist": true,
        "id": "<id 1>",
        "mentionable": true,
        "name": "moderator",
        "permissions_bitmask": 131,
        "position": 5,
        "server_id": "<tavern>"
      }
    ]
    "##);

    let one = format!("/roles/{}", text(&made.body["id"]));
    let update = json!({"color": null, "permissions_bitmask": 3});
    let changed = house.put(&ada, &one, update).await.expect(200);
    assert_eq!(
        (&changed["color"], &changed["permissions_bitmask"]),
        (&json!("#000000"), &json!(3))
    );
    assert_eq!(changed["name"], "moderator");
    assert_eq!(house.delete(&ada, &one).await.status, 204);
    house.delete(&ada, &one).await.refused(404, "unknown_role");
    house
        .put(&ada, &one, json!({}))
        .await
        .refused(404, "unknown_role");
}

#[tokio::test]
async fn the_role_of_everybody_stays() {
    let house = House::open().await;
    let ada = house.person("ada").await;
    let (server, _) = house.server(&ada).await;
    let everyone = format!("/roles/{server}");
    house.delete(&ada, &everyone).await.refused(409, "conflict");
    house
        .put(&ada, &everyone, json!({"name": "all"}))
        .await
        .refused(409, "conflict");
    let changed = house
        .put(&ada, &everyone, json!({"permissions_bitmask": 1}))
        .await
        .expect(200);
    assert_eq!(changed["permissions_bitmask"], 1);
}

#[tokio::test]
async fn nobody_reaches_to_or_above_the_own_highest_role() {
    let house = House::open().await;
    let [ada, bea, cal] = house.people(["ada", "bea", "cal"]).await;
    let (server, _) = house.server(&ada).await;
    house.join(&bea, &server).await;
    house.join(&cal, &server).await;
    let form = |name, bits, position| json!({"name": name, "permissions_bitmask": bits, "position": position});
    let manager = role(&house, &ada, &server, form("manager", MANAGER, 5)).await;
    let above = role(&house, &ada, &server, form("above", 3, 9)).await;
    let below = role(&house, &ada, &server, form("below", 3, 2)).await;
    give(&house, &ada, &server, &bea, &[&manager]).await;

    let one = |id: &str| format!("/roles/{id}");
    house
        .put(&bea, &one(&above), json!({"name": "x"}))
        .await
        .refused(403, "outranked");
    house
        .put(&bea, &one(&manager), json!({"name": "x"}))
        .await
        .refused(403, "outranked");
    house
        .delete(&bea, &one(&above))
        .await
        .refused(403, "outranked");
    house
        .put(&bea, &one(&below), json!({"position": 6}))
        .await
        .refused(403, "outranked");
    house
        .put(&bea, &one(&below), json!({"name": "renamed"}))
        .await
        .expect(200);
    let to_cal = format!("/servers/{server}/members/{}/roles", cal.id);
    house
        .put(&bea, &to_cal, json!({"roles": [above]}))
        .await
        .refused(403, "outranked");
    house
        .put(&bea, &to_cal, json!({"roles": [below]}))
        .await
        .expect(200);
}

#[tokio::test]
async fn nobody_grants_what_they_do_not_hold() {
    let house = House::open().await;
    let [ada, bea] = house.people(["ada", "bea"]).await;
    let (server, _) = house.server(&ada).await;
    house.join(&bea, &server).await;
    let form = json!({"name": "manager", "permissions_bitmask": MANAGER, "position": 5});
    let manager = role(&house, &ada, &server, form).await;
    give(&house, &ada, &server, &bea, &[&manager]).await;
    let path = format!("/servers/{server}/roles");
    for bits in [KICK_MEMBERS, ADMINISTRATOR, MANAGER | KICK_MEMBERS] {
        let form = json!({"name": "stronger", "permissions_bitmask": bits});
        house
            .post(&bea, &path, form)
            .await
            .refused(403, "missing_permission");
    }
    let everyone = format!("/roles/{server}");
    let update = json!({"permissions_bitmask": ADMINISTRATOR});
    house
        .put(&bea, &everyone, update)
        .await
        .refused(403, "missing_permission");
}

#[tokio::test]
async fn a_role_of_another_server_cannot_be_given() {
    let house = House::open().await;
    let [ada, bea] = house.people(["ada", "bea"]).await;
    let (server, _) = house.server(&ada).await;
    house.join(&bea, &server).await;
    let (other, _) = house.server(&ada).await;
    let foreign = role(&house, &ada, &other, json!({"name": "foreign"})).await;
    let path = format!("/servers/{server}/members/{}/roles", bea.id);
    house
        .put(&ada, &path, json!({"roles": [foreign]}))
        .await
        .refused(404, "unknown_role");
    let wrong = house.put(&ada, &path, json!({"roles": ["x", 1]})).await;
    wrong.refused(400, "invalid_form");
}
