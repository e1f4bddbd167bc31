//! Where the gateway is, and how a bot should connect to it.

use serde::Serialize;

/// Sessions that may be opened at a time. discord.js and others open them five seconds apart where
/// this is 1.
const CONCURRENCY: u32 = 16;
/// Sessions that may be opened in a day, as far as clients are told; Guildhall sets no bound.
const DAILY: u32 = 1_000;
const DAY_MS: u32 = 24 * 3_600 * 1_000;

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

#[derive(Clone, Copy, Debug, Serialize)]
struct SessionStartLimit {
    total: u32,
    remaining: u32,
    reset_after: u32,
    max_concurrency: u32,
}

impl<'a> Gateway<'a> {
    /// The gateway at this address.
    pub const fn new(url: &'a str) -> Self {
        Self { url }
    }
}

impl<'a> BotGateway<'a> {
    /// The gateway at this address, for so many shards. discord.js refuses to start where fewer
    /// sessions remain than there are shards.
    pub fn new(url: &'a str, shards: u32) -> Self {
        let total = DAILY.max(shards);
        Self {
            url,
            shards,
            session_start_limit: SessionStartLimit {
                total,
                remaining: total,
                reset_after: DAY_MS,
                max_concurrency: CONCURRENCY,
            },
        }
    }
}
