//! Every byte a client sees: opcodes, frames, both dialects, encodings, compression.

pub mod close_code;
pub mod compress;
pub mod dialect;
pub mod discord;
pub mod dispatch;
pub mod emoji_text;
pub mod encode;
pub mod error;
mod facets;
pub mod file_url;
pub mod frame;
pub mod gateway;
pub mod id;
mod installation;
pub mod native;
pub mod opcode;
pub mod rich;
pub mod time;
pub mod ws;

pub use close_code::CloseCode;
pub use dialect::Dialect;
pub use encode::{Agreement, Compression, Encoding};
pub use file_url::FileUrls;
pub use id::Spelling;
pub use installation::Installation;
