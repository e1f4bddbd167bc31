//! Applying records of the events log.
//!
//! Each stream remembers the place of its last applied record, in the same transaction as the
//! rows, and a record at or before that place is passed over. So a redo from any earlier cursor
//! changes nothing: no old edit comes back, and no deleted message, without a mark of its own on
//! every row that is gone.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use guildhall_model::event::{Event, Reaction, Record, Source};
use guildhall_model::message::{Emoji, Nonce};
use guildhall_model::{ChannelId, EventPartition, GuildId, MessageId, Position, UserId};
use guildhall_ports::Failure;
use guildhall_ports::stored::message::oldest_nonce;
use sqlx::{SqliteConnection, SqliteExecutor};

use super::audit::AuditRow;
use super::message::MessageRow;
use super::{audit, message, nonce, reaction};
use crate::sqlite::rows::error::SqlError;
use crate::sqlite::rows::write::Write;
use crate::sqlite::rows::{column, id_floor};

/// What a record does to the projection.
enum Change {
    Put(Box<MessageRow>),
    /// Erases a message, with the oldest message whose nonce counts then.
    Erase(MessageId, MessageId),
    React(MessageId, Emoji, UserId),
    Unreact(MessageId, Emoji, UserId),
    /// Erases several messages, as [`Self::Erase`] does.
    EraseAll(Vec<MessageId>, MessageId),
    /// All reactions of a message go, or all of one emoji.
    Clear(MessageId, Option<Emoji>),
    /// Notes what was done to a guild.
    Audit(Box<AuditRow>),
    /// A guild's audit log ends with it.
    EndAudit(GuildId),
    /// Uses a nonce up for no message.
    UseUp(Box<Spent>),
    /// Nothing, but it has been seen.
    Note,
}

/// A nonce that was used for no message, in the place of one.
struct Spent {
    place: MessageId,
    channel: ChannelId,
    author: UserId,
    nonce: Nonce,
    oldest: MessageId,
}

impl From<&Record> for Change {
    fn from(record: &Record) -> Self {
        let parts = |given: &Reaction| (given.message_id, given.emoji.clone(), given.user_id);
        match &record.event {
            Event::MessageCreated(message) | Event::MessageUpdated(message) => {
                Self::Put(Box::new(MessageRow::from(&**message)))
            }
            Event::MessageDeleted { id, .. } => Self::Erase(*id, oldest_nonce(record.at)),
            Event::MessagesDeleted { ids, .. } => {
                Self::EraseAll(ids.clone(), oldest_nonce(record.at))
            }
            Event::ReactionsCleared {
                message_id, emoji, ..
            } => Self::Clear(*message_id, emoji.clone()),
            Event::ReactionAdded(given) => {
                let (message, emoji, user) = parts(given);
                Self::React(message, emoji, user)
            }
            Event::ReactionRemoved(taken) => {
                let (message, emoji, user) = parts(taken);
                Self::Unreact(message, emoji, user)
            }
            Event::InteractionAcknowledged {
                id,
                application_id,
                channel_id,
                ..
            } => MessageId::new(id.get()).map_or(Self::Note, |place| {
                Self::UseUp(Box::new(Spent {
                    place,
                    channel: *channel_id,
                    author: application_id.bot_user(),
                    nonce: Nonce::Interaction(*id),
                    oldest: oldest_nonce(record.at),
                }))
            }),
            Event::Audited(entry) => record.source.guild_id().map_or(Self::Note, |guild| {
                Self::Audit(Box::new(AuditRow::new(guild, entry, record.at)))
            }),
            Event::GuildDeleted => record.source.guild_id().map_or(Self::Note, Self::EndAudit),
            _ => Self::Note,
        }
    }
}

/// A change with its place.
struct Step {
    source: Source,
    gseq: i64,
    change: Change,
}

/// Records of one partition, made ready by their callers: the writing task only writes.
pub(super) struct Apply {
    partition: EventPartition,
    steps: Vec<Step>,
    upto: i64,
}

impl Apply {
    pub(super) fn new(
        partition: EventPartition,
        records: &[Arc<Record>],
        upto: Position,
    ) -> Result<Self, Failure> {
        let step = |record: &Arc<Record>| {
            Ok(Step {
                source: record.source,
                gseq: column::count("sources", record.gseq)?,
                change: Change::from(&**record),
            })
        };
        let steps = records.iter().map(step).collect::<Result<_, SqlError>>()?;
        Ok(Self {
            partition,
            steps,
            upto: column::count("cursors", upto.0)?,
        })
    }

    async fn write(&self, tx: &mut SqliteConnection) -> Result<(), SqlError> {
        let mut places: HashMap<Source, i64> = HashMap::new();
        // Messages that follow each other are written together.
        let mut puts = Vec::new();
        for step in &self.steps {
            let place = match places.entry(step.source) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(unknown) => unknown.insert(last_place(&mut *tx, step.source).await?),
            };
            if *place < step.gseq {
                *place = step.gseq;
                match &step.change {
                    Change::Put(row) => puts.push((&**row, step.gseq)),
                    Change::Note => {}
                    change => {
                        message::put(tx, &puts).await?;
                        puts.clear();
                        change.write(tx, step.gseq).await?;
                    }
                }
            }
        }
        message::put(tx, &puts).await?;
        for (source, place) in places {
            put_place(tx, source, place).await?;
        }
        put_cursor(tx, self.partition, self.upto).await
    }
}

impl Write for Apply {
    type Done = ();
    type Error = Failure;

    async fn run(&self, tx: &mut SqliteConnection) -> Result<(), Failure> {
        Ok(self.write(tx).await?)
    }
}

impl Change {
    async fn write(&self, tx: &mut SqliteConnection, version: i64) -> Result<(), SqlError> {
        match self {
            Self::Put(row) => message::put(tx, &[(row, version)]).await,
            Self::Erase(id, oldest_nonce) => erase(tx, *id, *oldest_nonce).await,
            Self::EraseAll(ids, oldest_nonce) => {
                for id in ids {
                    erase(tx, *id, *oldest_nonce).await?;
                }
                Ok(())
            }
            Self::Clear(message, None) => reaction::erase(tx, *message).await,
            Self::Clear(message, Some(emoji)) => reaction::clear(tx, *message, emoji).await,
            Self::React(message, emoji, user) => {
                reaction::add(tx, *message, emoji, *user, version).await
            }
            Self::Unreact(message, emoji, user) => {
                reaction::remove(tx, *message, emoji, *user).await
            }
            Self::Audit(row) => audit::put(tx, row).await,
            Self::EndAudit(guild) => audit::end(tx, *guild).await,
            Self::UseUp(spent) => {
                let whose = (spent.channel, spent.author);
                nonce::use_up(tx, spent.place, whose, &spent.nonce, spent.oldest).await
            }
            Self::Note => Ok(()),
        }
    }
}

async fn erase(
    tx: &mut SqliteConnection,
    id: MessageId,
    oldest_nonce: MessageId,
) -> Result<(), SqlError> {
    message::erase(tx, id, oldest_nonce).await?;
    reaction::erase(tx, id).await?;
    id_floor::raise(tx, id).await
}

/// The place of a stream's last applied record; 0 if there is none.
pub(super) async fn last_place(
    engine: impl SqliteExecutor<'_>,
    source: Source,
) -> Result<i64, SqlError> {
    let (kind, id) = column::source_columns(source);
    let place: Option<i64> =
        sqlx::query_scalar("SELECT last_gseq FROM sources WHERE kind = ? AND id = ?")
            .bind(kind)
            .bind(id)
            .fetch_optional(engine)
            .await?;
    Ok(place.unwrap_or(0))
}

async fn put_place(tx: &mut SqliteConnection, source: Source, place: i64) -> Result<(), SqlError> {
    let (kind, id) = column::source_columns(source);
    sqlx::query(
        "INSERT INTO sources (kind, id, last_gseq) VALUES (?, ?, ?)
         ON CONFLICT (kind, id) DO UPDATE SET last_gseq = excluded.last_gseq",
    )
    .bind(kind)
    .bind(id)
    .bind(place)
    .execute(tx)
    .await?;
    Ok(())
}

/// Everything before this position is applied.
pub(super) async fn cursor(
    engine: impl SqliteExecutor<'_>,
    partition: EventPartition,
) -> Result<Position, SqlError> {
    let position: Option<i64> =
        sqlx::query_scalar("SELECT position FROM cursors WHERE partition = ?")
            .bind(partition.0)
            .fetch_optional(engine)
            .await?;
    Ok(Position(column::small("cursors", position.unwrap_or(0))?))
}

/// A redo from an earlier position leaves the cursor where it is.
async fn put_cursor(
    tx: &mut SqliteConnection,
    partition: EventPartition,
    upto: i64,
) -> Result<(), SqlError> {
    sqlx::query(
        "INSERT INTO cursors (partition, position) VALUES (?, ?)
         ON CONFLICT (partition) DO UPDATE SET position = excluded.position
         WHERE position < excluded.position",
    )
    .bind(partition.0)
    .bind(upto)
    .execute(tx)
    .await?;
    Ok(())
}
