//! Who asks, and when.

use std::net::IpAddr;

use guildhall_model::account::{Caller, Credential};
use guildhall_model::{LoginId, Rejection, Timestamp, UserId};

/// The other end of the connection that a request came on; the listener puts it into the request.
/// Behind a reverse proxy it is the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// Who asks, and when. The id of the request is in the tracing span around it.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// Who was authenticated.
    pub caller: Caller,
    /// When the request came.
    pub now: Timestamp,
}

impl Context {
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
