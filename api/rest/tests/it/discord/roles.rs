//! Roles

use serde_json::json;

use super::{Tavern, fault, refused};
use crate::harness::text;

#[tokio::test]
async fn a_role_is_made_changed_and_ended() {
    let tavern = Tavern::open().await;
    let path = tavern.of_guild("/roles");
    let plain = tavern.bot("POST", &path, json!({})).await.expect(200);
    assert_eq!(
        (&plain["name"], &plain["position"]),
        (&json!("new role"), &json!(1))
    );
    let form = json!({"name": "guards", "permissions": "2048", "hoist": true, "icon": null,
        "colors": {"primary_color": 255, "secondary_color": null, "tertiary_color": null}});
    let made = tavern.bot("POST", &path, form).await.expect(200);
    assert_eq!(
        (&made["color"], &made["permissions"]),
        (&json!(255), &json!("2048"))
    );
    assert_eq!(made["colors"]["primary_color"], 255);
    let one = format!("{path}/{}", text(&made["id"]));
    assert_eq!(tavern.bot("GET", &one, None).await.expect(200), made);

    let form = json!({"color": 0, "permissions": 1_024, "name": null});
    let changed = tavern.bot("PATCH", &one, form).await.expect(200);
    assert_eq!(
        (&changed["name"], &changed["color"]),
        (&json!("guards"), &json!(0))
    );
    assert_eq!(
        (&changed["permissions"], &changed["hoist"]),
        (&json!("1024"), &json!(true))
    );
    assert_eq!(tavern.bot("DELETE", &one, None).await.status, 204);
    refused(&tavern.bot("GET", &one, None).await, 404, 10_011);
    refused(&tavern.bot("PATCH", &one, json!({})).await, 404, 10_011);
    let wrong = tavern
        .bot("POST", &path, json!({"color": -1, "permissions": "lots"}))
        .await;
    assert_eq!(fault(&wrong, "color"), "NUMBER_TYPE_MIN");
    assert_eq!(fault(&wrong, "permissions"), "NUMBER_TYPE_COERCE");
}

#[tokio::test]
async fn nobody_gives_what_it_lacks_or_reaches_above_itself() {
    let tavern = Tavern::open().await;
    let path = tavern.of_guild("/roles");
    refused(
        &tavern.by(&tavern.bob, "POST", &path, json!({})).await,
        403,
        50_013,
    );
    let form = json!({"name": "stewards", "permissions": (1_u64 << 28).to_string()});
    let role = tavern.bot("POST", &path, form).await.expect(200);
    let given = tavern.of_guild(&format!(
        "/members/{}/roles/{}",
        tavern.bob.id,
        text(&role["id"])
    ));
    assert_eq!(tavern.bot("PUT", &given, None).await.status, 204);
    let places = json!([{"id": role["id"], "position": 3}]);
    tavern.bot("PATCH", &path, places).await.expect(200);
    let grant = tavern
        .by(&tavern.bob, "POST", &path, json!({"permissions": "8"}))
        .await;
    refused(&grant, 403, 50_013);
    let all = tavern.bot("GET", &path, None).await.expect(200);
    let keepers = all.as_array().unwrap().last().unwrap()["id"].clone();
    let above = format!("{path}/{}", text(&keepers));
    let renamed = tavern
        .by(&tavern.bob, "PATCH", &above, json!({"name": "mine"}))
        .await;
    refused(&renamed, 403, 50_013);
}

#[tokio::test]
async fn roles_are_put_in_their_places_in_one_call() {
    let tavern = Tavern::open().await;
    let path = tavern.of_guild("/roles");
    let a = tavern
        .bot("POST", &path, json!({"name": "a"}))
        .await
        .expect(200);
    let b = tavern
        .bot("POST", &path, json!({"name": "b"}))
        .await
        .expect(200);
    let everyone = json!({"id": tavern.guild, "position": 0});
    let places = json!([everyone, {"id": b["id"], "position": 2}, {"id": a["id"], "position": 1}]);
    let all = tavern.bot("PATCH", &path, places).await.expect(200);
    let names: Vec<&str> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["@everyone", "a", "b", "keepers"]);
    let above = json!([{"id": a["id"], "position": 2}, {"id": b["id"], "position": 9}]);
    refused(&tavern.bot("PATCH", &path, above).await, 403, 50_013);
    assert_eq!(
        tavern.bot("GET", &path, None).await.expect(200),
        all,
        "all or none"
    );
}
