//! How often something was done on all nodes of a cluster together.
//!
//! It is a help and never the record of truth: it may forget everything at any time, and a node that
//! gets no answer decides by what it has counted itself.

use std::fmt;

use async_trait::async_trait;
use guildhall_model::Rate;

use crate::error::Failure;

/// Bytes of a key.
pub const KEY_BYTES_MAX: usize = 255;

/// How a window stands after a use of it, or as somebody looks at it. Windows are those of [`guildhall_model::Window`], by the
/// store's own clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// The use was allowed, or would be. What was not allowed uses nothing up.
    pub is_allowed: bool,
    /// How often the window was used, at most the rate's count; this use is among them if it was allowed.
    pub used: u32,
    /// Milliseconds until the window ends: from 1 to the rate's window.
    pub left_ms: u32,
}

/// Counts uses for all nodes.
#[async_trait]
pub trait Quotas: fmt::Debug + Send + Sync {
    /// Uses the key's window once, if it is not used up. Of uses at once no more are allowed than
    /// the rate has. It answers soon, well within the time that a caller would notice, or with
    /// `Unavailable`: then the use may have been counted or not. A key over [`KEY_BYTES_MAX`] is a
    /// mistake of the caller's and refused as `Unavailable`.
    async fn take(&self, key: &str, rate: Rate) -> Result<Count, Failure>;

    /// How the key's window stands, without using it; the whole of a new one where there is none. It
    /// answers and fails as [`Self::take`] does.
    async fn look(&self, key: &str, rate: Rate) -> Result<Count, Failure>;
}
