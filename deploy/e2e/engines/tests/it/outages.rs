//! While an engine is away each node says which, does what can be done without it, and says of the
//! rest when to try again.

use std::time::{Duration, Instant};

use guildhall_e2e::person::{nonce, text};
use guildhall_e2e::{Answer, Bot, Person, Rest, Server, Session, eventually, is_long, soon};
use guildhall_engines::OwnEngines;
use hyper::Method;
use hyper::header::RETRY_AFTER;
use serde_json::json;
use tokio::runtime::Runtime;

use crate::{alone, migrate, nodes};

/// The engines as `/readyz` names them.
const NAMES: [&str; 5] = ["postgresql", "kafka", "cql", "s3", "redis"];
/// Longer than a node without PostgreSQL is given, and than anything that it waits for.
const PAUSE: Duration = Duration::from_secs(17);
/// For those who have the time.
const LONG_PAUSE: Duration = Duration::from_secs(35);
/// Between two posts.
const POST_EVERY: Duration = Duration::from_millis(400);
/// No post takes longer, though nobody may know yet that PostgreSQL is away.
const POST_WITHIN: Duration = Duration::from_secs(6);
/// Nothing is refused later: ten seconds for an engine, and what two busy cores take.
const REFUSED_WITHIN: Duration = Duration::from_secs(15);

/// Three nodes, and a guild in which somebody and a bot write.
struct Stage {
    own: OwnEngines,
    nodes: Vec<Server>,
    ada: Person,
    bot: Bot,
    guild: String,
    channel: String,
}

impl Stage {
    async fn set(own: OwnEngines) -> Self {
        let nodes = nodes::start(own.engines(), 1..=3).await;
        nodes::until_placed(&nodes).await;
        let ada = Person::register(&nodes[0], "ada").await;
        let (guild, channel) = ada.found("Tavern").await;
        let bot = ada.make_bot("Echo").await;
        ada.invite_bot(&guild, &bot).await;
        Self {
            own,
            nodes,
            ada,
            bot,
            guild,
            channel,
        }
    }

    /// Both who write, at each node.
    fn writers(&self) -> Vec<Rest> {
        let headers = [
            format!("Bearer {}", self.ada.access),
            format!("Bot {}", self.bot.token),
        ];
        let at = |node: &Server| headers.each_ref().map(|it| node.rest().authorized(it));
        self.nodes.iter().flat_map(at).collect()
    }

    /// A session at each node.
    async fn sessions(&self) -> Vec<Session> {
        let mut sessions = Vec::new();
        for node in &self.nodes {
            let ada = Person {
                rest: node.rest(),
                ..self.ada.clone()
            };
            sessions.push(ada.listen().await);
        }
        sessions
    }

    async fn post(&self, by: &Rest, nonce: &str) -> Answer {
        let path = format!("/channels/{}/messages", self.channel);
        by.post(&path, json!({ "content": nonce, "nonce": nonce }))
            .await
    }

    /// Everybody posts everywhere, and everybody is told everything.
    async fn post_everywhere(&self, sessions: &mut [Session]) {
        let mut last = String::new();
        for by in self.writers() {
            last = text(&self.post(&by, &nonce()).await.expect(201), "/id");
        }
        for session in sessions {
            session.up_to(|told| told.d["id"] == last.as_str()).await;
        }
    }

    /// Posts by turns for some time. Each post is acknowledged soon, and told to all sessions before
    /// this returns.
    async fn post_for(&self, time: Duration, sessions: &mut [Session]) {
        let writers = self.writers();
        let began = Instant::now();
        let mut posted = Vec::new();
        while began.elapsed() < time {
            let by = &writers[posted.len() % writers.len()];
            let asked = Instant::now();
            let answer = self.post(by, &nonce()).await.expect(201);
            let took = asked.elapsed();
            assert!(took < POST_WITHIN, "post {}: {took:?}", posted.len());
            posted.push(text(&answer, "/id"));
            tokio::time::sleep(POST_EVERY.saturating_sub(took)).await;
        }
        assert!(posted.len() > 10, "{} posts prove little", posted.len());
        let last = posted.last().expect("there are some");
        for session in sessions {
            let told = session.up_to(|told| told.d["id"] == last.as_str()).await;
            let told: Vec<&str> = told.iter().filter_map(|it| it.d["id"].as_str()).collect();
            assert_eq!(told, posted);
        }
    }

    /// Waits until each node says that this engine, and no other, is away, or that none is. The
    /// nodes are ready whatever they say.
    async fn until_said(&self, away: Option<&str>) {
        for node in &self.nodes {
            eventually("/readyz says what is away", async || {
                let said = node.operator("/readyz").await.expect(200);
                NAMES.iter().all(|name| {
                    let said = &said["dependencies"][name];
                    let is_away = said["status"] == "degraded";
                    assert!(is_away || said["status"] == "ready", "{name}: {said}");
                    assert_eq!(is_away, said["reason"].as_str().is_some(), "{name}: {said}");
                    is_away == (away == Some(*name))
                })
            })
            .await;
        }
    }

    /// What changes the guild is put off by every node, in both dialects.
    async fn changes_are_put_off(&self) {
        for (n, node) in self.nodes.iter().enumerate() {
            let by = node
                .rest()
                .authorized(format!("Bearer {}", self.ada.access));
            let (method, path, body) = if n == 0 {
                let path = format!("/servers/{}/roles", self.guild);
                (Method::POST, path, json!({"name": "late"}))
            } else {
                let path = "/api/v10/users/@me".to_owned();
                (Method::PATCH, path, json!({"username": "late"}))
            };
            let asked = Instant::now();
            let answer = by.call(method, &path, Some(body)).await;
            put_off(&answer, asked);
        }
    }
}

/// Refuses every answer but "not now" with whole seconds, and one that came late.
fn put_off(answer: &Answer, asked: Instant) {
    assert_eq!(answer.status, 503, "{}", answer.text());
    let seconds = answer.headers[RETRY_AFTER].to_str().unwrap_or_default();
    assert!(seconds.parse::<u32>().is_ok_and(|it| it > 0), "{seconds}");
    assert!(asked.elapsed() < REFUSED_WITHIN, "{:?}", asked.elapsed());
}

#[test]
fn while_an_engine_is_away_nodes_say_which_and_do_what_they_can_without_it() {
    let _alone = alone();
    let Some(own) = OwnEngines::start() else {
        return;
    };
    migrate(own.engines());
    Runtime::new().unwrap().block_on(async {
        let stage = Stage::set(own).await;
        stage.until_said(None).await;
        without_postgresql(&stage).await;
        without_kafka(&stage).await;
        for node in stage.nodes {
            nodes::stop(node).await;
        }
    });
}

/// Posts are acknowledged and delivered, clients come back to their sessions, and nothing moves; what changes
/// a guild has to wait.
async fn without_postgresql(stage: &Stage) {
    let pause = if is_long() { LONG_PAUSE } else { PAUSE };
    let mut sessions = stage.sessions().await;
    stage.post_everywhere(&mut sessions).await;
    let placed = nodes::until_placed(&stage.nodes).await;
    let mut returning = stage.sessions().await;
    stage.own.pause("postgres", true);
    let meanwhile = async {
        stage.until_said(Some("postgresql")).await;
        stage.changes_are_put_off().await;
        for session in &mut returning {
            session.resume().await;
        }
    };
    tokio::join!(stage.post_for(pause, &mut sessions), meanwhile);
    stage.own.pause("postgres", false);
    stage.until_said(None).await;
    // Whoever came back has missed nothing since.
    sessions.extend(returning);
    stage.post_everywhere(&mut sessions).await;
    assert_eq!(nodes::until_placed(&stage.nodes).await, placed);
    let roles = format!("/servers/{}/roles", stage.guild);
    eventually("the guild can be changed", async || {
        let made = stage
            .ada
            .rest
            .post(&roles, json!({"name": "in time"}))
            .await;
        made.status.is_success()
    })
    .await;
}

/// Nothing is acknowledged, and everything that was is there once and told once.
async fn without_kafka(stage: &Stage) {
    let mut sessions = stage.sessions().await;
    stage.post_everywhere(&mut sessions).await;
    let (nonce, writers) = (nonce(), stage.writers());
    stage.own.pause("kafka", true);
    let asked = Instant::now();
    let posting = async { put_off(&stage.post(&writers[0], &nonce).await, asked) };
    tokio::join!(posting, stage.until_said(Some("kafka")));
    stage.own.pause("kafka", false);
    stage.until_said(None).await;
    let id = soon("the post is acknowledged", async {
        loop {
            let again = stage.post(&writers[0], &nonce).await;
            if again.status.is_success() {
                return again.json()["id"].clone();
            }
        }
    })
    .await;
    for session in &mut sessions {
        let told = session.up_to(|told| told.d["id"] == id).await;
        let again = told.iter().filter(|it| it.d["content"] == nonce.as_str());
        assert_eq!(again.count(), 1);
    }
    let page = format!("/channels/{}/messages", stage.channel);
    let page = stage.ada.rest.get(&page).await.expect(200);
    let page = page.as_array().into_iter().flatten();
    assert_eq!(page.filter(|it| it["content"] == nonce.as_str()).count(), 1);
}
