//! The suites that every adapter must pass.
