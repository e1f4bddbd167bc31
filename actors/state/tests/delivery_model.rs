//! The delivery protocol, searched state by state: whatever owners, appends and a client do, the
//! client's stream is exact, and each of the protocol's rules is needed for that.
//!
//! One session partition, one client, two sources whose events are committed from the start. The
//! fold is the real one, except where a rule is left out to show what then goes wrong.

#[path = "delivery_model/protocol.rs"]
mod protocol;
#[path = "delivery_model/steps.rs"]
mod steps;

use std::collections::BTreeSet;

use stateright::{Checker, HasDiscoveries, Model};

use protocol::{COMPLETE, Faults, Guard, M1, M2, M3, M4, M5, Protocol, Rule, Takeover};

/// Searches that take minutes are made only where this is set.
fn is_long() -> bool {
    std::env::var_os("GUILDHALL_LONG").is_some()
}

/// What a search finds.
#[derive(Debug, PartialEq)]
struct Verdict {
    /// The properties that are broken.
    broken: Vec<&'static str>,
    /// A client was refused.
    refuses: bool,
    /// A client has seen everything.
    is_live: bool,
    states: usize,
}

/// Searches every state.
fn verdict(protocol: Protocol) -> Verdict {
    let never = HasDiscoveries::AllOf(BTreeSet::from(["never"]));
    let checker = protocol.checker().finish_when(never).spawn_bfs().join();
    let always = [M1, M2, M3, M5];
    let is_broken = |name: &&'static str| checker.discovery(name).is_some();
    Verdict {
        broken: always.into_iter().filter(is_broken).collect(),
        refuses: checker.discovery(M4).is_some(),
        is_live: checker.discovery(COMPLETE).is_some(),
        states: checker.unique_state_count(),
    }
}

/// The protocol holds in every state, and there are so many of them.
fn exact(states: usize, refuses: bool) -> Verdict {
    Verdict {
        broken: Vec::new(),
        refuses,
        is_live: true,
        states,
    }
}

/// Searches until a client's stream is wrong.
fn goes_wrong(protocol: Protocol) -> bool {
    breaks(M1, protocol)
}

/// Searches until a property is broken.
fn breaks(property: &'static str, protocol: Protocol) -> bool {
    let broken = HasDiscoveries::AllOf(BTreeSet::from([property]));
    let checker = protocol.checker().finish_when(broken).spawn_bfs().join();
    checker.discovery(property).is_some()
}

/// One event of each source, three nodes.
fn three_nodes(disconnects: u8) -> Protocol {
    Protocol {
        events: [1, 1],
        nodes: 3,
        disconnects,
        faults: Faults::Zombies,
        takeover: Takeover::AtOnce,
        guard: Guard::Directory,
        without: &[],
    }
}

/// Three events, two nodes.
fn two_nodes() -> Protocol {
    Protocol {
        events: [2, 1],
        nodes: 2,
        ..three_nodes(3)
    }
}

fn in_steps(protocol: Protocol) -> Protocol {
    Protocol {
        takeover: Takeover::InSteps,
        ..protocol
    }
}

fn by_log(protocol: Protocol) -> Protocol {
    Protocol {
        guard: Guard::Log,
        ..protocol
    }
}

fn crashes(protocol: Protocol) -> Protocol {
    Protocol {
        faults: Faults::Crashes,
        ..protocol
    }
}

fn without(rules: &'static [Rule], protocol: Protocol) -> Protocol {
    Protocol {
        without: rules,
        ..protocol
    }
}

#[test]
fn three_nodes_serve_a_client_exactly_or_refuse_it() {
    assert_eq!(verdict(three_nodes(2)), exact(540_054, true));
}

#[test]
fn two_nodes_serve_a_client_exactly_or_refuse_it() {
    assert_eq!(verdict(two_nodes()), exact(169_178, true));
}

/// As it is built.
#[test]
fn owners_that_look_for_their_successors_in_the_log_refuse_nobody() {
    assert_eq!(verdict(by_log(three_nodes(2))), exact(176_479, false));
    assert_eq!(verdict(by_log(two_nodes())), exact(67_761, false));
    assert_eq!(verdict(by_log(in_steps(two_nodes()))), exact(71_925, false));
    assert_eq!(verdict(by_log(crashes(two_nodes()))), exact(11_106, false));
    if is_long() {
        assert_eq!(
            verdict(by_log(in_steps(three_nodes(2)))),
            exact(251_224, false)
        );
    }
}

/// The cap is for records that were acknowledged and lost.
#[test]
fn owners_that_look_for_their_successors_in_the_log_are_exact_without_the_cap() {
    let capless = |protocol| by_log(without(&[Rule::Cap], protocol));
    assert_eq!(verdict(capless(two_nodes())), exact(67_761, false));
    assert!(goes_wrong(by_log(without(&[Rule::Epochs], three_nodes(2)))));
    assert!(goes_wrong(by_log(without(&[Rule::Guard], two_nodes()))));
}

#[test]
fn crashes_alone_never_cost_a_session() {
    assert_eq!(verdict(crashes(two_nodes())), exact(11_106, false));
    assert_eq!(verdict(crashes(three_nodes(2))), exact(8_287, false));
}

#[test]
fn a_takeover_may_be_interrupted_between_directory_and_log() {
    assert_eq!(verdict(in_steps(two_nodes())), exact(174_692, true));
    assert_eq!(
        verdict(in_steps(crashes(three_nodes(2)))),
        exact(11_560, false)
    );
    if is_long() {
        assert_eq!(verdict(in_steps(three_nodes(2))), exact(909_989, true));
    }
}

#[test]
fn output_before_stable_stays_exact_but_costs_sessions_in_plain_crashes() {
    let early = |protocol| without(&[Rule::Stable], protocol);
    assert_eq!(verdict(early(two_nodes())), exact(190_591, true));
    assert_eq!(verdict(early(crashes(two_nodes()))), exact(13_188, true));
    assert_eq!(verdict(early(three_nodes(2))), exact(625_548, true));
}

#[test]
fn output_before_stable_goes_wrong_without_the_cap() {
    assert!(goes_wrong(without(
        &[Rule::Stable, Rule::Cap],
        three_nodes(2)
    )));
}

#[test]
fn without_epochs_a_dead_owners_late_append_is_told_twice() {
    let without_epochs = without(&[Rule::Epochs], three_nodes(2));
    assert!(breaks(M3, without_epochs));
    assert!(goes_wrong(without_epochs));
}

#[test]
fn without_the_cap_a_client_goes_on_from_a_void_frame() {
    let without_cap = without(&[Rule::Cap], three_nodes(2));
    assert!(breaks(M2, without_cap));
    assert!(goes_wrong(without_cap));
}

#[test]
fn only_former_owners_that_live_make_the_cap_needed() {
    let capless = without(&[Rule::Cap], crashes(three_nodes(2)));
    assert_eq!(verdict(capless), exact(8_287, false));
}

#[test]
fn a_cap_that_no_attachment_lifts_refuses_honest_clients() {
    let capped = without(&[Rule::Attach], three_nodes(2));
    assert_eq!(verdict(capped), exact(459_879, true));
    assert_eq!(verdict(crashes(capped)), exact(7_431, true));
}

#[test]
fn without_asking_the_directory_a_client_goes_back_to_a_former_owner() {
    assert!(goes_wrong(without(&[Rule::Guard], two_nodes())));
}

#[test]
fn a_takeover_in_steps_needs_every_rule_as_well() {
    for rules in [
        &[Rule::Stable, Rule::Cap][..],
        &[Rule::Epochs],
        &[Rule::Cap],
    ] {
        assert!(
            goes_wrong(without(rules, in_steps(three_nodes(1)))),
            "{rules:?}"
        );
    }
    assert!(goes_wrong(without(&[Rule::Guard], in_steps(two_nodes()))));
}
