//! Runs work that blocks off the async threads.

use guildhall_ports::Failure;

/// Runs `work` on tokio's blocking pool and passes its answer on.
pub(crate) async fn run<T: Send + 'static>(
    what: &'static str,
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    match tokio::task::spawn_blocking(work).await {
        Ok(answer) => answer,
        Err(join) if join.is_cancelled() => Err(Failure::Closing),
        Err(join) => Err(Failure::unavailable(what, join)),
    }
}
