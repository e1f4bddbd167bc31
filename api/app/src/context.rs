//! Who asks, and when.

use std::net::IpAddr;

use guildhall_model::account::{Caller, Credential};
use guildhall_model::audit::By;
use guildhall_model::text::Reason;
use guildhall_model::{LoginId, Rejection, Timestamp, UserId};

/// The other end of the connection that a request came on; the listener puts it into the request.
/// Behind a reverse proxy it is the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// Who asks, and when. The id of the request is in the tracing span around it.
#[derive(Clone, Debug)]
pub struct Context {
    /// Who was authenticated.
    pub caller: Caller,
    /// When the request came.
    pub now: Timestamp,
    /// Why it asks, for the guild's audit log.
    pub reason: Option<Reason>,
}

impl Context {
    /// A request without a reason.
    pub const fn new(caller: Caller, now: Timestamp) -> Self {
        Self {
            caller,
            now,
            reason: None,
        }
    }

    /// The same request for this reason.
    pub fn because(self, reason: Option<Reason>) -> Self {
        Self { reason, ..self }
    }

    /// Who acts, and why.
    pub fn by(&self) -> By {
        By {
            user_id: self.user_id(),
            reason: self.reason.clone(),
        }
    }

    /// On whose behalf the request is.
    pub const fn user_id(&self) -> UserId {
        self.caller.user_id
    }

    /// The login of a person; bots have none and are refused.
    pub const fn login_id(&self) -> Result<LoginId, Rejection> {
        match self.caller.credential {
            Credential::Login(id) => Ok(id),
            Credential::Bot { .. } => Err(Rejection::NotForBots),
        }
    }

    /// Refuses people.
    pub const fn require_bot(&self) -> Result<(), Rejection> {
        match self.caller.credential {
            Credential::Bot { .. } => Ok(()),
            Credential::Login(_) => Err(Rejection::BotsOnly),
        }
    }

    /// Refuses bots.
    pub fn require_person(&self) -> Result<(), Rejection> {
        self.login_id().map(|_| ())
    }
}
