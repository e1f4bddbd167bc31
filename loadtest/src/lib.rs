//! Load, histories and the offline delivery checker.

pub mod args;
pub mod checker;
pub mod client;
pub mod clock;
pub mod crooked;
pub mod history;
pub mod listen;
pub mod progress;
pub mod simulation;
pub mod steady;
