//! Two nodes want the same thing at the same moment.

use futures_util::future::join_all;
use guildhall_model::account::{Account, Login};
use guildhall_model::event::{Event, Record, Source};
use guildhall_model::{Epoch, EventPartition};
use guildhall_ports::accounts::{Rotation, Taken};
use guildhall_ports::application_commands::{Scope, Unstored};
use guildhall_ports::guilds::{CommitError, FencingToken};
use guildhall_ports::{Accounts, ApplicationCommands, Failure, Guilds};
use guildhall_postgres::PostgresStore;

use crate::engine::Database;
use crate::people::{
    NOW, account, application, command, founded, id, record, register, renamed, role,
};

const OWNER: FencingToken = FencingToken {
    partition: EventPartition(1),
    epoch: Epoch(3),
};

/// Runs the same for each number up to `many`, on two nodes in turn, all at once.
async fn at_once<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    nodes: &[PostgresStore; 2],
    many: u64,
    act: impl Fn(PostgresStore, u64) -> F,
) -> Vec<T> {
    let acts: Vec<_> = (0..many)
        .zip(nodes.iter().cycle())
        .map(|(number, node)| tokio::spawn(act(node.clone(), number)))
        .collect();
    join_all(acts)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_register_a_name_or_an_address_one_gets_it() {
    let database = Database::fresh().await;
    let nodes = [database.node().await, database.node().await];
    for round in 1..=10 {
        let same_name = move |number: u64| {
            let mut account = account(1_000 * round + number);
            account.user.username = format!("Wanted{round}");
            account
        };
        let same_address = move |number: u64| Account {
            email: Some(format!("wanted{round}@mail.example")),
            ..account(1_000 * round + 500 + number)
        };
        for (taken, wanted) in [
            (
                Taken::Username,
                &same_name as &(dyn Fn(u64) -> Account + Sync),
            ),
            (Taken::Email, &same_address),
        ] {
            let outcomes = at_once(&nodes, 8, |node, number| {
                let account = wanted(number);
                async move { node.register(&account, "hash").await.unwrap() }
            })
            .await;
            let served = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
            assert_eq!(served, 1, "{outcomes:?}");
            assert!(outcomes.iter().all(|o| o.is_ok() || *o == Err(taken)));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_who_present_a_token_one_is_served_and_the_login_is_revoked() {
    let database = Database::fresh().await;
    let nodes = [database.node().await, database.node().await];
    register(&nodes[0], 1).await;
    for round in 1..=4_u8 {
        let login = Login {
            id: id(100 + u64::from(round)),
            user_id: id(1),
            expires_at: NOW.plus_ms(3_600_000),
            revoked: false,
        };
        nodes[0].open_login(&login, [round; 32]).await.unwrap();
        let outcomes = at_once(&nodes, 50, |node, number| {
            let mut successor = [round; 32];
            successor[0] = 100 + u8::try_from(number).unwrap();
            async move { node.rotate([round; 32], successor, NOW).await.unwrap() }
        })
        .await;
        let served = outcomes
            .iter()
            .filter(|o| matches!(o, Rotation::Rotated(_)));
        assert_eq!(served.count(), 1, "{outcomes:?}");
        assert!(outcomes.iter().any(|o| matches!(o, Rotation::Reused(_))));
        let login = nodes[1].login(login.id).await.unwrap();
        assert!(login.unwrap().revoked);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_that_are_put_at_once_do_not_overfill_their_scope() {
    let database = Database::fresh().await;
    let nodes = [database.node().await, database.node().await];
    register(&nodes[0], 1).await;
    for round in 1..=5 {
        let application = application(100 * round);
        let made = nodes[0].create_application(&application, [7; 32]).await;
        made.unwrap().unwrap();
        let scope = Scope {
            application_id: application.id,
            guild_id: None,
        };
        let outcomes = at_once(&nodes, 20, |node, number| async move {
            let new = command(1_000 * round + number);
            node.put(scope, &new, 5).await.unwrap()
        })
        .await;
        let stored = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        let full = outcomes.iter().filter(|o| matches!(o, Err(Unstored::Full)));
        assert_eq!(full.count(), 15);
        assert_eq!(stored, 5);
        assert_eq!(nodes[1].commands(scope).await.unwrap().len(), 5);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_two_nodes_want_is_given_once() {
    let database = Database::fresh().await;
    let nodes = [database.node().await, database.node().await];
    register(&nodes[0], 1).await;
    nodes[0].commit(OWNER, &[founded(100)]).await.unwrap();
    for gseq in 2..=20 {
        let outcomes = at_once(&nodes, 6, |node, _| async move {
            node.commit(OWNER, &[renamed(100, gseq)]).await
        })
        .await;
        let served = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!(served, 1, "{outcomes:?}");
        assert!(outcomes.iter().all(|outcome| matches!(
            outcome,
            Ok(()) | Err(CommitError::Failure(Failure::Stale { .. }))
        )));
    }
    let outbox = nodes[1].outbox().await.unwrap();
    let places: Vec<u64> = outbox.iter().map(|record| record.gseq).collect();
    assert_eq!(places, (1..=20).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_change_their_names_to_one_name_one_gets_it() {
    let database = Database::fresh().await;
    let nodes = [database.node().await, database.node().await];
    for number in 1..=8 {
        register(&nodes[0], number).await;
    }
    for gseq in 1..=10 {
        let outcomes = at_once(&nodes, 8, |node, number| async move {
            let Account { mut user, email } = account(number + 1);
            user.username = format!("Wanted{gseq}");
            let record = Record {
                source: Source::User(user.id),
                gseq,
                at: NOW,
                event: Event::UserUpdated {
                    user: Box::new(user),
                    email,
                },
            };
            node.commit(OWNER, &[record]).await
        })
        .await;
        let served = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!(served, 1, "{outcomes:?}");
        assert!(
            outcomes.iter().all(|outcome| matches!(
                outcome,
                Ok(()) | Err(CommitError::Taken(Taken::Username))
            ))
        );
    }
}

/// Its roles and its place in the stream fit together, whoever commits meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_guild_is_loaded_as_of_one_moment() {
    let database = Database::fresh().await;
    let nodes = [database.node().await, database.node().await];
    register(&nodes[0], 1).await;
    nodes[0].commit(OWNER, &[founded(100)]).await.unwrap();
    let committing = {
        let node = nodes[0].clone();
        tokio::spawn(async move {
            for gseq in 2..=200 {
                let created = Event::RoleCreated(role(200 + gseq, 100));
                node.commit(OWNER, &[record(100, gseq, created)])
                    .await
                    .unwrap();
            }
        })
    };
    let mut loads = 0;
    while !committing.is_finished() {
        let rows = nodes[1].load(id(100)).await.unwrap().unwrap();
        assert_eq!(u64::try_from(rows.roles.len()).unwrap(), rows.gseq);
        loads += 1;
    }
    assert!(loads > 10, "{loads} loads among 200 commits");
    committing.await.unwrap();
}
