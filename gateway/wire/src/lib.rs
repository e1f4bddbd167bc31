//! Every byte a client sees: opcodes, frames, both dialects, encodings, compression.

pub mod dialect;
pub mod id;
pub mod time;

pub use dialect::Dialect;
pub use id::Spelling;
