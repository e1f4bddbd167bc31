//! What bodies of one installation have in common: how its ids and its files' addresses are
//! written.

use crate::file_url::FileUrls;
use crate::id::Spelling;

/// How an installation writes its ids and addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    /// Its ids.
    pub spelling: Spelling,
    /// The addresses of its files.
    pub urls: FileUrls,
}
