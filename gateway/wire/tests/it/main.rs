//! What clients see, byte for byte, and what independent judges say of it.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod golden;
mod happenings;
mod native_bounds;
mod native_schema;
mod openapi;
mod sample;
mod twilight;
