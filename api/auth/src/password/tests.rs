//! A password opens its own hash, slowly for everybody, and only for so many at a time.

use guildhall_ports::Env;

use super::*;

/// Small enough for tests; what the default is has a test of its own.
const COST: Cost = Cost {
    memory_kib: 64,
    passes: 1,
    lanes: 1,
};

fn hasher_with(cost: Cost, running_max: usize, waiting_max: usize) -> Hasher {
    let config = HasherConfig {
        cost,
        running_max: NonZeroUsize::new(running_max).unwrap(),
        waiting_max,
    };
    Hasher::new(config, Env::system().random).unwrap()
}

fn hasher() -> Hasher {
    hasher_with(COST, 2, 8)
}

fn secret() -> Secret {
    Secret::new("correct horse")
}

#[tokio::test]
async fn a_password_opens_its_own_hash_only() {
    let hasher = hasher();
    let stored = hasher.hash(secret()).await.unwrap();
    let right = hasher.verify(secret(), stored.clone()).await.unwrap();
    assert_eq!(right, Verdict::Right);
    for wrong in ["correct horsf", "", "Correct horse", "correct horse "] {
        let verdict = hasher.verify(Secret::new(wrong), stored.clone()).await;
        assert_eq!(verdict.unwrap(), Verdict::Wrong, "{wrong:?}");
    }
}

#[tokio::test]
async fn equal_passwords_have_different_hashes() {
    let hasher = hasher();
    let stored = (
        hasher.hash(secret()).await.unwrap(),
        hasher.hash(secret()).await.unwrap(),
    );
    assert_ne!(stored.0, stored.1);
    assert!(!stored.0.contains("horse"));
}

#[tokio::test]
async fn the_default_cost_is_the_recommended_one() {
    let hasher = hasher_with(Cost::default(), 1, 1);
    let stored = hasher.hash(secret()).await.unwrap();
    assert!(
        stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
        "{stored}"
    );
}

#[tokio::test]
async fn a_hash_of_another_cost_is_right_but_outdated() {
    let old = Cost { passes: 2, ..COST };
    let stored = hasher_with(old, 1, 1).hash(secret()).await.unwrap();
    let verdict = hasher().verify(secret(), stored.clone()).await.unwrap();
    assert_eq!(verdict, Verdict::RightButOutdated);
    let wrong = hasher().verify(Secret::new("x"), stored).await.unwrap();
    assert_eq!(wrong, Verdict::Wrong);

    let argon2i = Argon2::new(
        Algorithm::Argon2i,
        Version::V0x13,
        Params::new(64, 1, 1, None).unwrap(),
    );
    let password = secret();
    let stored = argon2i
        .hash_password_with_salt(password.reveal().as_bytes(), &[7; SALT_BYTES])
        .unwrap();
    let verdict = hasher().verify(secret(), stored.to_string()).await.unwrap();
    assert_eq!(verdict, Verdict::RightButOutdated);
}

/// Time cannot be asserted; that the same work is done can be.
#[tokio::test]
async fn an_unknown_name_costs_what_a_known_one_costs() {
    let hasher = hasher();
    let stored = hasher.hash(secret()).await.unwrap();
    let cost = |phc: &str| Params::try_from(&PasswordHash::new(phc).unwrap()).unwrap();
    assert_eq!(cost(&hasher.nobody), cost(&stored));
    let verdict = hasher.verify(secret(), hasher.nobody.to_string()).await;
    assert_eq!(verdict.unwrap(), Verdict::Wrong);
    hasher.verify_unknown(secret()).await.unwrap();
    assert_ne!(hasher.nobody, self::hasher().nobody);
}

#[tokio::test]
async fn a_damaged_hash_is_our_failure_and_not_a_wrong_password() {
    for stored in [
        "",
        "plain",
        "$argon2id$v=19$m=64",
        "$scrypt$ln=1$AAAAAAAAAAA$AAAAAAAAAAA",
    ] {
        let error = hasher().verify(secret(), stored.into()).await.unwrap_err();
        assert!(
            matches!(error, PasswordError::Failed(Failure::Damaged { .. })),
            "{stored:?}: {error:?}"
        );
    }
}

#[tokio::test]
async fn only_so_many_may_wait() {
    let hasher = hasher_with(COST, 1, 1);
    let busy = Arc::clone(&hasher.running).acquire_owned().await.unwrap();
    let busy_admitted = Arc::clone(&hasher.admitted).acquire_owned().await.unwrap();
    let waiting = tokio::spawn({
        let hasher = hasher.clone();
        async move { hasher.hash(secret()).await }
    });
    while 0 < hasher.admitted.available_permits() {
        tokio::task::yield_now().await;
    }
    let refused = hasher.hash(secret()).await.unwrap_err();
    assert!(matches!(
        refused,
        PasswordError::Rejected(Rejection::Overloaded)
    ));
    drop((busy, busy_admitted));
    assert!(waiting.await.unwrap().is_ok());
    assert!(hasher.hash(secret()).await.is_ok());
    assert_eq!(hasher.admitted.available_permits(), 2, "permits come back");
}

#[tokio::test]
async fn a_caller_that_goes_away_gives_its_place_back() {
    let hasher = hasher_with(COST, 1, 1);
    let busy = Arc::clone(&hasher.running).acquire_owned().await.unwrap();
    let waiting = tokio::spawn({
        let hasher = hasher.clone();
        async move { hasher.hash(secret()).await }
    });
    while 1 < hasher.admitted.available_permits() {
        tokio::task::yield_now().await;
    }
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    assert_eq!(hasher.admitted.available_permits(), 2);
    drop(busy);
}

#[test]
fn a_cost_that_cannot_be_had_is_refused_at_the_start() {
    for cost in [
        Cost { passes: 0, ..COST },
        Cost { lanes: 0, ..COST },
        Cost {
            memory_kib: 7,
            ..COST
        },
    ] {
        let config = HasherConfig {
            cost,
            ..HasherConfig::default()
        };
        assert_eq!(
            Hasher::new(config, Env::system().random).unwrap_err(),
            CostError(cost)
        );
    }
}
