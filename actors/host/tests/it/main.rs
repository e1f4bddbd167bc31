//! A node over logs that fail when a test says so: kills, restarts, full disks, former owners.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod away;
mod client;
mod durability;
mod history;
mod house;
mod kills;
mod late;
mod observe;
mod repairs;
mod roles;
mod same;
mod several;
mod shown;
mod starts;
mod town;
mod zombies;
