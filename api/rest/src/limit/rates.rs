//! The rates themselves, which an operator may change or switch off.

use guildhall_model::Rate;

use super::route::Class;

/// How often callers may call. `None` switches a limit off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Limits {
    /// All requests of one bot.
    pub bots: Option<Rate>,
    /// All requests of one person.
    pub people: Option<Rate>,
    /// All requests without a credential from one address.
    pub addresses: Option<Rate>,
    /// Messages of one caller to one channel.
    pub messages: Option<Rate>,
    /// Reactions that one caller adds or removes.
    pub reactions: Option<Rate>,
    /// Registrations, logins and refreshes from one address.
    pub sign_in: Option<Rate>,
    /// Every other route, for each caller and each channel or guild that it names.
    pub others: Option<Rate>,
    /// Requests of one address that were answered 401, 403 or 429.
    pub refusals: Option<Rate>,
    /// How many reverse proxies stand before this node and add the address that called them to
    /// `X-Forwarded-For`. With 0 the header is not looked at.
    pub proxies: u16,
}

impl Limits {
    pub(super) const fn of(&self, class: Class) -> Option<Rate> {
        match class {
            Class::Messages => self.messages,
            Class::Reactions => self.reactions,
            Class::SignIn => self.sign_in,
            Class::Others => self.others,
        }
    }
}
