//! The store as an adapter of `ApplicationCommands`.

use crate::guilds::fresh;

guildhall_ports::application_commands_promises!(fresh);
