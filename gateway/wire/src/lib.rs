//! Every byte a client sees: opcodes, frames, both dialects, encodings, compression.
