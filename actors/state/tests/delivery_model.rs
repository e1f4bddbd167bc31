//! The delivery protocol, searched state by state: whatever owners, appends and a client do, the
//! client's stream is exact, and each of the protocol's rules is needed for that.
//!
//! One session partition, one client, two sources whose events are committed from the start. A
//! takeover writes directory and log in one step. The fold is the real one, except where a rule is
//! left out to show what then goes wrong.

#[path = "delivery_model/protocol.rs"]
mod protocol;

use stateright::{Checker, HasDiscoveries, Model};

use protocol::{Faults, Protocol, Rule};

/// What a whole search finds.
#[derive(Debug, PartialEq)]
struct Verdict {
    /// A source's events came with a gap, a repeat, or out of order.
    is_inexact: bool,
    /// A client was refused.
    refuses: bool,
    /// A client has seen everything.
    is_live: bool,
}

const EXACT: Verdict = Verdict {
    is_inexact: false,
    refuses: false,
    is_live: true,
};

fn verdict(protocol: Protocol) -> Verdict {
    let checker = protocol.checker().finish_when(HasDiscoveries::AnyFailures);
    let checker = checker.spawn_bfs().join();
    Verdict {
        is_inexact: checker.discovery("exact").is_some(),
        refuses: checker.discovery("refused").is_some(),
        is_live: checker.discovery("complete").is_some(),
    }
}

fn two_nodes() -> Protocol {
    Protocol {
        events: [1, 1],
        nodes: 2,
        disconnects: 2,
        faults: Faults::Zombies,
        without: None,
    }
}

fn three_nodes() -> Protocol {
    Protocol {
        nodes: 3,
        disconnects: 1,
        ..two_nodes()
    }
}

#[test]
fn with_former_owners_alive_a_client_is_served_exactly_or_refused() {
    let refused = Verdict {
        refuses: true,
        ..EXACT
    };
    assert_eq!(verdict(two_nodes()), refused);
}

#[test]
fn crashes_alone_never_cost_a_session() {
    let faults = Faults::Crashes;
    assert_eq!(
        verdict(Protocol {
            faults,
            ..two_nodes()
        }),
        EXACT
    );
    assert_eq!(
        verdict(Protocol {
            faults,
            ..three_nodes()
        }),
        EXACT
    );
}

#[test]
fn without_epochs_a_dead_owners_late_append_is_told_twice() {
    let without = Some(Rule::Epochs);
    assert!(
        verdict(Protocol {
            without,
            ..three_nodes()
        })
        .is_inexact
    );
}

#[test]
fn without_the_cap_a_client_goes_on_from_a_void_frame() {
    let without = Some(Rule::Cap);
    assert!(
        verdict(Protocol {
            without,
            ..two_nodes()
        })
        .is_inexact
    );
    let crashes = Protocol {
        faults: Faults::Crashes,
        without,
        ..two_nodes()
    };
    assert_eq!(
        verdict(crashes),
        EXACT,
        "only former owners that live make it needed"
    );
}

#[test]
fn without_asking_the_directory_a_client_goes_back_to_a_former_owner() {
    let without = Some(Rule::Directory);
    assert!(
        verdict(Protocol {
            without,
            ..two_nodes()
        })
        .is_inexact
    );
}
