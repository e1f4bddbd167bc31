//! Guilds' own emojis, and reactions with them.

use guildhall_model::limits::GUILD_EMOJI_BYTES_MAX;
use guildhall_ports::blobs::{BlobKey, BlobKind};
use serde_json::{Value, json};

use super::pictures::{GIF, fetch, uri};
use super::{Tavern, call, decimal, fault, refused};
use crate::harness::text;
use crate::uploads::form::PNG;

async fn make(tavern: &Tavern, name: &str) -> Value {
    let form = json!({"name": name, "image": uri("image/png", PNG)});
    let path = tavern.of_guild("/emojis");
    tavern.bot("POST", &path, form).await.expect(201)
}

fn named(emoji: &Value) -> String {
    format!("{}:{}", text(&emoji["name"]), text(&emoji["id"]))
}

#[tokio::test]
async fn an_emoji_is_made_listed_changed_and_ended() {
    let tavern = Tavern::open().await;
    let path = tavern.of_guild("/emojis");
    let form = json!({"name": "beer", "image": uri("image/gif", GIF), "roles": [tavern.guild]});
    let made = tavern.bot("POST", &path, form).await.expect(201);
    assert_eq!(made["user"]["id"], tavern.bot.id.as_str());
    assert_eq!(made["animated"], true);
    assert_eq!(made["roles"], json!([tavern.guild]));
    let id = text(&made["id"]);
    let picture = fetch(&tavern, &format!("/cdn/emojis/{id}.webp?size=48"), &[]).await;
    assert_eq!((picture.status, picture.body), (200, GIF.to_vec()));
    assert_eq!(picture.media_type, "image/gif");

    let one = format!("{path}/{id}");
    assert_eq!(tavern.bot("GET", &one, None).await.expect(200), made);
    assert_eq!(
        tavern.bot("GET", &path, None).await.expect(200),
        json!([made])
    );
    let guild = tavern
        .bot("GET", &tavern.of_guild(""), None)
        .await
        .expect(200);
    assert_eq!(guild["emojis"][0]["name"], "beer");
    // Who may neither make nor manage emojis is not told who made one.
    let seen = tavern.by(&tavern.bob, "GET", &one, None).await.expect(200);
    assert!(seen.get("user").is_none(), "{seen}");

    let form = json!({"name": "ale", "roles": null});
    let changed = tavern.bot("PATCH", &one, form).await.expect(200);
    assert_eq!(
        (&changed["name"], &changed["roles"]),
        (&json!("ale"), &json!([]))
    );
    assert_eq!(tavern.bot("DELETE", &one, None).await.status, 204);
    refused(&tavern.bot("GET", &one, None).await, 404, 10_014);
    refused(&tavern.bot("PATCH", &one, json!({})).await, 404, 10_014);
    refused(&tavern.bot("DELETE", &one, None).await, 404, 10_014);
}

#[tokio::test]
async fn an_emoji_has_a_plain_name_and_a_small_picture() {
    let tavern = Tavern::open().await;
    let path = tavern.of_guild("/emojis");
    let form = json!({"name": "a b", "image": "data:image/png;base64,AA", "roles": ["x"]});
    let wrong = tavern.bot("POST", &path, form).await;
    assert_eq!(fault(&wrong, "name"), "INVALID_CHARACTERS");
    assert_eq!(fault(&wrong, "image"), "IMAGE_INVALID");
    assert_eq!(fault(&wrong, "roles.0"), "NUMBER_TYPE_COERCE");
    let missing = tavern.bot("POST", &path, json!({"name": "x"})).await;
    assert_eq!(fault(&missing, "name"), "BASE_TYPE_BAD_LENGTH");
    assert_eq!(fault(&missing, "image"), "BASE_TYPE_REQUIRED");
    let mut large = PNG.to_vec();
    large.resize(GUILD_EMOJI_BYTES_MAX, 0);
    let form = json!({"name": "beer", "image": uri("image/png", &large)});
    tavern.bot("POST", &path, form).await.expect(201);
    large.push(0);
    let form = json!({"name": "beer", "image": uri("image/png", &large)});
    let wrong = tavern.bot("POST", &path, form).await;
    assert_eq!(fault(&wrong, "image"), "BINARY_TYPE_MAX_SIZE");
    // What is refused leaves no picture behind, whenever it is refused.
    let form = json!({"name": "beer", "image": uri("image/png", PNG), "roles": ["17"]});
    let unknown = tavern.bot("POST", &path, form).await;
    assert_eq!(fault(&unknown, "roles"), "UNKNOWN_ROLE");
    let form = json!({"name": "beer", "image": uri("image/png", PNG)});
    let by_bob = tavern.by(&tavern.bob, "POST", &path, form).await;
    refused(&by_bob, 403, 50_013);
    let stored: Vec<_> = tavern
        .house
        .blobs
        .keys()
        .into_iter()
        .map(BlobKey::kind)
        .collect();
    assert_eq!(stored, [BlobKind::Emoji]);
}

#[tokio::test]
async fn a_message_keeps_its_reactions_when_the_emoji_ends() {
    let tavern = Tavern::open().await;
    let beer = make(&tavern, "beer").await;
    let message = tavern.of_channel(&format!("/messages/{}", tavern.say("hello").await));
    let reaction = format!("{message}/reactions/{}", named(&beer));
    let own = format!("{reaction}/@me");
    assert_eq!(tavern.bot("PUT", &own, None).await.status, 204);
    assert_eq!(tavern.by(&tavern.bob, "PUT", &own, None).await.status, 204);
    let seen = tavern.bot("GET", &message, None).await.expect(200);
    let shown = &seen["reactions"][0];
    assert_eq!(
        shown["emoji"],
        json!({"id": beer["id"], "name": "beer", "animated": false})
    );
    assert_eq!((&shown["count"], &shown["me"]), (&json!(2), &json!(true)));
    let native = tavern
        .house
        .get(&tavern.ada, &format!("/messages/{}", text(&seen["id"])))
        .await;
    let native = text(&native.expect(200)["reactions"][0]["emoji"]);
    assert!(native.starts_with("beer:"), "{native}");

    let one = tavern.of_guild(&format!("/emojis/{}", text(&beer["id"])));
    assert_eq!(tavern.bot("DELETE", &one, None).await.status, 204);
    let users = tavern.bot("GET", &reaction, None).await.expect(200);
    assert_eq!(users.as_array().unwrap().len(), 2);
    // The emoji goes by its id, however it is called.
    let renamed = format!("{message}/reactions/x:{}", text(&beer["id"]));
    let taken = tavern
        .by(&tavern.bob, "DELETE", &format!("{renamed}/@me"), None)
        .await;
    assert_eq!(taken.status, 204);
    assert_eq!(
        tavern.by(&tavern.ada, "PUT", &own, None).await.status,
        204,
        "it is there"
    );
    let seen = tavern.bot("GET", &message, None).await.expect(200);
    assert_eq!(seen["reactions"][0]["emoji"]["name"], "beer");
    assert_eq!(seen["reactions"][0]["count"], 2);
    assert_eq!(tavern.bot("DELETE", &reaction, None).await.status, 204);
    refused(&tavern.bot("PUT", &own, None).await, 404, 10_014);
    let picture = fetch(
        &tavern,
        &format!("/cdn/emojis/{}.png", text(&beer["id"])),
        &[],
    )
    .await;
    assert_eq!(picture.status, 200);
}

#[tokio::test]
async fn emojis_of_other_guilds_are_for_members_who_may_use_them() {
    let tavern = Tavern::open().await;
    let (server, _) = tavern.house.server(&tavern.ada).await;
    let other = decimal(&tavern.house, &server);
    let form = json!({"name": "ale", "image": uri("image/png", PNG)});
    let path = format!("/guilds/{other}/emojis");
    let ale = tavern
        .by(&tavern.ada, "POST", &path, form)
        .await
        .expect(201);
    let message = tavern.of_channel(&format!("/messages/{}", tavern.say("hello").await));
    let own = format!("{message}/reactions/{}/@me", named(&ale));
    // Strangers to its guild do not know it.
    refused(
        &tavern.by(&tavern.bob, "PUT", &own, None).await,
        404,
        10_014,
    );
    tavern.house.join(&tavern.bob, &other).await;
    let role = tavern.of_guild(&format!("/roles/{}", tavern.guild));
    let all = 1_u64 << 18;
    let shown = tavern.bot("GET", &role, None).await.expect(200);
    let held: u64 = text(&shown["permissions"]).parse().unwrap();
    let without = json!({"permissions": (held & !all).to_string()});
    tavern.bot("PATCH", &role, without).await.expect(200);
    refused(
        &tavern.by(&tavern.bob, "PUT", &own, None).await,
        403,
        50_013,
    );
    let with = json!({"permissions": held.to_string()});
    tavern.bot("PATCH", &role, with).await.expect(200);
    assert_eq!(tavern.by(&tavern.bob, "PUT", &own, None).await.status, 204);
    // One that is kept to a role is nobody else's.
    let roles = format!("/guilds/{other}/roles");
    let keepers = tavern.by(&tavern.ada, "POST", &roles, json!({})).await;
    let keepers = text(&keepers.expect(200)["id"]);
    let form = json!({"name": "rum", "image": uri("image/png", PNG), "roles": [keepers]});
    let rum = tavern
        .by(&tavern.ada, "POST", &path, form)
        .await
        .expect(201);
    let own = format!("{message}/reactions/{}/@me", named(&rum));
    refused(
        &tavern.by(&tavern.bob, "PUT", &own, None).await,
        404,
        10_014,
    );
    for nonsense in ["beer:17", "beer:x", ":", "beer", "a%3Ab%3A0"] {
        let path = format!("{message}/reactions/{nonsense}/@me");
        refused(&tavern.bot("PUT", &path, None).await, 404, 10_014);
    }
}

#[tokio::test]
async fn a_guild_has_fifty_emojis_of_each_kind() {
    let tavern = Tavern::open().await;
    for n in 0..50 {
        make(&tavern, &format!("beer_{n}")).await;
    }
    let path = tavern.of_guild("/emojis");
    let form = json!({"name": "more", "image": uri("image/png", PNG)});
    let full = call(&tavern.house, &tavern.bot, "POST", &path, form).await;
    refused(&full, 400, 30_008);
    let form = json!({"name": "more", "image": uri("image/gif", GIF)});
    tavern.bot("POST", &path, form).await.expect(201);
}
