//! The store as an adapter of `Guilds`: users' profiles.

use crate::guilds::fresh;

guildhall_ports::profiles_promises!(fresh);
