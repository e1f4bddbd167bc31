//! Members, their roles, and bans

use serde_json::json;

use super::{Tavern, call, call_because, decimal, fault, refused};
use crate::harness::text;

#[tokio::test]
async fn members_are_listed_above_an_id_and_found_by_their_names() {
    let tavern = Tavern::open().await;
    let list = async |query: &str| {
        let path = tavern.of_guild(&format!("/members{query}"));
        let page = tavern.bot("GET", &path, None).await.expect(200);
        let members = page.as_array().unwrap().iter();
        members
            .map(|member| text(&member["user"]["id"]))
            .collect::<Vec<_>>()
    };
    let mut all = [&tavern.ada, &tavern.bob, &tavern.bot].map(|who| who.id.clone());
    all.sort_by_key(|id| id.parse::<u64>().unwrap());
    assert_eq!(list("?limit=1000&after=0").await, all);
    assert_eq!(
        list("").await,
        all[..1],
        "one where nothing is said, as in Discord"
    );
    assert_eq!(list(&format!("?limit=5&after={}", all[1])).await, all[2..]);

    let nick = json!({"nick": "Landlord"});
    let path = tavern.of_guild(&format!("/members/{}", tavern.bob.id));
    tavern.bot("PATCH", &path, nick).await.expect(200);
    assert_eq!(
        list("/search?query=land&limit=10").await,
        [tavern.bob.id.as_str()]
    );
    assert_eq!(list("/search?query=ADA").await, [tavern.ada.id.as_str()]);
    assert!(list("/search?query=lord&limit=10").await.is_empty());
    let path = tavern.of_guild("/members/search?limit=0");
    let wrong = tavern.bot("GET", &path, None).await;
    assert_eq!(fault(&wrong, "query"), "BASE_TYPE_REQUIRED");
}

#[tokio::test]
async fn a_member_is_changed_in_one_call_or_not_at_all() {
    let tavern = Tavern::open().await;
    let roles = tavern.of_guild("/roles");
    let role = text(&tavern.bot("POST", &roles, json!({})).await.expect(200)["id"]);
    let path = tavern.of_guild(&format!("/members/{}", tavern.bob.id));
    let form = json!({"nick": "Bert", "roles": [role],
        "communication_disabled_until": "2026-01-03T00:00:00+00:00"});
    let changed = tavern.bot("PATCH", &path, form).await.expect(200);
    assert_eq!(changed["nick"], "Bert");
    assert_eq!(changed["roles"], json!([role]));
    assert_eq!(
        changed["communication_disabled_until"],
        "2026-01-03T00:00:00.000000+00:00"
    );
    let say = json!({"content": "may I?"});
    let silenced = tavern
        .by(&tavern.bob, "POST", &tavern.of_channel("/messages"), say)
        .await;
    refused(&silenced, 403, 50_013);
    assert_eq!(tavern.bot("GET", &path, None).await.expect(200), changed);

    let form = json!({"nick": "Nobody", "roles": ["17"]});
    refused(&tavern.bot("PATCH", &path, form).await, 404, 10_011);
    assert_eq!(tavern.bot("GET", &path, None).await.expect(200), changed);
    let form = json!({"nick": null, "roles": [], "communication_disabled_until": null});
    let cleared = tavern.bot("PATCH", &path, form).await.expect(200);
    assert_eq!(cleared["nick"], json!(null));
    assert_eq!(cleared["communication_disabled_until"], json!(null));

    let form = json!({"roles": ["x"], "communication_disabled_until": "soon"});
    let wrong = tavern.bot("PATCH", &path, form).await;
    assert_eq!(fault(&wrong, "roles.0"), "NUMBER_TYPE_COERCE");
    assert_eq!(
        fault(&wrong, "communication_disabled_until"),
        "DATE_TIME_TYPE_PARSE"
    );
    let late = json!({"communication_disabled_until": "2026-02-03T00:00:00Z"});
    let late = tavern.bot("PATCH", &path, late).await;
    assert_eq!(fault(&late, "communication_disabled_until"), "TOO_LATE");
    let owner = tavern.of_guild(&format!("/members/{}", tavern.ada.id));
    refused(
        &tavern.bot("PATCH", &owner, json!({"nick": "x"})).await,
        403,
        50_013,
    );
    let nobody = tavern.of_guild("/members/17");
    refused(&tavern.bot("PATCH", &nobody, json!({})).await, 404, 10_007);
}

#[tokio::test]
async fn a_member_names_itself_and_gets_and_loses_single_roles() {
    let tavern = Tavern::open().await;
    let me = tavern.of_guild("/members/@me");
    let named = tavern
        .by(&tavern.bob, "PATCH", &me, json!({"nick": "Bert"}))
        .await;
    assert_eq!(named.expect(200)["nick"], "Bert");
    let unnamed = tavern
        .by(&tavern.bob, "PATCH", &me, json!({"nick": ""}))
        .await;
    assert_eq!(unnamed.expect(200)["nick"], json!(null));

    let roles = tavern.of_guild("/roles");
    let role = text(&tavern.bot("POST", &roles, json!({})).await.expect(200)["id"]);
    let member = tavern.of_guild(&format!("/members/{}", tavern.bob.id));
    let path = format!("{member}/roles/{role}");
    for _ in 0..2 {
        assert_eq!(tavern.bot("PUT", &path, None).await.status, 204);
    }
    let held = async || tavern.bot("GET", &member, None).await.expect(200)["roles"].clone();
    assert_eq!(held().await, json!([role]));
    let counts = tavern.of_guild("/roles/member-counts");
    assert_eq!(tavern.bot("GET", &counts, None).await.expect(200)[&role], 1);
    assert_eq!(tavern.bot("DELETE", &path, None).await.status, 204);
    assert_eq!(held().await, json!([]));
    let unknown = format!("{member}/roles/17");
    refused(&tavern.bot("PUT", &unknown, None).await, 404, 10_011);
    refused(
        &tavern.by(&tavern.bob, "PUT", &path, None).await,
        403,
        50_013,
    );
}

#[tokio::test]
async fn who_is_banned_stands_on_a_list_with_the_reason_from_the_header() {
    let tavern = Tavern::open().await;
    let bans = tavern.of_guild("/bans");
    let ban = format!("{bans}/{}", tavern.bob.id);
    refused(&tavern.bot("GET", &ban, None).await, 404, 10_026);
    let banned = call_because(&tavern, &tavern.bot, "PUT", &ban, "spam%20%C3%BCber%20all").await;
    assert_eq!(banned.status, 204);
    let one = tavern.bot("GET", &ban, None).await.expect(200);
    assert_eq!(one["reason"], "spam über all");
    assert_eq!(
        tavern.bot("GET", &bans, None).await.expect(200),
        json!([one])
    );
    let above = format!("{bans}?after={}", tavern.bob.id);
    assert_eq!(tavern.bot("GET", &above, None).await.expect(200), json!([]));
    let below = format!("{bans}?before={}", u64::MAX >> 1);
    assert_eq!(
        tavern.bot("GET", &below, None).await.expect(200),
        json!([one])
    );
    assert_eq!(tavern.bot("DELETE", &ban, None).await.status, 204);
    refused(&tavern.bot("DELETE", &ban, None).await, 404, 10_026);

    let long = call_because(&tavern, &tavern.bot, "PUT", &ban, &"x".repeat(513)).await;
    assert_eq!(fault(&long, "reason"), "BASE_TYPE_BAD_LENGTH");
    let long = tavern
        .bot("PUT", &ban, json!({"delete_message_seconds": 604_801}))
        .await;
    assert_eq!(fault(&long, "delete_message_seconds"), "NUMBER_TYPE_MAX");
}

#[tokio::test]
async fn many_are_banned_in_one_call_as_far_as_that_may_be() {
    let tavern = Tavern::open().await;
    let eve = tavern.house.person("eve").await;
    let eve = decimal(&tavern.house, &eve.id);
    let path = tavern.of_guild("/bulk-ban");
    let form = json!({"user_ids": [tavern.bob.id, eve, tavern.ada.id, "17", tavern.bob.id]});
    let done = tavern.bot("POST", &path, form).await.expect(200);
    let sorted = |ids: &[&str]| {
        let mut ids: Vec<u64> = ids.iter().map(|id| id.parse().unwrap()).collect();
        ids.sort_unstable();
        json!(ids.iter().map(u64::to_string).collect::<Vec<_>>())
    };
    assert_eq!(done["banned_users"], sorted(&[&tavern.bob.id, &eve]));
    assert_eq!(done["failed_users"], sorted(&["17", &tavern.ada.id]));
    let wrong = tavern.bot("POST", &path, json!({})).await;
    assert_eq!(fault(&wrong, "user_ids"), "BASE_TYPE_REQUIRED");
}

#[tokio::test]
async fn a_kicked_member_may_come_back() {
    let tavern = Tavern::open().await;
    let path = tavern.of_guild(&format!("/members/{}", tavern.bob.id));
    assert_eq!(
        call_because(&tavern, &tavern.bot, "DELETE", &path, "noise")
            .await
            .status,
        204
    );
    refused(&tavern.bot("GET", &path, None).await, 404, 10_007);
    let gone = call(
        &tavern.house,
        &tavern.bob,
        "GET",
        &tavern.of_guild(""),
        None,
    )
    .await;
    refused(&gone, 404, 10_004);
    tavern.house.join(&tavern.bob, &tavern.guild).await;
    tavern.bot("GET", &path, None).await.expect(200);
}
