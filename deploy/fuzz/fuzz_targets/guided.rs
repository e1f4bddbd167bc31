//! The target that `GUILDHALL_FUZZ_TARGET` names, driven by libFuzzer.
#![no_main]

use std::sync::LazyLock;

use guildhall_fuzz::Target;
use libfuzzer_sys::fuzz_target;

#[expect(
    clippy::disallowed_methods,
    reason = "libFuzzer owns the command line of this program"
)]
static TARGET: LazyLock<&Target> = LazyLock::new(|| {
    let name = std::env::var("GUILDHALL_FUZZ_TARGET").unwrap_or_default();
    guildhall_fuzz::find(&name).unwrap_or_else(|| panic!("there is no target {name:?}"))
});

fuzz_target!(|bytes: &[u8]| (TARGET.run)(bytes));
