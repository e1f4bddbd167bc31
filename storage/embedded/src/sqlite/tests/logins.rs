//! How long ended logins are kept.

use guildhall_model::Timestamp;
use guildhall_model::account::Login;
use guildhall_ports::Accounts;
use guildhall_ports::accounts::Rotation;

use super::{Home, account, id, shell};

const HOUR_MS: i64 = 3_600_000;

fn login(number: u64, expires_at: i64) -> Login {
    Login {
        id: id(number),
        user_id: id(1),
        expires_at: Timestamp(expires_at),
        revoked: false,
    }
}

/// Longer than any access token lives, and not for ever.
#[tokio::test]
async fn a_login_is_forgotten_a_day_after_its_end() {
    let home = Home::new();
    let store = home.relational().await;
    let registered = store.register(&account(1), "hash").await;
    registered.unwrap().unwrap();
    let old = login(10, 0);
    let young = login(11, 1_000 * HOUR_MS);
    store.open_login(&old, [10; 32]).await.unwrap();
    store.open_login(&young, [11; 32]).await.unwrap();

    for (hours, kept) in [(23, Some(old)), (25, None)] {
        let now = Timestamp(hours * HOUR_MS);
        let (presented, successor) = if kept.is_some() { (11, 12) } else { (12, 13) };
        let rotated = store.rotate([presented; 32], [successor; 32], now).await;
        assert_eq!(rotated.unwrap(), Rotation::Rotated(young));
        assert_eq!(store.login(old.id).await.unwrap(), kept);
    }
    let mut shell = shell(home.guildhall()).await;
    let tokens: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM refresh_tokens")
        .fetch_one(&mut shell)
        .await
        .unwrap();
    assert_eq!(tokens, 3, "the old login's token went with it");
}
