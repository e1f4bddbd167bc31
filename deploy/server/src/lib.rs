//! The binary: configuration, assembly, operation.
