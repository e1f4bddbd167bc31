//! Channels and their overwrites

use serde_json::json;

use super::{Tavern, fault, refused};
use crate::harness::text;

#[tokio::test]
async fn a_channel_is_made_changed_and_ended() {
    let tavern = Tavern::open().await;
    let path = tavern.of_guild("/channels");
    let form = json!({"name": "lore", "type": 0, "topic": "old tales", "parent_id": null,
        "permission_overwrites": [{"id": tavern.guild, "type": 0, "allow": "0", "deny": 2_048}]});
    let made = tavern.bot("POST", &path, form).await.expect(201);
    assert_eq!(made["permission_overwrites"][0]["deny"], "2048");
    assert_eq!(
        (&made["guild_id"], &made["type"]),
        (&json!(tavern.guild), &json!(0))
    );
    let one = format!("/channels/{}", text(&made["id"]));
    assert_eq!(tavern.bot("GET", &one, None).await.expect(200), made);

    let changed = tavern
        .bot("PATCH", &one, json!({"topic": null}))
        .await
        .expect(200);
    assert_eq!(
        (&changed["name"], &changed["topic"]),
        (&json!("lore"), &json!(null))
    );
    let bared = json!({"name": "myth", "permission_overwrites": []});
    let changed = tavern.bot("PATCH", &one, bared).await.expect(200);
    assert_eq!(
        (&changed["name"], &changed["permission_overwrites"]),
        (&json!("myth"), &json!([]))
    );

    let voice = json!({"name": "parlor", "type": 2});
    assert_eq!(
        tavern.bot("POST", &path, voice).await.expect(201)["bitrate"],
        64_000
    );
    let all = tavern.bot("GET", &path, None).await.expect(200);
    assert_eq!(all.as_array().unwrap().len(), 3);

    let ended = tavern.bot("DELETE", &one, None).await.expect(200);
    assert_eq!(ended, changed, "as it was");
    refused(&tavern.bot("GET", &one, None).await, 404, 10_003);
    refused(&tavern.bot("DELETE", &one, None).await, 404, 10_003);
}

#[tokio::test]
async fn what_a_channel_cannot_be_is_named() {
    let tavern = Tavern::open().await;
    let path = tavern.of_guild("/channels");
    let form = json!({"type": 13, "parent_id": "x", "permission_overwrites": [{"id": "x"}]});
    let wrong = tavern.bot("POST", &path, form).await;
    assert_eq!(fault(&wrong, "name"), "BASE_TYPE_REQUIRED");
    assert_eq!(fault(&wrong, "type"), "BASE_TYPE_CHOICES");
    assert_eq!(fault(&wrong, "parent_id"), "NUMBER_TYPE_COERCE");
    assert_eq!(
        fault(&wrong, "permission_overwrites.0.id"),
        "NUMBER_TYPE_COERCE"
    );
    let overwrite = json!({"id": "17", "type": 0});
    let form = json!({"name": "a", "permission_overwrites": [overwrite]});
    let unknown = tavern.bot("POST", &path, form).await;
    assert_eq!(fault(&unknown, "permission_overwrites"), "UNKNOWN_TARGET");
    let by_bob = tavern
        .by(&tavern.bob, "POST", &path, json!({"name": "mine"}))
        .await;
    refused(&by_bob, 403, 50_013);
}

#[tokio::test]
async fn channels_are_put_in_their_places_in_one_call() {
    let tavern = Tavern::open().await;
    let path = tavern.of_guild("/channels");
    let made = tavern
        .bot("POST", &path, json!({"name": "lore"}))
        .await
        .expect(201);
    let places = json!([
        {"id": tavern.channel, "position": 9},
        {"id": made["id"], "position": 1, "parent_id": null, "lock_permissions": false},
    ]);
    assert_eq!(tavern.bot("PATCH", &path, places).await.status, 204);
    let all = tavern.bot("GET", &path, None).await.expect(200);
    assert_eq!(
        (&all[0]["id"], &all[1]["id"]),
        (&made["id"], &json!(tavern.channel))
    );
    let partly = json!([{"id": tavern.channel, "position": 0}, {"id": "17", "position": 1}]);
    refused(&tavern.bot("PATCH", &path, partly).await, 404, 10_003);
    assert_eq!(
        tavern.bot("GET", &path, None).await.expect(200),
        all,
        "all or none"
    );
    let wrong = tavern.bot("PATCH", &path, json!([{"position": -1}])).await;
    assert_eq!(fault(&wrong, "0.id"), "BASE_TYPE_REQUIRED");
    assert_eq!(fault(&wrong, "0.position"), "NUMBER_TYPE_MIN");
    let wrong = tavern.bot("PATCH", &path, json!({"id": "5"})).await;
    assert_eq!(fault(&wrong, ""), "LIST_TYPE_CONVERT");
}

#[tokio::test]
async fn one_overwrite_is_set_and_taken_and_hides_the_channel_meanwhile() {
    let tavern = Tavern::open().await;
    let bound = tavern.of_channel(&format!("/permissions/{}", tavern.bob.id));
    let hide = json!({"type": 1, "deny": "1024"});
    assert_eq!(tavern.bot("PUT", &bound, hide).await.status, 204);
    let path = tavern.of_channel("");
    refused(
        &tavern.by(&tavern.bob, "GET", &path, None).await,
        404,
        10_003,
    );
    let seen = tavern.bot("GET", &path, None).await.expect(200);
    assert_eq!(
        seen["permission_overwrites"],
        json!([{"id": tavern.bob.id, "type": 1, "allow": "0", "deny": "1024"}])
    );
    assert_eq!(tavern.bot("DELETE", &bound, None).await.status, 204);
    tavern.by(&tavern.bob, "GET", &path, None).await.expect(200);
    refused(&tavern.bot("DELETE", &bound, None).await, 404, 10_009);
    let wrong = tavern.bot("PUT", &bound, json!({"allow": "many"})).await;
    assert_eq!(fault(&wrong, "type"), "BASE_TYPE_REQUIRED");
    assert_eq!(fault(&wrong, "allow"), "NUMBER_TYPE_COERCE");
    let by_bob = tavern
        .by(&tavern.bob, "PUT", &bound, json!({"type": 1}))
        .await;
    refused(&by_bob, 403, 50_013);
}

#[tokio::test]
async fn a_category_holds_channels_until_it_ends() {
    let tavern = Tavern::open().await;
    let path = tavern.of_guild("/channels");
    let deny = json!([{"id": tavern.guild, "type": 0, "allow": "0", "deny": "2048"}]);
    let form = json!({"name": "Rooms", "type": 4, "permission_overwrites": deny});
    let rooms = tavern.bot("POST", &path, form).await.expect(201);
    assert_eq!(
        (&rooms["type"], &rooms["parent_id"]),
        (&json!(4), &json!(null))
    );
    let form = json!({"name": "lore", "parent_id": rooms["id"], "permission_overwrites": []});
    let lore = tavern.bot("POST", &path, form).await.expect(201);
    assert_eq!(lore["parent_id"], rooms["id"]);
    assert_eq!(lore["permission_overwrites"], deny, "as its category");
    let places = json!([
        {"id": tavern.channel, "parent_id": rooms["id"], "lock_permissions": true},
    ]);
    assert_eq!(tavern.bot("PATCH", &path, places).await.status, 204);
    let general = tavern.of_channel("");
    let moved = tavern.bot("GET", &general, None).await.expect(200);
    assert_eq!(moved["parent_id"], rooms["id"]);
    assert_eq!(moved["permission_overwrites"], deny);
    let native = format!("/channels/{}", tavern.channel);
    let native = tavern.house.get(&tavern.ada, &native).await.expect(200);
    assert!(native["parent_id"].is_string(), "{native}");
    let left = json!({"parent_id": null});
    let left = tavern.bot("PATCH", &general, left).await.expect(200);
    assert_eq!(left["parent_id"], json!(null));

    let one = format!("/channels/{}", text(&rooms["id"]));
    let posts = format!("{one}/messages");
    let posted = tavern.bot("POST", &posts, json!({"content": "x"})).await;
    refused(&posted, 400, 50_008);
    for wrong in [json!("17"), lore["id"].clone()] {
        let wrong = tavern
            .bot("PATCH", &general, json!({"parent_id": wrong}))
            .await;
        assert_eq!(fault(&wrong, "parent_id"), "CHANNEL_PARENT_INVALID");
    }
    let wrong = tavern
        .bot("PATCH", &one, json!({"parent_id": rooms["id"]}))
        .await;
    assert_eq!(fault(&wrong, "parent_id"), "CHANNEL_PARENT_INVALID");
    tavern.bot("DELETE", &one, None).await.expect(200);
    let freed = format!("/channels/{}", text(&lore["id"]));
    let freed = tavern.bot("GET", &freed, None).await.expect(200);
    assert_eq!(freed["parent_id"], json!(null));
}
