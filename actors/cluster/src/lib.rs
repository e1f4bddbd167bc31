//! Partitions, their placement on nodes, and the epochs of their owners.

pub mod coordinator;
pub mod partition;
pub mod placement;
