//! Accounts: registering, signing in and out, and profiles.

use guildhall_auth::{PasswordError, Secret, Verdict, refresh};
use guildhall_host::Refused;
use guildhall_model::account::{Account, Login};
use guildhall_model::command::ProfileUpdate;
use guildhall_model::picture::Image;
use guildhall_model::text::{Email, Username};
use guildhall_model::user::{Status, User};
use guildhall_model::{Rejection, Timestamp, UserId};
use guildhall_ports::accounts::Rotation;

use crate::{App, Context, Registration};

/// The use cases around accounts.
#[derive(Clone, Copy, Debug)]
pub struct Accounts<'a> {
    app: &'a App,
}

/// What a person registers with.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the types say it")]
pub struct NewAccount {
    pub username: Username,
    pub email: Email,
    pub password: Secret,
}

/// A login with its tokens, which are shown to nobody else.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Whose login it is.
    pub account: Account,
    /// Proves the login for a short time.
    pub access_token: Secret,
    /// Good for one exchange against new tokens.
    pub refresh_token: Secret,
    /// Seconds that the access token lasts.
    pub expires_in_s: u32,
}

impl App {
    /// The use cases around accounts.
    pub const fn accounts(&self) -> Accounts<'_> {
        Accounts { app: self }
    }
}

impl Accounts<'_> {
    /// Makes an account and signs it in.
    ///
    /// Whether the name or the address is taken is not said. Somebody who tries addresses under
    /// names that are certainly free learns it all the same: no answer can hide that until
    /// addresses are confirmed by mail.
    pub async fn register(&self, new: NewAccount) -> Result<SignedIn, Refused> {
        if self.app.0.parts.settings.registration == Registration::Closed {
            return Err(Rejection::Conflict("registration is closed").into());
        }
        // The hash comes first, so that the time of a refusal tells nothing.
        let hash = self
            .app
            .0
            .parts
            .hasher
            .hash(new.password)
            .await
            .map_err(refused)?;
        let now = self.app.env().now();
        let user = User {
            id: self.app.node().mint(),
            username: new.username.into(),
            display_name: None,
            avatar: None,
            bot: false,
            status: Status::Online,
            updated_at: now,
        };
        let account = Account {
            user,
            email: Some(new.email.into()),
        };
        let registered = self.app.accounts_store().register(&account, &hash).await?;
        registered.map_err(|_| Rejection::Taken("username or email"))?;
        self.sign_in(account, now).await
    }

    /// Signs a person in by address or username. Names that nobody has cost the same time as wrong
    /// passwords and are answered alike.
    pub async fn login(&self, name: &str, password: Secret) -> Result<SignedIn, Refused> {
        let hasher = &self.app.0.parts.hasher;
        let Some((account, stored)) = self.app.accounts_store().by_name(name).await? else {
            hasher.verify_unknown(password).await.map_err(refused)?;
            return Err(Rejection::WrongCredentials.into());
        };
        match hasher
            .verify(password.clone(), stored)
            .await
            .map_err(refused)?
        {
            Verdict::Wrong => return Err(Rejection::WrongCredentials.into()),
            Verdict::Right => {}
            Verdict::RightButOutdated => self.rehash(account.user.id, password).await,
        }
        self.sign_in(account, self.app.env().now()).await
    }

    /// Exchanges a refresh token for new tokens. A token that was exchanged before is in two
    /// hands: its login ends and its sockets close.
    pub async fn refresh(&self, token: &Secret) -> Result<SignedIn, Refused> {
        let now = self.app.env().now();
        let successor = refresh::mint(&*self.app.env().random);
        let presented = refresh::hash(token.reveal());
        let next = refresh::hash(successor.reveal());
        let login = match self
            .app
            .accounts_store()
            .rotate(presented, next, now)
            .await?
        {
            Rotation::Rotated(login) => login,
            Rotation::Refused => return Err(Rejection::Unauthenticated.into()),
            Rotation::Reused(login) => {
                self.app.forget_login(login.id, now);
                let id = login.id;
                tracing::warn!(login.id = %id, "a refresh token of login {id} came twice, revoked");
                return Err(Rejection::Unauthenticated.into());
            }
        };
        let account = self.app.accounts_store().account(login.user_id).await?;
        let account = account.ok_or(Rejection::Unauthenticated)?;
        Ok(self.tokens(account, &login, successor, now))
    }

    /// Ends the caller's login. Bots have none.
    pub async fn logout(&self, ctx: &Context) -> Result<(), Refused> {
        let login = ctx.login_id()?;
        // In memory first: should the store fail, the login has ended here all the same.
        self.app.forget_login(login, ctx.now);
        self.app
            .accounts_store()
            .revoke_login(login, ctx.now)
            .await?;
        Ok(())
    }

    /// The caller's own account.
    pub async fn me(&self, ctx: &Context) -> Result<Account, Refused> {
        self.app.own_account(ctx).await
    }

    /// Anybody's public profile.
    pub async fn get(&self, id: UserId) -> Result<User, Refused> {
        self.app.user(id).await
    }

    /// Changes the caller's own profile, with this picture where there is one; its guilds and sessions are told.
    pub async fn update(
        &self,
        ctx: &Context,
        mut update: ProfileUpdate,
        avatar: Option<Image>,
    ) -> Result<Account, Refused> {
        let before = self.app.own_account(ctx).await?;
        if before.user.bot && update.email.is_some() {
            let why = "a bot has no address";
            return Err(Rejection::field("email", "not_for_bots", why).into());
        }
        if let Some(image) = avatar {
            let owner = ctx.user_id().get();
            update.avatar = Some(Some(self.app.pictures().store(owner, image).await?));
        }
        let mut after = edited(before.clone(), update);
        if before == after {
            return Ok(after);
        }
        after.user.updated_at = ctx.now.max(before.user.updated_at);
        self.app.node().update_user(&before, after.clone()).await?;
        Ok(after)
    }

    async fn sign_in(&self, account: Account, now: Timestamp) -> Result<SignedIn, Refused> {
        let lifetime_s = self.app.0.parts.settings.login_lifetime_s;
        let login = Login {
            id: self.app.node().mint(),
            user_id: account.user.id,
            expires_at: now.plus_ms(i64::from(lifetime_s) * 1_000),
            revoked: false,
        };
        let token = refresh::mint(&*self.app.env().random);
        let hash = refresh::hash(token.reveal());
        self.app.accounts_store().open_login(&login, hash).await?;
        Ok(self.tokens(account, &login, token, now))
    }

    fn tokens(self, account: Account, login: &Login, refresh: Secret, now: Timestamp) -> SignedIn {
        let access_tokens = &self.app.0.parts.access_tokens;
        SignedIn {
            access_token: access_tokens.issue(account.user.id, login.id, now),
            refresh_token: refresh,
            expires_in_s: access_tokens.lifetime_s(),
            account,
        }
    }

    /// Brings a stored hash up to the present cost. The login succeeds whether that works or not:
    /// the next one tries again.
    async fn rehash(&self, user: UserId, password: Secret) {
        let stored = match self
            .app
            .0
            .parts
            .hasher
            .hash(password)
            .await
            .map_err(refused)
        {
            Ok(hash) => {
                self.app
                    .accounts_store()
                    .set_password_hash(user, &hash)
                    .await
            }
            Err(Refused::Failure(failure)) => Err(failure),
            Err(Refused::Rejection(_)) => return,
        };
        if let Err(error) = stored {
            tracing::warn!(user.id = %user, %error, "the password hash of {user} stays outdated");
        }
    }
}

fn edited(mut account: Account, update: ProfileUpdate) -> Account {
    let user = &mut account.user;
    if let Some(username) = update.username {
        user.username = username.into();
    }
    if let Some(display_name) = update.display_name {
        user.display_name = display_name.map(Into::into);
    }
    if let Some(avatar) = update.avatar {
        user.avatar = avatar;
    }
    user.status = update.status.unwrap_or(user.status);
    if let Some(email) = update.email {
        account.email = Some(email.into());
    }
    account
}

fn refused(error: PasswordError) -> Refused {
    match error {
        PasswordError::Rejected(rejection) => rejection.into(),
        PasswordError::Failed(failure) => failure.into(),
    }
}
