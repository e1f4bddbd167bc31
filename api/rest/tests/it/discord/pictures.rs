//! Pictures of users and guilds, from upload to address.

use axum::body::{Body, to_bytes};
use axum::http::Request;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use guildhall_model::limits::{PICTURE_BODIES_MAX, PICTURE_BYTES_MAX};
use guildhall_ports::blobs::{BlobKey, BlobKind};
use serde_json::{Value, json};

use super::{Tavern, fault, refused};
use crate::harness::text;
use crate::uploads::form::PNG;

pub(super) const GIF: &[u8] =
    b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";

/// An image as a client sends it.
pub(super) fn uri(media_type: &str, content: &[u8]) -> String {
    format!("data:{media_type};base64,{}", STANDARD.encode(content))
}

/// Status, media type, validator and bytes of a file.
pub(super) struct Fetched {
    pub(super) status: u16,
    pub(super) media_type: String,
    pub(super) etag: String,
    pub(super) body: Vec<u8>,
    cached: String,
}

pub(super) async fn fetch(tavern: &Tavern, path: &str, headers: &[(&str, &str)]) -> Fetched {
    let mut request = Request::builder().uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).unwrap();
    let response = tavern.house.fetch(request).await;
    let header = |name: &str| {
        let value = response.headers().get(name);
        value.map_or(String::new(), |value| value.to_str().unwrap().to_owned())
    };
    Fetched {
        status: response.status().as_u16(),
        media_type: header("content-type"),
        etag: header("etag"),
        cached: header("cache-control"),
        body: to_bytes(response.into_body(), usize::MAX)
            .await
            .unwrap()
            .to_vec(),
    }
}

async fn set_avatar(tavern: &Tavern, avatar: Value) -> Value {
    let form = json!({ "avatar": avatar });
    tavern
        .bot("PATCH", "/users/@me", form)
        .await
        .expect(200)
        .clone()
}

#[tokio::test]
async fn an_avatar_is_shown_by_its_hash_to_libraries_and_by_its_address_to_people() {
    let tavern = Tavern::open().await;
    let me = set_avatar(&tavern, json!(uri("image/png", PNG))).await;
    let hash = text(&me["avatar"]);
    assert_eq!(hash.len(), 32);
    let path = format!("/cdn/avatars/{}/{hash}", tavern.bot.id);
    let native = tavern.house.get(&tavern.bot, "/users/me").await.expect(200);
    let address = format!("https://chat.example{path}.png");
    assert_eq!(native["avatar_url"], address);

    let fetched = fetch(&tavern, &format!("{path}.png?size=128"), &[]).await;
    assert_eq!((fetched.status, fetched.body), (200, PNG.to_vec()));
    assert_eq!(fetched.media_type, "image/png");
    assert_eq!(fetched.cached, "public, max-age=31536000, immutable");
    let again = fetch(
        &tavern,
        &format!("{path}.webp"),
        &[("if-none-match", &fetched.etag)],
    )
    .await;
    assert_eq!(again.status, 304);
    let part = fetch(&tavern, &format!("{path}.jpg"), &[("range", "bytes=1-3")]).await;
    assert_eq!((part.status, part.body), (206, b"PNG".to_vec()));
    assert_eq!(part.media_type, "image/png");

    // The same picture has the same name, and is stored once.
    let same = set_avatar(&tavern, json!(uri("image/jpg", PNG))).await;
    assert_eq!(same, me);
    let member = tavern.of_guild(&format!("/members/{}", tavern.bot.id));
    let seen = tavern.bot("GET", &member, None).await;
    assert_eq!(seen.expect(200)["user"]["avatar"], hash);
    let none = set_avatar(&tavern, json!(null)).await;
    assert_eq!(none["avatar"], json!(null));
}

#[tokio::test]
async fn an_animated_icon_says_so_in_its_name() {
    let tavern = Tavern::open().await;
    let path = tavern.of_guild("");
    let form = json!({"icon": uri("image/gif", GIF), "name": "Inn"});
    let guild = tavern.bot("PATCH", &path, form).await.expect(200);
    let hash = text(&guild["icon"]);
    assert!(hash.starts_with("a_"), "{hash}");
    assert_eq!(guild["name"], "Inn");
    let address = format!("/cdn/icons/{}/{hash}.gif", tavern.guild);
    let fetched = fetch(&tavern, &address, &[]).await;
    assert_eq!((fetched.status, fetched.body), (200, GIF.to_vec()));
    assert_eq!(fetched.media_type, "image/gif");
    let own = tavern
        .bot("GET", "/users/@me/guilds", None)
        .await
        .expect(200);
    assert_eq!(own[0]["icon"], hash);
    let preview = tavern.bot("GET", &tavern.of_guild("/preview"), None).await;
    assert_eq!(preview.expect(200)["icon"], hash);
    let native = tavern
        .house
        .get(&tavern.ada, &format!("/servers/{}", tavern.guild))
        .await;
    assert_eq!(
        native.expect(200)["icon_url"],
        format!("https://chat.example{address}")
    );
    let cleared = tavern
        .bot("PATCH", &path, json!({"icon": null}))
        .await
        .expect(200);
    assert_eq!(cleared["icon"], json!(null));
}

#[tokio::test]
async fn a_picture_has_one_address_only() {
    let tavern = Tavern::open().await;
    let me = set_avatar(&tavern, json!(uri("image/png", PNG))).await;
    let (hash, id) = (text(&me["avatar"]), &tavern.bot.id);
    let shouted = hash.to_uppercase();
    for path in [
        format!("/cdn/avatars/{}/{hash}.png", tavern.ada.id),
        format!("/cdn/icons/{}/{hash}.png", tavern.guild),
        format!("/cdn/avatars/{id}/a_{hash}.gif"),
        format!("/cdn/avatars/{id}/{hash}"),
        format!("/cdn/avatars/{id}/{hash}.svg"),
        format!("/cdn/avatars/{id}/..%2f{hash}.png"),
        format!("/cdn/avatars/x/{hash}.png"),
        format!("/cdn/avatars/{id}/{}.png", &hash[1..]),
        format!("/cdn/avatars/{id}/{shouted}0.png"),
        "/cdn/emojis/17.png".to_owned(),
        "/cdn/emojis/0.png".to_owned(),
    ] {
        assert_eq!(fetch(&tavern, &path, &[]).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn what_is_no_picture_is_refused_at_its_field() {
    let tavern = Tavern::open().await;
    for wrong in [
        uri("image/png", b"<svg onload=alert(1)>"),
        uri("image/gif", PNG),
        uri("image/svg+xml", PNG),
        "https://example.org/a.png".to_owned(),
        String::new(),
    ] {
        let answer = tavern
            .bot("PATCH", "/users/@me", json!({"avatar": wrong}))
            .await;
        assert_eq!(fault(&answer, "avatar"), "IMAGE_INVALID", "{wrong}");
    }
    let mut large = PNG.to_vec();
    large.resize(PICTURE_BYTES_MAX, 0);
    let form = json!({"icon": uri("image/png", &large)});
    let path = tavern.of_guild("");
    // Whoever may not change the guild stores nothing.
    let by_bob = tavern.by(&tavern.bob, "PATCH", &path, form.clone()).await;
    refused(&by_bob, 403, 50_013);
    let kinds = || tavern.house.blobs.keys().into_iter().map(BlobKey::kind);
    assert_eq!(kinds().count(), 0);
    tavern.bot("PATCH", &path, form).await.expect(200);
    assert_eq!(kinds().collect::<Vec<_>>(), [BlobKind::Picture]);
    large.push(0);
    let form = json!({"icon": uri("image/png", &large)});
    let answer = tavern.bot("PATCH", &path, form).await;
    assert_eq!(fault(&answer, "icon"), "BINARY_TYPE_MAX_SIZE");
    large.resize(PICTURE_BYTES_MAX * 2, 0);
    let form = json!({"icon": uri("image/png", &large)});
    let answer = tavern.bot("PATCH", &path, form).await;
    refused(&answer, 413, 40_005);
    // Every place that was taken is free again.
    for _ in 0..=PICTURE_BODIES_MAX {
        let form = json!({"icon": uri("image/png", &large[..300_000])});
        tavern.bot("PATCH", &path, form).await.expect(200);
    }
}
