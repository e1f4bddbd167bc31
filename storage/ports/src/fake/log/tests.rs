//! The faults of the fake log do what their names say.

use futures_util::FutureExt;

use super::*;

const EPOCH: Epoch = Epoch(1);

fn append(
    log: &FakeLog,
    epoch: Epoch,
    records: &[&'static str],
) -> BoxFuture<'static, Result<Vec<Position>, Failure>> {
    log.append(0, epoch, records.iter().copied().map(Bytes::from).collect())
}

fn texts(log: &FakeLog) -> Vec<String> {
    let text = |record: LogRecord| String::from_utf8(record.payload.to_vec()).unwrap();
    log.records(0).into_iter().map(text).collect()
}

#[tokio::test]
async fn held_appends_are_unread_until_they_flow_in_order() {
    let log = FakeLog::new();
    log.hold();
    let first = append(&log, EPOCH, &["a", "b"]);
    let second = append(&log, EPOCH, &["c"]);
    assert_eq!(log.until_waiting(2).await.len(), 2);
    assert!(texts(&log).is_empty());
    log.flow();
    assert!(first.await.unwrap() < second.await.unwrap());
    append(&log, EPOCH, &["d"]).await.unwrap();
    assert_eq!(texts(&log), ["a", "b", "c", "d"]);
}

#[tokio::test]
async fn a_dead_owners_append_can_be_applied_after_its_successors() {
    let log = FakeLog::new();
    log.hold();
    drop(append(&log, EPOCH, &["late"]));
    let take = append(&log, EPOCH.next(), &["take"]);
    let waiting = log.waiting();
    log.settle(waiting[1].ticket, Fate::Applied);
    log.settle(waiting[0].ticket, Fate::Applied);
    take.await.unwrap();
    assert_eq!(texts(&log), ["take", "late"]);
}

#[tokio::test]
async fn each_fate_leaves_what_it_says() {
    for (fate, stable, heard) in [
        (Fate::Applied, &["a", "b"][..], true),
        (Fate::Unheard, &["a", "b"], false),
        (Fate::Torn(1), &["a"], false),
        (Fate::Refused(Failure::Closing), &[], false),
    ] {
        let log = FakeLog::new();
        log.hold();
        let answer = append(&log, EPOCH, &["a", "b"]);
        log.settle(log.waiting()[0].ticket, fate);
        assert_eq!(answer.await.is_ok(), heard);
        assert_eq!(texts(&log), stable);
    }
}

#[tokio::test]
async fn an_outage_fails_every_call_and_leaves_no_trace() {
    let log = FakeLog::new();
    append(&log, EPOCH, &["a"]).await.unwrap();
    log.fail(Some(Failure::Full { what: "log" }));
    assert!(append(&log, EPOCH, &["b"]).await.is_err());
    assert!(log.read(0, Position::START, 1).await.is_err());
    assert!(log.end(0).await.is_err() && log.start(0).await.is_err());
    assert!(log.ends(&[0, 1]).await.is_err());
    assert!(log.release(0, Position::START).await.is_err());
    log.fail(None);
    assert_eq!(texts(&log), ["a"]);
}

#[tokio::test]
async fn a_follower_hears_of_stable_records_only_and_fails_in_an_outage() {
    let log = FakeLog::new();
    log.hold();
    let mut follower = log.follow(0, Position::START, 1);
    let first = append(&log, EPOCH, &["a"]);
    assert!(follower.next().now_or_never().is_none());
    log.settle(log.waiting()[0].ticket, Fate::Unheard);
    assert!(first.await.is_err());
    let slice = follower.next().await.unwrap().unwrap();
    assert_eq!(slice.records, log.records(0));

    let (heard, ()) = future::join(follower.next(), async {
        log.fail(Some(Failure::Closing));
    })
    .await;
    assert!(matches!(heard, Some(Err(Failure::Closing))));
    assert!(follower.next().await.is_none());
    log.fail(None);
    log.flow();
    append(&log, EPOCH, &["b"]).await.unwrap();
    let again = log.follow(0, slice.next, 1).next().await.unwrap().unwrap();
    assert_eq!(again.records, log.records(0)[1..]);
}
