//! The fakes keep the promises of their ports.

use std::sync::Arc;

use async_trait::async_trait;
use guildhall_model::{Position, SessionPartition};
use guildhall_ports::conformance;
use guildhall_ports::fake::{FakeBlobs, FakeDirectory, FakeLog, FakeSnapshots};
use guildhall_ports::log::SharedLog;
use guildhall_ports::{Blobs, Directory, Snapshots};

/// A fake outlives a restart as a store does.
struct Kept<T>(T);

#[async_trait]
impl conformance::log::Fixture for Kept<FakeLog> {
    fn log(&self) -> SharedLog {
        Arc::new(self.0.clone())
    }

    async fn restart(&mut self) {}

    async fn trim(&mut self) {
        self.0.trim();
    }
}

#[async_trait]
impl conformance::snapshots::Fixture for Kept<FakeSnapshots> {
    fn snapshots(&self) -> Arc<dyn Snapshots> {
        Arc::new(self.0.clone())
    }

    async fn restart(&mut self) {}

    async fn damage(&mut self, partition: SessionPartition, upto: Position) {
        self.0.damage(partition, upto);
    }
}

#[async_trait]
impl conformance::blobs::Fixture for Kept<FakeBlobs> {
    fn blobs(&self) -> Arc<dyn Blobs> {
        Arc::new(self.0.clone())
    }

    async fn restart(&mut self) {}
}

#[async_trait]
impl conformance::directory::Fixture for Kept<FakeDirectory> {
    fn directory(&self) -> Arc<dyn Directory> {
        Arc::new(self.0.clone())
    }

    async fn restart(&mut self) {}
}

mod log {
    use std::future::{Ready, ready};

    use super::{FakeLog, Kept};

    fn fresh() -> Ready<(Kept<FakeLog>, ())> {
        ready((Kept(FakeLog::new()), ()))
    }

    guildhall_ports::log_promises!(fresh);
    guildhall_ports::follow_promises!(fresh);
}

mod snapshots {
    use std::future::{Ready, ready};

    use super::{FakeSnapshots, Kept};

    fn fresh() -> Ready<(Kept<FakeSnapshots>, ())> {
        ready((Kept(FakeSnapshots::new()), ()))
    }

    guildhall_ports::snapshots_promises!(fresh);
}

mod blobs {
    use std::future::{Ready, ready};

    use super::{FakeBlobs, Kept};

    fn fresh() -> Ready<(Kept<FakeBlobs>, ())> {
        ready((Kept(FakeBlobs::new()), ()))
    }

    guildhall_ports::blobs_promises!(fresh);
}

mod directory {
    use std::future::{Ready, ready};

    use super::{FakeDirectory, Kept};

    fn fresh() -> Ready<(Kept<FakeDirectory>, ())> {
        ready((Kept(FakeDirectory::new()), ()))
    }

    guildhall_ports::directory_promises!(fresh);
}

mod membership {
    use std::future::{Ready, ready};
    use std::sync::Arc;

    use guildhall_model::Timestamp;
    use guildhall_ports::Membership;
    use guildhall_ports::fake::{FakeClock, FakeMembership};

    fn fresh() -> Ready<(Arc<dyn Membership>, ())> {
        let clock = FakeClock::at(Timestamp(1_700_000_000_000));
        ready((Arc::new(FakeMembership::new(clock)), ()))
    }

    guildhall_ports::membership_promises!(fresh);
}

mod quotas {
    use std::future::{Ready, ready};
    use std::sync::Arc;

    use guildhall_ports::fake::FakeQuotas;
    use guildhall_ports::{Env, Quotas};

    fn fresh() -> Ready<(Arc<dyn Quotas>, ())> {
        ready((Arc::new(FakeQuotas::new(Env::system())), ()))
    }

    guildhall_ports::quotas_promises!(fresh);
}
