//! The store as an adapter of `Guilds`: commits and the outbox.

use crate::guilds::fresh;

guildhall_ports::commits_promises!(fresh);
