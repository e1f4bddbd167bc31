//! In-memory adapters whose faults a test chooses.
//!
//! They keep the promises of their ports, which the conformance suites hold them to, and break
//! only when they are told to. A clone is the same store: what one process wrote the next finds.

mod blobs;
mod directory;
mod env;
mod log;
mod membership;
mod quotas;
mod relational;
mod snapshots;

use parking_lot::Mutex;

pub use self::blobs::FakeBlobs;
pub use self::directory::FakeDirectory;
pub use self::env::{FakeClock, FakeRandom};
pub use self::log::{FakeLog, Fate, HeldAppend, Ticket};
pub use self::membership::FakeMembership;
pub use self::quotas::FakeQuotas;
pub use self::relational::{FakeWay, Way};
pub use self::snapshots::FakeSnapshots;
use crate::error::Failure;

/// The failure that every call meets at present, if there is one.
#[derive(Default)]
struct Outage(Mutex<Option<Failure>>);

impl Outage {
    fn set(&self, failure: Option<Failure>) {
        *self.0.lock() = failure;
    }

    fn check(&self) -> Result<(), Failure> {
        self.0.lock().clone().map_or(Ok(()), Err)
    }
}
