//! The highest id among rows that are gone, so that no id is ever given twice.

use guildhall_model::Id;
use sqlx::SqliteConnection;

use super::error::SqlError;

/// Notes that the row with this id is gone.
pub(super) async fn raise<K>(tx: &mut SqliteConnection, erased: Id<K>) -> Result<(), SqlError> {
    sqlx::query(
        "INSERT INTO id_floor (only, highest) VALUES (1, ?)
         ON CONFLICT (only) DO UPDATE SET highest = excluded.highest
         WHERE highest < excluded.highest",
    )
    .bind(erased.as_i64())
    .execute(tx)
    .await?;
    Ok(())
}
