//! Which part of a channel's history a message stands in.

use guildhall_model::MessageId;

/// How many days of a channel stand in one partition. At a message of 500 bytes each two seconds
/// that is about 200 MB.
const BUCKET_MS: u64 = 10 * 24 * 3_600 * 1_000;
/// Where the time of an id begins.
const TIME_SHIFT: u32 = 22;

/// The last bucket that there is.
pub(crate) const LAST: i32 = i32::MAX;

/// The bucket of a message that everybody sees who may read the channel.
pub(crate) fn of(id: i64) -> i32 {
    let ms = u64::try_from(id).unwrap_or(0) >> TIME_SHIFT;
    i32::try_from(ms / BUCKET_MS).unwrap_or(LAST)
}

/// The bucket of a message that only one user sees: below zero, where no page comes by.
pub(crate) fn hidden(id: i64) -> i32 {
    !of(id)
}

/// The bucket of a message.
pub(crate) fn of_message(id: MessageId, is_hidden: bool) -> i32 {
    if is_hidden {
        hidden(id.as_i64())
    } else {
        of(id.as_i64())
    }
}

#[cfg(test)]
mod tests {
    use guildhall_model::Timestamp;
    use guildhall_model::snowflake::{EPOCH_MS, Generator};

    use super::*;

    #[test]
    fn a_bucket_is_ten_days() {
        let minted = |days: i64| {
            let at = Timestamp(EPOCH_MS + days * 24 * 3_600 * 1_000 + 1);
            Generator::new(0, 0).mint::<()>(at).as_i64()
        };
        assert_eq!(of(minted(0)), 0);
        assert_eq!(of(minted(9)), 0);
        assert_eq!(of(minted(10)), 1);
        assert_eq!(of(minted(4_000)), 400);
        assert!(of(i64::MAX) < LAST);
    }

    #[test]
    fn what_one_user_sees_stands_below_zero() {
        for id in [1, 1 << 40, i64::MAX] {
            assert!(hidden(id) < 0);
        }
        assert_ne!(hidden(1), hidden(i64::MAX));
    }
}
