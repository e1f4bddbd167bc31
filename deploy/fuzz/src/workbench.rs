//! Where targets put files and run what is asynchronous.

use std::path::Path;
use std::sync::LazyLock;

use guildhall_ports::Random;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Memory that looks like a disk: thousands of cases would wear a real one out by their syncs.
const MEMORY: &str = "/dev/shm";

/// An empty directory that goes away with its value.
pub(crate) fn folder() -> TempDir {
    let made = if Path::new(MEMORY).is_dir() {
        tempfile::tempdir_in(MEMORY)
    } else {
        tempfile::tempdir()
    };
    made.expect("a directory can be made")
}

/// Runs a future to its end.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .build()
            .expect("threads can be made")
    });
    RUNTIME.block_on(future)
}

/// "Random" bytes that are always the same, so that a case can be repeated.
pub(crate) struct Fixed;

impl Random for Fixed {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0x5A);
    }
}
