//! Partitions, their placement on nodes, the epochs of their owners, and the link between nodes.

pub mod coordinator;
pub mod link;
pub mod partition;
pub mod placement;
