//! Passwords, access tokens, refresh tokens, bot tokens and addresses of files.
//!
//! Everything that proves who a caller is, without storage: what is stored are password hashes
//! (PHC strings) and hashes of tokens, behind `ports::Accounts`. Time and randomness are handed in.

pub mod access;
pub mod authorization;
pub mod bot;
pub mod file_link;
pub mod interaction_token;
pub mod password;
pub mod refresh;
mod secret;
mod token_hash;

pub use access::{Access, AccessError, AccessTokens};
pub use authorization::Presented;
pub use file_link::FileLinks;
pub use interaction_token::InteractionTokens;
pub use password::{Hasher, PasswordError, Verdict};
pub use secret::Secret;
