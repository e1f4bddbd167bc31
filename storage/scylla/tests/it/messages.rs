//! The store as an adapter of `Messages`: messages and their pages.

use crate::engine::fresh;

guildhall_ports::messages_promises!(fresh);
