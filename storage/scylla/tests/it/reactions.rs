//! The store as an adapter of `Messages`: reactions.

use crate::engine::fresh;

guildhall_ports::reactions_promises!(fresh);
