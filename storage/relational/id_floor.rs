//! The highest id among rows that are gone, so that no id is ever given twice.

use guildhall_model::Id;

use super::engine::Connection;
use super::error::SqlError;

/// Notes that the row with this id is gone.
pub(crate) async fn raise<K>(tx: &mut Connection, erased: Id<K>) -> Result<(), SqlError> {
    sqlx::query(
        "INSERT INTO id_floor (one, highest) VALUES (1, $1)
         ON CONFLICT (one) DO UPDATE SET highest = excluded.highest
         WHERE id_floor.highest < excluded.highest",
    )
    .bind(erased.as_i64())
    .execute(tx)
    .await?;
    Ok(())
}
