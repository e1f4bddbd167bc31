//! The projection as an adapter of `Messages`: audit logs, and what somebody has written.

use crate::messages::fresh;

guildhall_ports::audit_promises!(fresh);
