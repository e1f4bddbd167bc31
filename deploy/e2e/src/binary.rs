//! Builds the binaries that the tests run, once per test process and in the tests' own profile.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The folder with `guildhall` and `guildhall-loadtest`, built from the sources as they are now.
///
/// Cargo hands a package only its own binaries, so this asks it for those of the others. With the
/// same profile and folder nothing is compiled that the tests have not compiled before.
pub fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(build)
}

/// The server.
pub fn guildhall() -> PathBuf {
    folder().join("guildhall")
}

/// The folder that the documentation's paths start from.
pub fn repository() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors()
        .nth(2)
        .expect("the package lies two folders deep")
}

/// A release is tested as it is shipped, by naming the folder that it was unpacked to.
#[expect(
    clippy::disallowed_methods,
    reason = "a test run has no other configuration"
)]
fn ready_made() -> Option<PathBuf> {
    std::env::var("GUILDHALL_E2E_BINARIES")
        .ok()
        .map(PathBuf::from)
}

fn build() -> PathBuf {
    if let Some(folder) = ready_made() {
        return folder;
    }
    let test = std::env::current_exe().expect("a running program has a path");
    let profile = test
        .ancestors()
        .nth(2)
        .expect("a test lies in target/PROFILE/deps");
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        // The whole workspace with its examples, as `deploy/test` builds it: other packages, or
        // none that need what only tests depend on, would mean other features of the dependencies,
        // and everything compiled once more.
        .args(["build", "--quiet", "--workspace", "--bins", "--examples"])
        .arg("--target-dir")
        .arg(profile.parent().expect("a profile lies in target"))
        .current_dir(repository());
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    let status = cargo.status().expect("cargo runs this test");
    assert!(status.success(), "the server cannot be built");
    profile.to_owned()
}
