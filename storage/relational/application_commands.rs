//! The port `ApplicationCommands`.

use async_trait::async_trait;
use guildhall_model::application_command::{ApplicationCommand, CommandDefinition};
use guildhall_model::{ApplicationId, CommandId, GuildId};
use guildhall_ports::Failure;
use guildhall_ports::application_commands::{ApplicationCommands, NewCommand, Scope, Unstored};

use super::engine::{self, Connection, Executor, Store, among};
use super::error::SqlError;
use super::write::Write;
use super::{blob, column, id_floor};

const TABLE: &str = "application_commands";
/// The guild of commands that are offered everywhere.
const EVERYWHERE: i64 = 0;

#[async_trait]
impl ApplicationCommands for Store {
    async fn commands(&self, scope: Scope) -> Result<Vec<ApplicationCommand>, Failure> {
        self.read(all(self.readers(), scope)).await
    }

    async fn command(&self, id: CommandId) -> Result<Option<ApplicationCommand>, Failure> {
        self.read(with_id(self.readers(), id)).await
    }

    async fn put(
        &self,
        scope: Scope,
        new: &NewCommand,
        max: usize,
    ) -> Result<Result<(ApplicationCommand, bool), Unstored>, Failure> {
        let new = new.clone();
        Ok(self.write(Put { scope, new, max }).await?)
    }

    async fn change(
        &self,
        scope: Scope,
        changed: &NewCommand,
    ) -> Result<Result<(), Unstored>, Failure> {
        let changed = changed.clone();
        Ok(self.write(Change { scope, changed }).await?)
    }

    async fn replace(
        &self,
        scope: Scope,
        all: &[NewCommand],
    ) -> Result<Vec<ApplicationCommand>, Failure> {
        let all = all.to_vec();
        Ok(self.write(Replace { scope, all }).await?)
    }

    async fn delete(&self, scope: Scope, id: CommandId) -> Result<bool, Failure> {
        Ok(self.write(Delete { scope, id }).await?)
    }

    async fn offered(
        &self,
        applications: &[ApplicationId],
        guild: Option<GuildId>,
        limit: u32,
    ) -> Result<Vec<ApplicationCommand>, Failure> {
        let offered = offered(self.readers(), applications, guild, limit);
        self.read(offered).await
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    application_id: i64,
    guild_id: i64,
    version: i64,
    definition: Vec<u8>,
}

impl TryFrom<Row> for ApplicationCommand {
    type Error = SqlError;

    fn try_from(row: Row) -> Result<Self, SqlError> {
        let everywhere = row.guild_id == EVERYWHERE;
        let guild = (!everywhere).then(|| column::id(TABLE, row.guild_id));
        Ok(Self {
            id: column::id(TABLE, row.id)?,
            application_id: column::id(TABLE, row.application_id)?,
            guild_id: guild.transpose()?,
            version: column::id(TABLE, row.version)?,
            definition: blob::decode(TABLE, &row.definition)?,
        })
    }
}

fn guild_column(guild: Option<GuildId>) -> i64 {
    guild.map_or(EVERYWHERE, GuildId::as_i64)
}

async fn all(
    connection: impl Executor<'_>,
    scope: Scope,
) -> Result<Vec<ApplicationCommand>, SqlError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, application_id, guild_id, version, definition FROM application_commands
         WHERE application_id = $1 AND guild_id = $2
         ORDER BY id",
    )
    .bind(scope.application_id.as_i64())
    .bind(guild_column(scope.guild_id))
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

async fn with_id(
    connection: impl Executor<'_>,
    id: CommandId,
) -> Result<Option<ApplicationCommand>, SqlError> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT id, application_id, guild_id, version, definition FROM application_commands
         WHERE id = $1",
    )
    .bind(id.as_i64())
    .fetch_optional(connection)
    .await?;
    row.map(TryInto::try_into).transpose()
}

async fn offered(
    connection: impl Executor<'_>,
    applications: &[ApplicationId],
    guild: Option<GuildId>,
    limit: u32,
) -> Result<Vec<ApplicationCommand>, SqlError> {
    let rows: Vec<Row> = sqlx::query_as(concat!(
        "SELECT id, application_id, guild_id, version, definition FROM application_commands
             WHERE application_id ",
        among!(),
        " AND guild_id IN (0, $2)
             ORDER BY application_id, id
             LIMIT $3"
    ))
    .bind(engine::ids(applications))
    .bind(guild_column(guild))
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// Puts a command in the place of its namesake, or beside the others.
async fn upsert(
    tx: &mut Connection,
    scope: Scope,
    new: &NewCommand,
) -> Result<ApplicationCommand, SqlError> {
    let id: i64 = sqlx::query_scalar(
        "INSERT INTO application_commands
             (id, application_id, guild_id, name, version, definition)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (application_id, guild_id, name)
         DO UPDATE SET version = excluded.version, definition = excluded.definition
         RETURNING id",
    )
    .bind(new.id.as_i64())
    .bind(scope.application_id.as_i64())
    .bind(guild_column(scope.guild_id))
    .bind(&new.definition.name.text)
    .bind(new.version.as_i64())
    .bind(blob::encode(&new.definition))
    .fetch_one(tx)
    .await?;
    Ok(ApplicationCommand {
        id: column::id(TABLE, id)?,
        application_id: scope.application_id,
        guild_id: scope.guild_id,
        version: new.version,
        definition: new.definition.clone(),
    })
}

struct Put {
    scope: Scope,
    new: NewCommand,
    max: usize,
}

impl Write for Put {
    type Done = Result<(ApplicationCommand, bool), Unstored>;
    type Error = SqlError;

    async fn run(&self, tx: &mut Connection) -> Result<Self::Done, SqlError> {
        engine::hold(tx, self.scope.application_id).await?;
        let others = all(&mut *tx, self.scope).await?;
        let name = |definition: &CommandDefinition| definition.name.text.clone();
        let wanted = name(&self.new.definition);
        let is_new = others.iter().all(|other| name(&other.definition) != wanted);
        if is_new && self.max <= others.len() {
            return Ok(Err(Unstored::Full));
        }
        let stored = upsert(&mut *tx, self.scope, &self.new).await?;
        Ok(Ok((stored, is_new)))
    }
}

struct Change {
    scope: Scope,
    changed: NewCommand,
}

impl Write for Change {
    type Done = Result<(), Unstored>;
    type Error = SqlError;

    async fn run(&self, tx: &mut Connection) -> Result<Self::Done, SqlError> {
        let NewCommand {
            id,
            version,
            definition,
        } = &self.changed;
        engine::hold(tx, self.scope.application_id).await?;
        let all = all(&mut *tx, self.scope).await?;
        if all.iter().all(|command| command.id != *id) {
            return Ok(Err(Unstored::Unknown));
        }
        let is_namesake = |other: &&ApplicationCommand| {
            other.id != *id && other.definition.name.text == definition.name.text
        };
        if all.iter().any(|other| is_namesake(&other)) {
            return Ok(Err(Unstored::NameTaken));
        }
        sqlx::query(
            "UPDATE application_commands SET name = $1, version = $2, definition = $3 WHERE id = $4",
        )
        .bind(&definition.name.text)
        .bind(version.as_i64())
        .bind(blob::encode(definition))
        .bind(id.as_i64())
        .execute(tx)
        .await?;
        Ok(Ok(()))
    }
}

struct Replace {
    scope: Scope,
    all: Vec<NewCommand>,
}

impl Write for Replace {
    type Done = Vec<ApplicationCommand>;
    type Error = SqlError;

    async fn run(&self, tx: &mut Connection) -> Result<Self::Done, SqlError> {
        engine::hold(tx, self.scope.application_id).await?;
        for old in all(&mut *tx, self.scope).await? {
            let name = &old.definition.name.text;
            let stays = |new: &NewCommand| new.definition.name.text == *name;
            if !self.all.iter().any(stays) {
                erase(tx, old.id).await?;
            }
        }
        for new in &self.all {
            upsert(&mut *tx, self.scope, new).await?;
        }
        all(&mut *tx, self.scope).await
    }
}

struct Delete {
    scope: Scope,
    id: CommandId,
}

impl Write for Delete {
    type Done = bool;
    type Error = SqlError;

    async fn run(&self, tx: &mut Connection) -> Result<bool, SqlError> {
        engine::hold(tx, self.scope.application_id).await?;
        let found = with_id(&mut *tx, self.id).await?;
        let Scope {
            application_id,
            guild_id,
        } = self.scope;
        let is_here = found.is_some_and(|found| {
            found.application_id == application_id && found.guild_id == guild_id
        });
        if is_here {
            erase(tx, self.id).await?;
        }
        Ok(is_here)
    }
}

async fn erase(tx: &mut Connection, id: CommandId) -> Result<(), SqlError> {
    sqlx::query("DELETE FROM application_commands WHERE id = $1")
        .bind(id.as_i64())
        .execute(&mut *tx)
        .await?;
    id_floor::raise(tx, id).await
}
