//! The suites that every adapter must pass.
//!
//! A suite is a module of promises, each an async function that is given a fresh store, or a
//! fixture that can also open it again. The suite's macro makes a test of every promise:
//!
//! ```text
//! guildhall_ports::log_promises!(fresh);
//! ```

pub mod accounts;
pub mod application_commands;
pub mod audit;
pub mod blobs;
pub mod commits;
pub mod directory;
pub mod follow;
pub mod guilds;
pub mod log;
pub mod membership;
pub mod messages;
pub mod profiles;
mod promises;
mod property;
pub mod quotas;
pub mod reactions;
pub mod redo;
mod sample;
pub mod snapshots;

pub use promises::Fresh;

#[cfg(test)]
mod tests {
    /// The names of a suite's promises, in the order of the file, and of those that its macro
    /// makes tests of.
    fn promises(suite: &str) -> (Vec<&str>, Vec<&str>) {
        let promises = suite
            .lines()
            .filter_map(|line| line.strip_prefix("pub async fn "))
            .map(|line| &line[..line.find('(').expect("a function has parameters")])
            .collect();
        let (_, listed) = suite
            .split_once("$fresh:\n")
            .expect("the suite has a macro");
        let listed = &listed[..listed.find('}').expect("the macro ends")];
        (promises, listed.split_whitespace().collect())
    }

    #[test]
    fn every_promise_is_tested() {
        for suite in [
            include_str!("conformance/accounts.rs"),
            include_str!("conformance/application_commands.rs"),
            include_str!("conformance/audit.rs"),
            include_str!("conformance/blobs.rs"),
            include_str!("conformance/commits.rs"),
            include_str!("conformance/directory.rs"),
            include_str!("conformance/follow.rs"),
            include_str!("conformance/guilds.rs"),
            include_str!("conformance/log.rs"),
            include_str!("conformance/membership.rs"),
            include_str!("conformance/messages.rs"),
            include_str!("conformance/profiles.rs"),
            include_str!("conformance/quotas.rs"),
            include_str!("conformance/reactions.rs"),
            include_str!("conformance/redo.rs"),
            include_str!("conformance/snapshots.rs"),
        ] {
            let (promises, listed) = promises(suite);
            assert!(!promises.is_empty());
            assert_eq!(promises, listed);
        }
    }
}
