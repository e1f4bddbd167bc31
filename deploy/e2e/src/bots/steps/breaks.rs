//! Steps in which a connection or the server breaks. People go on to post numbered messages; the
//! bot must hear each once and in order.

use serde_json::json;
use std::time::Duration;

use super::not_built;
use crate::bots::record::{Frame, Mark, Side};
use crate::bots::stage::{Stage, snowflake};
use crate::person::{Person, nonce};
use crate::soon;

/// Messages of one series.
const SERIES: usize = 40;
/// Calls that some limit must have refused by then.
const CALLS_MAX: usize = 200;
/// Between two attempts to post to a server that is gone.
const RETRY: Duration = Duration::from_millis(50);
/// The longest that a library may wait before it tries to connect again.
const RECONNECT_PATIENCE: Duration = Duration::from_mins(2);

fn resumes(frame: &Frame) -> bool {
    frame.from == Side::Bot && frame.payload.op == 6
}

fn says_resumed(frame: &Frame) -> bool {
    frame.from == Side::Server && frame.payload.name() == "RESUMED"
}

/// Posts until the server acknowledges, however often it takes: the nonce makes it one message.
async fn insist(person: Person, channel: String, content: String) {
    let body = json!({ "content": content, "nonce": nonce() }).to_string();
    let path = format!("/channels/{channel}/messages");
    let posted = async {
        loop {
            let method = hyper::Method::POST;
            let sent = person
                .rest
                .try_send(method, &path, Some("application/json"), body.clone());
            match sent.await {
                Ok(answer) if answer.status.is_success() => return,
                _ => tokio::time::sleep(RETRY).await,
            }
        }
    };
    soon("a message is acknowledged", posted).await;
}

/// Posts a series, and is back when all of it is acknowledged.
fn post_series(stage: &Stage, name: &str) -> tokio::task::JoinHandle<()> {
    let (person, channel, name) = (stage.ada.clone(), stage.channel.clone(), name.to_owned());
    tokio::spawn(async move {
        for number in 0..SERIES {
            insist(person.clone(), channel.clone(), format!("{name} {number}")).await;
        }
    })
}

/// The bot has heard the whole series once and in order, over a session that went on.
async fn series_was_heard(stage: &mut Stage, name: &str, mark: Mark) {
    let record = stage.proxy.record().clone();
    let resumed = record.until(mark, 1, says_resumed);
    let resumed = tokio::time::timeout(RECONNECT_PATIENCE, resumed).await;
    let has_asked = record.frames_since(mark).iter().any(resumes);
    assert!(has_asked, "the bot never sent RESUME");
    assert!(resumed.is_ok(), "RESUME was not answered by RESUMED");
    let bot = stage.bot().await;
    let last = json!({ "content": format!("{name} {}", SERIES - 1) });
    bot.hears("message", last).await;
    let expected: Vec<String> = (0..SERIES).map(|n| format!("{name} {n}")).collect();
    assert_eq!(bot.contents(name), expected);
    let began_anew = record
        .frames_since(mark)
        .iter()
        .any(|frame| frame.from == Side::Bot && frame.payload.op == 2);
    assert!(!began_anew, "the bot sent IDENTIFY");
}

pub(super) async fn cut(stage: &mut Stage) {
    stage.bot().await;
    let mark = stage.proxy.record().mark();
    let posted = post_series(stage, "cut");
    let bot = stage.bot().await;
    bot.hears("message", json!({ "content": "cut 3" })).await;
    stage.proxy.cut();
    posted.await.expect("all is posted");
    series_was_heard(stage, "cut", mark).await;
}

pub(super) async fn reconnect(stage: &mut Stage) {
    stage.bot().await;
    let record = stage.proxy.record().clone();
    let mark = record.mark();
    let posted = post_series(stage, "op7");
    let bot = stage.bot().await;
    bot.hears("message", json!({ "content": "op7 3" })).await;
    // A server that is told to stop sends everybody away first.
    stage.server.terminate();
    let told = record.until(mark, 1, |f| f.from == Side::Server && f.payload.op == 7);
    soon("op 7", told).await;
    stage.server.ended().await;
    stage.server.restart().await;
    posted.await.expect("all is posted");
    series_was_heard(stage, "op7", mark).await;
}

pub(super) async fn kill(stage: &mut Stage) {
    stage.bot().await;
    let mark = stage.proxy.record().mark();
    let posted = post_series(stage, "kill");
    let bot = stage.bot().await;
    bot.hears("message", json!({ "content": "kill 3" })).await;
    stage.server.kill().await;
    stage.server.restart().await;
    posted.await.expect("all is posted");
    series_was_heard(stage, "kill", mark).await;
}

pub(super) async fn too_many(stage: &mut Stage) {
    stage.bot().await;
    let channel = snowflake(&stage.channel);
    let path = format!("/api/v10/channels/{channel}/messages");
    let mut is_refused = false;
    // Somebody else with the bot's token uses up what it may do, so that the library cannot know.
    for _ in 0..CALLS_MAX {
        let answer = stage
            .robot
            .rest
            .post(&path, json!({ "content": "busy" }))
            .await;
        match answer.status.as_u16() {
            429 => {
                is_refused = true;
                break;
            }
            200 => (),
            404 => not_built("no `POST /channels/{channel_id}/messages`"),
            status => panic!("{status}: {}", answer.text()),
        }
    }
    if !is_refused {
        not_built("no limit refuses a bot");
    }
    let mark = stage.proxy.record().mark();
    for number in 0..3 {
        let wanted = json!({ "channel": channel, "content": format!("patience {number}") });
        stage.bot().await.ask("send", wanted).await;
    }
    let calls = stage.proxy.record().exchanges_since(mark);
    let refused = calls.iter().filter(|call| call.status == 429).count();
    assert!(0 < refused, "the bot was never refused");
    assert!(
        refused < 10,
        "the bot was refused {refused} times: it does not wait"
    );
    let last = json!({ "content": "patience 2" });
    let bot = stage.bot().await;
    bot.hears("message", last).await;
    let expected = ["patience 0", "patience 1", "patience 2"];
    assert_eq!(bot.contents("patience"), expected);
}
