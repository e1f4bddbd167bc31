//! The store as an adapter of `Messages`: audit logs, and what somebody has written.

use crate::engine::fresh;

guildhall_ports::audit_promises!(fresh);
