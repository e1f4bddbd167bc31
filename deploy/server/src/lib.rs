//! The binary: configuration, assembly, operation. The only crate that names an adapter.

pub mod assemble;
mod certificates;
pub mod command_line;
pub mod config;
mod engines;
pub mod operator;
pub mod serve;
pub mod telemetry;
