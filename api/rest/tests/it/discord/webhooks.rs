//! Webhooks

use axum::body::Body;
use axum::http::Request;
use axum::http::header::CONTENT_TYPE;
use guildhall_model::Rate;
use guildhall_model::dispatch::Dispatch;
use guildhall_model::limits::WEBHOOK_TOKEN_CHARS;
use guildhall_ports::Blobs as _;
use guildhall_ports::blobs::BlobKind;
use guildhall_rest::Limits;
use serde_json::{Value, json};

use super::pictures::{fetch, uri};
use super::{Tavern, call, fault, judge, refused};
use crate::harness::{Answer, text};
use crate::uploads::form::{Form, PNG};

/// A tavern with a webhook of its administrating bot, and one of its owner.
struct Post {
    tavern: Tavern,
    /// Of the bot's application.
    owned: Value,
    /// Of a person.
    plain: Value,
}

impl Post {
    async fn open() -> Self {
        let tavern = Tavern::open().await;
        let path = tavern.of_channel("/webhooks");
        let form = json!({"name": "Crier"});
        let owned = tavern.bot("POST", &path, form).await.expect(200);
        let form = json!({"name": "Plain", "avatar": null});
        let plain = tavern.by(&tavern.ada, "POST", &path, form).await;
        Self {
            plain: plain.expect(200),
            owned,
            tavern,
        }
    }

    /// A call by whoever has the address, without any credential.
    async fn anyone(&self, method: &str, path: &str, body: impl Into<Option<Value>>) -> Answer {
        call(&self.tavern.house, None, method, path, body).await
    }

    /// A message of the bot's webhook.
    async fn say(&self, form: Value) -> Value {
        let path = opened(&self.owned, "?wait=true");
        self.anyone("POST", &path, form).await.expect(200)
    }
}

fn of(webhook: &Value) -> String {
    format!("/webhooks/{}", text(&webhook["id"]))
}

fn opened(webhook: &Value, rest: &str) -> String {
    format!("{}/{}{rest}", of(webhook), text(&webhook["token"]))
}

fn one(webhook: &Value, message: &Value) -> String {
    opened(webhook, &format!("/messages/{}", text(&message["id"])))
}

#[tokio::test]
async fn a_webhook_is_made_listed_changed_moved_and_ended() {
    let post = Post::open().await;
    let (tavern, made) = (&post.tavern, &post.owned);
    assert_eq!((&made["type"], &made["name"]), (&json!(1), &json!("Crier")));
    assert_eq!(made["user"]["id"], tavern.bot.id.as_str());
    assert_eq!(made["application_id"], tavern.bot.id.as_str());
    assert_eq!(post.plain["application_id"], Value::Null);
    assert_eq!(text(&made["token"]).len(), WEBHOOK_TOKEN_CHARS);
    assert_ne!(made["token"], post.plain["token"]);
    for path in [tavern.of_channel("/webhooks"), tavern.of_guild("/webhooks")] {
        let listed = tavern.bot("GET", &path, None).await.expect(200);
        assert_eq!(listed, json!([made, post.plain]));
    }
    assert_eq!(tavern.bot("GET", &of(made), None).await.expect(200), *made);

    let room = json!({"name": "attic"});
    let room = tavern
        .bot("POST", &tavern.of_guild("/channels"), room)
        .await;
    let room = text(&room.expect(201)["id"]);
    let form = json!({"name": "Bell", "channel_id": room, "avatar": null});
    let after = tavern.bot("PATCH", &of(made), form).await.expect(200);
    assert_eq!(
        (&after["name"], &after["channel_id"], &after["token"]),
        (&json!("Bell"), &json!(room), &made["token"])
    );
    let gone = json!({"channel_id": "17"});
    refused(&tavern.bot("PATCH", &of(made), gone).await, 404, 10_003);
    let ended = tavern.bot("DELETE", &of(made), None).await;
    assert_eq!(ended.status, 204);
    for method in ["GET", "DELETE"] {
        refused(&tavern.bot(method, &of(made), None).await, 404, 10_015);
        refused(
            &post.anyone(method, &opened(made, ""), None).await,
            404,
            10_015,
        );
    }
}

#[tokio::test]
async fn a_webhook_has_a_picture_that_its_messages_show() {
    let post = Post::open().await;
    let (tavern, made) = (&post.tavern, &post.owned);
    assert_eq!(made["avatar"], Value::Null);
    let form = json!({"avatar": uri("image/png", PNG)});
    let shown = tavern.bot("PATCH", &of(made), form.clone()).await;
    let hash = text(&shown.expect(200)["avatar"]);
    let said = post.say(json!({"content": "hear"})).await;
    assert_eq!(said["author"]["avatar"], hash.as_str());
    let path = format!("/cdn/avatars/{}/{hash}.png", text(&made["id"]));
    let fetched = fetch(tavern, &path, &[]).await;
    assert_eq!((fetched.status, fetched.body), (200, PNG.to_vec()));
    let form = json!({"avatar": null});
    let gone = post.anyone("PATCH", &opened(made, ""), form).await;
    assert_eq!(gone.expect(200)["avatar"], Value::Null);
    let form = json!({"name": "Bell", "avatar": uri("image/png", PNG)});
    let path = tavern.of_channel("/webhooks");
    let born = tavern.bot("POST", &path, form.clone()).await;
    assert_ne!(born.expect(200)["avatar"], Value::Null);
    // Who may not make webhooks does not fill the disk.
    refused(
        &tavern.by(&tavern.bob, "POST", &path, form.clone()).await,
        403,
        50_013,
    );
    refused(
        &tavern.by(&tavern.bob, "PATCH", &of(made), form).await,
        403,
        50_013,
    );
    let blobs = &tavern.house.blobs;
    assert_eq!(blobs.list(BlobKind::Picture, 9).await.unwrap().len(), 2);
}

#[tokio::test]
async fn what_a_webhook_is_made_from_keeps_its_bounds() {
    let tavern = Tavern::open().await;
    let path = tavern.of_channel("/webhooks");
    for (form, place, code) in [
        (json!({}), "name", "BASE_TYPE_REQUIRED"),
        (json!({"name": ""}), "name", "BASE_TYPE_BAD_LENGTH"),
        (
            json!({"name": "n".repeat(81)}),
            "name",
            "BASE_TYPE_BAD_LENGTH",
        ),
        (json!({"name": "My Clyde"}), "name", "INVALID_CHARACTERS"),
        (
            json!({"name": "ok", "avatar": "data:image/png;base64,AAAA"}),
            "avatar",
            "IMAGE_INVALID",
        ),
    ] {
        let answer = tavern.bot("POST", &path, form.clone()).await;
        assert_eq!(fault(&answer, place), code, "{form}");
    }
    let form = || json!({"name": "Crier"});
    for _ in 0..15 {
        tavern.bot("POST", &path, form()).await.expect(200);
    }
    refused(&tavern.bot("POST", &path, form()).await, 400, 30_007);
    refused(
        &tavern.by(&tavern.bob, "POST", &path, form()).await,
        403,
        50_013,
    );
    let nowhere = tavern.bot("POST", "/channels/17/webhooks", form()).await;
    refused(&nowhere, 404, 10_003);
}

#[tokio::test]
async fn whoever_has_the_token_sees_changes_and_ends_the_webhook() {
    let post = Post::open().await;
    let path = opened(&post.owned, "");
    let seen = post.anyone("GET", &path, None).await.expect(200);
    assert_eq!(seen["token"], post.owned["token"]);
    assert!(seen.get("user").is_none(), "{seen}");
    let form = json!({"name": "Bell", "channel_id": "17"});
    let after = post.anyone("PATCH", &path, form).await.expect(200);
    assert_eq!(
        (&after["name"], &after["channel_id"]),
        (&json!("Bell"), &post.owned["channel_id"])
    );
    let ended = post.anyone("DELETE", &path, None).await;
    assert_eq!(ended.status, 204);
    refused(&post.anyone("GET", &path, None).await, 404, 10_015);
}

#[tokio::test]
async fn another_token_opens_nothing() {
    let post = Post::open().await;
    let message = post.say(json!({"content": "hear"})).await;
    let with = |token: &str| format!("{}/{token}", of(&post.owned));
    let other = text(&post.plain["token"]);
    let own = text(&post.owned["token"]);
    for token in [
        other.as_str(),
        "x",
        &own[1..],
        &format!("{own}x"),
        "%F0%9F%8D%BA",
    ] {
        let path = with(token);
        let one = format!("{path}/messages/{}", text(&message["id"]));
        for (method, path, form) in [
            ("GET", &path, None),
            ("PATCH", &path, Some(json!({"name": "Mine"}))),
            ("DELETE", &path, None),
            ("POST", &path, Some(json!({"content": "mine"}))),
            ("GET", &one, None),
            ("PATCH", &one, Some(json!({"content": "mine"}))),
            ("DELETE", &one, None),
        ] {
            refused(&post.anyone(method, path, form).await, 401, 50_027);
        }
    }
    let nobody = format!("/webhooks/17/{own}");
    refused(&post.anyone("GET", &nobody, None).await, 404, 10_015);
    // What a member may do is no reason to let it in here.
    let answer = post.tavern.bot("GET", &with("x"), None).await;
    refused(&answer, 401, 50_027);
}

#[tokio::test]
async fn a_message_is_by_the_webhook_under_the_name_that_it_is_given() {
    let post = Post::open().await;
    let quiet = post
        .anyone(
            "POST",
            &opened(&post.owned, ""),
            json!({"content": "quiet"}),
        )
        .await;
    assert_eq!((quiet.status, quiet.body), (204, Value::Null));
    let said = post
        .say(json!({
            "content": "hear, hear", "username": "Bell", "avatar_url": "https://example.org/b.png",
            "embeds": [{"title": "News"}], "flags": 4096,
        }))
        .await;
    assert_eq!(said["webhook_id"], post.owned["id"]);
    assert_eq!(said["application_id"], post.owned["application_id"]);
    let author = &said["author"];
    assert_eq!(author["id"], post.owned["id"]);
    assert_eq!(
        (
            &author["username"],
            &author["discriminator"],
            &author["bot"]
        ),
        (&json!("Bell"), &json!("0000"), &json!(true))
    );
    assert!(said.get("member").is_none(), "{said}");
    assert_eq!((&said["type"], &said["flags"]), (&json!(0), &json!(4096)));
    let listed = post
        .tavern
        .bot("GET", &post.tavern.of_channel("/messages?limit=2"), None)
        .await
        .expect(200);
    assert_eq!(listed[0], said);
    assert_eq!(listed[1]["author"]["username"], "Crier");
    let native = format!("/messages/{}", text(&said["id"]));
    let house = &post.tavern.house;
    let native = house.get(&post.tavern.bob, &native).await.expect(200);
    assert_eq!(native["author"]["username"], "Bell");
    assert_eq!(native["author"]["avatar_url"], "https://example.org/b.png");
    let webhook = super::decimal(house, native["webhook_id"].as_str().unwrap());
    assert_eq!(webhook, text(&post.owned["id"]));
}

#[tokio::test]
async fn what_a_webhook_is_told_to_post_is_checked() {
    let post = Post::open().await;
    let path = opened(&post.owned, "?wait=true");
    for (form, place, code) in [
        (
            json!({"content": "x", "username": "Discord"}),
            "username",
            "INVALID_CHARACTERS",
        ),
        (
            json!({"content": "x", "avatar_url": "javascript:x"}),
            "avatar_url",
            "INVALID_CHARACTERS",
        ),
        (
            json!({"content": "x", "thread_name": "t"}),
            "thread_name",
            "UNSUPPORTED",
        ),
        (
            json!({"content": "x".repeat(2_001)}),
            "content",
            "BASE_TYPE_BAD_LENGTH",
        ),
    ] {
        let answer = post.anyone("POST", &path, form.clone()).await;
        assert_eq!(fault(&answer, place), code, "{form}");
    }
    let empty = json!({"content": " ", "username": ""});
    refused(&post.anyone("POST", &path, empty).await, 400, 50_006);
    let message = post
        .say(json!({"content": "x", "username": null, "avatar_url": ""}))
        .await;
    for path in [
        opened(&post.owned, "?thread_id=17"),
        one(&post.owned, &message) + "?thread_id=17",
    ] {
        let method = if path.contains("/messages/") {
            "PATCH"
        } else {
            "POST"
        };
        let answer = post.anyone(method, &path, json!({"content": "x"})).await;
        refused(&answer, 404, 10_003);
    }
}

#[tokio::test]
async fn only_webhooks_of_applications_have_buttons_that_are_answered() {
    let post = Post::open().await;
    let row = |button: Value| json!([{"type": 1, "components": [button]}]);
    let order = row(json!({"type": 2, "style": 1, "label": "Order", "custom_id": "order"}));
    let link = row(json!({"type": 2, "style": 5, "label": "Menu", "url": "https://example.org/"}));
    let form = |components: &Value| json!({"content": "x", "components": components});
    let said = post.say(form(&order)).await;
    assert_eq!(said["components"][0]["components"][0]["custom_id"], "order");
    let plain = |query: &str| opened(&post.plain, query);
    let with = plain("?wait=true&with_components=true");
    let refused = post.anyone("POST", &with, form(&order)).await;
    assert_eq!(fault(&refused, "components"), "UNSUPPORTED");
    let said = post.anyone("POST", &with, form(&link)).await.expect(200);
    assert_eq!(said["components"][0]["components"][0]["label"], "Menu");
    let without = plain("?wait=true");
    let said = post
        .anyone("POST", &without, form(&order))
        .await
        .expect(200);
    assert_eq!(said["components"], json!([]));
}

#[tokio::test]
async fn a_webhook_changes_and_deletes_its_own_messages_only() {
    let post = Post::open().await;
    let tavern = &post.tavern;
    let said = post.say(json!({"content": "first"})).await;
    let path = one(&post.owned, &said);
    assert_eq!(post.anyone("GET", &path, None).await.expect(200), said);
    let form = json!({"content": "second", "embeds": [{"title": "Box"}]});
    let after = post.anyone("PATCH", &path, form).await.expect(200);
    assert_eq!(
        (&after["content"], &after["webhook_id"]),
        (&json!("second"), &post.owned["id"])
    );
    assert_ne!(after["edited_timestamp"], Value::Null);

    let others = json!({ "id": tavern.say("not the webhook's").await });
    let by_plain = opened(&post.plain, "?wait=true");
    let by_plain = post
        .anyone("POST", &by_plain, json!({"content": "x"}))
        .await
        .expect(200);
    for message in [&others, &by_plain, &json!({"id": "17"})] {
        let path = one(&post.owned, message);
        for (method, form) in [
            ("GET", None),
            ("PATCH", Some(json!({"content": "x"}))),
            ("DELETE", None),
        ] {
            refused(&post.anyone(method, &path, form).await, 404, 10_008);
        }
    }
    let deleted = post.anyone("DELETE", &path, None).await;
    assert_eq!(deleted.status, 204);
    refused(&post.anyone("GET", &path, None).await, 404, 10_008);
}

#[tokio::test]
async fn others_react_to_pin_and_delete_what_a_webhook_posted() {
    let post = Post::open().await;
    let tavern = &post.tavern;
    let said = post.say(json!({"content": "hear", "nonce": "once"})).await;
    let again = post.say(json!({"content": "hear", "nonce": "once"})).await;
    assert_eq!(said["id"], again["id"], "a nonce makes one message");
    let path = tavern.of_channel(&format!("/messages/{}", text(&said["id"])));
    let reaction = format!("{path}/reactions/%F0%9F%8E%89/@me");
    let given = tavern.by(&tavern.bob, "PUT", &reaction, None).await;
    assert_eq!(given.status, 204);
    let seen = post
        .anyone("GET", &one(&post.owned, &said), None)
        .await
        .expect(200);
    assert_eq!(seen["reactions"][0]["count"], 1);
    let pin = tavern.of_channel(&format!("/messages/pins/{}", text(&said["id"])));
    assert_eq!(tavern.bot("PUT", &pin, None).await.status, 204);
    let form = json!({"content": "mine"});
    refused(
        &tavern.by(&tavern.bob, "PATCH", &path, form).await,
        403,
        50_005,
    );
    refused(
        &tavern.by(&tavern.bob, "DELETE", &path, None).await,
        403,
        50_013,
    );
    let reply = json!({"content": "indeed", "message_reference": {"message_id": said["id"]}});
    let reply = tavern
        .bot("POST", &tavern.of_channel("/messages"), reply)
        .await
        .expect(200);
    assert_eq!(reply["mentions"], json!([]), "nobody is behind a webhook");
    assert_eq!(tavern.bot("DELETE", &path, None).await.status, 204);
    refused(
        &post.anyone("GET", &one(&post.owned, &said), None).await,
        404,
        10_008,
    );
}

#[tokio::test]
async fn a_webhook_mentions_whom_it_is_allowed_to() {
    let post = Post::open().await;
    let bob = post.tavern.bob.id.clone();
    let content = format!("@everyone <@{bob}>");
    let said = post.say(json!({"content": content})).await;
    assert_eq!(said["mention_everyone"], true);
    assert_eq!(said["mentions"][0]["id"], bob.as_str());
    let form = json!({"content": content, "allowed_mentions": {"parse": []}});
    let said = post.say(form).await;
    assert_eq!(said["mention_everyone"], false);
    assert_eq!(said["mentions"], json!([]));
}

async fn with_files(post: &Post, method: &str, path: &str, form: Form) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(format!("/api/v10{path}"))
        .header(CONTENT_TYPE, "multipart/form-data; boundary=XbX");
    let request = request.body(Body::from(form.end())).unwrap();
    let answer = post.tavern.house.send(request).await;
    judge::judge().answered(method, path, &answer);
    answer
}

#[tokio::test]
async fn a_webhook_posts_files_and_an_edit_keeps_and_adds_some() {
    let post = Post::open().await;
    let path = opened(&post.owned, "?wait=true");
    let form = Form::default()
        .json(&json!({"content": "look"}))
        .file(0, "a.png", "image/png", PNG)
        .file(1, "b.txt", "text/plain", b"words");
    let said = with_files(&post, "POST", &path, form).await.expect(200);
    let files = said["attachments"].as_array().unwrap();
    assert_eq!((files.len(), &files[0]["width"]), (2, &json!(640)));
    let kept = json!({"attachments": [{"id": files[1]["id"]}]});
    let form = Form::default()
        .json(&kept)
        .file(0, "c.txt", "text/plain", b"more");
    let path = one(&post.owned, &said);
    let after = with_files(&post, "PATCH", &path, form).await.expect(200);
    let names: Vec<_> = after["attachments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| &file["filename"])
        .collect();
    assert_eq!(names, ["b.txt", "c.txt"]);
    let house = &post.tavern.house;
    assert_eq!(house.blobs.keys().len(), 2, "what is dropped is deleted");
    let wrong = format!("{}/x", of(&post.owned));
    let form = Form::default().file(0, "a.png", "image/png", PNG);
    refused(&with_files(&post, "POST", &wrong, form).await, 401, 50_027);
    assert_eq!(post.anyone("DELETE", &path, None).await.status, 204);
    assert_eq!(house.blobs.keys().len(), 0);
}

#[tokio::test]
async fn a_channel_takes_its_webhooks_with_it_and_managers_are_told() {
    let post = Post::open().await;
    let tavern = &post.tavern;
    let mut ears = (
        tavern.house.session(&tavern.ada).await,
        tavern.house.session(&tavern.bob).await,
    );
    let path = tavern.of_channel("");
    tavern.bot("DELETE", &path, None).await.expect(200);
    let told = |ear: &mut guildhall_host::session::SessionHandle| {
        let mut out = Vec::new();
        ear.drain(1 << 20, &mut out);
        let names = out.iter().map(|told| {
            let told: &Dispatch = told.payload.dispatch();
            guildhall_wire::dispatch::name(told)
        });
        names.collect::<Vec<_>>()
    };
    let heard = async |ear: &mut guildhall_host::session::SessionHandle| {
        let mut names = told(ear);
        while !names.contains(&"CHANNEL_DELETE") {
            ear.wait().await;
            names.extend(told(ear));
        }
        names.retain(|name| *name == "WEBHOOKS_UPDATE");
        names.len()
    };
    assert_eq!((heard(&mut ears.0).await, heard(&mut ears.1).await), (2, 0));
    for webhook in [&post.owned, &post.plain] {
        refused(
            &post.anyone("GET", &opened(webhook, ""), None).await,
            404,
            10_015,
        );
    }
}

#[tokio::test]
async fn who_manages_webhooks_of_one_channel_sees_no_others() {
    let post = Post::open().await;
    let tavern = &post.tavern;
    let managing = (1_u64 << 29).to_string();
    let form = json!({"name": "heralds", "permissions": managing});
    let role = tavern
        .bot("POST", &tavern.of_guild("/roles"), form)
        .await
        .expect(200);
    let path = format!("/members/{}/roles/{}", tavern.bob.id, text(&role["id"]));
    assert_eq!(
        tavern
            .bot("PUT", &tavern.of_guild(&path), None)
            .await
            .status,
        204
    );
    let listed = async || {
        let path = tavern.of_guild("/webhooks");
        let listed = tavern.by(&tavern.bob, "GET", &path, None).await.expect(200);
        listed.as_array().unwrap().len()
    };
    assert_eq!(listed().await, 2);
    let hide = json!({"type": 1, "deny": "1024"});
    let path = tavern.of_channel(&format!("/permissions/{}", tavern.bob.id));
    assert_eq!(tavern.bot("PUT", &path, hide).await.status, 204);
    assert_eq!(listed().await, 0);
    let by_bob = async |method| tavern.by(&tavern.bob, method, &of(&post.owned), None).await;
    for method in ["GET", "DELETE"] {
        refused(&by_bob(method).await, 404, 10_015);
    }
}

#[tokio::test]
async fn whoever_shows_a_token_is_limited_by_it() {
    let limits = Limits {
        messages: Some(Rate::new(2, 5_000).unwrap()),
        ..Limits::default()
    };
    let tavern = Tavern::limited(limits).await;
    let path = tavern.of_channel("/webhooks");
    let made = async || {
        let made = tavern.bot("POST", &path, json!({"name": "Crier"})).await;
        opened(&made.expect(200), "")
    };
    let (first, second) = (made().await, made().await);
    let say = async |path: &str| {
        let form = json!({"content": "hear"});
        call(&tavern.house, None, "POST", path, form).await
    };
    for _ in 0..2 {
        assert_eq!(say(&first).await.status, 204);
    }
    let refused = say(&first).await;
    assert_eq!(refused.status, 429);
    assert!(refused.body["retry_after"].is_number(), "{}", refused.body);
    assert_eq!(say(&second).await.status, 204);
    let wrong = format!("{first}x");
    assert_eq!(say(&wrong).await.status, 401);
    tavern.house.clock.advance_ms(5_000);
    assert_eq!(say(&first).await.status, 204);
}
