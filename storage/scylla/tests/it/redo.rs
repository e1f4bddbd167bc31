//! The store as an adapter of `Messages`: applying records once and again.

use crate::engine::fresh;

guildhall_ports::redo_promises!(fresh);
