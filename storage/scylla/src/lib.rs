//! The projection of messages in CQL: ScyllaDB in production, Apache Cassandra where there is none.
//!
//! Only the CQL that both have is used, and of it what needs no agreement between replicas: no
//! lightweight transactions, no secondary indexes, no materialized views, no filtering. Every
//! read is of a bounded number of rows in a bounded number of partitions.
//!
//! CQL has no transaction over partitions. What stands in place of one:
//!
//! 1. Every write carries the place of its event as its timestamp, so that writes may come twice,
//!    late, and in any order, also from a former owner that does not know of its end.
//! 2. `begun` is written before anything else and `applied` after all else: a reader can tell
//!    whether something may have been applied in part.
//! 3. Counts of reactions change in the same mutation as what they count, and know their place.

mod apply;
mod audit;
mod author;
mod bounds;
mod bucket;
mod cql;
mod cursor;
mod error;
mod groups;
mod message;
pub mod migrate;
mod nonce;
mod page;
mod pin;
mod plan;
mod projection;
mod reaction;
mod remembered;
mod settings;
mod tls;

pub use projection::Projection;
pub use settings::{Consistency, Credentials, Settings};
pub use tls::Tls;
