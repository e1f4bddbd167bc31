//! Applications, each with its bot user and the hash of its bot token.

use guildhall_model::account::Application;
use guildhall_model::intent::Intents;
use guildhall_model::user::User;
use guildhall_model::{ApplicationId, UserId};
use guildhall_ports::accounts::{Taken, TokenHash};

use super::column;
use super::engine::{Connection, Pool};
use super::error::SqlError;
use super::user::{self, UserRow};
use super::write::Write;

/// Which of an application's tokens its first one is.
const FIRST_GENERATION: u32 = 1;

#[derive(sqlx::FromRow)]
struct ApplicationRow {
    application_name: String,
    owner_id: i64,
    privileged_intents: i64,
    token_hash: Vec<u8>,
    token_generation: i64,
    #[sqlx(flatten)]
    bot: UserRow,
}

impl ApplicationRow {
    fn read(self) -> Result<(Application, TokenHash, u32), SqlError> {
        let bot = User::try_from(self.bot)?;
        let hash = TokenHash::try_from(self.token_hash)
            .map_err(|_| SqlError::row("applications", "a token hash has not 32 bytes"))?;
        let application = Application {
            id: column::id("applications", bot.id.as_i64())?,
            name: self.application_name,
            owner_id: column::id("applications", self.owner_id)?,
            bot,
            privileged_intents: Intents::from_bits_retain(column::small(
                "applications",
                self.privileged_intents,
            )?),
        };
        let generation = column::small("applications", self.token_generation)?;
        Ok((application, hash, generation))
    }
}

/// Makes an application with its bot user.
pub(super) struct Create {
    pub(super) application: Application,
    pub(super) token: TokenHash,
}

impl Write for Create {
    type Done = Result<(), Taken>;
    type Error = SqlError;

    async fn run(&self, tx: &mut Connection) -> Result<Self::Done, SqlError> {
        let Application {
            id,
            name,
            owner_id,
            bot,
            privileged_intents,
        } = &self.application;
        if let Some(taken) = user::taken(tx, bot.id, &bot.username, None).await? {
            return Ok(Err(taken));
        }
        user::insert(tx, bot).await?;
        sqlx::query(
            "INSERT INTO applications
                 (id, name, owner_id, privileged_intents, token_hash, token_generation)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(id.as_i64())
        .bind(name)
        .bind(owner_id.as_i64())
        .bind(i64::from(privileged_intents.bits()))
        .bind(self.token.as_slice())
        .bind(i64::from(FIRST_GENERATION))
        .execute(tx)
        .await?;
        Ok(Ok(()))
    }
}

pub(super) async fn application(
    readers: &Pool,
    id: ApplicationId,
) -> Result<Option<(Application, TokenHash, u32)>, SqlError> {
    let row: Option<ApplicationRow> = sqlx::query_as(
        "SELECT users.*, applications.name AS application_name, owner_id, privileged_intents,
                token_hash, token_generation
         FROM applications JOIN users ON users.id = applications.id
         WHERE applications.id = $1",
    )
    .bind(id.as_i64())
    .fetch_optional(readers)
    .await?;
    row.map(ApplicationRow::read).transpose()
}

pub(super) async fn applications_of(
    readers: &Pool,
    owner: UserId,
) -> Result<Vec<Application>, SqlError> {
    let rows: Vec<ApplicationRow> = sqlx::query_as(
        "SELECT users.*, applications.name AS application_name, owner_id, privileged_intents,
                token_hash, token_generation
         FROM applications JOIN users ON users.id = applications.id
         WHERE owner_id = $1
         ORDER BY applications.id",
    )
    .bind(owner.as_i64())
    .fetch_all(readers)
    .await?;
    rows.into_iter().map(|row| Ok(row.read()?.0)).collect()
}
