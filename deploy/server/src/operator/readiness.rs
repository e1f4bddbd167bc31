//! Whether a node can serve: its phase, and what each part that it depends on says.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use serde::Serialize;

/// Where a node stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It reads its logs and opens its engines.
    Starting,
    /// It takes requests.
    Serving,
    /// It has been told to stop and takes no new sessions.
    Draining,
}

/// What `/readyz` tells. Clones share one state.
#[derive(Clone)]
pub struct Readiness {
    state: Arc<Mutex<State>>,
}

struct State {
    phase: Phase,
    reported: BTreeMap<&'static str, Health>,
    probes: BTreeMap<&'static str, Probe>,
}

type Probe = Arc<dyn Fn() -> Result<(), Trouble> + Send + Sync>;

/// What is wrong with a part, in words; never a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The node cannot serve.
    Failed(String),
    /// It serves, but not everything. This is shown and does not count.
    Degraded(String),
}

impl From<String> for Trouble {
    fn from(reason: String) -> Self {
        Self::Failed(reason)
    }
}

/// How a part does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
enum Health {
    Ready,
    Starting,
    Failed {
        reason: String,
    },
    /// Something is missing that this node serves without.
    Degraded {
        reason: String,
    },
}

impl Health {
    /// The node can serve, as far as this part goes.
    fn is_enough(&self) -> bool {
        matches!(self, Self::Ready | Self::Degraded { .. })
    }
}

/// The answer of `/readyz`.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Report {
    phase: Phase,
    ready: bool,
    dependencies: BTreeMap<&'static str, Health>,
}

impl Report {
    pub(super) fn is_ready(&self) -> bool {
        self.ready
    }
}

impl Readiness {
    /// A node that starts.
    pub fn starting() -> Self {
        Self {
            state: Arc::new(Mutex::new(State {
                phase: Phase::Starting,
                reported: BTreeMap::new(),
                probes: BTreeMap::new(),
            })),
        }
    }

    /// Moves the node on in its life.
    pub fn enter(&self, phase: Phase) {
        self.state.lock().phase = phase;
    }

    /// Names a part that will report by itself. Until it does, the node is not ready.
    pub fn dependency(&self, name: &'static str) -> Dependency {
        let state = Arc::clone(&self.state);
        state.lock().reported.insert(name, Health::Starting);
        Dependency { name, state }
    }

    /// Names a part that is asked whenever somebody wants to know. The probe must not block:
    /// it reads a flag that the part sets, such as a log that refuses to write or an engine that is
    /// away.
    pub fn watch(
        &self,
        name: &'static str,
        probe: impl Fn() -> Result<(), Trouble> + Send + Sync + 'static,
    ) {
        self.state.lock().probes.insert(name, Arc::new(probe));
    }

    /// Whether the node serves and no part keeps it from that.
    pub fn is_ready(&self) -> bool {
        self.report().is_ready()
    }

    pub(super) fn report(&self) -> Report {
        let (phase, mut dependencies, probes) = {
            let state = self.state.lock();
            (state.phase, state.reported.clone(), state.probes.clone())
        };
        // Asked without the lock: a probe may take one of its own.
        for (name, probe) in probes {
            let health = match probe() {
                Ok(()) => Health::Ready,
                Err(Trouble::Failed(reason)) => Health::Failed { reason },
                Err(Trouble::Degraded(reason)) => Health::Degraded { reason },
            };
            dependencies.insert(name, health);
        }
        let are_ready = dependencies.values().all(Health::is_enough);
        Report {
            phase,
            ready: phase == Phase::Serving && are_ready,
            dependencies,
        }
    }
}

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.report().fmt(f)
    }
}

/// A part's own say in whether the node is ready.
pub struct Dependency {
    name: &'static str,
    state: Arc<Mutex<State>>,
}

impl Dependency {
    /// The part works.
    pub fn ready(&self) {
        self.set(Health::Ready);
    }

    /// The part does not work, and why; never a secret.
    pub fn failed(&self, reason: impl Into<String>) {
        self.set(Health::Failed {
            reason: reason.into(),
        });
    }

    fn set(&self, health: Health) {
        self.state.lock().reported.insert(self.name, health);
    }
}

impl fmt::Debug for Dependency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dependency({})", self.name)
    }
}
