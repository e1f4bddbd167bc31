//! What the process says about itself: log lines on stderr, panics among them, and metrics.

use std::any::Any;
use std::panic::PanicHookInfo;
use std::time::Duration;

use anyhow::Context;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing::error;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{LogConfig, LogFormat};

/// How often the samples of histograms are folded into their buckets. Unfolded samples are kept
/// one by one, so this bounds the memory they take when nobody scrapes.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);
/// Bounds of the buckets of histograms in seconds: 10 µs to 10 s, because an append takes
/// microseconds and a stuck disk seconds.
const SECONDS: [f64; 19] = [
    0.000_01, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.02, 0.05, 0.1,
    0.2, 0.35, 0.5, 1.0, 2.5, 5.0, 10.0,
];
/// Bounds of the buckets of all other histograms, which count bytes, records or sessions.
const COUNTS: [f64; 13] = [
    1.0,
    4.0,
    16.0,
    64.0,
    256.0,
    1024.0,
    4096.0,
    16384.0,
    65536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
];

/// What has been started and can be asked.
#[derive(Clone, Debug)]
pub struct Telemetry {
    /// Renders all metrics in Prometheus' text format.
    pub metrics: PrometheusHandle,
}

/// Starts logs, the panic hook and metrics, once per process.
pub fn start(log: &LogConfig) -> anyhow::Result<Telemetry> {
    subscriber(log, std::io::stderr)?
        .try_init()
        .context("logs were set up before")?;
    std::panic::set_hook(Box::new(log_panic));
    let metrics = recorder()?
        .install_recorder()
        .context("metrics were set up before")?;
    guildhall_rest::describe_metrics();
    let upkeep = metrics.clone();
    // A thread of its own, because it has to go on when the runtime is busy; it ends with the
    // process.
    std::thread::Builder::new()
        .name("metrics-upkeep".to_owned())
        .spawn(move || {
            loop {
                std::thread::sleep(UPKEEP_INTERVAL);
                upkeep.run_upkeep();
            }
        })
        .context("no thread for the upkeep of metrics")?;
    Ok(Telemetry { metrics })
}

/// A recorder with the buckets of all histograms of the house.
fn recorder() -> anyhow::Result<PrometheusBuilder> {
    Ok(PrometheusBuilder::new()
        .set_buckets(&COUNTS)?
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?)
}

fn subscriber<W>(
    log: &LogConfig,
    writer: W,
) -> anyhow::Result<Box<dyn tracing::Subscriber + Send + Sync>>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EnvFilter::builder()
        .parse(log.filter.as_str())
        .context("log.filter")?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer);
    Ok(match log.format {
        LogFormat::Json => Box::new(lines.json().flatten_event(true).finish()),
        LogFormat::Text => Box::new(lines.finish()),
    })
}

/// Writes a panic as a log line, so that it is found where everything else is.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let message = panic_message(panic.payload());
    let thread = std::thread::current();
    let thread = thread.name().unwrap_or("unnamed");
    let location = panic.location().map(ToString::to_string);
    let location = location.as_deref().unwrap_or("an unknown place");
    let backtrace = std::backtrace::Backtrace::capture();
    error!(
        panic.thread = thread,
        panic.location = location,
        panic.backtrace = %backtrace,
        "a thread panicked: {message}"
    );
}

fn panic_message(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

#[cfg(test)]
mod tests;
