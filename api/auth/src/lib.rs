//! Passwords, access tokens, refresh tokens and bot tokens.
//!
//! Everything that proves who a caller is, without storage: what is stored are password hashes
//! (PHC strings) and hashes of tokens, behind `ports::Accounts`. Time and randomness are handed in.

pub mod access;
pub mod authorization;
pub mod bot;
pub mod password;
pub mod refresh;
mod secret;
mod token_hash;

pub use access::{Access, AccessError, AccessTokens};
pub use authorization::Presented;
pub use password::{Hasher, PasswordError, Verdict};
pub use secret::Secret;
