//! Whether nodes can have networks of their own on this machine.

use std::io::Write as _;
use std::process::Command;

/// Says loudly if they cannot: the system lets only root make network namespaces, and in some containers
/// nobody.
pub(crate) fn can_be_made() -> bool {
    let made = Command::new("unshare").args(["--net", "true"]).output();
    let can_be_made = made.is_ok_and(|output| output.status.success());
    if !can_be_made {
        // Past the harness, which would keep it to itself.
        let _ = writeln!(
            std::io::stderr().lock(),
            "NOT RUN: guildhall-engines, nodes that are cut off, because nobody may make a network namespace here"
        );
    }
    can_be_made
}
