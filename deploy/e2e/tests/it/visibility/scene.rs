//! A guild with everybody who may or may not see something, and a way to tell who heard what.

use std::collections::BTreeMap;

use guildhall_e2e::person::text;
use guildhall_e2e::{Answer, Bot, Payload, Person, Server, Session};
use serde_json::{Value, json};

/// Every intent that there is an event for.
pub(super) const EVERYTHING: u64 =
    1 | 1 << 1 | 1 << 2 | 1 << 6 | 1 << 9 | 1 << 10 | 1 << 12 | 1 << 13 | 1 << 15;
/// GUILDS, GUILD_MESSAGES and DIRECT_MESSAGES, but not MESSAGE_CONTENT.
pub(super) const BLIND: u64 = 1 | 1 << 9 | 1 << 12;
/// DIRECT_MESSAGES alone.
const DEAF: u64 = 1 << 12;

/// One guild. Of its people `ada` owns it, `ivy` is a keeper, `max` is nothing; `sam` is a
/// stranger to it. Of its bots `watcher` asks for everything, `blind` for no content and `deaf`
/// for direct messages alone.
pub(super) struct Scene {
    pub(super) ada: Person,
    pub(super) ivy: Person,
    pub(super) max: Person,
    pub(super) sam: Person,
    pub(super) watcher: Bot,
    pub(super) blind: Bot,
    pub(super) deaf: Bot,
    /// The guild.
    pub(super) guild: String,
    /// Its first channel.
    pub(super) hall: String,
    /// The role of keepers.
    pub(super) keepers: String,
    /// Knows everybody and is in no guild.
    postman: Person,
    ears: BTreeMap<&'static str, (String, Session)>,
    marks: u32,
    _server: Server,
}

impl Scene {
    pub(super) async fn open() -> Self {
        let server = Server::start(&[]).await;
        let mut people = Vec::new();
        for name in ["ada", "ivy", "max", "sam", "postman"] {
            people.push(Person::register(&server, name).await);
        }
        let [ada, ivy, max, sam, postman] = people.try_into().expect("there are five names");
        let (guild, hall) = ada.found("Reading club").await;
        ivy.join(&guild).await;
        max.join(&guild).await;
        let role = json!({ "name": "keepers" });
        let role = ada
            .rest
            .post(&format!("/servers/{guild}/roles"), role)
            .await;
        let keepers = text(&role.expect(201), "/id");
        let roles = format!("/servers/{guild}/members/{}/roles", ivy.id);
        ada.rest
            .put(&roles, json!({ "roles": [keepers] }))
            .await
            .expect(200);
        let mut bots = Vec::new();
        for name in ["watcher", "blind", "deaf"] {
            let bot = ada.make_bot(name).await;
            ada.invite_bot(&guild, &bot).await;
            bots.push(bot);
        }
        let [watcher, blind, deaf] = bots.try_into().expect("there are three names");
        let mut scene = Self {
            ada,
            ivy,
            max,
            sam,
            watcher,
            blind,
            deaf,
            guild,
            hall,
            keepers,
            postman,
            ears: BTreeMap::new(),
            marks: 0,
            _server: server,
        };
        scene.listen().await;
        scene
    }

    async fn listen(&mut self) {
        let people = [
            ("ada", &self.ada),
            ("ivy", &self.ivy),
            ("max", &self.max),
            ("sam", &self.sam),
        ];
        for (name, person) in people {
            let ear = (person.id.clone(), person.listen().await);
            self.ears.insert(name, ear);
        }
        let bots = [
            ("watcher", &self.watcher, EVERYTHING),
            ("blind", &self.blind, BLIND),
            ("deaf", &self.deaf, DEAF),
        ];
        for (name, bot, intents) in bots {
            let ear = (bot.id.clone(), bot.listen(intents).await);
            self.ears.insert(name, ear);
        }
        // The first mark opens the channels of the postman.
        self.heard_by_all().await;
    }

    /// A private channel's overwrites: `@everyone`, whose role has the guild's id, sees nothing.
    pub(super) fn keepers_only(&self) -> Vec<Value> {
        vec![
            json!({ "id": self.guild, "type": "role", "allow": 0, "deny": 1 }),
            json!({ "id": self.keepers, "type": "role", "allow": 1, "deny": 0 }),
        ]
    }

    /// Something was done; exactly these sessions hear exactly these events of it.
    pub(super) async fn act(&mut self, done: Answer, told: &str) -> Value {
        let heard = self.mark_guild().await;
        self.judge(&done, told, heard).await
    }

    /// As [`Self::act`], where the owner hears `event` some time after the answer.
    pub(super) async fn act_after(&mut self, done: Answer, event: &str, told: &str) -> Value {
        let mut heard = self.owner_hears(|payload| payload.name() == event).await;
        heard.extend(self.mark_guild().await);
        self.judge(&done, told, heard).await
    }

    /// As [`Self::act`], where there is no guild any more.
    pub(super) async fn act_last(&mut self, done: Answer, event: &str, told: &str) {
        let heard = self.owner_hears(|payload| payload.name() == event).await;
        self.judge(&done, told, heard).await;
    }

    async fn owner_hears(&mut self, is_last: impl Fn(&Payload) -> bool) -> Vec<Payload> {
        let (_, session) = self.ears.get_mut("ada").expect("ada listens");
        session.up_to(is_last).await
    }

    /// What the owner hears up to a mark in the guild's stream. All that the guild has told others
    /// before is then in their queues, because a guild's events are handed out in their order.
    async fn mark_guild(&mut self) -> Vec<Payload> {
        self.marks += 1;
        let mark = format!("mark {}", self.marks);
        let path = format!("/servers/{}", self.guild);
        let update = json!({ "description": mark });
        self.ada.rest.put(&path, update).await.expect(200);
        self.owner_hears(|payload| payload.d["description"] == mark.as_str())
            .await
    }

    async fn judge(&mut self, done: &Answer, told: &str, early: Vec<Payload>) -> Value {
        assert!(done.status.is_success(), "{told}: {}", done.text());
        let mut heard = self.heard_by_all().await;
        let owner = heard.get_mut("ada").expect("ada listens");
        owner.splice(0..0, names(&early));
        let mut expected: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for part in told.split(';') {
            let (who, events) = part.split_once(':').expect("who: what");
            for name in who.split_whitespace() {
                let events = events.split_whitespace().map(str::to_owned);
                expected.insert(name, events.collect());
            }
        }
        for (name, events) in &mut heard {
            // Every step and every mark is an entry of the guild's audit log, which the owner alone
            // may read.
            let all = events.len();
            events.retain(|event| event != "GUILD_AUDIT_LOG_ENTRY_CREATE");
            assert!(
                all == events.len() || *name == "ada",
                "{name} reads the log"
            );
            let expected = expected.remove(name).unwrap_or_default();
            assert_eq!(*events, expected, "{name}, of {told:?}");
        }
        assert!(expected.is_empty(), "nobody is called {expected:?}");
        done.json()
    }

    /// What each session has heard since the last time, in order and without the marks.
    async fn heard_by_all(&mut self) -> BTreeMap<&'static str, Vec<String>> {
        self.marks += 1;
        let mark = format!("mark {}", self.marks);
        let mut heard = BTreeMap::new();
        for (name, (id, session)) in &mut self.ears {
            let path = direct_path(id);
            let body = json!({ "content": mark });
            self.postman.rest.post(&path, body).await.expect(201);
            let all = session
                .up_to(|payload| payload.d["content"] == mark.as_str())
                .await;
            heard.insert(*name, names(&all));
        }
        heard
    }
}

/// Where direct messages to somebody are posted.
pub(super) fn direct_path(user: &str) -> String {
    format!("/dm/{user}/messages")
}

fn names(heard: &[Payload]) -> Vec<String> {
    let is_mark = |payload: &&Payload| {
        let mark = match payload.name() {
            "MESSAGE_CREATE" => &payload.d["content"],
            "GUILD_UPDATE" => &payload.d["description"],
            _ => return false,
        };
        mark.as_str().is_some_and(|mark| mark.starts_with("mark "))
    };
    let kept = heard.iter().filter(|payload| !is_mark(payload));
    kept.map(|payload| payload.name().to_owned()).collect()
}
