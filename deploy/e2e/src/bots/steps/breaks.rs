//! Steps in which a connection or the server breaks. People go on to post numbered messages; the
//! bot must hear each once and in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinHandle;

use super::not_built;
use crate::bots::record::{Frame, Mark, Side};
use crate::bots::stage::{Stage, snowflake};
use crate::person::{Person, nonce};
use crate::{eventually, soon};

/// Messages of a series on each side of the break.
const MESSAGES: usize = 20;
/// Between two messages of a series.
const PAUSE: Duration = Duration::from_millis(10);
/// Calls that some limit must have refused by then.
const CALLS_MAX: usize = 200;
/// Between two attempts to post to a server that is gone.
const RETRY: Duration = Duration::from_millis(50);
/// The longest that a library may wait before it tries to connect again.
const RECONNECT_PATIENCE: Duration = Duration::from_mins(2);

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

/// Numbered messages that are posted all the while something breaks.
struct Series {
    name: &'static str,
    began: Mark,
    is_mended: Arc<AtomicBool>,
    posting: JoinHandle<usize>,
}

impl Series {
    /// Begins to post, and is back when the bot hears it.
    async fn begin(stage: &mut Stage, name: &'static str) -> Self {
        stage.bot().await;
        let is_mended = Arc::new(AtomicBool::new(false));
        let (person, channel, is_over) = (
            stage.ada.clone(),
            stage.channel.clone(),
            Arc::clone(&is_mended),
        );
        let series = Self {
            name,
            began: stage.proxy.record().mark(),
            is_mended,
            posting: tokio::spawn(async move {
                let (mut number, mut left) = (0, MESSAGES);
                while 0 < left {
                    insist(person.clone(), channel.clone(), format!("{name} {number}")).await;
                    number += 1;
                    left -= usize::from(is_over.load(Ordering::Relaxed));
                    tokio::time::sleep(PAUSE).await;
                }
                number
            }),
        };
        let third = json!({ "content": format!("{name} 3") });
        stage.bot().await.hears("message", third).await;
        series
    }

    /// The bot resumes, and has heard everything once and in order.
    async fn was_heard(self, stage: &mut Stage) {
        self.is_mended.store(true, Ordering::Relaxed);
        let count = self.posting.await.expect("all is posted");
        let record = stage.proxy.record().clone();
        let resumed = record.until(self.began, 1, says_resumed);
        let resumed = tokio::time::timeout(RECONNECT_PATIENCE, resumed).await;
        let frames = record.frames_since(self.began);
        let asked = |op| {
            frames
                .iter()
                .any(|f| f.from == Side::Bot && f.payload.op == op)
        };
        assert!(asked(6), "the bot never sent RESUME");
        assert!(resumed.is_ok(), "RESUME was not answered by RESUMED");
        let bot = stage.bot().await;
        let last = json!({ "content": format!("{} {}", self.name, count - 1) });
        bot.hears("message", last).await;
        let mut expected: Vec<String> = (0..count).map(|n| format!("{} {n}", self.name)).collect();
        if stage.library.is_parallel {
            eventually("the bot reports every message", || async {
                expected.len() <= stage.contents(self.name).len()
            })
            .await;
            expected.sort_unstable();
        }
        assert_eq!(stage.contents(self.name), expected);
        assert!(!asked(2), "the bot sent IDENTIFY");
    }
}

pub(super) async fn cut(stage: &mut Stage) {
    let series = Series::begin(stage, "cut").await;
    stage.proxy.cut();
    series.was_heard(stage).await;
}

pub(super) async fn reconnect(stage: &mut Stage) {
    let series = Series::begin(stage, "op7").await;
    let record = stage.proxy.record().clone();
    // A server that is told to stop sends everybody away first.
    stage.server.terminate();
    let told = record.until(series.began, 1, |frame| {
        frame.from == Side::Server && frame.payload.op == 7
    });
    soon("op 7", told).await;
    stage.server.ended().await;
    stage.server.restart().await;
    series.was_heard(stage).await;
}

pub(super) async fn kill(stage: &mut Stage) {
    let series = Series::begin(stage, "kill").await;
    stage.server.kill().await;
    stage.server.restart().await;
    series.was_heard(stage).await;
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
