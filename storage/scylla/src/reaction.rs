//! Reactions and their counts.
//!
//! A message's reactions are one partition, and with them stands a state: the counts in order of
//! first use and the place of the last event in them. Rows and state change in one mutation, which
//! replicas apply as a whole, so whoever reads them together sees what some event left behind and
//! can go on from there. Every writer comes to the same state at the same place.

mod state;

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};
use guildhall_model::message::{Emoji, ReactionCount};
use guildhall_model::{MessageId, UserId};
use guildhall_ports::stored;
use scylla::statement::prepared::PreparedStatement;
use scylla::value::CqlValue;

use self::state::{RowChange, State, key};
use crate::bounds::{REACTIONS_AT_ONCE, READ_IN_FLIGHT_MAX};
use crate::cql::{Cql, Values};
use crate::error::CqlError;
use crate::message::{FINAL, MessageTable};
use crate::plan::{Change, Place, Reactions};

/// The key of the row that holds the state; no emoji and no user has it.
const STATE: (&str, i64) = ("", 0);

/// The counts that a stored state holds.
pub(crate) fn counts(state: &[u8]) -> Result<Vec<ReactionCount>, CqlError> {
    let state: State = stored::decode("messages", state)?;
    Ok(state.counts())
}

/// The table `reactions`.
#[derive(Debug)]
pub(crate) struct ReactionTable {
    cql: Arc<Cql>,
    give: PreparedStatement,
    take: PreparedStatement,
    clear: PreparedStatement,
    put_state: PreparedStatement,
    erase: PreparedStatement,
    state: PreparedStatement,
    among: PreparedStatement,
    reactors: PreparedStatement,
}

impl ReactionTable {
    pub(crate) async fn prepare(cql: &Arc<Cql>) -> Result<Self, CqlError> {
        let prepare = async |text: &str| cql.prepare(text).await;
        Ok(Self {
            cql: Arc::clone(cql),
            give: prepare(
                "INSERT INTO reactions (message_id, emoji, user_id) VALUES (?, ?, ?)
                 USING TIMESTAMP ?",
            )
            .await?,
            take: prepare(
                "DELETE FROM reactions USING TIMESTAMP ?
                 WHERE message_id = ? AND emoji = ? AND user_id = ?",
            )
            .await?,
            clear: prepare(
                "DELETE FROM reactions USING TIMESTAMP ? WHERE message_id = ? AND emoji = ?",
            )
            .await?,
            put_state: prepare(
                "INSERT INTO reactions (message_id, emoji, user_id, state) VALUES (?, ?, ?, ?)
                 USING TIMESTAMP ?",
            )
            .await?,
            erase: prepare("DELETE FROM reactions USING TIMESTAMP ? WHERE message_id = ?").await?,
            state: prepare(
                "SELECT state FROM reactions WHERE message_id = ? AND emoji = ? AND user_id = ?",
            )
            .await?,
            among: prepare(
                "SELECT emoji, user_id, state FROM reactions
                 WHERE message_id = ? AND (emoji, user_id) IN ?",
            )
            .await?,
            reactors: prepare(
                "SELECT user_id FROM reactions
                 WHERE message_id = ? AND emoji = ? AND user_id > ? LIMIT ?",
            )
            .await?,
        })
    }

    /// Applies a batch's changes of one message's reactions, and shows the counts with it.
    pub(crate) async fn apply(
        &self,
        messages: &MessageTable,
        id: MessageId,
        reactions: &Reactions,
    ) -> Result<(), CqlError> {
        let mut last = None;
        for changes in reactions.changes.chunks(REACTIONS_AT_ONCE) {
            last = Some(self.fold(id, changes).await?);
        }
        let Some(state) = last else { return Ok(()) };
        let bytes = stored::encode(&state);
        let shown = (&bytes[..], state.place);
        messages.put_reactions(reactions.channel, id, shown).await
    }

    /// Applies changes to what is stored, unless somebody has done so, and answers what it comes
    /// to.
    async fn fold(&self, id: MessageId, changes: &[(Place, Change)]) -> Result<State, CqlError> {
        let named = changes.iter().filter_map(|(_, change)| match change {
            Change::Give(emoji, user) | Change::Take(emoji, user) => {
                Some((key(emoji), user.as_i64()))
            }
            Change::Clear(_) => None,
        });
        let named: BTreeSet<(String, i64)> = named.collect();
        let (mut state, mut given) = self.read(id, named).await?;
        let before = state.place;
        let rows = state.fold(&mut given, changes);
        if before < state.place {
            let mut statements: Vec<_> = rows.iter().map(|row| self.statement(id, row)).collect();
            statements.push((&self.put_state, state_values(id, &state)));
            self.cql.write_together(statements).await?;
        }
        Ok(state)
    }

    /// The state of a message's reactions, and which of the named ones are given: both as of one
    /// moment, because they are one read of one partition.
    async fn read(
        &self,
        id: MessageId,
        named: BTreeSet<(String, i64)>,
    ) -> Result<(State, BTreeSet<(String, i64)>), CqlError> {
        let mut keys: Vec<(String, i64)> = named.into_iter().collect();
        keys.push((STATE.0.to_owned(), STATE.1));
        let values = (id.as_i64(), keys);
        let rows: Vec<(String, i64, Option<Vec<u8>>)> = self.cql.rows(&self.among, values).await?;
        let mut state = State::default();
        let mut given = BTreeSet::new();
        for (emoji, user, bytes) in rows {
            match bytes {
                Some(bytes) => state = stored::decode("reactions", &bytes)?,
                None => {
                    given.insert((emoji, user));
                }
            }
        }
        Ok((state, given))
    }

    fn statement(&self, id: MessageId, row: &RowChange) -> (&PreparedStatement, Values) {
        let big = CqlValue::BigInt;
        let (id, text) = (big(id.as_i64()), |emoji: &str| {
            CqlValue::Text(emoji.to_owned())
        });
        match row {
            RowChange::Give(emoji, user, place) => {
                (&self.give, vec![id, text(emoji), big(*user), big(*place)])
            }
            RowChange::Take(emoji, user, place) => {
                (&self.take, vec![big(*place), id, text(emoji), big(*user)])
            }
            RowChange::Clear(emoji, place) => (&self.clear, vec![big(*place), id, text(emoji)]),
        }
    }

    /// A message is gone for good, and its reactions with it.
    pub(crate) async fn erase(&self, id: MessageId) -> Result<(), CqlError> {
        self.cql.write(&self.erase, (FINAL, id.as_i64())).await
    }

    /// Users who gave an emoji, in order of their ids, above `after`.
    pub(crate) async fn reactors(
        &self,
        message: MessageId,
        emoji: &Emoji,
        after: Option<UserId>,
        limit: u16,
    ) -> Result<Vec<UserId>, CqlError> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let after = after.map_or(0, UserId::as_i64);
        let values = (message.as_i64(), key(emoji), after, i32::from(limit));
        let rows: Vec<(i64,)> = self.cql.rows(&self.reactors, values).await?;
        let users = rows
            .into_iter()
            .map(|(id,)| Ok(stored::id("reactions", id)?));
        users.collect()
    }

    /// Which emoji a user gave to these messages.
    pub(crate) async fn given_by(
        &self,
        user: UserId,
        messages: &[MessageId],
    ) -> Result<Vec<(MessageId, Emoji)>, CqlError> {
        let read = messages.iter().copied().map(|id| async move {
            let given = self.given_to(user, id).await?;
            Ok::<_, CqlError>(given.into_iter().map(move |emoji| (id, emoji)).collect())
        });
        let given: Vec<Vec<(MessageId, Emoji)>> = stream::iter(read)
            .buffered(READ_IN_FLIGHT_MAX)
            .try_collect()
            .await?;
        Ok(given.into_iter().flatten().collect())
    }

    /// By way of the counts: a message has few emoji but may have many reacting users.
    async fn given_to(&self, user: UserId, message: MessageId) -> Result<Vec<Emoji>, CqlError> {
        let values = (message.as_i64(), STATE.0, STATE.1);
        let row: Option<(Option<Vec<u8>>,)> = self.cql.row(&self.state, values).await?;
        let Some((Some(bytes),)) = row else {
            return Ok(Vec::new());
        };
        let state: State = stored::decode("reactions", &bytes)?;
        let emoji: Vec<Emoji> = state
            .counts()
            .into_iter()
            .map(|count| count.emoji)
            .collect();
        let mut given = Vec::new();
        for emoji in emoji.chunks(REACTIONS_AT_ONCE) {
            let named = emoji.iter().map(|emoji| (key(emoji), user.as_i64()));
            let (_, rows) = self.read(message, named.collect()).await?;
            let is_given = |emoji: &&Emoji| rows.contains(&(key(emoji), user.as_i64()));
            given.extend(emoji.iter().filter(is_given).cloned());
        }
        Ok(given)
    }
}

fn state_values(id: MessageId, state: &State) -> Values {
    vec![
        CqlValue::BigInt(id.as_i64()),
        CqlValue::Text(STATE.0.to_owned()),
        CqlValue::BigInt(STATE.1),
        CqlValue::Blob(stored::encode(state)),
        CqlValue::BigInt(state.place),
    ]
}
