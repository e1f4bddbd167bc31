//! One node and three nodes tell every session the same, for the same seeded workload.

use std::collections::HashMap;
use std::fmt::Write as _;

use guildhall_model::Permissions;
use guildhall_model::UserId;
use guildhall_model::channel::{Overwrite, OverwriteTarget};
use guildhall_model::command::{GuildCommand, RoleUpdate};
use guildhall_model::dispatch::Dispatch;

use crate::client::Client;
use crate::house::{House, Serving};
use crate::town::{Town, new_role};

/// Workloads that are compared.
const SEEDS: u64 = 6;
/// What each of them does.
const STEPS: usize = 40;

/// What every client was told, with ids replaced by the order in which they first appear.
type Told = Vec<Vec<String>>;

fn on_one_node(seed: u64) -> Told {
    let mut house = House::of_many();
    let node = house.start();
    play(&house, &[&node], seed)
}

fn on_three_nodes(seed: u64) -> Told {
    let mut house = House::of_many();
    let nodes = [1, 2, 3].map(|number| house.join(number));
    let nodes = nodes.each_ref();
    house.until_settled(&nodes);
    play(&house, &nodes, seed)
}

fn play(house: &House, nodes: &[&Serving], seed: u64) -> Told {
    let town = Town::found(house, nodes[0]);
    let mut random = fastrand::Rng::with_seed(seed);
    // Where somebody asks is drawn apart, so that the workload is the same on any number of nodes.
    let mut places = fastrand::Rng::with_seed(!seed);
    let mut at: Vec<usize> = (0..3).map(|n| n % nodes.len()).collect();
    let mut clients: Vec<Client> = (0..3)
        .map(|n| Client::open(nodes[at[n]], &town.people[n], 0))
        .collect();
    for step in 0..STEPS {
        let node = nodes[places.usize(..nodes.len())];
        match random.u8(..10) {
            0..5 => {
                let (who, text) = (random.usize(..3), format!("post {step}"));
                // Who cannot see the channel is refused, on any number of nodes.
                drop(node.run(town.post(&node.node, who, &text)));
            }
            5 => {
                command(node, &town, town.owner(), new_role());
            }
            6 | 7 => {
                let who = town.people[random.usize(1..3)].user.id;
                command(node, &town, town.owner(), sight(&town, who, random.bool()));
            }
            8 => {
                let shown = random.bool();
                command(node, &town, town.owner(), everybodys_sight(&town, shown));
            }
            _ => {
                let n = random.usize(..3);
                clients[n].leave();
                at[n] = clients[n].insist_among(nodes);
            }
        }
    }
    // Everybody sees the channel at last, and what is said then is the end.
    for person in &town.people[1..] {
        command(
            nodes[0],
            &town,
            town.owner(),
            sight(&town, person.user.id, true),
        );
    }
    let last = town.posted(nodes[0], 0, "the end");
    for (client, at) in clients.iter_mut().zip(at) {
        client.until_told(nodes[at], last);
    }
    clients.iter().map(|client| shapes(&client.told)).collect()
}

fn command(at: &Serving, town: &Town, by: UserId, command: GuildCommand) {
    at.run(at.node.command(town.guild, by, command)).unwrap();
}

/// Shows the channel to one member, or hides it.
fn sight(town: &Town, who: UserId, shown: bool) -> GuildCommand {
    let view = Permissions::VIEW_CHANNEL;
    let (allow, deny) = if shown {
        (view, Permissions::empty())
    } else {
        (Permissions::empty(), view)
    };
    let target = OverwriteTarget::Member(who);
    GuildCommand::SetOverwrite(
        town.channel,
        Overwrite {
            target,
            allow,
            deny,
        },
    )
}

/// Shows channels to everybody, or hides them.
fn everybodys_sight(town: &Town, shown: bool) -> GuildCommand {
    use guildhall_model::command::PermissionEdit;
    let view = Permissions::VIEW_CHANNEL;
    let update = RoleUpdate {
        permissions: Some(PermissionEdit {
            mask: view,
            bits: if shown { view } else { Permissions::empty() },
        }),
        ..RoleUpdate::default()
    };
    GuildCommand::UpdateRole(town.guild.everyone_role(), update)
}

/// Dispatches without what differs from run to run: ids hold the number of a node, and time has
/// passed until three nodes had shared the partitions.
fn shapes(told: &[Dispatch]) -> Vec<String> {
    let mut ids = HashMap::new();
    let told = told
        .iter()
        .filter(|dispatch| !matches!(dispatch, Dispatch::Ready(_)));
    told.map(|dispatch| shape(&format!("{dispatch:?}"), &mut ids))
        .collect()
}

fn shape(text: &str, ids: &mut HashMap<String, usize>) -> String {
    let mut shape = String::new();
    let mut digits = String::new();
    for c in text.chars().chain([' ']) {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        if digits.len() < TIME_DIGITS {
            shape.push_str(&digits);
        } else if digits.len() < ID_DIGITS {
            shape.push('T');
        } else {
            let next = ids.len();
            let number = *ids.entry(digits.clone()).or_insert(next);
            let _ = write!(shape, "#{number}");
        }
        digits.clear();
        shape.push(c);
    }
    shape
}

/// Times have as many digits at least, and numbers fewer.
const TIME_DIGITS: usize = 13;
/// Ids have as many digits at least, and times fewer.
const ID_DIGITS: usize = 15;

#[test]
fn three_nodes_tell_every_session_what_one_node_does() {
    for seed in 0..SEEDS {
        let (one, three) = (on_one_node(seed), on_three_nodes(seed));
        for (n, (one, three)) in one.iter().zip(&three).enumerate() {
            for (place, (expected, found)) in one.iter().zip(three).enumerate() {
                assert_eq!(expected, found, "seed {seed}, client {n}, dispatch {place}");
            }
            assert_eq!(one.len(), three.len(), "seed {seed}, client {n}");
        }
    }
}
