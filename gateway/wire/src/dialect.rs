//! The two vocabularies in which a client may be spoken to.

/// Whose objects a client sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dialect {
    /// Discord's v10 bodies with decimal ids: any existing bot library.
    #[default]
    Discord,
    /// The specification's bodies with UUID ids: people's clients.
    Native,
}
