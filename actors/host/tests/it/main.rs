//! A node over logs that fail when a test says so: kills, restarts, full disks, former owners.

mod client;
mod durability;
mod house;
mod kills;
mod town;
mod zombies;
