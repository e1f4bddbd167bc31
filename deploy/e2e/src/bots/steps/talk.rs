//! Steps about messages. What the bot does is looked at as people see it, and the other way round.

use serde_json::{Value, json};

use crate::bots::stage::{Stage, snowflake};
use crate::person::text;

pub(super) async fn start(stage: &mut Stage) {
    let ready = stage.start(1).await;
    assert_eq!(ready["version"], stage.library.version());
    assert_eq!(ready["user"], snowflake(&stage.robot.id));
    let guild = json!([{ "id": snowflake(&stage.guild), "shard": 0 }]);
    assert_eq!(ready["guilds"], guild);
}

pub(super) async fn receive(stage: &mut Stage) {
    let bot = stage.bot().await;
    let before = bot.events().len();
    let id = stage.ada.post(&stage.channel, "Good morning 🌞").await;
    let fields = json!({
        "message": snowflake(&id),
        "channel": snowflake(&stage.channel),
        "author": snowflake(&stage.ada.id),
        "content": "Good morning 🌞",
    });
    let bot = stage.bot().await;
    bot.hears("message", fields).await;
    assert!(before < bot.events().len());
}

/// Posts as ada; the arguments that name the message in the bot's commands.
async fn posted(stage: &Stage, content: &str) -> Value {
    let id = stage.ada.post(&stage.channel, content).await;
    json!({ "channel": snowflake(&stage.channel), "message": snowflake(&id) })
}

/// Lets the bot post; the arguments that name the message in the bot's commands.
async fn sent(stage: &mut Stage, content: &str) -> Value {
    let channel = snowflake(&stage.channel);
    let wanted = json!({ "channel": channel, "content": content });
    let sent = stage.bot().await.ask("send", wanted).await;
    json!({ "channel": channel, "message": sent["message"] })
}

fn with(mut place: Value, key: &str, value: &str) -> Value {
    place[key] = json!(value);
    place
}

async fn seen(stage: &Stage, place: &Value) -> Option<Value> {
    stage.message(&text(place, "/message")).await
}

pub(super) async fn reply(stage: &mut Stage) {
    let question = posted(stage, "What is the news?").await;
    let wanted = with(question.clone(), "content", "None ☺");
    let answer = stage.bot().await.ask("reply", wanted).await;
    let message = seen(stage, &answer).await.expect("the answer is stored");
    assert_eq!(message["content"], "None ☺");
    assert_eq!(message["user_id"], stage.robot.id.as_str());
    let replied = snowflake(&text(&message, "/reply_to"));
    assert_eq!(question["message"], replied);
}

pub(super) async fn edit(stage: &mut Stage) {
    let own = sent(stage, "frist").await;
    let wanted = with(own.clone(), "content", "first");
    stage.bot().await.ask("edit", wanted).await;
    let message = seen(stage, &own).await.expect("it is stored");
    assert_eq!(message["content"], "first");
    assert!(message["edited_at"].is_string(), "{message}");

    let theirs = posted(stage, "seocnd").await;
    let path = format!("/messages/{}", text(&theirs, "/message"));
    let edited = stage.ada.rest.put(&path, json!({ "content": "second" }));
    edited.await.expect(200);
    let fields = json!({ "message": theirs["message"], "content": "second" });
    stage.bot().await.hears("edited", fields).await;
}

pub(super) async fn react(stage: &mut Stage) {
    let theirs = posted(stage, "Who comes?").await;
    let wanted = with(theirs.clone(), "emoji", "👍");
    stage.bot().await.ask("react", wanted).await;
    let message = seen(stage, &theirs).await.expect("it is stored");
    assert_eq!(message["reactions"][0]["emoji"], "👍", "{message}");

    let path = format!("/messages/{}/reactions", text(&theirs, "/message"));
    let given = stage.bob.rest.post(&path, json!({ "emoji": "🎉" })).await;
    assert!(given.status.is_success(), "{}", given.text());
    let fields = json!({
        "message": theirs["message"],
        "emoji": "🎉",
        "user": snowflake(&stage.bob.id),
    });
    stage.bot().await.hears("reaction", fields).await;
}

pub(super) async fn delete(stage: &mut Stage) {
    let own = sent(stage, "a slip").await;
    stage.bot().await.ask("delete", own.clone()).await;
    assert_eq!(seen(stage, &own).await, None);

    let theirs = posted(stage, "another slip").await;
    let path = format!("/messages/{}", text(&theirs, "/message"));
    stage.ada.rest.delete(&path).await.expect(204);
    let fields = json!({ "message": theirs["message"] });
    stage.bot().await.hears("deleted", fields).await;
}

pub(super) async fn file(stage: &mut Stage) {
    let channel = snowflake(&stage.channel);
    let text_of_file = "line one\nline two ☺\n";
    let wanted = json!({ "channel": channel, "name": "notes.txt", "text": text_of_file });
    let sent = stage.bot().await.ask("upload", wanted).await;
    let message = seen(stage, &sent).await.expect("it is stored");
    let attachments = message["attachments"].as_array();
    assert_eq!(attachments.map(Vec::len), Some(1), "{message}");

    let place = json!({ "channel": channel, "message": sent["message"] });
    let fetched = stage.bot().await.ask("download", place).await;
    assert_eq!(fetched["name"], "notes.txt");
    assert_eq!(fetched["text"], text_of_file);
}
