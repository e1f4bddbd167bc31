//! Invites

use serde_json::json;

use super::{Tavern, call, fault, refused};
use crate::harness::text;

#[tokio::test]
async fn an_invite_is_made_shown_listed_and_revoked() {
    let tavern = Tavern::open().await;
    let of_channel = tavern.of_channel("/invites");
    let form = json!({"max_age": 0, "max_uses": 5, "unique": true});
    let made = tavern.bot("POST", &of_channel, form).await.expect(200);
    assert_eq!((&made["max_uses"], &made["uses"]), (&json!(5), &json!(0)));
    assert_eq!(made["inviter"]["id"], tavern.bot.id.as_str());
    assert_eq!(made["channel"]["id"], tavern.channel.as_str());
    assert_eq!(made["expires_at"], json!(null));
    for path in [&of_channel, &tavern.of_guild("/invites")] {
        assert_eq!(
            tavern.bot("GET", path, None).await.expect(200),
            json!([made])
        );
    }
    let one = format!("/invites/{}", text(&made["code"]));
    let shown = call(&tavern.house, None, "GET", &one, None)
        .await
        .expect(200);
    assert_eq!(shown["guild"]["name"], "Tavern");
    for kept in ["uses", "max_uses", "created_at", "approximate_member_count"] {
        assert!(shown.get(kept).is_none(), "{kept} is not for everybody");
    }
    let counted = format!("{one}?with_counts=true");
    let counted = call(&tavern.house, None, "GET", &counted, None)
        .await
        .expect(200);
    assert_eq!(counted["approximate_member_count"], 3);

    refused(
        &tavern.by(&tavern.bob, "DELETE", &one, None).await,
        403,
        50_013,
    );
    assert_eq!(tavern.bot("DELETE", &one, None).await.expect(200), made);
    refused(
        &call(&tavern.house, None, "GET", &one, None).await,
        404,
        10_006,
    );
    refused(&tavern.bot("DELETE", &one, None).await, 404, 10_006);
}

#[tokio::test]
async fn an_invite_needs_no_body_and_keeps_its_bounds() {
    let tavern = Tavern::open().await;
    let path = tavern.of_channel("/invites");
    let made = tavern
        .by(&tavern.bob, "POST", &path, None)
        .await
        .expect(200);
    assert_eq!(made["max_age"], 86_400);
    let wrong = tavern
        .bot("POST", &path, json!({"max_age": 604_801, "max_uses": 101}))
        .await;
    assert_eq!(fault(&wrong, "max_age"), "NUMBER_TYPE_MAX");
    assert_eq!(fault(&wrong, "max_uses"), "NUMBER_TYPE_MAX");
    refused(
        &tavern.by(&tavern.bob, "GET", &path, None).await,
        403,
        50_013,
    );
    refused(
        &tavern.bot("GET", "/channels/17/invites", None).await,
        404,
        10_003,
    );
    refused(
        &tavern.bot("POST", "/channels/17/invites", None).await,
        404,
        10_003,
    );
    let eve = tavern.house.person("eve").await;
    for method in ["GET", "POST"] {
        refused(
            &call(&tavern.house, &eve, method, &path, None).await,
            404,
            10_003,
        );
    }
}
