//! The use cases, shared by both dialects and the gateway.
