//! What every adapter of [`Accounts`] promises.

#![expect(clippy::missing_panics_doc, reason = "a broken promise panics")]
#![expect(clippy::unwrap_used, reason = "the suites are tests")]

use std::sync::Arc;

use futures_util::future::join_all;
use guildhall_model::account::{Account, Application, Login};
use guildhall_model::intent::Intents;
use guildhall_model::user::User;
use guildhall_model::{LoginId, Timestamp, UserId};

use super::sample::{NOW, account, id, sorted, user};
use crate::accounts::{Accounts, Rotation, Taken, TokenHash};

/// Makes a test of each promise about accounts. `$fresh` names an async function that answers an
/// `Arc<dyn Accounts>` without accounts, and whatever must live as long as it.
#[macro_export]
macro_rules! accounts_promises {
    ($fresh:path) => {
        $crate::promises! { accounts, $fresh:
            an_account_is_found_by_name_and_address_in_any_case
            a_taken_name_or_address_is_refused_in_any_case
            one_of_many_who_want_a_name_gets_it
            a_password_hash_is_replaced
            users_are_found_by_their_ids
            a_refresh_token_is_good_once
            a_replayed_refresh_token_revokes_the_login
            every_token_of_a_login_is_remembered
            of_many_who_present_a_token_one_is_served
            an_expired_login_is_refused_and_not_revoked
            a_revoked_login_refuses_its_tokens
            a_second_revocation_changes_nothing
            logins_do_not_share_their_fate
            an_application_comes_with_its_bot
            an_application_without_a_free_name_leaves_nothing
            applications_are_listed_by_age
        }
    };
}

type Store = Arc<dyn Accounts>;

const LATER: Timestamp = NOW.plus_ms(1_000);

const fn token(number: u8) -> TokenHash {
    [number; 32]
}

fn login(number: u64, user: u64) -> Login {
    Login {
        id: id(number),
        user_id: id(user),
        expires_at: NOW.plus_ms(3_600_000),
        revoked: false,
    }
}

/// One person with one login, whose first token is `token(1)`.
async fn with_login(store: &Store) -> Login {
    register(store, &account(1)).await;
    let login = login(500, 1);
    store.open_login(&login, token(1)).await.unwrap();
    login
}

async fn register(store: &Store, account: &Account) {
    let outcome = store.register(account, "hash").await.unwrap();
    assert_eq!(outcome, Ok(()));
}

async fn rotate(store: &Store, presented: u8, successor: u8) -> Rotation {
    store
        .rotate(token(presented), token(successor), LATER)
        .await
        .unwrap()
}

async fn is_revoked(store: &Store, id: LoginId) -> bool {
    let login = store.login(id).await.unwrap();
    login.unwrap().revoked
}

async fn revoked_since(store: &Store, since: Timestamp) -> Vec<LoginId> {
    sorted(store.revoked_since(since).await.unwrap())
}

/// A person is found by id, by username and by address, whatever the case, and a stranger is not.
pub async fn an_account_is_found_by_name_and_address_in_any_case(store: Store) {
    let ada = Account {
        user: User {
            username: "Ada.Lovelace".to_owned(),
            ..user(1)
        },
        email: Some("Ada@Ümlaut.example".to_owned()),
    };
    let outcome = store.register(&ada, "ada's hash").await.unwrap();
    assert_eq!(outcome, Ok(()));
    register(&store, &account(2)).await;

    let found = Some((ada.clone(), "ada's hash".to_owned()));
    for name in [
        "Ada.Lovelace",
        "ada.lovelace",
        "ADA.LOVELACE",
        "Ada@Ümlaut.example",
        "ada@ümlaut.example",
        "ADA@ÜMLAUT.EXAMPLE",
    ] {
        assert_eq!(store.by_name(name).await.unwrap(), found, "{name}");
    }
    for name in [
        "ada",
        "",
        "Ada.Lovelace ",
        "ada%",
        "Ada_Lovelace",
        "Ada\0Lovelace",
    ] {
        assert_eq!(store.by_name(name).await.unwrap(), None, "{name}");
    }
    assert_eq!(store.account(id(1)).await.unwrap(), Some(ada));
    assert_eq!(store.account(id(3)).await.unwrap(), None);
}

/// What is taken is said, and a refused account leaves nothing behind.
pub async fn a_taken_name_or_address_is_refused_in_any_case(store: Store) {
    register(&store, &account(1)).await;
    let mut twin = account(2);
    twin.user.username = account(1).user.username.to_uppercase();
    let refused = store.register(&twin, "hash").await.unwrap();
    assert_eq!(refused, Err(Taken::Username));

    let mut twin = account(2);
    twin.email = account(1).email.map(|email| email.to_uppercase());
    let refused = store.register(&twin, "hash").await.unwrap();
    assert_eq!(refused, Err(Taken::Email));

    assert_eq!(store.account(id(2)).await.unwrap(), None);
    register(&store, &account(2)).await;
}

/// A race for a name has one winner, and the losers are told.
pub async fn one_of_many_who_want_a_name_gets_it(store: Store) {
    let wanted = (1..=8).map(|number| {
        let mut account = account(number);
        account.user.username = String::from("wanted");
        let store = Arc::clone(&store);
        async move { store.register(&account, "hash").await.unwrap() }
    });
    let outcomes = join_all(wanted).await;
    let served = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!(served, 1);
    assert!(
        outcomes
            .iter()
            .all(|outcome| matches!(outcome, Ok(()) | Err(Taken::Username)))
    );
    let (winner, _) = store.by_name("wanted").await.unwrap().unwrap();
    let place = usize::try_from(winner.user.id.get() - 1).unwrap();
    assert_eq!(outcomes[place], Ok(()));
}

/// Only the one account's, and only the hash.
pub async fn a_password_hash_is_replaced(store: Store) {
    register(&store, &account(1)).await;
    register(&store, &account(2)).await;
    store.set_password_hash(id(1), "better").await.unwrap();
    let first = store.by_name("person.1").await.unwrap();
    assert_eq!(first, Some((account(1), "better".to_owned())));
    let second = store.by_name("person.2").await.unwrap();
    assert_eq!(second, Some((account(2), "hash".to_owned())));
}

/// Those that exist, once each, however many are asked for.
pub async fn users_are_found_by_their_ids(store: Store) {
    for number in 1..=3 {
        register(&store, &account(number)).await;
    }
    assert_eq!(store.users(&[]).await.unwrap(), []);
    let asked: Vec<UserId> = (2..=2_000).map(id).chain([id(2)]).collect();
    let found = sorted(store.users(&asked).await.unwrap());
    assert_eq!(found, [user(2), user(3)]);
}

/// Each rotation hands the login on to the successor.
pub async fn a_refresh_token_is_good_once(store: Store) {
    let login = with_login(&store).await;
    assert_eq!(rotate(&store, 1, 2).await, Rotation::Rotated(login));
    assert_eq!(rotate(&store, 2, 3).await, Rotation::Rotated(login));
    assert_eq!(rotate(&store, 9, 4).await, Rotation::Refused);
    assert_eq!(rotate(&store, 3, 4).await, Rotation::Rotated(login));
    assert_eq!(store.login(login.id).await.unwrap(), Some(login));
    assert_eq!(revoked_since(&store, Timestamp(0)).await, []);
}

/// Whoever holds the newest token is thrown out with whoever holds the copy.
pub async fn a_replayed_refresh_token_revokes_the_login(store: Store) {
    let login = with_login(&store).await;
    rotate(&store, 1, 2).await;
    let revoked = Login {
        revoked: true,
        ..login
    };
    assert_eq!(rotate(&store, 1, 3).await, Rotation::Reused(revoked));
    assert_eq!(store.login(login.id).await.unwrap(), Some(revoked));
    assert_eq!(rotate(&store, 2, 4).await, Rotation::Refused);
    assert_eq!(rotate(&store, 1, 4).await, Rotation::Refused);
    assert_eq!(rotate(&store, 3, 4).await, Rotation::Refused);
    assert_eq!(revoked_since(&store, LATER).await, [login.id]);
}

/// A copy betrays itself also when the login has moved on many times.
pub async fn every_token_of_a_login_is_remembered(store: Store) {
    let login = with_login(&store).await;
    for number in 1..20 {
        assert_eq!(
            rotate(&store, number, number + 1).await,
            Rotation::Rotated(login)
        );
    }
    assert!(matches!(rotate(&store, 1, 99).await, Rotation::Reused(_)));
    assert_eq!(rotate(&store, 20, 21).await, Rotation::Refused);
}

/// The second one to come is a reuse, and those after it find a revoked login.
pub async fn of_many_who_present_a_token_one_is_served(store: Store) {
    let login = with_login(&store).await;
    let racers = (2..=9).map(|successor| {
        let store = Arc::clone(&store);
        async move { rotate(&store, 1, successor).await }
    });
    let outcomes = join_all(racers).await;
    let count =
        |wanted: fn(&Rotation) -> bool| outcomes.iter().filter(|rotation| wanted(rotation)).count();
    assert_eq!(
        count(|rotation| matches!(rotation, Rotation::Rotated(_))),
        1
    );
    assert_eq!(count(|rotation| matches!(rotation, Rotation::Reused(_))), 1);
    assert_eq!(count(|rotation| matches!(rotation, Rotation::Refused)), 6);
    assert!(is_revoked(&store, login.id).await);
    for successor in 2..=9 {
        assert_eq!(rotate(&store, successor, 99).await, Rotation::Refused);
    }
}

/// The instant of expiry is already too late; and a late replay harms nobody.
pub async fn an_expired_login_is_refused_and_not_revoked(store: Store) {
    let login = with_login(&store).await;
    let last = login.expires_at.plus_ms(-1);
    let served = store.rotate(token(1), token(2), last).await;
    assert_eq!(served.unwrap(), Rotation::Rotated(login));
    for presented in [token(1), token(2)] {
        let refused = store
            .rotate(presented, token(3), login.expires_at)
            .await
            .unwrap();
        assert_eq!(refused, Rotation::Refused);
    }
    assert!(!is_revoked(&store, login.id).await);
}

/// After a logout neither the newest token nor an older one is good for anything.
pub async fn a_revoked_login_refuses_its_tokens(store: Store) {
    let login = with_login(&store).await;
    rotate(&store, 1, 2).await;
    store.revoke_login(login.id, LATER).await.unwrap();
    assert!(is_revoked(&store, login.id).await);
    assert_eq!(rotate(&store, 2, 3).await, Rotation::Refused);
    assert_eq!(rotate(&store, 1, 3).await, Rotation::Refused);
    assert_eq!(store.login(id(501)).await.unwrap(), None);
    store.revoke_login(id(501), LATER).await.unwrap();
    assert_eq!(revoked_since(&store, NOW).await, [login.id]);
}

/// The first instant counts, and it is part of the question.
pub async fn a_second_revocation_changes_nothing(store: Store) {
    let login = with_login(&store).await;
    store.revoke_login(login.id, NOW).await.unwrap();
    store.revoke_login(login.id, LATER).await.unwrap();
    assert_eq!(revoked_since(&store, NOW).await, [login.id]);
    assert_eq!(revoked_since(&store, NOW.plus_ms(1)).await, []);
}

/// Neither a reuse nor a logout reaches another device of the same person.
pub async fn logins_do_not_share_their_fate(store: Store) {
    let first = with_login(&store).await;
    let other = login(501, 1);
    store.open_login(&other, token(101)).await.unwrap();
    rotate(&store, 1, 2).await;
    rotate(&store, 1, 3).await;
    assert!(is_revoked(&store, first.id).await);
    assert_eq!(rotate(&store, 101, 102).await, Rotation::Rotated(other));
}

fn application(number: u64, owner: u64) -> Application {
    Application {
        id: id(number),
        name: format!("Application {number}"),
        owner_id: id(owner),
        bot: User {
            bot: true,
            ..user(number)
        },
        privileged_intents: Intents::MESSAGE_CONTENT,
    }
}

/// The bot is a user without address or password, and the token's hash is kept as its first.
pub async fn an_application_comes_with_its_bot(store: Store) {
    register(&store, &account(1)).await;
    let robot = application(10, 1);
    let made = store.create_application(&robot, token(7)).await;
    assert_eq!(made.unwrap(), Ok(()));

    let found = store.application(robot.id).await.unwrap();
    assert_eq!(found, Some((robot.clone(), token(7), 1)));
    assert_eq!(store.application(id(11)).await.unwrap(), None);
    let bot_account = Account {
        user: robot.bot.clone(),
        email: None,
    };
    let found = store.account(robot.bot.id).await.unwrap();
    assert_eq!(found, Some(bot_account));
    let by_name = store.by_name(&robot.bot.username).await;
    assert_eq!(by_name.unwrap(), None, "a bot has no password");
}

/// Bots and people share one space of names.
pub async fn an_application_without_a_free_name_leaves_nothing(store: Store) {
    register(&store, &account(1)).await;
    let mut robot = application(10, 1);
    robot.bot.username = String::from("PERSON.1");
    let refused = store.create_application(&robot, token(7)).await;
    assert_eq!(refused.unwrap(), Err(Taken::Username));
    assert_eq!(store.application(robot.id).await.unwrap(), None);
    assert_eq!(store.account(robot.bot.id).await.unwrap(), None);
    assert_eq!(store.applications_of(id(1)).await.unwrap(), []);
}

/// One owner's, the oldest first.
pub async fn applications_are_listed_by_age(store: Store) {
    register(&store, &account(1)).await;
    register(&store, &account(2)).await;
    for (number, owner) in [(12, 1), (10, 1), (11, 2)] {
        let robot = application(number, owner);
        let made = store.create_application(&robot, token(7)).await;
        assert_eq!(made.unwrap(), Ok(()));
    }
    let listed = store.applications_of(id(1)).await.unwrap();
    assert_eq!(listed, [application(10, 1), application(12, 1)]);
    assert_eq!(store.applications_of(id(3)).await.unwrap(), []);
}
