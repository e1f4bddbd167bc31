//! Invites

use insta::assert_snapshot;
use serde_json::json;

use crate::harness::{House, text};

#[tokio::test]
async fn an_invite_is_made_shown_used_and_revoked() {
    let house = House::open().await;
    let [ada, bea] = house.people(["ada", "bea"]).await;
    let (server, _) = house.server(&ada).await;
    house.close(&ada, &server).await;
    let path = format!("/servers/{server}/invites");
    let made = house.call(Some(&ada), "POST", &path, None).await;
    assert_snapshot!(house.show(&made), @r#"
    201
    {
      "channel_id": "<general>",
      "code": "<code>",
      "created_at": "<time>",
      "expires_at": "<time>",
      "inviter_id": "<ada>",
      "max_age": 86400,
      "max_uses": 0,
      "server_id": "<tavern>",
      "temporary": false,
      "uses": 0
    }
    "#);
    let code = text(&made.body["code"]);
    let preview = house.get(None, &format!("/invites/{code}")).await;
    assert_snapshot!(house.show(&preview), @r#"
    200
    {
      "code": "<code>",
      "expires_at": "<time>",
      "member_count": 1,
      "server_id": "<tavern>",
      "server_name": "Tavern"
    }
    "#);

    let join = format!("/servers/{server}/join");
    house
        .post(&bea, &join, json!({"code": "nonsense"}))
        .await
        .refused(404, "unknown_invite");
    assert_eq!(
        house.post(&bea, &join, json!({"code": code})).await.status,
        200
    );
    let listed = house.get(&ada, &path).await.expect(200);
    assert_eq!(
        (&listed[0]["uses"], listed.as_array().unwrap().len()),
        (&json!(1), 1)
    );

    assert_eq!(
        house.delete(&ada, &format!("/invites/{code}")).await.status,
        204
    );
    house
        .delete(&ada, &format!("/invites/{code}"))
        .await
        .refused(404, "unknown_invite");
    house
        .get(None, &format!("/invites/{code}"))
        .await
        .refused(404, "unknown_invite");
    assert_eq!(house.get(&ada, &path).await.expect(200), json!([]));
}

#[tokio::test]
async fn an_invite_ends_with_its_uses_and_with_its_time() {
    let house = House::open().await;
    let ada = house.person("ada").await;
    let (server, _) = house.server(&ada).await;
    let path = format!("/servers/{server}/invites");
    let join = format!("/servers/{server}/join");
    let once = house
        .post(&ada, &path, json!({"max_uses": 1}))
        .await
        .expect(201);
    let [bea, cal] = house.people(["bea", "cal"]).await;
    assert_eq!(
        house
            .post(&bea, &join, json!({"code": once["code"]}))
            .await
            .status,
        200
    );
    house
        .post(&cal, &join, json!({"code": once["code"]}))
        .await
        .refused(404, "unknown_invite");

    let short = house
        .post(&ada, &path, json!({"max_age": 60}))
        .await
        .expect(201);
    house.clock.advance_ms(60_000);
    house
        .post(&cal, &join, json!({"code": short["code"]}))
        .await
        .refused(404, "unknown_invite");
    assert_eq!(house.get(&ada, &path).await.expect(200), json!([]));
}

#[tokio::test]
async fn of_many_who_use_the_last_use_one_comes_in() {
    let house = House::open().await;
    let ada = house.person("ada").await;
    let (server, _) = house.server(&ada).await;
    house.close(&ada, &server).await;
    let path = format!("/servers/{server}/invites");
    let once = house
        .post(&ada, &path, json!({"max_uses": 1}))
        .await
        .expect(201);
    let mut people = Vec::new();
    for n in 0..8 {
        people.push(house.person(&format!("guest{n}")).await);
    }
    let join = format!("/servers/{server}/join");
    let tries = people
        .iter()
        .map(|guest| house.post(guest, &join, json!({"code": once["code"]})));
    let answers = futures_util::future::join_all(tries).await;
    assert_eq!(
        answers.iter().filter(|answer| answer.status == 200).count(),
        1
    );
}

#[tokio::test]
async fn the_maker_of_an_invite_may_revoke_it() {
    let house = House::open().await;
    let [ada, bea, cal] = house.people(["ada", "bea", "cal"]).await;
    let (server, channel) = house.server(&ada).await;
    house.join(&bea, &server).await;
    house.join(&cal, &server).await;
    let path = format!("/servers/{server}/invites");
    let form = json!({"channel_id": channel, "max_uses": 5, "temporary": true});
    let made = house.post(&bea, &path, form).await.expect(201);
    let invite = format!("/invites/{}", text(&made["code"]));
    house
        .get(&bea, &path)
        .await
        .refused(403, "missing_permission");
    house
        .delete(&cal, &invite)
        .await
        .refused(403, "missing_permission");
    assert_eq!(house.delete(&bea, &invite).await.status, 204);
}

#[tokio::test]
async fn bounds_of_an_invite_are_named() {
    let house = House::open().await;
    let ada = house.person("ada").await;
    let (server, _) = house.server(&ada).await;
    let path = format!("/servers/{server}/invites");
    let form = json!({"max_uses": 101, "max_age": -1, "channel_id": "x"});
    let mut fields = house.post(&ada, &path, form).await.fields();
    fields.sort();
    let expected = [
        ("channel_id", "invalid_id"),
        ("max_age", "out_of_range"),
        ("max_uses", "out_of_range"),
    ];
    assert_eq!(
        fields,
        expected.map(|(path, code)| (path.to_owned(), code.to_owned()))
    );
    let unknown = json!({"channel_id": server});
    house
        .post(&ada, &path, unknown)
        .await
        .refused(404, "unknown_channel");
}
