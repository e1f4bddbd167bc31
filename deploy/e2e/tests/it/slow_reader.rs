//! A client that does not read falls behind alone, and comes back to everything.

use guildhall_e2e::person::text;
use guildhall_e2e::{Heard, Link, Payload, Person, Server, Session};

/// Of a dispatch that takes about 8 KiB.
const LONG: &str = "\u{1f30d}";
const LONG_CHARS: usize = 2_000;
/// What a socket's buffers may hold on both sides by the system's defaults, generously.
const POSTS_MAX: usize = 4_000;
/// Posts between two looks at the metrics.
const POSTS_AT_ONCE: usize = 25;

fn messages(heard: &[Payload]) -> Vec<String> {
    let created = heard
        .iter()
        .filter(|payload| payload.name() == "MESSAGE_CREATE");
    created.map(|payload| text(&payload.d, "/id")).collect()
}

async fn lagging(server: &Server) -> bool {
    let metrics = server.operator("/metrics").await.text();
    let counted = metrics
        .lines()
        .find(|line| line.starts_with("guildhall_sockets_lagging_total"));
    counted.is_some_and(|line| !line.ends_with(" 0"))
}

/// Everything up to the end of the connection, and the code that it was closed with.
async fn until_closed(session: &mut Session) -> (Vec<Payload>, Option<u16>) {
    let mut heard = Vec::new();
    loop {
        match session.next().await {
            Heard::Payload(payload) => heard.push(payload),
            Heard::Closed(code) => return (heard, code),
        }
    }
}

#[tokio::test]
async fn a_slow_reader_is_closed_alone_and_resumes_without_a_loss() {
    let server = Server::start(&[
        ("DELIVERY__BACKLOG_BYTES", "512KiB"),
        ("DELIVERY__DURABILITY", "os"),
    ])
    .await;
    let ada = Person::register(&server, "ada").await;
    let bea = Person::register(&server, "bea").await;
    let (guild, channel) = ada.found("Reading club").await;
    bea.join(&guild).await;
    let query = "v=10&encoding=json&dialect=native";
    let narrow = Link::open_narrow(server.address(), query).await;
    let mut slow = Session::identify(narrow, &ada.access, None).await;
    let mut fast = bea.listen().await;
    let long = LONG.repeat(LONG_CHARS);
    let mut all = Vec::new();
    while !lagging(&server).await {
        assert!(all.len() < POSTS_MAX, "nobody fell behind");
        let mut newest = String::new();
        for _ in 0..POSTS_AT_ONCE {
            newest = ada.post(&channel, &long).await;
        }
        // Who reads is never further behind than this.
        all.extend(
            fast.up_to(|payload| payload.d["id"] == newest.as_str())
                .await,
        );
    }
    let posted = messages(&all).len();
    let last = ada.post(&channel, "the last").await;
    all.push(fast.until("MESSAGE_CREATE").await);
    assert_eq!(posted % POSTS_AT_ONCE, 0, "who reads has missed nothing");
    let (mut heard, code) = until_closed(&mut slow).await;
    // The code is lost where the buffers had no room for it.
    assert!(matches!(code, None | Some(4000)), "{code:?}");
    assert!(messages(&heard).len() < posted, "it had not fallen behind");
    heard.extend(slow.resume().await);
    assert_eq!(messages(&heard), messages(&all));
    assert_eq!(messages(&heard).last(), Some(&last));
}
