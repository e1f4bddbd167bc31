//! The world: nodes, clients and actors in one thread and one time, and the blows that hit them.

use guildhall_model::SessionPartition as Number;

use super::actors::{Actor, Role};
use super::client::Client;
use super::env::{Env, Happening, MS, SECOND, Time, ToNode, Wake};
use super::node::{Node, TICK, project};
use super::scenario::{Faults, Scenario};
use super::store::Slice;
use super::town::{self, Town, user_id};
use crate::history::{Entry, Page, Stored, tag_of};

/// How often somebody looks whether partitions have an owner.
const COORDINATE: Time = SECOND / 2;
/// Time to calm down at the beginning.
const CALM: Time = 2 * SECOND;
/// Until then everybody has a session.
const CALM_MAX: Time = 60 * SECOND;
/// Time for everything to arrive once the world has healed.
const HEALING: Time = 120 * SECOND;
/// Time for all jobs of a run that has a number of them.
const JOBS_MAX: Time = 3_600 * SECOND;
/// How long everything must have arrived before the run ends.
const QUIET: Time = 6 * SECOND;

/// Everything that is simulated.
pub(super) struct World {
    pub(super) env: Env,
    pub(super) nodes: Vec<Node>,
    pub(super) clients: Vec<Client>,
    pub(super) actors: Vec<Actor>,
    towns: Vec<Town>,
    goes_on: bool,
}

impl World {
    pub(super) fn new(seed: u64, scenario: Scenario) -> Self {
        let mut env = Env::new(seed, scenario);
        let towns = town::found(&mut env);
        let roles: Vec<Role> = if scenario.jobs.is_some() {
            vec![Role::Everybody]
        } else {
            let posters = (0..scenario.users).map(|user| Role::Poster(user_id(user)));
            let secretaries = (0..scenario.guilds).map(Role::Secretary);
            posters.chain(secretaries).collect()
        };
        let actors = roles.into_iter().enumerate();
        Self {
            nodes: (0..scenario.nodes).map(|n| Node::new(n, 0)).collect(),
            clients: (0..scenario.clients).map(Client::new).collect(),
            actors: actors.map(|(n, role)| Actor::new(n, role, seed)).collect(),
            towns,
            goes_on: false,
            env,
        }
    }

    /// Runs to the end.
    pub(super) fn run(&mut self) {
        let faults = std::mem::take(&mut self.env.faults);
        for node in 0..self.nodes.len() {
            self.env.after(0, Happening::Wake(Wake::Tick(node)));
        }
        self.env.after(0, Happening::Wake(Wake::Coordinator));
        for client in 0..self.clients.len() {
            let at = 200 * MS + 20 * MS * client as u64;
            self.env.after(at, Happening::Wake(Wake::Client(client)));
        }
        self.until(CALM);
        while self.env.now < CALM_MAX && !self.clients.iter().all(Client::is_settled) {
            self.until(self.env.now + SECOND / 10);
        }
        self.env.faults = faults;
        self.goes_on = true;
        for actor in 0..self.actors.len() {
            self.env.after(0, Happening::Wake(Wake::Actor(actor)));
        }
        self.env.after(0, Happening::Wake(Wake::Trouble));
        self.storm();
        self.goes_on = false;
        if self.env.scenario.heals {
            self.heal();
        }
        self.end();
    }

    /// Things go wrong for so long, or until all jobs are done.
    fn storm(&mut self) {
        let Some(jobs) = self.env.scenario.jobs else {
            return self.until(self.env.now + self.env.scenario.storm);
        };
        let deadline = self.env.now + JOBS_MAX;
        while self.actors.iter().any(|actor| actor.done < jobs) {
            if deadline < self.env.now {
                self.env
                    .broken
                    .push("liveness: the jobs are never done".to_owned());
                return;
            }
            self.until(self.env.now + 10 * MS);
        }
    }

    fn until(&mut self, until: Time) {
        while let Some(what) = self.env.next(until) {
            self.happen(what);
        }
        self.env.now = until;
    }

    fn happen(&mut self, what: Happening) {
        let env = &mut self.env;
        match what {
            Happening::Apply(append) => env.apply(&append),
            Happening::Commit(commit) => env.apply_commit(&commit),
            Happening::Directory(question) => env.apply_question(&question),
            Happening::Node(number, life, what) => {
                let node = &mut self.nodes[number];
                if node.paused_until > env.now {
                    let rest = node.paused_until - env.now;
                    env.after(rest, Happening::Node(number, life, what));
                } else if node.is_alive && (node.life == life || life == u32::MAX) {
                    node.take(env, what);
                }
            }
            Happening::Client(number, conn, packet) => {
                self.clients[number].take(env, conn, packet);
            }
            Happening::Answer(actor, call, response) => {
                self.actors[actor].answered(env, call, &response, &mut self.towns);
            }
            Happening::Wake(wake) => self.wake(wake),
        }
    }

    fn wake(&mut self, wake: Wake) {
        let env = &mut self.env;
        match wake {
            Wake::Actor(number) => {
                self.actors[number].wake(env, &self.nodes, &self.towns, self.goes_on);
            }
            Wake::Client(number) => self.clients[number].wake(env, &self.nodes),
            Wake::Tick(number) => {
                let node = &mut self.nodes[number];
                if node.is_alive && node.paused_until <= env.now {
                    node.tick(env);
                }
                env.after(TICK, Happening::Wake(Wake::Tick(number)));
            }
            Wake::Coordinator => self.coordinate(),
            Wake::Trouble => self.trouble(),
            Wake::Restart(number) => {
                let node = &mut self.nodes[number];
                *node = Node::new(number, node.life);
                env.tally.fault("restart");
            }
        }
    }

    fn slices(&self) -> Vec<Slice> {
        let scenario = &self.env.scenario;
        let events = (0..scenario.event_partitions).map(Slice::Event);
        events
            .chain((0..scenario.session_partitions).map(Slice::Session))
            .collect()
    }

    fn is_fit(&self, node: usize) -> bool {
        self.nodes[node].is_alive && self.nodes[node].paused_until <= self.env.now
    }

    /// Gives partitions without a working owner to nodes that work, several at once.
    fn coordinate(&mut self) {
        let orphaned = |slice: &Slice| {
            let owner = self.env.directory.owner(*slice).map(|(node, _)| node);
            let owner = owner.filter(|&node| node < self.nodes.len());
            // An owner that does not answer is replaced only where that may happen.
            owner.is_none_or(|node| {
                let is_silent = !self.nodes[node].is_alive
                    || self.env.scenario.faults.zombies && !self.is_fit(node);
                is_silent || !self.nodes[node].has(*slice)
            })
        };
        let orphans: Vec<Slice> = self.slices().into_iter().filter(orphaned).collect();
        let fit: Vec<usize> = (0..self.nodes.len()).filter(|&n| self.is_fit(n)).collect();
        for slices in orphans.chunks(2) {
            let is_taken =
                |slice: &&Slice| !fit.iter().any(|&node| self.nodes[node].is_taking(**slice));
            let slices: Vec<Slice> = slices.iter().filter(is_taken).copied().collect();
            if let Some(node) = self.env.rng.choice(&fit).filter(|_| !slices.is_empty()) {
                let life = self.nodes[*node].life;
                let order = self.order(&slices);
                self.env.send(*node, life, order);
            }
        }
        self.env
            .after(COORDINATE, Happening::Wake(Wake::Coordinator));
    }

    /// An order that comes late finds another epoch, and is void.
    fn order(&self, slices: &[Slice]) -> ToNode {
        let from = |slice: &Slice| (*slice, self.env.directory.epoch(*slice));
        ToNode::TakeOver(slices.iter().map(from).collect())
    }

    /// Hits somebody.
    fn trouble(&mut self) {
        let Faults {
            blow_ms, zombies, ..
        } = self.env.faults;
        if blow_ms == 0 {
            return;
        }
        let node = self.env.rng.usize(0..self.nodes.len());
        match self.env.rng.u8(0..12) {
            0..=1 => self.kill(node),
            2..=3 if zombies => {
                let pause = self.env.rng.u64(SECOND / 2..9 * SECOND);
                self.nodes[node].paused_until = self.env.now + pause;
                self.env.tally.fault("pause");
            }
            4..=5 if zombies => {
                let slices = self.slices();
                let slice = *self.env.rng.choice(&slices).expect("there are partitions");
                let life = self.nodes[node].life;
                let order = self.order(&[slice]);
                self.env.send(node, life, order);
                self.env.tally.fault("needless takeover");
            }
            6 => {
                self.nodes[node].skew_ms = self.env.rng.i64(-3_000..3_000);
                self.env.tally.fault("clock step");
            }
            7 => {
                let client = self.env.rng.usize(0..self.clients.len());
                let slowness = self.env.rng.choice([MS / 2, MS / 2, 6 * SECOND]);
                self.clients[client].slowness = slowness.unwrap_or(MS);
                self.env.tally.fault("change of speed");
            }
            _ => {
                let client = self.env.rng.usize(0..self.clients.len());
                if zombies && self.env.rng.u8(0..4) == 0 {
                    self.clients[client].forget(&mut self.env);
                    self.env.tally.fault("forgotten session");
                }
                self.clients[client].cut(&mut self.env);
                self.env.tally.fault("cut connection");
            }
        }
        let pause = self.env.rng.u64(blow_ms / 2..blow_ms * 2) * MS;
        self.env.after(pause, Happening::Wake(Wake::Trouble));
    }

    /// kill -9: all that was in memory is gone, what is on its way stays on its way.
    fn kill(&mut self, number: usize) {
        let node = &mut self.nodes[number];
        if !node.is_alive {
            return;
        }
        let life = node.life + 1;
        *node = Node::new(number, life);
        node.is_alive = false;
        self.env.tally.fault("kill");
        for client in &mut self.clients {
            if client.node.is_some_and(|(at, _)| at == number) {
                client.cut(&mut self.env);
            }
        }
        let pause = self.env.rng.u64(SECOND / 2..6 * SECOND);
        self.env
            .after(pause, Happening::Wake(Wake::Restart(number)));
    }

    /// Nothing goes wrong any more, and everything must arrive.
    fn heal(&mut self) {
        self.env.faults = Faults::default();
        for node in &mut self.nodes {
            node.paused_until = node.paused_until.min(self.env.now);
        }
        for client in &mut self.clients {
            client.slowness = MS / 2;
        }
        let end = self.env.now + HEALING;
        let mut quiet_since = None;
        while self.env.now < end {
            self.until(self.env.now + SECOND / 2);
            if let Some(what) = self.unfinished() {
                quiet_since = None;
                if self.env.now >= end {
                    self.env.broken.push(format!("liveness: {what}"));
                }
            } else if *quiet_since.get_or_insert(self.env.now) + QUIET <= self.env.now {
                return;
            }
        }
    }

    /// What has not arrived yet.
    fn unfinished(&self) -> Option<String> {
        if let Some(actor) = self.actors.iter().position(|actor| !actor.is_idle()) {
            return Some(format!("actor {actor} has no answer"));
        }
        for (number, client) in self.clients.iter().enumerate() {
            if !client.is_settled() {
                return Some(format!("client {number} has no session"));
            }
            let name = client.session()?;
            let owner = self.env.directory.owner(Slice::Session(name.partition))?.0;
            let due = self.nodes[owner].numbered(Number(name.partition), name.slot);
            if due.map(u64::from) != Some(client.seq()) {
                return Some(format!("client {number} is at {} of {due:?}", client.seq()));
            }
        }
        None
    }

    /// Ends all sessions, and reads what is stored.
    fn end(&mut self) {
        let heals = self.env.scenario.heals;
        for client in &self.clients {
            client.end(&mut self.env, heals);
        }
        // The projection finishes what is missing.
        for number in 0..self.env.scenario.event_partitions {
            project(&mut self.env, number);
        }
        {
            for channel in self.towns.iter().flat_map(|town| town.channels) {
                let stored = self.env.store.messages.page(channel);
                let messages = stored.map(|message| Stored {
                    id: message.id.to_string().into(),
                    tag: tag_of(&message.content).map(|tag| tag.to_owned().into()),
                });
                let page = Page {
                    channel: channel.to_string().into(),
                    messages: messages.collect(),
                };
                self.env.tape.record(self.env.now, Entry::Page(page));
                let channel = channel.to_string().into();
                self.env
                    .tape
                    .record(self.env.now, Entry::PagesEnd { channel });
            }
        }
        self.env.tally.time = self.env.now;
    }
}
