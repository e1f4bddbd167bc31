//! A seeded workload, one step after the other, and what the sessions of its people are told.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use guildhall_e2e::person::text;
use guildhall_e2e::{Link, Payload, Person, Rest, Server, Session};
use hyper::Method;
use serde_json::{Value, json};

use super::shape::Shapes;

/// Steps of a workload.
const STEPS: usize = 150;
/// GUILDS, GUILD_MESSAGES, GUILD_MESSAGE_REACTIONS and MESSAGE_CONTENT.
const BOT_INTENTS: u64 = 1 | 1 << 9 | 1 << 10 | 1 << 15;
/// The bit of VIEW_CHANNEL.
const VIEW: u64 = 1 << 10;

/// What one session was told, by guild: the order between guilds is nobody's promise.
pub(super) type Told = BTreeMap<String, Vec<String>>;

/// A guild as its people know it.
struct Place {
    guild: String,
    channels: Vec<String>,
    roles: Vec<String>,
    messages: Vec<(String, String)>,
}

/// The people, where they are, and what they have made.
struct Town<'a> {
    nodes: &'a [Server],
    people: Vec<Person>,
    /// Which node is asked: drawn apart, so that the steps are the same on any number of nodes.
    where_to: fastrand::Rng,
    places: Vec<Place>,
}

/// One session and what it has heard.
struct Ear {
    session: Session,
    query: &'static str,
    heard: Vec<Payload>,
}

/// Plays a workload on these nodes; what every session was told.
pub(super) async fn on(nodes: &[Server], seed: u64) -> Vec<Told> {
    let mut town = Town::found(nodes, seed).await;
    let mut ears = ears(&town, &unused("listener", seed)).await;
    let mut random = fastrand::Rng::with_seed(seed);
    for step in 0..STEPS {
        if random.u8(..10) == 0 {
            let n = random.usize(..ears.len());
            let at = town.node();
            ears[n].come_back(at).await;
        } else {
            town.step(&mut random, step).await;
        }
    }
    for place in 0..town.places.len() {
        town.end(place).await;
    }
    let mut told = Vec::new();
    for ear in &mut ears {
        ear.until_the_end(town.places.len()).await;
        told.push(ear.told(&town));
    }
    told
}

/// A name that the engines do not know from former runs.
fn unused(name: &str, seed: u64) -> String {
    format!("{name}{}s{seed}", std::process::id())
}

async fn ears(town: &Town<'_>, bot: &str) -> Vec<Ear> {
    let mut ears = Vec::new();
    for (n, person) in town.people.iter().enumerate() {
        let query = "v=10&encoding=json&dialect=native";
        let link = Link::open(town.nodes[n % town.nodes.len()].address(), query).await;
        ears.push(Ear {
            session: Session::identify(link, &person.access, None).await,
            query,
            heard: Vec::new(),
        });
    }
    let bot = town.people[0].make_bot(bot).await;
    for place in &town.places {
        town.people[0].invite_bot(&place.guild, &bot).await;
    }
    let query = "v=10&encoding=json";
    let link = Link::open(town.nodes[0].address(), query).await;
    ears.push(Ear {
        session: Session::identify(link, &bot.token, Some(BOT_INTENTS)).await,
        query,
        heard: Vec::new(),
    });
    ears
}

impl<'a> Town<'a> {
    /// Three people in two guilds of the first.
    async fn found(nodes: &'a [Server], seed: u64) -> Self {
        let mut people = Vec::new();
        for name in ["ada", "bob", "cy"] {
            people.push(Person::register(&nodes[0], &unused(name, seed)).await);
        }
        let mut places = Vec::new();
        for name in ["Songs", "Games"] {
            let (guild, channel) = people[0].found(name).await;
            people[1].join(&guild).await;
            people[2].join(&guild).await;
            places.push(Place {
                guild,
                channels: vec![channel],
                roles: Vec::new(),
                messages: Vec::new(),
            });
        }
        Self {
            nodes,
            people,
            where_to: fastrand::Rng::with_seed(!seed),
            places,
        }
    }

    fn node(&mut self) -> SocketAddr {
        self.nodes[self.where_to.usize(..self.nodes.len())].address()
    }

    /// Has somebody ask some node for something in Discord's dialect.
    async fn ask(&mut self, who: usize, method: Method, path: &str, body: Option<Value>) -> Value {
        let person = &self.people[who];
        let header = format!("Bearer {}", person.access);
        let rest = Rest::new(self.node()).authorized(header);
        let answer = rest.call(method, &format!("/api/v10{path}"), body).await;
        let status = answer.status.as_u16();
        // Who sees a channel no more, or looks for what is gone, is refused on any number of nodes.
        assert!(status < 429, "{}", answer.text());
        if answer.status.is_success() && !answer.body.is_empty() {
            answer.json()
        } else {
            Value::Null
        }
    }

    async fn step(&mut self, random: &mut fastrand::Rng, step: usize) {
        let place = random.usize(..self.places.len());
        let who = random.usize(..self.people.len());
        match random.u8(..12) {
            0..5 => self.post(place, who, random, step).await,
            5 | 6 => self.touch(place, who, random).await,
            7 | 8 => self.show(place, random).await,
            9 => self.role(place, random, step).await,
            10 => self.channel(place, random, step).await,
            _ => self.member(place, random, step).await,
        }
    }

    async fn post(&mut self, place: usize, who: usize, random: &mut fastrand::Rng, step: usize) {
        let channel = chosen(&self.places[place].channels, random);
        let path = format!("/channels/{channel}/messages");
        let body = json!({ "content": format!("post {step}"), "nonce": format!("step {step}") });
        let posted = self.ask(who, Method::POST, &path, Some(body)).await;
        if let Some(id) = posted["id"].as_str() {
            self.places[place].messages.push((channel, id.to_owned()));
        }
    }

    /// A message is edited, taken back, or gets a reaction.
    async fn touch(&mut self, place: usize, who: usize, random: &mut fastrand::Rng) {
        let what = random.u8(..3);
        let messages = &self.places[place].messages;
        if messages.is_empty() {
            return;
        }
        let (channel, message) = messages[random.usize(..messages.len())].clone();
        let path = format!("/channels/{channel}/messages/{message}");
        match what {
            0 => {
                let body = json!({ "content": "edited" });
                self.ask(who, Method::PATCH, &path, Some(body)).await;
            }
            1 => drop(self.ask(0, Method::DELETE, &path, None).await),
            _ => {
                let path = format!("{path}/reactions/%F0%9F%91%8D/@me");
                self.ask(who, Method::PUT, &path, None).await;
            }
        }
    }

    /// A channel is shown to somebody, or to everybody, or hidden.
    async fn show(&mut self, place: usize, random: &mut fastrand::Rng) {
        let channel = chosen(&self.places[place].channels, random);
        let (shown, whom) = (random.bool(), random.usize(..3));
        let (allow, deny) = if shown { (VIEW, 0) } else { (0, VIEW) };
        let (target, kind) = match whom {
            0 => (self.places[place].guild.clone(), 0),
            _ => (self.people[whom].id.clone(), 1),
        };
        let path = format!("/channels/{channel}/permissions/{target}");
        let body = json!({ "type": kind, "allow": allow.to_string(), "deny": deny.to_string() });
        self.ask(0, Method::PUT, &path, Some(body)).await;
    }

    /// A role is made, or given to somebody, or taken.
    async fn role(&mut self, place: usize, random: &mut fastrand::Rng, step: usize) {
        let (what, whom) = (random.u8(..3), random.usize(1..3));
        let guild = self.places[place].guild.clone();
        if what == 0 || self.places[place].roles.is_empty() {
            let path = format!("/guilds/{guild}/roles");
            let body = json!({ "name": format!("role {step}"), "permissions": VIEW.to_string() });
            let made = self.ask(0, Method::POST, &path, Some(body)).await;
            self.places[place].roles.push(text(&made, "/id"));
            return;
        }
        let role = chosen(&self.places[place].roles, random);
        let user = &self.people[whom].id;
        let path = format!("/guilds/{guild}/members/{user}/roles/{role}");
        let method = if what == 1 {
            Method::PUT
        } else {
            Method::DELETE
        };
        self.ask(0, method, &path, None).await;
    }

    /// A channel is made, or one that was made ends.
    async fn channel(&mut self, place: usize, random: &mut fastrand::Rng, step: usize) {
        let ends = random.bool();
        let guild = self.places[place].guild.clone();
        if ends && self.places[place].channels.len() > 1 {
            let channel = self.places[place].channels.pop().unwrap_or_default();
            let path = format!("/channels/{channel}");
            self.ask(0, Method::DELETE, &path, None).await;
            return;
        }
        let path = format!("/guilds/{guild}/channels");
        let body = json!({ "name": format!("channel-{step}"), "type": 0 });
        let made = self.ask(0, Method::POST, &path, Some(body)).await;
        self.places[place].channels.push(text(&made, "/id"));
    }

    /// Somebody gets another nickname, or leaves and comes back.
    async fn member(&mut self, place: usize, random: &mut fastrand::Rng, step: usize) {
        let (leaves, whom) = (random.bool(), random.usize(1..3));
        let guild = self.places[place].guild.clone();
        if !leaves {
            let path = format!("/guilds/{guild}/members/{}", self.people[whom].id);
            let body = json!({ "nick": format!("nick {step}") });
            self.ask(0, Method::PATCH, &path, Some(body)).await;
            return;
        }
        let path = format!("/users/@me/guilds/{guild}");
        self.ask(whom, Method::DELETE, &path, None).await;
        let header = format!("Bearer {}", self.people[whom].access);
        let rest = Rest::new(self.node()).authorized(header);
        let path = format!("/servers/{guild}/join");
        let joined = rest.post(&path, json!({})).await;
        assert!(joined.status.is_success(), "{}", joined.text());
    }

    /// A channel that everybody sees, and the last message in it.
    async fn end(&mut self, place: usize) {
        let path = format!("/guilds/{}/channels", self.places[place].guild);
        let body = json!({ "name": "the-end", "type": 0 });
        let made = self.ask(0, Method::POST, &path, Some(body)).await;
        let path = format!("/channels/{}/messages", text(&made, "/id"));
        let body = json!({ "content": "the end" });
        self.ask(0, Method::POST, &path, Some(body)).await;
    }
}

fn chosen(of: &[String], random: &mut fastrand::Rng) -> String {
    of[random.usize(..of.len())].clone()
}

impl Ear {
    /// Comes back with what it has heard, at this node.
    async fn come_back(&mut self, at: SocketAddr) {
        self.session.link.hang_up().await;
        self.session.link = Link::open(at, self.query).await;
        self.session.link.op(10).await;
        let (token, id) = (self.session.token.clone(), self.session.id.clone());
        let seq = self.session.s;
        self.session.link.resume(&token, &id, seq).await;
        loop {
            let payload = self.session.dispatch().await;
            if payload.name() == "RESUMED" {
                return;
            }
            self.heard.push(payload);
        }
    }

    /// Hears until everything has ended that it is to hear of.
    async fn until_the_end(&mut self, count: usize) {
        let is_end = |payload: &Payload| payload.d["content"] == "the end";
        while self.heard.iter().filter(|it| is_end(it)).count() < count {
            let payload = self.session.dispatch().await;
            self.heard.push(payload);
        }
    }

    /// What it was told of each guild.
    fn told(&self, town: &Town<'_>) -> Told {
        let mut told = Told::new();
        let mut shapes: BTreeMap<String, Shapes> = BTreeMap::new();
        for payload in &self.heard {
            let guild = self.guild_of(payload, town);
            let shape = shapes.entry(guild.clone()).or_default();
            let shape = shape.of(payload.name(), &payload.d);
            told.entry(guild).or_default().push(shape);
        }
        told
    }

    /// The number of the guild that a dispatch is about, by the ids in it.
    fn guild_of(&self, payload: &Payload, town: &Town<'_>) -> String {
        let said = payload.d.to_string();
        let spellings = self
            .session
            .guilds
            .iter()
            .map(|guild| text(&guild.d, "/id"));
        let mut known: Vec<String> = spellings.collect();
        known.sort_unstable();
        debug_assert_eq!(known.len(), town.places.len());
        let found = known.iter().position(|id| said.contains(id));
        found.map_or_else(|| "none".to_owned(), |n| format!("guild {n}"))
    }
}
