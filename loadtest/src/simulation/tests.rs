//! The simulation's promises.

use super::*;

/// Runs seeds until one fails.
fn survive(seeds: impl IntoIterator<Item = u64>, scenario: Scenario) -> Tally {
    let mut tally = Tally::default();
    for seed in seeds {
        let outcome = run(seed, scenario);
        assert!(outcome.holds(), "{outcome}");
        tally.add(&outcome.tally);
    }
    tally
}

#[test]
fn after_a_storm_everything_has_arrived() {
    eprintln!("{}", survive(0..40, Scenario::liveness()));
}

#[test]
fn in_a_storm_nothing_wrong_arrives() {
    eprintln!("{}", survive(0..40, Scenario::safety()));
}

#[test]
fn crashes_alone_cost_no_session() {
    eprintln!("{}", survive(0..40, Scenario::crashes()));
}
