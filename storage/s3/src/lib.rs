//! The files of a cluster, in a bucket of an S3 engine, which all nodes share.
//!
//! A blob is one object, `KIND/NUMBER`, and the engine makes it visible as a whole or not at all. No
//! file is ever wholly in memory: what is longer than a part of five mebibytes is sent in parts.
//! What a node was sending when it was killed stays with the engine, unseen, until the engine is
//! told to give it up: the bucket needs a lifecycle rule for incomplete multipart uploads, one day
//! is plenty. Versioning of the bucket only costs room.

mod blobs;
mod client;
mod config;
mod error;
mod metadata;
mod multipart;
mod reader;
mod writer;

pub use blobs::S3Blobs;
pub use config::Config;
