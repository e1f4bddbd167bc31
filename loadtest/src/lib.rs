//! Load, histories and the offline delivery checker.

pub mod checker;
pub mod client;
pub mod clock;
pub mod history;
