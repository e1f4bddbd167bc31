//! From the credential that a request brings to who acts.

use guildhall_auth::{Presented, Secret, bot};
use guildhall_host::Refused;
use guildhall_model::account::{Caller, Credential};
use guildhall_model::{LoginId, Rejection, Timestamp};

use crate::{App, Context};

/// How long a token that was replaced may still be taken by a node that did not replace it.
const BOT_KNOWN_MS: i64 = 10_000;

impl App {
    /// Who brings this credential, as of now. What is wrong with a credential is not said.
    pub async fn authenticate(&self, presented: &Presented) -> Result<Context, Refused> {
        let now = self.env().now();
        let caller = match presented {
            Presented::Bearer(token) => self.person(token, now)?,
            Presented::Bot(token) => self.bot(token, now).await?,
        };
        Ok(Context::new(caller, now))
    }

    /// The login was revoked. Whoever keeps a connection for a login asks again after it has made
    /// the connection known to the node, so that no revocation falls in between.
    pub fn is_revoked(&self, login: LoginId) -> bool {
        self.0.revoked.contains(login)
    }

    /// Ends a login on this node: its access tokens are refused and its sockets close.
    pub(crate) fn forget_login(&self, login: LoginId, now: Timestamp) {
        self.0.revoked.add(login, now);
        self.node().close_login(login);
    }

    /// A person's token is good until its time is over or its login is revoked.
    fn person(&self, token: &Secret, now: Timestamp) -> Result<Caller, Rejection> {
        let cached = self.0.people.get(token.reveal(), now);
        let caller = match cached {
            Some(caller) => caller,
            None => self.verified(token, now)?,
        };
        match caller.credential {
            Credential::Login(login) if self.is_revoked(login) => Err(Rejection::Unauthenticated),
            _ => Ok(caller),
        }
    }

    fn verified(&self, token: &Secret, now: Timestamp) -> Result<Caller, Rejection> {
        let access = self.0.parts.access_tokens.verify(token.reveal(), now);
        let access = access.map_err(|_| Rejection::Unauthenticated)?;
        let caller = Caller {
            user_id: access.user_id,
            credential: Credential::Login(access.login_id),
        };
        self.0
            .people
            .put(token.reveal(), caller, now..access.expires_at);
        Ok(caller)
    }

    /// A bot's token is good until it is replaced, and a moment longer.
    async fn bot(&self, token: &Secret, now: Timestamp) -> Result<Caller, Refused> {
        if let Some(caller) = self.0.bots.get(token.reveal(), now) {
            return Ok(caller);
        }
        let unknown = || Refused::from(Rejection::Unauthenticated);
        let application_id = bot::application(token.reveal()).ok_or_else(unknown)?;
        let found = self.accounts_store().application(application_id).await?;
        let (application, stored, generation) = found.ok_or_else(unknown)?;
        if !bot::is_stored(token.reveal(), &stored) {
            return Err(unknown());
        }
        let credential = Credential::Bot {
            application_id,
            generation,
            privileged_intents: application.privileged_intents,
        };
        let caller = Caller {
            user_id: application.bot.id,
            credential,
        };
        self.0
            .bots
            .put(token.reveal(), caller, now..now.plus_ms(BOT_KNOWN_MS));
        Ok(caller)
    }
}
