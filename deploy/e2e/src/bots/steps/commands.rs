//! Steps about what a bot offers to people, and about webhooks.

use serde_json::{Value, json};

use crate::bots::stage::{Stage, snowflake};
use crate::eventually;
use crate::person::text;

pub(super) async fn command(stage: &mut Stage) {
    let guild = snowflake(&stage.guild);
    let wanted = json!({ "guild": guild, "name": "ping" });
    let made = stage.bot().await.ask("command", wanted).await;
    let offered = format!("/channels/{}/commands", stage.channel);
    let all = stage.bob.rest.get(&offered).await.expect(200);
    assert_eq!(all[0]["name"], "ping", "{all}");
    let user = snowflake(&stage.bob.id);
    let path = format!("{offered}/{}", text(&made, "/command"));
    stage.bob.rest.post(&path, json!({})).await.expect(201);
    let fields = json!({ "name": "ping", "user": user });
    stage.bot().await.hears("command", fields).await;
    let answer = newest(stage).await;
    assert_eq!(answer["content"], "pong");
    assert_eq!(answer["user_id"], stage.robot.id.as_str());
    assert_eq!(answer["interaction"]["command"], "ping");

    let message = text(&answer, "/id");
    let path = format!("/messages/{message}/components");
    let pressed = json!({ "custom_id": "press" });
    stage.bob.rest.post(&path, pressed).await.expect(201);
    let fields = json!({ "name": "press", "user": user });
    stage.bot().await.hears("button", fields).await;
    eventually("the button changes its message", || async {
        let shown = stage.message(&message).await;
        shown.is_some_and(|shown| shown["content"] == "pressed")
    })
    .await;
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
