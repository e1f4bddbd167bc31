//! Passwords, access tokens, refresh tokens and bot tokens.
