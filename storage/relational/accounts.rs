//! The port `Accounts`: people's accounts here, logins and applications in their own files.

use async_trait::async_trait;
use guildhall_model::account::{Account, Application, Login};
use guildhall_model::user::User;
use guildhall_model::{ApplicationId, LoginId, Timestamp, UserId};
use guildhall_ports::Failure;
use guildhall_ports::accounts::{Accounts, Rotation, Taken, TokenHash};
use guildhall_ports::crash::{self, Point};

use super::engine::{self, Connection, Store, among};
use super::error::SqlError;
use super::user::{AccountRow, UserRow, folded};
use super::write::Write;
use super::{applications, logins, user};

#[async_trait]
impl Accounts for Store {
    async fn register(
        &self,
        account: &Account,
        password_hash: &str,
    ) -> Result<Result<(), Taken>, Failure> {
        let write = Register {
            account: account.clone(),
            password_hash: password_hash.to_owned(),
        };
        let stored = self.write(write).await;
        crash::pass(Point::AccountStored);
        Ok(stored?)
    }

    async fn by_name(&self, name: &str) -> Result<Option<(Account, String)>, Failure> {
        self.read(by_name(self, name)).await
    }

    async fn set_password_hash(&self, user: UserId, password_hash: &str) -> Result<(), Failure> {
        let write = SetPasswordHash {
            user,
            password_hash: password_hash.to_owned(),
        };
        Ok(self.write(write).await?)
    }

    async fn account(&self, id: UserId) -> Result<Option<Account>, Failure> {
        self.read(account(self, id)).await
    }

    async fn users(&self, ids: &[UserId]) -> Result<Vec<User>, Failure> {
        self.read(users(self, ids)).await
    }

    async fn open_login(&self, login: &Login, refresh: TokenHash) -> Result<(), Failure> {
        let write = logins::Open {
            login: *login,
            refresh,
        };
        let stored = self.write(write).await;
        crash::pass(Point::LoginStored);
        Ok(stored?)
    }

    async fn rotate(
        &self,
        presented: TokenHash,
        successor: TokenHash,
        now: Timestamp,
    ) -> Result<Rotation, Failure> {
        let write = logins::Rotate {
            presented,
            successor,
            now,
        };
        let rotated = self.write(write).await;
        crash::pass(Point::TokenRotated);
        Ok(rotated?)
    }

    async fn revoke_login(&self, id: LoginId, now: Timestamp) -> Result<(), Failure> {
        Ok(self.write(logins::Revoke { id, now }).await?)
    }

    async fn login(&self, id: LoginId) -> Result<Option<Login>, Failure> {
        self.read(logins::login(self.readers(), id)).await
    }

    async fn revoked_since(&self, since: Timestamp) -> Result<Vec<LoginId>, Failure> {
        self.read(logins::revoked_since(self.readers(), since))
            .await
    }

    async fn create_application(
        &self,
        application: &Application,
        token: TokenHash,
    ) -> Result<Result<(), Taken>, Failure> {
        let write = applications::Create {
            application: application.clone(),
            token,
        };
        Ok(self.write(write).await?)
    }

    async fn application(
        &self,
        id: ApplicationId,
    ) -> Result<Option<(Application, TokenHash, u32)>, Failure> {
        self.read(applications::application(self.readers(), id))
            .await
    }

    async fn applications_of(&self, owner: UserId) -> Result<Vec<Application>, Failure> {
        self.read(applications::applications_of(self.readers(), owner))
            .await
    }
}

/// Makes a person's account.
struct Register {
    account: Account,
    password_hash: String,
}

impl Write for Register {
    type Done = Result<(), Taken>;
    type Error = SqlError;

    async fn run(&self, tx: &mut Connection) -> Result<Self::Done, SqlError> {
        let Account { user, email } = &self.account;
        if let Some(taken) = user::taken(tx, user.id, &user.username, email.as_deref()).await? {
            return Ok(Err(taken));
        }
        user::insert(tx, user).await?;
        sqlx::query(
            "INSERT INTO accounts (user_id, email, email_lower, password_hash) VALUES ($1, $2, $3, $4)",
        )
        .bind(user.id.as_i64())
        .bind(email)
        .bind(email.as_deref().map(folded))
        .bind(&self.password_hash)
        .execute(tx)
        .await?;
        Ok(Ok(()))
    }
}

/// Replaces a password hash.
struct SetPasswordHash {
    user: UserId,
    password_hash: String,
}

impl Write for SetPasswordHash {
    type Done = ();
    type Error = SqlError;

    async fn run(&self, tx: &mut Connection) -> Result<(), SqlError> {
        sqlx::query("UPDATE accounts SET password_hash = $1 WHERE user_id = $2")
            .bind(&self.password_hash)
            .bind(self.user.as_i64())
            .execute(tx)
            .await?;
        Ok(())
    }
}

#[derive(sqlx::FromRow)]
struct CredentialRow {
    #[sqlx(flatten)]
    account: AccountRow,
    password_hash: String,
}

async fn by_name(store: &Store, name: &str) -> Result<Option<(Account, String)>, SqlError> {
    // No text with a null character is stored, and not every engine is willing to look for one.
    if name.contains('\0') {
        return Ok(None);
    }
    // A username holds no "@" and an address always does, so at most one side finds a row.
    let row: Option<CredentialRow> = sqlx::query_as(
        "SELECT users.*, accounts.email, accounts.password_hash
         FROM users JOIN accounts ON accounts.user_id = users.id
         WHERE users.username_lower = $1
         UNION ALL
         SELECT users.*, accounts.email, accounts.password_hash
         FROM accounts JOIN users ON users.id = accounts.user_id
         WHERE accounts.email_lower = $1
         LIMIT 1",
    )
    .bind(folded(name))
    .fetch_optional(store.readers())
    .await?;
    row.map(|row| Ok((row.account.try_into()?, row.password_hash)))
        .transpose()
}

async fn account(store: &Store, id: UserId) -> Result<Option<Account>, SqlError> {
    let row: Option<AccountRow> = sqlx::query_as(
        "SELECT users.*, accounts.email
         FROM users LEFT JOIN accounts ON accounts.user_id = users.id
         WHERE users.id = $1",
    )
    .bind(id.as_i64())
    .fetch_optional(store.readers())
    .await?;
    row.map(Account::try_from).transpose()
}

async fn users(store: &Store, ids: &[UserId]) -> Result<Vec<User>, SqlError> {
    let rows: Vec<UserRow> = sqlx::query_as(concat!("SELECT * FROM users WHERE id ", among!()))
        .bind(engine::ids(ids))
        .fetch_all(store.readers())
        .await?;
    rows.into_iter().map(User::try_from).collect()
}
