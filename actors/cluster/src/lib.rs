//! Partitions, their placement on nodes, and the epochs of their owners.

pub mod partition;
