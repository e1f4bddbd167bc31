//! The life of a node: assemble, report ready, drain, stop.

use crate::config::Config;
use crate::telemetry::Telemetry;

/// Runs a node until it is told to stop.
#[expect(clippy::unused_async, reason = "what it will run is asynchronous")]
pub async fn run(_config: Config, _telemetry: Telemetry) -> anyhow::Result<()> {
    anyhow::bail!("not assembled yet")
}
