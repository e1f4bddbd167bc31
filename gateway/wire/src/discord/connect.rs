//! Where the gateway is, and how a bot should connect to it.

use serde::Serialize;

/// Where the gateway is. Clients append a query, some after a slash: there must be neither.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Gateway<'a> {
    url: &'a str,
}

/// Where the gateway is, and in how many shards a bot should connect to it.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct BotGateway<'a> {
    url: &'a str,
    shards: u32,
    session_start_limit: SessionStartLimit,
}

/// How many sessions a bot may still open.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct SessionStartLimit {
    /// In a day.
    pub total: u32,
    /// On this day. discord.js refuses to start where these are fewer than there are shards.
    pub remaining: u32,
    /// Milliseconds until the next day begins.
    pub reset_after: u64,
    /// Within five seconds. discord.js and others open them one by one where this is 1.
    pub max_concurrency: u32,
}

impl<'a> Gateway<'a> {
    /// The gateway at this address.
    pub const fn new(url: &'a str) -> Self {
        Self { url }
    }
}

impl<'a> BotGateway<'a> {
    /// The gateway at this address, for so many shards.
    pub const fn new(url: &'a str, shards: u32, session_start_limit: SessionStartLimit) -> Self {
        Self {
            url,
            shards,
            session_start_limit,
        }
    }
}
