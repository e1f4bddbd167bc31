//! Fuzz targets: functions from any bytes to nothing, each of which asserts laws and may never
//! panic.
//!
//! They run in two ways. `cargo test -p guildhall-fuzz` gives each its corpus and a fixed number
//! of inputs that are mutated from it, the same in every run. `deploy/test --long` lets libFuzzer
//! search with coverage (`deploy/proof/fuzz`). What is found is repaired with a named test beside the
//! code; its input may join `corpus/<target>/`.

mod document;
mod invent;
pub mod mutate;
mod script;
mod targets;
mod workbench;

/// Something that no bytes may break.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Names the target and the folder of its corpus.
    pub name: &'static str,
    /// Panics where a law is broken.
    pub run: fn(&[u8]),
    /// Mutated inputs of a bounded run. One test of an unoptimized build should take seconds.
    pub inputs: u32,
}

/// All of them.
pub const TARGETS: &[Target] = &[
    target("gateway_frame", targets::gateway_frame::run, 60_000),
    target("server_frame", targets::server_frame::run, 3_000),
    target("compression", targets::compression::run, 2_000),
    target("connection", targets::connection::run, 10_000),
    target("resume_claim", targets::resume_claim::run, 30_000),
    target("snapshot", targets::snapshot::run, 5_000),
    target("log_segment", targets::log_segment::run, 4_000),
    target("id_spelling", targets::id_spelling::run, 150_000),
    target("permissions", targets::permissions::run, 50_000),
    target("request_body", targets::request_body::run, 15_000),
    target("discord_body", targets::discord_body::run, 15_000),
    target("websocket", targets::websocket::run, 30_000),
];

const fn target(name: &'static str, run: fn(&[u8]), inputs: u32) -> Target {
    Target { name, run, inputs }
}

/// The target of this name.
pub fn find(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
