//! The port `Accounts`: people's accounts here, logins and applications in their own files.

use async_trait::async_trait;
use guildhall_model::account::{Account, Application, Login};
use guildhall_model::user::User;
use guildhall_model::{ApplicationId, LoginId, Timestamp, UserId};
use guildhall_ports::Failure;
use guildhall_ports::accounts::{Accounts, Rotation, Taken, TokenHash};
use guildhall_ports::crash::{self, Point};
use sqlx::SqliteConnection;

use super::user::{AccountRow, UserRow, folded};
use super::{Relational, applications, logins, user};
use crate::sqlite::column;
use crate::sqlite::error::SqlError;
use crate::sqlite::writer::Write;

#[async_trait]
impl Accounts for Relational {
    async fn register(
        &self,
        account: &Account,
        password_hash: &str,
    ) -> Result<Result<(), Taken>, Failure> {
        let write = Register {
            account: account.clone(),
            password_hash: password_hash.to_owned(),
        };
        let stored = self.database.write(write).await;
        crash::pass(Point::AccountStored);
        stored
    }

    async fn by_name(&self, name: &str) -> Result<Option<(Account, String)>, Failure> {
        Ok(by_name(self, name).await?)
    }

    async fn set_password_hash(&self, user: UserId, password_hash: &str) -> Result<(), Failure> {
        let write = SetPasswordHash {
            user,
            password_hash: password_hash.to_owned(),
        };
        self.database.write(write).await
    }

    async fn account(&self, id: UserId) -> Result<Option<Account>, Failure> {
        Ok(account(self, id).await?)
    }

    async fn users(&self, ids: &[UserId]) -> Result<Vec<User>, Failure> {
        Ok(users(self, ids).await?)
    }

    async fn open_login(&self, login: &Login, refresh: TokenHash) -> Result<(), Failure> {
        let write = logins::Open {
            login: *login,
            refresh,
        };
        let stored = self.database.write(write).await;
        crash::pass(Point::LoginStored);
        stored
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
        let rotated = self.database.write(write).await;
        crash::pass(Point::TokenRotated);
        rotated
    }

    async fn revoke_login(&self, id: LoginId, now: Timestamp) -> Result<(), Failure> {
        self.database.write(logins::Revoke { id, now }).await
    }

    async fn login(&self, id: LoginId) -> Result<Option<Login>, Failure> {
        Ok(logins::login(self.readers(), id).await?)
    }

    async fn revoked_since(&self, since: Timestamp) -> Result<Vec<LoginId>, Failure> {
        Ok(logins::revoked_since(self.readers(), since).await?)
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
        self.database.write(write).await
    }

    async fn application(
        &self,
        id: ApplicationId,
    ) -> Result<Option<(Application, TokenHash, u32)>, Failure> {
        Ok(applications::application(self.readers(), id).await?)
    }

    async fn applications_of(&self, owner: UserId) -> Result<Vec<Application>, Failure> {
        Ok(applications::applications_of(self.readers(), owner).await?)
    }
}

/// Makes a person's account.
struct Register {
    account: Account,
    password_hash: String,
}

impl Write for Register {
    type Done = Result<(), Taken>;
    type Error = Failure;

    async fn run(&self, tx: &mut SqliteConnection) -> Result<Self::Done, Failure> {
        Ok(self.insert(tx).await?)
    }
}

impl Register {
    async fn insert(&self, tx: &mut SqliteConnection) -> Result<Result<(), Taken>, SqlError> {
        let Account { user, email } = &self.account;
        if let Some(taken) = user::taken(tx, user.id, &user.username, email.as_deref()).await? {
            return Ok(Err(taken));
        }
        user::insert(tx, user).await?;
        sqlx::query(
            "INSERT INTO accounts (user_id, email, email_lower, password_hash) VALUES (?, ?, ?, ?)",
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
    type Error = Failure;

    async fn run(&self, tx: &mut SqliteConnection) -> Result<(), Failure> {
        sqlx::query("UPDATE accounts SET password_hash = ? WHERE user_id = ?")
            .bind(&self.password_hash)
            .bind(self.user.as_i64())
            .execute(tx)
            .await
            .map_err(SqlError::from)?;
        Ok(())
    }
}

#[derive(sqlx::FromRow)]
struct CredentialRow {
    #[sqlx(flatten)]
    account: AccountRow,
    password_hash: String,
}

async fn by_name(store: &Relational, name: &str) -> Result<Option<(Account, String)>, SqlError> {
    // A username holds no "@" and an address always does, so at most one side finds a row.
    let row: Option<CredentialRow> = sqlx::query_as(
        "SELECT users.*, accounts.email, accounts.password_hash
         FROM users JOIN accounts ON accounts.user_id = users.id
         WHERE users.username_lower = ?1
         UNION ALL
         SELECT users.*, accounts.email, accounts.password_hash
         FROM accounts JOIN users ON users.id = accounts.user_id
         WHERE accounts.email_lower = ?1
         LIMIT 1",
    )
    .bind(folded(name))
    .fetch_optional(store.readers())
    .await?;
    row.map(|row| Ok((row.account.try_into()?, row.password_hash)))
        .transpose()
}

async fn account(store: &Relational, id: UserId) -> Result<Option<Account>, SqlError> {
    let row: Option<AccountRow> = sqlx::query_as(
        "SELECT users.*, accounts.email
         FROM users LEFT JOIN accounts ON accounts.user_id = users.id
         WHERE users.id = ?",
    )
    .bind(id.as_i64())
    .fetch_optional(store.readers())
    .await?;
    row.map(Account::try_from).transpose()
}

async fn users(store: &Relational, ids: &[UserId]) -> Result<Vec<User>, SqlError> {
    let rows: Vec<UserRow> =
        sqlx::query_as("SELECT * FROM users WHERE id IN (SELECT value FROM json_each(?))")
            .bind(column::id_list(ids))
            .fetch_all(store.readers())
            .await?;
    rows.into_iter().map(User::try_from).collect()
}
