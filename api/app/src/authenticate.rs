//! From the credential that a request brings to who acts.

use guildhall_auth::{Presented, Secret, bot};
use guildhall_host::Refused;
use guildhall_host::recall::Told;
use guildhall_model::account::{Caller, Credential};
use guildhall_model::{LoginId, Rejection, Timestamp, limits};

use crate::{App, Context};

/// How long a token that was replaced may still be taken by a node that did not replace it, if the
/// store can be asked.
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

    /// A bot's token is good until it is replaced, and a moment longer. While the store is away
    /// nobody can replace it; one that was found good lately is then good for
    /// [`limits::RECALLED_MS_MAX`] from when it was. So the token that is taken too long is one that
    /// another node replaced in the seconds before the store was lost.
    async fn bot(&self, token: &Secret, now: Timestamp) -> Result<Caller, Refused> {
        if let Some(caller) = self.0.bots.get(token.reveal(), now) {
            return Ok(caller);
        }
        let unknown = || Refused::from(Rejection::Unauthenticated);
        let application_id = bot::application(token.reveal()).ok_or_else(unknown)?;
        let recalled = self.0.bots.recall(token.reveal(), now);
        let question = self.accounts_store().application(application_id);
        let stores = self.node().stores();
        let found = match stores.ask_or_recall(recalled, question).await? {
            Told::Before(caller) => return Ok(caller),
            Told::Now(found) => found,
        };
        let found = found.filter(|(_, stored, _)| bot::is_stored(token.reveal(), stored));
        let Some((application, _, generation)) = found else {
            self.0.bots.forget(token.reveal());
            return Err(unknown());
        };
        let credential = Credential::Bot {
            application_id,
            generation,
            privileged_intents: application.privileged_intents,
        };
        let caller = Caller {
            user_id: application.bot.id,
            credential,
        };
        let known = now..now.plus_ms(BOT_KNOWN_MS);
        let until = now.plus_ms(i64::try_from(limits::RECALLED_MS_MAX).unwrap_or(i64::MAX));
        self.0
            .bots
            .put_recalled(token.reveal(), caller, known, until);
        Ok(caller)
    }
}
