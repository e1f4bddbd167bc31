//! `/servers`

use insta::assert_snapshot;
use serde_json::json;

use crate::harness::{House, text};

#[tokio::test]
async fn a_server_is_made_read_changed_and_ended() {
    let house = House::open().await;
    let ada = house.person("ada").await;
    let form = json!({"name": " Tavern ", "description": "Warm", "unknown": [1, {"a": null}]});
    let made = house.post(&ada, "/servers", form).await;
    assert_snapshot!(house.show(&made), @r#"
    201
    {
      "created_at": "<time>",
      "description": "Warm",
      "icon_url": null,
      "id": "<id 1>",
      "is_public": false,
      "member_count": 1,
      "name": "Tavern",
      "owner_id": "<ada>"
    }
    "#);
    let id = text(&made.body["id"]);
    let path = format!("/servers/{id}");

    assert_eq!(house.get(&ada, &path).await.expect(200), made.body);
    assert_eq!(
        house.get(&ada, "/servers").await.expect(200),
        json!([made.body])
    );

    let update = json!({"name": "Inn", "description": null, "is_public": true});
    let changed = house.put(&ada, &path, update).await;
    assert_snapshot!(house.show(&changed), @r#"
    200
    {
      "created_at": "<time>",
      "description": null,
      "icon_url": null,
      "id": "<id 1>",
      "is_public": true,
      "member_count": 1,
      "name": "Inn",
      "owner_id": "<ada>"
    }
    "#);
    assert_eq!(
        house.put(&ada, &path, json!({})).await.expect(200),
        changed.body
    );

    assert_eq!(house.delete(&ada, &path).await.status, 204);
    house.get(&ada, &path).await.refused(404, "unknown_server");
    assert_eq!(house.get(&ada, "/servers").await.expect(200), json!([]));
}

#[tokio::test]
async fn ids_are_read_in_either_spelling() {
    let house = House::open().await;
    let ada = house.person("ada").await;
    let (id, _) = house.server(&ada).await;
    let number = house
        .spelling
        .parse::<guildhall_model::id::kind::Guild>(&id)
        .unwrap();
    let by_number = house
        .get(&ada, &format!("/servers/{number}"))
        .await
        .expect(200);
    assert_eq!(text(&by_number["id"]), id);
    let upper = house
        .get(&ada, &format!("/servers/{}", id.to_uppercase()))
        .await
        .expect(200);
    assert_eq!(text(&upper["id"]), id);
}

#[tokio::test]
async fn a_public_server_is_open_and_a_private_one_does_not_exist_for_strangers() {
    let house = House::open().await;
    let [ada, bea] = house.people(["ada", "bea"]).await;
    let (id, _) = house.server(&ada).await;
    let path = format!("/servers/{id}");

    assert_eq!(house.get(&bea, &path).await.status, 200);
    house
        .get(&bea, &format!("{path}/channels"))
        .await
        .refused(404, "unknown_server");
    let joined = house
        .call(Some(&bea), "POST", &format!("{path}/join"), None)
        .await
        .expect(200);
    assert_eq!(joined["member_count"], 2);
    assert_eq!(
        house.get(&bea, "/servers").await.expect(200),
        json!([joined])
    );
    house.join(&bea, &id).await;
    assert_eq!(
        house.get(&ada, &path).await.body["member_count"],
        2,
        "joining twice is once"
    );
    assert_eq!(
        house
            .post(&bea, &format!("{path}/leave"), json!({}))
            .await
            .status,
        204
    );
    assert_eq!(house.get(&bea, "/servers").await.expect(200), json!([]));

    house
        .put(&ada, &path, json!({"is_public": false}))
        .await
        .expect(200);
    for refused in [
        house.get(&bea, &path).await,
        house.post(&bea, &format!("{path}/join"), json!({})).await,
        house.post(&bea, &format!("{path}/leave"), json!({})).await,
        house.put(&bea, &path, json!({"name": "Mine"})).await,
        house.delete(&bea, &path).await,
    ] {
        refused.refused(404, "unknown_server");
    }
}

#[tokio::test]
async fn the_owner_stays_until_the_server_is_handed_over() {
    let house = House::open().await;
    let [ada, bea] = house.people(["ada", "bea"]).await;
    let (id, _) = house.server(&ada).await;
    let path = format!("/servers/{id}");
    house
        .post(&ada, &format!("{path}/leave"), json!({}))
        .await
        .refused(409, "conflict");
    let strange = house.put(&ada, &path, json!({"owner_id": bea.id})).await;
    assert_eq!(
        strange.fields(),
        [("owner_id".into(), "not_a_member".into())]
    );

    house.join(&bea, &id).await;
    house
        .put(&bea, &path, json!({"owner_id": bea.id}))
        .await
        .refused(403, "missing_permission");
    let handed = house
        .put(&ada, &path, json!({"owner_id": bea.id}))
        .await
        .expect(200);
    assert_eq!(text(&handed["owner_id"]), bea.id);
    house.delete(&ada, &path).await.refused(403, "owner_only");
    assert_eq!(
        house
            .post(&ada, &format!("{path}/leave"), json!({}))
            .await
            .status,
        204
    );
}

#[tokio::test]
async fn all_wrong_fields_of_a_server_are_named_at_once() {
    let house = House::open().await;
    let ada = house.person("ada").await;
    let form = json!({"name": "x", "description": "d".repeat(1_001), "icon_url": "javascript:1"});
    let refused = house.post(&ada, "/servers", form).await;
    assert_snapshot!(house.show(&refused), @r#"
    400
    {
      "code": "invalid_form",
      "errors": [
        {
          "code": "too_short",
          "message": "must have at least 2 characters",
          "path": "name"
        },
        {
          "code": "too_long",
          "message": "must have at most 1000 characters",
          "path": "description"
        },
        {
          "code": "invalid_characters",
          "message": "must be an http or https address",
          "path": "icon_url"
        }
      ],
      "message": "Invalid Form Body"
    }
    "#);
}
