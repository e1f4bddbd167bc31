//! The projection as an adapter of `Messages`: applying records once and again.

use crate::messages::fresh;

guildhall_ports::redo_promises!(fresh);
