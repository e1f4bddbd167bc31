//! Nodes that are killed at random moments, over and over, on a frames log that refuses at random
//! moments: nothing is lost, nothing comes twice.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use guildhall_host::Written;
use guildhall_host::node::ResumeError;
use guildhall_host::session::Drained;
use guildhall_model::MessageId;
use guildhall_model::event::{Event, Record};
use guildhall_ports::Failure;
use guildhall_ports::fake::Fate;

use crate::client::Client;
use crate::house::{House, Serving};
use crate::town::{Town, new_role, post};

/// How many lives the house has, each with other moments of death.
const SEEDS: u64 = 32;
const KILLS: usize = 4;

type Acknowledged = Arc<Mutex<BTreeMap<String, MessageId>>>;

/// What happens between two kills.
struct Life<'a> {
    house: &'a House,
    town: &'a Town,
    serving: &'a Serving,
    clients: &'a mut [Client],
    random: &'a mut fastrand::Rng,
    asked: &'a mut Vec<(String, usize)>,
    acknowledged: &'a Acknowledged,
    is_holding: (bool, bool),
}

impl Life<'_> {
    fn step(&mut self) {
        match self.random.u32(..15) {
            0..=3 => self.post(),
            4 => self.make_role(),
            5 | 6 => {
                let client = self.random.choice(&mut *self.clients).unwrap();
                if client.is_connected() && matches!(client.take(1), Drained::Ended(_)) {
                    client.leave();
                }
            }
            7 => {
                self.random.choice(&mut *self.clients).unwrap().leave();
            }
            8 if !self.is_holding.1 => {
                let client = self.random.choice(&mut *self.clients).unwrap();
                let resumed = client.resume(self.serving);
                if let Err(ResumeError::Refusal(refusal)) = resumed {
                    panic!("a log that refuses costs no session: {refusal}");
                }
            }
            9 => self.house.clock.advance_ms(self.random.i64(0..1_500)),
            10 => self.hold(),
            11 => self.refuse_one(),
            12 => self.house.frames.fail(Some(unavailable())),
            13 => self.house.frames.fail(None),
            _ => self.settle_one(),
        }
        self.serving.turn(self.random.usize(..40));
    }

    fn post(&mut self) {
        let text = format!("message {}", self.asked.len());
        let who = self.random.usize(..self.town.people.len());
        self.asked.push((text.clone(), who));
        let author = self.town.people[who].user.clone();
        let (node, channel) = (self.serving.node.clone(), self.town.channel);
        let acknowledged = Arc::clone(self.acknowledged);
        let posting = async move {
            let written = post(node, channel, author, text.clone()).await;
            if let Ok(Written::Message(message)) = written {
                acknowledged.lock().unwrap().insert(text, message.id);
            }
        };
        self.serving.spawn(posting);
    }

    fn make_role(&self) {
        let (node, guild, owner) = (
            self.serving.node.clone(),
            self.town.guild,
            self.town.owner(),
        );
        self.serving.spawn(async move {
            let _ = node.command(guild, owner, new_role()).await;
        });
    }

    fn hold(&mut self) {
        if self.random.bool() {
            self.house.events.hold();
            self.is_holding.0 = true;
        } else {
            self.house.frames.hold();
            self.is_holding.1 = true;
        }
    }

    fn settle_one(&self) {
        for log in [&self.house.events, &self.house.frames] {
            if let Some(first) = log.waiting().first() {
                log.settle(first.ticket, Fate::Applied);
            }
        }
    }

    /// The oldest frame that waits is refused, whether it is stable or not, and the others flow.
    fn refuse_one(&mut self) {
        let fates = [Fate::Refused(unavailable()), Fate::Torn(0), Fate::Unheard];
        let fate = self.random.choice(fates).unwrap();
        if let Some(first) = self.house.frames.waiting().first() {
            self.house.frames.settle(first.ticket, fate);
            self.house.frames.flow();
            self.is_holding.1 = false;
        }
    }
}

fn unavailable() -> Failure {
    Failure::unavailable("the frames log", "a test says so")
}

/// Every client was told exactly what the log holds from its start on, in the log's order. The audit
/// log is left out, which only the owner may read.
fn check(
    house: &House,
    clients: &[Client],
    acknowledged: &Acknowledged,
    asked: &[(String, usize)],
) {
    let is_shown = |record: &Record| !matches!(record.event, Event::Audited(_));
    let mut stream = house.stream_of_guild();
    stream.retain(is_shown);
    for client in clients {
        let mut records = client.records();
        records.retain(|record| is_shown(record));
        let start = stream
            .iter()
            .position(|record| record == records[0])
            .unwrap();
        let expected: Vec<&Record> = stream[start..].iter().collect();
        assert_eq!(records, expected);
    }
    let messages = clients[0].messages();
    for (text, _) in asked {
        let told: Vec<_> = messages.iter().filter(|(_, told)| told == text).collect();
        assert_eq!(told.len(), 1, "{text} is told once");
        if let Some(id) = acknowledged.lock().unwrap().get(text) {
            assert_eq!(
                told[0].0, *id,
                "{text} is the message that was acknowledged"
            );
        }
    }
}

fn live(seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut house = House::new();
    let mut serving = house.start();
    let town = Town::found(&house, &serving);
    let mut clients = town.clients(&serving);
    let hello = town.posted(&serving, 0, "hello");
    for client in &mut clients {
        client.until_told(&serving, hello);
    }
    let (mut asked, acknowledged) = (Vec::new(), Acknowledged::default());
    for _ in 0..KILLS {
        let mut life = Life {
            house: &house,
            town: &town,
            serving: &serving,
            clients: &mut clients,
            random: &mut random,
            asked: &mut asked,
            acknowledged: &acknowledged,
            is_holding: (false, false),
        };
        for _ in 0..life.random.usize(5..30) {
            life.step();
        }
        clients.iter_mut().for_each(Client::leave);
        house.frames.fail(None);
        if random.u32(..3) == 0 {
            // Nobody dies, the log has only refused.
            house.settle(usize::MAX, random.usize(..3));
            for client in &mut clients {
                client.insist(&serving);
            }
            continue;
        }
        serving.kill();
        house.settle(random.usize(..3), random.usize(..3));
        serving = house.start();
        for client in &mut clients {
            client.resume(&serving).expect("a kill costs no session");
        }
    }
    // Whoever was not answered asks again.
    for (text, who) in &asked {
        let written = town.insist(&serving, *who, text);
        let is_known = acknowledged.lock().unwrap().contains_key(text);
        assert!(
            !is_known || matches!(written, Written::Repeated(_)),
            "{text}"
        );
    }
    let last = town.posted(&serving, 0, "last");
    for client in &mut clients {
        client.until_told(&serving, last);
    }
    check(&house, &clients, &acknowledged, &asked);
    assert_eq!(town.page(&serving).last(), clients[0].messages().last());
}

#[test]
fn killed_nodes_lose_no_event_and_no_session() {
    for seed in 0..SEEDS {
        // Shown if it fails.
        println!("the life of seed {seed}");
        live(seed);
    }
}
