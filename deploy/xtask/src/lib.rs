//! The commands of `cargo x`: checks that hold the house together, and documents that are made.

pub mod docs;
pub mod mutations;
pub mod tidy;
