//! Who calls.

use std::cell::Cell;

use guildhall_app::authorize::{Need, Row};
use serde_json::{Value, json};

use super::super::{is_about_channels, place};
use super::{Caller, House};
use crate::harness::{PASSWORD, registration};

/// A kind of caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Actor {
    /// Brings no credential.
    Anonymous,
    /// Is no member.
    Stranger,
    /// Was thrown out for good.
    Banned,
    /// A member without what the row asks for.
    Plain,
    /// A member with it, and a rank above the target's.
    Holder,
    /// A member with it, and a higher rank.
    Higher,
    /// A member with it, but below the target.
    Lower,
    /// A bot in the place of [`Self::Holder`].
    Bot,
    /// As [`Self::Holder`], but an overwrite hides the channel.
    Hidden,
    /// The member that routes name, and whose messages and invites they are about.
    Target,
    /// Owns the guild.
    Owner,
}

impl Actor {
    const ALL: [Self; 11] = [
        Self::Anonymous,
        Self::Stranger,
        Self::Banned,
        Self::Plain,
        Self::Holder,
        Self::Higher,
        Self::Lower,
        Self::Bot,
        Self::Hidden,
        Self::Target,
        Self::Owner,
    ];
    /// Those who see the channel of the stage.
    pub(super) const MEMBERS: [Self; 7] = [
        Self::Plain,
        Self::Holder,
        Self::Higher,
        Self::Lower,
        Self::Bot,
        Self::Target,
        Self::Owner,
    ];

    /// Those that make a difference for a row.
    pub(crate) fn of(row: &Row) -> impl Iterator<Item = Self> {
        let is_about_channel = is_about_channels(place(row)) || place(row).starts_with("/webhooks");
        let is_between_two = row.path.starts_with("/dm");
        let is_open = row.need == Need::Token;
        Self::ALL.into_iter().filter(move |actor| match actor {
            // Who calls is not even asked.
            _ if is_open => matches!(actor, Self::Anonymous | Self::Banned | Self::Owner),
            Self::Hidden => is_about_channel,
            Self::Target => !is_between_two,
            _ => true,
        })
    }

    /// Has what the row asks for.
    pub(crate) const fn holds(self) -> bool {
        matches!(
            self,
            Self::Holder | Self::Higher | Self::Lower | Self::Bot | Self::Owner
        )
    }
}

/// Everybody, registered once.
pub(crate) struct Cast {
    callers: Vec<(Actor, Caller)>,
    /// Owns the guild that nobody else is in.
    pub(crate) other: Caller,
    /// An application whose bot is in no guild.
    pub(crate) application: String,
    registered: Cell<u32>,
}

impl Cast {
    pub(crate) async fn gather(house: &House) -> Self {
        let other = house.person("other").await;
        let mut callers = Vec::new();
        for actor in Actor::ALL {
            let caller = match actor {
                Actor::Anonymous => continue,
                Actor::Bot => house.bot(&other, "Bot").await,
                _ => house.person(&name(actor)).await,
            };
            callers.push((actor, caller));
        }
        let application = house.bot(&other, "Idle").await.id;
        Self {
            callers,
            other,
            application,
            registered: Cell::new(0),
        }
    }

    pub(crate) fn of(&self, actor: Actor) -> &Caller {
        let found = self.callers.iter().find(|(each, _)| *each == actor);
        &found
            .expect("everybody but the anonymous has a credential")
            .1
    }

    /// Who sends the request. Logging out costs a login, so it gets one of its own.
    pub(crate) async fn caller(&self, house: &House, actor: Actor, row: &Row) -> Option<Caller> {
        match actor {
            Actor::Anonymous => None,
            Actor::Bot => Some(self.of(actor).clone()),
            _ if row.path == "/auth/logout" && row.need == Need::Person => {
                Some(login(house, actor).await)
            }
            _ => Some(self.of(actor).clone()),
        }
    }

    /// A person that nobody is yet.
    pub(crate) fn registration(&self) -> Value {
        self.registered.set(self.registered.get() + 1);
        registration(&format!("new{}", self.registered.get()))
    }
}

/// What a person signs in with.
pub(crate) fn credentials() -> Value {
    json!({"username": name(Actor::Plain), "password": PASSWORD})
}

/// Signs an actor in once more.
pub(crate) async fn login(house: &House, actor: Actor) -> Caller {
    house.login(&name(actor)).await
}

/// Profiles change in the matrix, usernames do not.
fn name(actor: Actor) -> String {
    format!("{actor:?}").to_lowercase()
}
