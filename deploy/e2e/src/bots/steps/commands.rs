//! Steps about what a bot offers to people, and about webhooks.

use serde_json::{Value, json};

use super::not_built;
use crate::bots::stage::{Stage, snowflake};
use crate::eventually;
use crate::person::text;

pub(super) async fn command(stage: &mut Stage) {
    let guild = snowflake(&stage.guild);
    let wanted = json!({ "guild": guild, "name": "ping" });
    let made = stage.bot().await.ask("command", wanted).await;
    let described = stage.server.rest().get("/openapi.json").await.expect(200);
    if described["paths"]["/interactions"].is_null() {
        not_built("nobody can give a command: the native dialect has no `POST /interactions`");
    }
    let user = snowflake(&stage.bob.id);
    give(
        stage,
        json!({ "type": 2, "data": { "id": made["command"] } }),
    )
    .await;
    let fields = json!({ "name": "ping", "user": user });
    stage.bot().await.hears("command", fields).await;
    let answer = newest(stage).await;
    assert_eq!(answer["content"], "pong");
    assert_eq!(answer["user_id"], stage.robot.id.as_str());

    let message = text(&answer, "/id");
    let pressed = json!({
        "type": 3,
        "message_id": message,
        "data": { "component_type": 2, "custom_id": "press" },
    });
    give(stage, pressed).await;
    let fields = json!({ "name": "press", "user": user });
    stage.bot().await.hears("button", fields).await;
    eventually("the button changes its message", || async {
        let shown = stage.message(&message).await;
        shown.is_some_and(|shown| shown["content"] == "pressed")
    })
    .await;
}

/// Gives an interaction to the bot as bob.
async fn give(stage: &Stage, mut interaction: Value) {
    interaction["application_id"] = json!(stage.robot.application);
    interaction["server_id"] = json!(stage.guild);
    interaction["channel_id"] = json!(stage.channel);
    let given = stage.bob.rest.post("/interactions", interaction).await;
    assert!(given.status.is_success(), "{}", given.text());
}

/// The channel's newest message.
async fn newest(stage: &Stage) -> Value {
    let path = format!("/channels/{}/messages?limit=1", stage.channel);
    stage.ada.rest.get(&path).await.expect(200)[0].clone()
}

pub(super) async fn webhook(stage: &mut Stage) {
    let wanted = json!({
        "channel": snowflake(&stage.channel),
        "name": "Herald",
        "content": "Hear ye",
    });
    let posted = stage.bot().await.ask("webhook", wanted).await;
    let message = stage.message(&text(&posted, "/message")).await;
    let message = message.expect("it is stored");
    assert_eq!(message["content"], "Hear ye, edited");
    assert_eq!(message["author"]["username"], "Herald");
}
