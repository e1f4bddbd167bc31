//! Real, unmodified Discord bot libraries against the real server: starts their bots, plays the
//! people they talk with, and judges what both sides say.

mod bot;
mod judge;
pub mod library;
pub mod page;
mod proxy;
mod record;
mod schema;
mod stage;
mod steps;
mod tap;

use std::path::Path;

pub use judge::Findings;
use library::Library;
use page::Row;
pub use schema::{DESCRIPTION, Schemas};
use stage::Stage;
pub use steps::{Outcome, Step};

/// Takes one library through all steps and adds to what the judges found. `tell` hears what became
/// of each step, and what the bot complained about where it failed.
pub async fn run(
    library: Library,
    installed: &Path,
    schemas: Option<&Schemas>,
    findings: &mut Findings,
    mut tell: impl FnMut(Step, &Outcome, &str),
) -> Row {
    let mut stage = Stage::set(library, installed).await;
    let mut outcomes: Vec<Outcome> = Vec::new();
    for step in Step::ALL {
        // Who cannot start can do nothing.
        let outcome = match outcomes.first() {
            None | Some(Outcome::Ok) => step.perform(&mut stage).await,
            Some(Outcome::Failed(_)) => Outcome::Failed("it does not start".to_owned()),
            Some(Outcome::NotBuilt(_)) => Outcome::NotBuilt("it does not start".to_owned()),
        };
        tell(step, &outcome, &stage.complaints());
        outcomes.push(outcome);
    }
    stage.stop().await;
    let seen = stage.proxy.record().all();
    for what in seen.unreadable {
        *findings.frame_faults.entry(what).or_default() += 1;
    }
    findings.add(&seen.frames, &seen.exchanges, schemas);
    Row { library, outcomes }
}
