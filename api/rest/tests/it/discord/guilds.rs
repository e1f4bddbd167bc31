//! `/guilds/{id}` itself

use serde_json::json;

use super::{Tavern, call, fault, refused};

#[tokio::test]
async fn a_guild_is_whole_with_its_roles_and_counted_when_asked() {
    let tavern = Tavern::open().await;
    let path = tavern.of_guild("");
    let guild = tavern.bot("GET", &path, None).await.expect(200);
    assert_eq!(guild["owner_id"], tavern.ada.id.as_str());
    assert_eq!(
        guild["roles"][0]["id"],
        tavern.guild.as_str(),
        "@everyone leads"
    );
    assert_eq!(guild["roles"][1]["permissions"], "8");
    assert!(guild.get("approximate_member_count").is_none());
    let _online = tavern.house.session(&tavern.ada).await;
    let counted = tavern
        .bot("GET", &format!("{path}?with_counts=1"), None)
        .await
        .expect(200);
    assert_eq!(counted["approximate_member_count"], 3);
    assert_eq!(counted["approximate_presence_count"], 1);
}

#[tokio::test]
async fn a_guild_is_changed_and_what_is_left_out_stays() {
    let tavern = Tavern::open().await;
    let path = tavern.of_guild("");
    let form = json!({"name": "Inn", "description": "warm", "icon": null, "features": null});
    let changed = tavern.bot("PATCH", &path, form).await.expect(200);
    assert_eq!(
        (&changed["name"], &changed["description"]),
        (&json!("Inn"), &json!("warm"))
    );
    let cleared = tavern
        .bot("PATCH", &path, json!({"description": null}))
        .await
        .expect(200);
    assert_eq!(
        (&cleared["name"], &cleared["description"]),
        (&json!("Inn"), &json!(null))
    );
    let wrong = json!({"name": null, "icon": "data:image/png;base64,AA", "owner_id": "x"});
    let wrong = tavern.bot("PATCH", &path, wrong).await;
    assert_eq!(fault(&wrong, "name"), "BASE_TYPE_REQUIRED");
    assert_eq!(fault(&wrong, "icon"), "IMAGE_INVALID");
    assert_eq!(fault(&wrong, "owner_id"), "NUMBER_TYPE_COERCE");
    let by_bob = tavern
        .by(&tavern.bob, "PATCH", &path, json!({"name": "Mine"}))
        .await;
    refused(&by_bob, 403, 50_013);
    let given = json!({"owner_id": tavern.bob.id});
    refused(
        &tavern.bot("PATCH", &path, given.clone()).await,
        403,
        50_013,
    );
    let given = tavern
        .by(&tavern.ada, "PATCH", &path, given)
        .await
        .expect(200);
    assert_eq!(given["owner_id"], tavern.bob.id.as_str());
    assert_eq!(
        tavern.by(&tavern.bob, "DELETE", &path, None).await.status,
        204
    );
    refused(&tavern.bot("GET", &path, None).await, 404, 10_004);
}

#[tokio::test]
async fn strangers_see_a_preview_of_a_public_guild_and_nothing_else() {
    let tavern = Tavern::open().await;
    let eve = tavern.house.person("eve").await;
    let preview = tavern.of_guild("/preview");
    let seen = call(&tavern.house, &eve, "GET", &preview, None)
        .await
        .expect(200);
    assert_eq!(seen["approximate_member_count"], 3);
    for path in [
        "",
        "/channels",
        "/members",
        "/roles",
        "/bans",
        "/invites",
        "/regions",
    ] {
        let answer = call(&tavern.house, &eve, "GET", &tavern.of_guild(path), None).await;
        refused(&answer, 404, 10_004);
    }
    tavern.house.close(&tavern.ada, &tavern.guild).await;
    refused(
        &call(&tavern.house, &eve, "GET", &preview, None).await,
        404,
        10_004,
    );
}
