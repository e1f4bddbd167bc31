//! What a message may hold beside its text. Both dialects show it alike: the specification has no
//! shapes of its own for it.

pub(crate) mod component;
pub(crate) mod embed;

pub use component::ActionRow;
pub use embed::Embed;
