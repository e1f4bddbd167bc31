//! The real binary as a process, and clients that see every byte of its answers: what the
//! end-to-end tests in `tests/it` are written with.
//!
//! Everything here waits on conditions and panics with what it saw when a generous deadline
//! passes, because its only callers are tests.

pub mod binary;
pub mod bots;
pub mod disk;
pub mod link;
pub mod load;
pub mod person;
pub mod rest;
pub mod server;
pub mod session;
pub mod shim;

use std::time::Duration;

pub use link::{Heard, Link, Payload};
pub use person::{Bot, Person};
pub use rest::{Answer, Rest};
pub use server::Server;
pub use session::Session;

/// How long anything may take before a test gives up. Two cores run many tests at once.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Whether there is time for the long form of a test, as `deploy/test --long` says.
pub fn is_long() -> bool {
    std::env::var_os("GUILDHALL_LONG").is_some()
}

/// Polls until something holds.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let until = async {
        while !holds().await {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    soon(what, until).await;
}

/// Waits for something that must happen.
pub async fn soon<T>(what: &str, it: impl Future<Output = T>) -> T {
    let waited = tokio::time::timeout(PATIENCE, it).await;
    waited.unwrap_or_else(|_| panic!("{what}: nothing for {PATIENCE:?}"))
}
