//! The projection as an adapter of `Messages`: reactions.

use crate::messages::fresh;

guildhall_ports::reactions_promises!(fresh);
