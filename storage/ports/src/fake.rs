//! In-memory adapters whose faults a test chooses.
