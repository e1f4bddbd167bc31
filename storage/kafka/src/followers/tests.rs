//! Who follows a partition without a broker: the consumer lets go of it, and failures come in time.

use std::net::TcpListener;
use std::time::Instant;

use super::tail::Found;
use super::*;

/// A consumer whose broker is not there.
fn alone(request_timeout_ms: u64) -> Followers {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = nobody.local_addr().unwrap();
    drop(nobody);
    let cluster = ClusterConfig {
        request_timeout_ms,
        ..ClusterConfig::new(address.to_string())
    };
    Followers::start(&cluster, &Away::default(), &Known::default()).unwrap()
}

fn source(partition: u16) -> Source {
    Source {
        what: "test",
        topic: "topic".into(),
        partition,
    }
}

/// Waits until the consumer has so many partitions.
fn await_assigned(shared: &Shared, count: usize) {
    let began = Instant::now();
    loop {
        let assigned = shared.consumer.assignment().unwrap().count();
        if assigned == count && shared.followed().len() == count {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{assigned}");
        thread::yield_now();
    }
}

#[test]
fn a_partition_is_assigned_once_and_let_go_of_with_its_last_follower() {
    let followers = alone(60_000);
    let shared = followers.shared();
    assert!(shared.join(&source(0)).is_none());
    let one = shared.follow(&source(0), 7).unwrap();
    let other = shared.follow(&source(0), 9).unwrap();
    assert!(Arc::ptr_eq(&one.tail, &other.tail));
    let elsewhere = shared.follow(&source(1), 7).unwrap();
    await_assigned(&shared, 2);
    drop((one, elsewhere));
    await_assigned(&shared, 1);
    let third = shared.join(&source(0)).unwrap();
    assert!(Arc::ptr_eq(&third.tail, &other.tail));
    drop((other, third));
    await_assigned(&shared, 0);
    // And it can be followed anew.
    let again = shared.follow(&source(0), 11).unwrap();
    assert_eq!(again.tail.next(), 11);
    await_assigned(&shared, 1);
}

#[tokio::test]
async fn a_follower_of_a_broker_that_is_away_fails_in_time() {
    let followers = alone(1_000);
    let shared = followers.shared();
    let seat = shared.follow(&source(0), 7).unwrap();
    let news = seat.tail().news();
    assert!(matches!(seat.tail().read(7, 1), Ok(Found::Nothing)));
    let woken = tokio::time::timeout(Duration::from_secs(20), news).await;
    assert!(woken.is_ok(), "nobody waits for ever");
    let failed = seat.tail().read(7, 1);
    assert!(matches!(failed, Err(Failure::Unavailable { .. })));
    await_assigned(&shared, 0);
    // Its seat has nothing to do with who comes later.
    let later = shared.follow(&source(0), 7).unwrap();
    drop(seat);
    assert!(shared.join(&source(0)).is_some());
    drop(later);
    await_assigned(&shared, 0);
}
