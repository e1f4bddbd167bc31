//! Commands and components: used by people in the native dialect, answered by the application in
//! Discord's.

use axum::http::Request;
use axum::http::header::CONTENT_TYPE;
use guildhall_host::session::SessionHandle;
use guildhall_wire::Installation;
use guildhall_wire::dispatch::{self, Look};
use serde_json::{Value, json};

use super::{Tavern, call, fault, refused};
use crate::harness::{Answer, Caller, text};
use crate::uploads::form::{Form, PNG};

impl Tavern {
    /// An interaction of bob's with the bot.
    pub(super) fn begun(&self) -> (String, String) {
        self.house.begun(&self.channel, &self.bot.id, &self.bob)
    }

    async fn callback(&self, (id, token): &(String, String), form: Value) -> Answer {
        let path = format!("/interactions/{id}/{token}/callback?with_response=true");
        call(&self.house, None, "POST", &path, form).await
    }

    async fn callback_with(&self, (id, token): &(String, String), form: Form) -> Answer {
        let path = format!("/api/v10/interactions/{id}/{token}/callback?with_response=true");
        let request = Request::builder().method("POST").uri(path);
        let request = request.header(CONTENT_TYPE, "multipart/form-data; boundary=XbX");
        self.house
            .send(request.body(form.end().into()).unwrap())
            .await
    }

    /// A call by the address of the application as a webhook, without credentials.
    async fn following(
        &self,
        method: &str,
        (_, token): &(String, String),
        rest: &str,
        form: impl Into<Option<Value>>,
    ) -> Answer {
        let path = format!("/webhooks/{}/{token}{rest}", self.bot.id);
        call(&self.house, None, method, &path, form).await
    }

    /// What the bot is told from now on.
    async fn listen(&self) -> Ear {
        self.ear_of(&self.bot).await
    }

    async fn ear_of(&self, who: &Caller) -> Ear {
        Ear {
            session: self.house.session(who).await,
            installation: self.house.installation.clone(),
        }
    }

    async fn history(&self, who: &Caller) -> Vec<Value> {
        let path = self.of_channel("/messages");
        let page = self.by(who, "GET", &path, None).await.expect(200);
        page.as_array().unwrap().clone()
    }

    async fn offer(&self, form: Value) -> Value {
        let path = format!("/applications/{}/commands", self.bot.id);
        self.bot("POST", &path, form).await.expect(201)
    }

    /// Runs a command as bob.
    async fn run(&self, command: &Value, options: Value) -> Answer {
        let path = format!(
            "/channels/{}/commands/{}",
            self.channel,
            text(&command["id"])
        );
        self.house
            .post(&self.bob, &path, json!({"options": options}))
            .await
    }
}

/// A session of the bot.
struct Ear {
    session: SessionHandle,
    installation: Installation,
}

/// INTERACTION_CREATE.
struct Begun {
    body: Value,
}

impl Begun {
    /// The id and the token.
    fn names(&self) -> (String, String) {
        (text(&self.body["id"]), text(&self.body["token"]))
    }
}

impl Ear {
    async fn next(&mut self) -> (&'static str, Value) {
        loop {
            let mut out = Vec::new();
            self.session.drain(1, &mut out);
            if let Some(told) = out.pop() {
                let told = told.payload.dispatch();
                let body = dispatch::body(told, &Look::default(), &self.installation);
                let body = serde_json::from_slice(&body.unwrap()).unwrap();
                return (dispatch::name(told), body);
            }
            self.session.wait().await;
        }
    }

    /// The next interaction; what comes before is passed over.
    async fn interaction(&mut self) -> Begun {
        loop {
            let (name, body) = self.next().await;
            if name == "INTERACTION_CREATE" {
                return Begun { body };
            }
        }
    }

    /// The names of what is told, but for the beginning, until a message says this.
    async fn names_until(&mut self, content: &str) -> Vec<&'static str> {
        let mut names = Vec::new();
        loop {
            let (name, body) = self.next().await;
            if !["READY", "GUILD_CREATE", "PRESENCE_UPDATE"].contains(&name) {
                names.push(name);
            }
            if body["content"] == content {
                return names;
            }
        }
    }
}

#[tokio::test]
async fn a_command_is_answered_once() {
    let tavern = Tavern::open().await;
    let begun = tavern.begun();
    let form = json!({"type": 4, "data": {"content": "ale!"}});
    let told = tavern.callback(&begun, form.clone()).await.expect(200);
    let message = &told["resource"]["message"];
    assert_eq!(
        (
            &message["content"],
            &message["type"],
            &message["author"]["id"]
        ),
        (&json!("ale!"), &json!(20), &json!(tavern.bot.id))
    );
    assert_eq!(message["interaction_metadata"]["user"]["id"], tavern.bob.id);
    assert_eq!(message["interaction"]["name"], "test");
    assert_eq!(message["webhook_id"], tavern.bot.id);
    assert!(message.get("nonce").is_none());
    refused(&tavern.callback(&begun, form).await, 400, 40_060);
    refused(
        &tavern.callback(&begun, json!({"type": 5})).await,
        400,
        40_060,
    );
    assert_eq!(tavern.history(&tavern.bob).await[0]["id"], message["id"]);
}

#[tokio::test]
async fn what_was_announced_is_said_later_and_may_be_changed_and_deleted() {
    let tavern = Tavern::open().await;
    let begun = tavern.begun();
    let told = tavern
        .callback(&begun, json!({"type": 5}))
        .await
        .expect(200);
    let told = &told["interaction"];
    assert_eq!(told["response_message_loading"], true);
    let loading = &told["response_message_id"];
    let original = "/messages/@original";
    let got = tavern.following("GET", &begun, original, None).await;
    let got = got.expect(200);
    assert_eq!((&got["id"], &got["flags"]), (loading, &json!(128)));
    let said = json!({"content": "here you are", "embeds": [{"title": "Ale"}]});
    let said = tavern
        .following("PATCH", &begun, original, said)
        .await
        .expect(200);
    assert_eq!((&said["id"], &said["flags"]), (loading, &json!(0)));
    assert_eq!(said["edited_timestamp"], Value::Null);
    let again = tavern
        .following("PATCH", &begun, original, json!({"content": "drink"}))
        .await;
    assert_ne!(again.expect(200)["edited_timestamp"], Value::Null);

    let more = tavern
        .following("POST", &begun, "", json!({"content": "more"}))
        .await
        .expect(200);
    assert_ne!(more["id"], *loading);
    let told = &more["interaction_metadata"]["original_response_message_id"];
    assert_eq!(told, loading);
    let one = format!("/messages/{}", text(&more["id"]));
    let form = json!({"content": "much more"});
    tavern
        .following("PATCH", &begun, &one, form)
        .await
        .expect(200);
    assert_eq!(
        tavern.following("DELETE", &begun, &one, None).await.status,
        204
    );
    assert_eq!(
        tavern
            .following("DELETE", &begun, original, None)
            .await
            .status,
        204
    );
    for gone in [original, &one] {
        refused(
            &tavern.following("GET", &begun, gone, None).await,
            404,
            10_008,
        );
    }
    assert_eq!(tavern.history(&tavern.bob).await, Vec::<Value>::new());
    let late = json!({"type": 4, "data": {"content": "again"}});
    refused(&tavern.callback(&begun, late).await, 400, 40_060);
}

#[tokio::test]
async fn the_first_follow_up_takes_the_place_of_what_was_announced() {
    let tavern = Tavern::open().await;
    let begun = tavern.begun();
    let form = json!({"content": "too early"});
    refused(
        &tavern.following("POST", &begun, "", form).await,
        404,
        10_015,
    );
    let form = json!({"type": 5, "data": {"flags": 64}});
    let told = tavern.callback(&begun, form).await.expect(200);
    assert_eq!(told["interaction"]["response_message_ephemeral"], true);
    let said = tavern
        .following("POST", &begun, "", json!({"content": "ale"}))
        .await
        .expect(200);
    assert_eq!(
        (&said["id"], &said["flags"]),
        (&told["interaction"]["response_message_id"], &json!(64))
    );
    let more = tavern
        .following("POST", &begun, "", json!({"content": "stew"}))
        .await
        .expect(200);
    assert_ne!(more["id"], said["id"]);
}

#[tokio::test]
async fn nobody_else_finds_what_one_user_alone_sees() {
    let tavern = Tavern::open().await;
    let begun = tavern.begun();
    let form = json!({"type": 4, "data": {"content": "psst", "flags": 64}});
    let told = tavern.callback(&begun, form).await.expect(200);
    let id = text(&told["resource"]["message"]["id"]);
    let one = tavern.of_channel(&format!("/messages/{id}"));
    let seen = tavern.by(&tavern.bob, "GET", &one, None).await.expect(200);
    assert_eq!(
        (&seen["content"], &seen["flags"]),
        (&json!("psst"), &json!(64))
    );
    for other in [&tavern.ada, &tavern.bot] {
        refused(&tavern.by(other, "GET", &one, None).await, 404, 10_008);
        refused(&tavern.by(other, "DELETE", &one, None).await, 404, 10_008);
        let pin = tavern.of_channel(&format!("/pins/{id}"));
        refused(&tavern.by(other, "PUT", &pin, None).await, 404, 10_008);
    }
    for who in [&tavern.ada, &tavern.bob, &tavern.bot] {
        assert_eq!(tavern.history(who).await, Vec::<Value>::new());
    }
    let original = tavern
        .following("GET", &begun, "/messages/@original", None)
        .await;
    assert_eq!(original.expect(200)["content"], "psst");
}

#[tokio::test]
async fn a_press_may_change_the_message_under_which_it_was() {
    let tavern = Tavern::open().await;
    let button = |label: &str| {
        json!([{"type": 1, "components": [
            {"type": 2, "style": 1, "label": label, "custom_id": "order"},
        ]}])
    };
    let form = json!({"content": "menu", "components": button("Order")});
    let path = tavern.of_channel("/messages");
    let menu = tavern.bot("POST", &path, form).await.expect(200);
    let mut told = tavern.listen().await;
    let press = format!("/messages/{}/components", text(&menu["id"]));
    let pressed = json!({"custom_id": "order"});
    tavern
        .house
        .post(&tavern.bob, &press, pressed.clone())
        .await
        .expect(201);
    let begun = told.interaction().await;
    assert_eq!(begun.body["data"]["custom_id"], "order");
    assert_eq!(begun.body["message"]["id"], menu["id"]);

    let form = json!({"type": 7, "data": {"content": "ordered", "components": button("Again")}});
    let changed = tavern.callback(&begun.names(), form).await.expect(200);
    assert_eq!(changed["resource"]["message"]["id"], menu["id"]);
    refused(
        &tavern.callback(&begun.names(), json!({"type": 6})).await,
        400,
        40_060,
    );
    assert_eq!(tavern.history(&tavern.bob).await[0]["content"], "ordered");
    let original = tavern
        .following("GET", &begun.names(), "/messages/@original", None)
        .await;
    assert_eq!(original.expect(200)["id"], menu["id"]);

    tavern
        .house
        .post(&tavern.bob, &press, pressed)
        .await
        .expect(201);
    let begun = told.interaction().await;
    let noted = tavern
        .callback(&begun.names(), json!({"type": 6}))
        .await
        .expect(200);
    assert!(noted.get("resource").is_none());
    refused(
        &tavern.callback(&begun.names(), json!({"type": 6})).await,
        400,
        40_060,
    );
    let more = tavern
        .following("POST", &begun.names(), "", json!({"content": "done"}))
        .await;
    assert_eq!(
        more.expect(200)["interaction_metadata"]["interacted_message_id"],
        menu["id"]
    );

    let wrong = json!({"custom_id": "other"});
    let wrong = tavern.house.post(&tavern.bob, &press, wrong).await;
    assert_eq!((wrong.status, wrong.code()), (400, "invalid_form"));
    let valued = json!({"custom_id": "order", "values": ["a"]});
    let wrong = tavern.house.post(&tavern.bob, &press, valued).await;
    assert_eq!((wrong.status, wrong.code()), (400, "invalid_form"));
}

/// A command that takes something of every kind.
async fn serving(tavern: &Tavern) -> Value {
    let form = json!({"name": "serve", "description": "Serves", "options": [
        {"type": 3, "name": "what", "description": "x", "required": true,
            "choices": [{"name": "Ale", "value": "ale"}]},
        {"type": 4, "name": "many", "description": "x", "min_value": 1, "max_value": 9},
        {"type": 6, "name": "whom", "description": "x"},
        {"type": 7, "name": "where", "description": "x", "channel_types": [0]},
        {"type": 8, "name": "as", "description": "x"},
        {"type": 5, "name": "hot", "description": "x"},
        {"type": 10, "name": "much", "description": "x"},
    ]});
    tavern.offer(form).await
}

#[tokio::test]
async fn a_command_is_told_with_what_was_given_and_what_it_means() {
    let tavern = Tavern::open().await;
    let command = serving(&tavern).await;
    let offered = format!("/channels/{}/commands", tavern.channel);
    let offered = tavern.house.get(&tavern.bob, &offered).await.expect(200);
    assert_eq!(
        (&offered[0]["name"], &offered[0]["options"][1]["max"]),
        (&json!("serve"), &json!(9))
    );
    let mut told = tavern.listen().await;
    let (ada, bob) = (&tavern.ada.id, &tavern.bob.id);
    let given = json!([
        {"name": "what", "value": "ale"}, {"name": "many", "value": 2},
        {"name": "whom", "value": ada}, {"name": "where", "value": tavern.channel},
        {"name": "as", "value": tavern.guild}, {"name": "hot", "value": true},
        {"name": "much", "value": 0.5},
    ]);
    let answer = tavern.run(&command, given).await.expect(201);
    let Begun { body } = told.interaction().await;
    let id = super::decimal(&tavern.house, &text(&answer["id"]));
    assert_eq!(id, text(&body["id"]));
    let data = &body["data"];
    assert_eq!(
        (&data["name"], &data["id"]),
        (&json!("serve"), &command["id"])
    );
    for (n, option) in [
        json!({"name": "what", "type": 3, "value": "ale"}),
        json!({"name": "many", "type": 4, "value": 2}),
        json!({"name": "whom", "type": 6, "value": ada}),
    ]
    .iter()
    .enumerate()
    {
        assert_eq!(&data["options"][n], option);
    }
    let resolved = &data["resolved"];
    assert_eq!(resolved["users"][ada]["username"], "ada");
    assert!(resolved["members"][ada]["permissions"].is_string());
    assert_eq!(resolved["channels"][&tavern.channel]["type"], 0);
    assert_eq!(resolved["roles"][&tavern.guild]["name"], "@everyone");
    assert_eq!(&body["member"]["user"]["id"], bob);
    let held: u64 = text(&body["member"]["permissions"]).parse().unwrap();
    assert_eq!(held & (1 << 31 | 1 << 10), 1 << 31 | 1 << 10);
}

#[tokio::test]
async fn what_a_command_does_not_take_is_named() {
    let tavern = Tavern::open().await;
    let command = serving(&tavern).await;
    let ale = json!({"name": "what", "value": "ale"});
    for (wrong, path) in [
        (json!([]), "options"),
        (
            json!([{"name": "what", "value": "wine"}]),
            "options.0.value",
        ),
        (json!([{"name": "what", "value": 5}]), "options.0.value"),
        (
            json!([ale, {"name": "many", "value": 10}]),
            "options.1.value",
        ),
        (
            json!([ale, {"name": "whom", "value": "5"}]),
            "options.1.value",
        ),
        (
            json!([ale, {"name": "nothing", "value": "5"}]),
            "options.1.name",
        ),
        (json!([ale, ale]), "options.1.name"),
    ] {
        let answer = tavern.run(&command, wrong).await;
        let told = (answer.status, answer.code());
        assert_eq!(told, (400, "invalid_form"), "{}", answer.body);
        let found = &answer.body["errors"][0]["path"];
        assert_eq!(found, path, "{}", answer.body);
    }
}

#[tokio::test]
async fn only_the_application_hears_of_it_and_only_the_user_of_what_is_said_to_it_alone() {
    let tavern = Tavern::open().await;
    let command = serving(&tavern).await;
    let mut ears = [
        tavern.ear_of(&tavern.ada).await,
        tavern.ear_of(&tavern.bob).await,
        tavern.listen().await,
    ];
    let mut bot = tavern.listen().await;
    let given = json!([{"name": "what", "value": "ale"}]);
    tavern.run(&command, given).await.expect(201);
    let begun = bot.interaction().await.names();
    let form = json!({"type": 4, "data": {"content": "psst", "flags": 64}});
    tavern.callback(&begun, form).await.expect(200);
    let original = "/messages/@original";
    let form = json!({"content": "hush"});
    tavern
        .following("PATCH", &begun, original, form)
        .await
        .expect(200);
    tavern.following("DELETE", &begun, original, None).await;
    tavern.say("the end").await;
    let alone = ["MESSAGE_CREATE", "MESSAGE_UPDATE", "MESSAGE_DELETE"];
    let [ada, bob, bot] = &mut ears;
    assert_eq!(ada.names_until("the end").await, ["MESSAGE_CREATE"]);
    assert_eq!(
        bob.names_until("the end").await,
        [&alone[..], &["MESSAGE_CREATE"]].concat()
    );
    let told = bot.names_until("the end").await;
    assert_eq!(told, ["INTERACTION_CREATE", "MESSAGE_CREATE"]);
}

#[tokio::test]
async fn only_who_may_runs_a_command() {
    let tavern = Tavern::open().await;
    let form = json!({"name": "close", "description": "x", "default_member_permissions": "16"});
    let command = tavern.offer(form).await;
    let answer = tavern.run(&command, json!([])).await;
    assert_eq!((answer.status, answer.code()), (403, "missing_permission"));
    let offered = format!("/channels/{}/commands", tavern.channel);
    let none = tavern.house.get(&tavern.bob, &offered).await.expect(200);
    assert_eq!(none, json!([]));
    let all = tavern.house.get(&tavern.ada, &offered).await.expect(200);
    assert_eq!(all[0]["name"], "close");
    let direct = json!({"name": "hint", "description": "x", "contexts": [1]});
    let direct = tavern.offer(direct).await;
    let answer = tavern.run(&direct, json!([])).await;
    assert_eq!(answer.status, 403, "{}", answer.body);
}

#[tokio::test]
async fn only_the_user_is_told_that_a_press_was_noted() {
    let tavern = Tavern::open().await;
    let mut ears = [
        tavern.ear_of(&tavern.ada).await,
        tavern.ear_of(&tavern.bob).await,
    ];
    let row = json!([{"type": 1, "components": [
        {"type": 2, "style": 1, "label": "Order", "custom_id": "order"},
    ]}]);
    let form = json!({"content": "menu", "components": row});
    let path = tavern.of_channel("/messages");
    let menu = tavern.bot("POST", &path, form).await.expect(200);
    let mut bot = tavern.listen().await;
    let press = format!("/messages/{}/components", text(&menu["id"]));
    let pressed = json!({"custom_id": "order"});
    tavern
        .house
        .post(&tavern.bob, &press, pressed)
        .await
        .expect(201);
    let begun = bot.interaction().await.names();
    tavern
        .callback(&begun, json!({"type": 6}))
        .await
        .expect(200);
    tavern.say("the end").await;
    let [ada, bob] = &mut ears;
    let said = ["MESSAGE_CREATE", "MESSAGE_CREATE"];
    assert_eq!(ada.names_until("the end").await, said);
    let told = ["MESSAGE_CREATE", "INTERACTION_SUCCESS", "MESSAGE_CREATE"];
    assert_eq!(bob.names_until("the end").await, told);
}

#[tokio::test]
async fn files_that_no_answer_shows_are_not_kept() {
    let tavern = Tavern::open().await;
    let kept = || tavern.house.blobs.keys().len();
    let begun = tavern.begun();
    let file = || Form::default().file(0, "menu.png", "image/png", PNG);
    let deferred = file().json(&json!({"type": 5}));
    tavern.callback_with(&begun, deferred).await.expect(200);
    assert_eq!(kept(), 0);
    let original = "/messages/@original";
    tavern.following("DELETE", &begun, original, None).await;

    let row = json!([{"type": 1, "components": [
        {"type": 2, "style": 1, "label": "Order", "custom_id": "order"},
    ]}]);
    let begun = tavern.begun();
    let data = json!({"type": 4, "data": {"content": "menu", "components": row}});
    let menu = tavern
        .callback_with(&begun, file().json(&data))
        .await
        .expect(200);
    assert_eq!(kept(), 1);
    let mut bot = tavern.listen().await;
    let id = text(&menu["resource"]["message"]["id"]);
    let pressed = json!({"custom_id": "order"});
    let press = format!("/messages/{id}/components");
    tavern
        .house
        .post(&tavern.bob, &press, pressed)
        .await
        .expect(201);
    let begun = bot.interaction().await.names();
    let without = json!({"type": 7, "data": {"content": "ordered", "attachments": []}});
    let changed = tavern.callback(&begun, without).await.expect(200);
    assert_eq!(changed["resource"]["message"]["attachments"], json!([]));
    assert_eq!(kept(), 0);
}

#[tokio::test]
async fn hostile_answers_change_nothing() {
    let tavern = Tavern::open().await;
    let begun = tavern.begun();
    let (id, token) = begun.clone();
    for wrong in [
        json!({}),
        json!({"type": 9}),
        json!({"type": 1}),
        json!({"type": "4"}),
        json!({"type": 4}),
        json!({"type": 4, "data": {"content": ""}}),
        json!({"type": 4, "data": []}),
        json!({"type": 6}),
        json!({"type": 7, "data": {}}),
        json!({"type": 4, "data": {"content": "x".repeat(2_001)}}),
    ] {
        let answer = tavern.callback(&begun, wrong.clone()).await;
        assert_eq!(answer.status / 100, 4, "{wrong}: {}", answer.body);
    }
    let long = json!({"type": 4, "data": {"embeds": [{"title": "x".repeat(300)}]}});
    fault(&tavern.callback(&begun, long).await, "data.embeds.0.title");
    let form = json!({"type": 4, "data": {"content": "x"}});
    let other = (tavern.begun().0, token.clone());
    refused(&tavern.callback(&other, form.clone()).await, 404, 10_062);
    let forged = (id, format!("{token}A"));
    refused(&tavern.callback(&forged, form.clone()).await, 404, 10_062);
    assert_eq!(tavern.history(&tavern.bob).await, Vec::<Value>::new());
    tavern.house.clock.advance_ms(61_000);
    refused(&tavern.callback(&begun, form.clone()).await, 404, 10_062);
    let begun = tavern.begun();
    tavern.callback(&begun, form).await.expect(200);
    tavern.house.clock.advance_ms(15 * 60_000 + 1);
    let late = tavern
        .following("POST", &begun, "", json!({"content": "late"}))
        .await;
    assert_eq!((late.status, &late.body["code"]), (404, &json!(10_015)));
}
