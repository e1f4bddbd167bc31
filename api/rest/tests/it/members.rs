//! Members and bans.

use insta::assert_snapshot;
use serde_json::json;

use crate::harness::{Caller, House, text};

struct Scene {
    house: House,
    ada: Caller,
    bea: Caller,
    server: String,
}

async fn scene() -> Scene {
    let house = House::open().await;
    let [ada, bea] = house.people(["ada", "bea"]).await;
    let (server, _) = house.server(&ada).await;
    house.join(&bea, &server).await;
    Scene {
        house,
        ada,
        bea,
        server,
    }
}

#[tokio::test]
async fn members_are_listed_in_pages() {
    let Scene {
        house,
        ada,
        bea,
        server,
    } = scene().await;
    let path = format!("/servers/{server}/members");
    let all = house.get(&bea, &path).await;
    assert_snapshot!(house.show(&all), @r#"
    200
    [
      {
        "joined_at": "<time>",
        "nick": null,
        "roles": [],
        "server_id": "<tavern>",
        "user": {
          "avatar_url": null,
          "bot": false,
          "created_at": "<time>",
          "display_name": null,
          "id": "<ada>",
          "status": "offline",
          "updated_at": "<time>",
          "username": "ada"
        }
      },
      {
        "joined_at": "<time>",
        "nick": null,
        "roles": [],
        "server_id": "<tavern>",
        "user": {
          "avatar_url": null,
          "bot": false,
          "created_at": "<time>",
          "display_name": null,
          "id": "<bea>",
          "status": "offline",
          "updated_at": "<time>",
          "username": "bea"
        }
      }
    ]
    "#);
    let first = house
        .get(&bea, &format!("{path}?limit=1"))
        .await
        .expect(200);
    assert_eq!(first, json!([all.body[0]]));
    let rest = house
        .get(&bea, &format!("{path}?after={}", ada.id))
        .await
        .expect(200);
    assert_eq!(rest, json!([all.body[1]]));
    let one = house
        .get(&bea, &format!("{path}/{}", bea.id))
        .await
        .expect(200);
    assert_eq!(one, all.body[1]);
    house
        .get(&bea, &format!("{path}/{server}"))
        .await
        .refused(404, "unknown_member");
    assert_eq!(
        house.get(&bea, &format!("{path}?limit=0")).await.status,
        400
    );
}

#[tokio::test]
async fn a_member_appears_as_it_is_connected() {
    let Scene {
        house,
        ada,
        bea,
        server,
    } = scene().await;
    let path = format!("/servers/{server}/members/{}", bea.id);
    let status = async || text(&house.get(&ada, &path).await.expect(200)["user"]["status"]);
    assert_eq!(status().await, "offline");
    let session = house.session(&bea).await;
    assert_eq!(status().await, "online");
    drop(session);
    assert_eq!(status().await, "offline");
}

#[tokio::test]
async fn a_nickname_is_set_and_removed() {
    let Scene {
        house,
        ada,
        bea,
        server,
    } = scene().await;
    let path = format!("/servers/{server}/members/{}/nick", bea.id);
    let named = house
        .put(&bea, &path, json!({"nick": "Queen B"}))
        .await
        .expect(200);
    assert_eq!(named["nick"], "Queen B");
    let renamed = house
        .put(&ada, &path, json!({"nick": null}))
        .await
        .expect(200);
    assert_eq!(renamed["nick"], json!(null));
    let of_ada = format!("/servers/{server}/members/{}/nick", ada.id);
    house
        .put(&bea, &of_ada, json!({"nick": "A"}))
        .await
        .refused(403, "missing_permission");
    let missing = house.put(&bea, &path, json!({})).await;
    assert_eq!(missing.fields(), [("nick".into(), "required".into())]);
}

#[tokio::test]
async fn who_is_kicked_may_come_back() {
    let Scene {
        house,
        ada,
        bea,
        server,
    } = scene().await;
    let member = format!("/servers/{server}/members/{}", bea.id);
    assert_eq!(house.delete(&ada, &member).await.status, 204);
    house
        .delete(&ada, &member)
        .await
        .refused(404, "unknown_member");
    house.join(&bea, &server).await;
}

#[tokio::test]
async fn who_is_banned_stays_out_until_the_ban_is_lifted() {
    let Scene {
        house,
        ada,
        bea,
        server,
    } = scene().await;
    let bans = format!("/servers/{server}/bans");
    let ban = format!("{bans}/{}", bea.id);
    assert_eq!(
        house
            .put(&ada, &ban, json!({"reason": "noise"}))
            .await
            .status,
        204
    );
    assert_eq!(
        house.call(Some(&ada), "PUT", &ban, None).await.status,
        204,
        "twice is once"
    );
    let listed = house.get(&ada, &bans).await;
    assert_snapshot!(house.show(&listed), @r#"
    200
    [
      {
        "created_at": "<time>",
        "reason": "noise",
        "user": {
          "avatar_url": null,
          "bot": false,
          "created_at": "<time>",
          "display_name": null,
          "id": "<bea>",
          "status": "online",
          "updated_at": "<time>",
          "username": "bea"
        }
      }
    ]
    "#);
    house
        .get(&bea, &format!("/servers/{server}"))
        .await
        .refused(404, "unknown_server");
    house
        .post(&bea, &format!("/servers/{server}/join"), json!({}))
        .await
        .refused(403, "banned");
    let invite = house
        .call(
            Some(&ada),
            "POST",
            &format!("/servers/{server}/invites"),
            None,
        )
        .await;
    let form = json!({"code": invite.body["code"]});
    house
        .post(&bea, &format!("/servers/{server}/join"), form)
        .await
        .refused(403, "banned");

    assert_eq!(house.delete(&ada, &ban).await.status, 204);
    house.delete(&ada, &ban).await.refused(404, "unknown_ban");
    house.join(&bea, &server).await;
}

#[tokio::test]
async fn somebody_can_be_banned_before_it_comes() {
    let Scene {
        house, ada, server, ..
    } = scene().await;
    let eve = house.person("eve").await;
    let ban = format!("/servers/{server}/bans/{}", eve.id);
    assert_eq!(house.put(&ada, &ban, json!({})).await.status, 204);
    house
        .post(&eve, &format!("/servers/{server}/join"), json!({}))
        .await
        .refused(403, "banned");
    let nobody = format!("/servers/{server}/bans/{server}");
    house
        .put(&ada, &nobody, json!({}))
        .await
        .refused(404, "unknown_user");
}

#[tokio::test]
async fn the_owner_is_neither_kicked_nor_banned_by_anybody() {
    let Scene {
        house,
        ada,
        bea,
        server,
    } = scene().await;
    let role = house
        .post(
            &ada,
            &format!("/servers/{server}/roles"),
            json!({"name": "admin", "permissions_bitmask": 64}),
        )
        .await
        .expect(201);
    let roles = format!("/servers/{server}/members/{}/roles", bea.id);
    house
        .put(&ada, &roles, json!({"roles": [role["id"]]}))
        .await
        .expect(200);
    let of_ada = |what: &str| format!("/servers/{server}/{what}/{}", ada.id);
    house
        .delete(&bea, &of_ada("members"))
        .await
        .refused(403, "owner_only");
    house
        .put(&bea, &of_ada("bans"), json!({}))
        .await
        .refused(403, "owner_only");
}

#[tokio::test]
async fn who_may_read_the_audit_log_sees_what_was_done_and_why() {
    let Scene {
        house,
        ada,
        bea,
        server,
    } = scene().await;
    let log = format!("/servers/{server}/audit-log");
    assert_eq!(house.get(&ada, &log).await.expect(200), json!([]));
    house
        .get(&bea, &log)
        .await
        .refused(403, "missing_permission");
    let ban = format!("/servers/{server}/bans/{}", bea.id);
    let form = json!({"reason": "spam", "delete_message_seconds": 60});
    assert_eq!(house.put(&ada, &ban, form).await.status, 204);
    let form = json!({"name": "smith", "color": "#00ff00"});
    let path = format!("/servers/{server}/roles");
    house.post(&ada, &path, form).await.expect(201);
    let all = house.get(&ada, &log).await.expect(200);
    assert_eq!(all[0]["action"], "role_create");
    assert_eq!(
        all[0]["changes"][1],
        json!({"field": "color", "before": null, "after": "#00ff00"})
    );
    assert_eq!(all[1]["action"], "member_ban_add");
    assert_eq!(
        (&all[1]["user_id"], &all[1]["target_id"]),
        (&json!(ada.id), &json!(bea.id))
    );
    assert_eq!(all[1]["reason"], "spam");
    let found = house.get(&ada, &format!("{log}?action=role_create")).await;
    assert_eq!(found.expect(200), json!([all[0]]));
    let newer = format!("{log}?after={}", text(&all[1]["id"]));
    assert_eq!(house.get(&ada, &newer).await.expect(200), json!([all[0]]));
    for query in ["action=server_delete", "limit=101", "before=x", "user_id="] {
        let answer = house.get(&ada, &format!("{log}?{query}")).await;
        assert_eq!(answer.status, 400, "{query}");
    }
    let long = json!({"delete_message_seconds": 604_801});
    assert_eq!(house.put(&ada, &ban, long).await.status, 400);
}
