//! Load, histories and the offline delivery checker.

pub mod checker;
pub mod clock;
pub mod history;
