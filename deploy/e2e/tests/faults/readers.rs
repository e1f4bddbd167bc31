//! Readers that hardly read, under load: each is given up at its bound, nobody else notices, and
//! each comes back to everything.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use guildhall_e2e::load::Load;
use guildhall_e2e::person::text;
use guildhall_e2e::{Heard, Link, Payload, Person, Server, Session, is_long};
use tokio::task::JoinHandle;

/// Of a dispatch that takes about 8 KiB.
const LONG: &str = "\u{1f30d}";
const LONG_CHARS: usize = 2_000;
/// Readers that do not keep up, of forty.
const SLOW: usize = 2;
/// Users of the load, each with a session that does.
const FAST: usize = 38;
/// What a socket's buffers may hold by the system's defaults, generously.
const POSTS_MAX: usize = 4_000;

fn messages(heard: &[Payload]) -> Vec<String> {
    let created = heard
        .iter()
        .filter(|payload| payload.name() == "MESSAGE_CREATE");
    created.map(|payload| text(&payload.d, "/id")).collect()
}

/// A session that is heard byte by byte until it hangs up, and what it has heard by then.
type Slow = JoinHandle<(Session, Vec<Payload>)>;

async fn slow_reader(server: &Server, person: &Person, is_slow: &Arc<AtomicBool>) -> Slow {
    let query = "v=10&encoding=json&dialect=native";
    let link = Link::open_slow(server.address(), query, Arc::clone(is_slow)).await;
    let mut session = Session::identify(link, &person.access, None).await;
    tokio::spawn(async move {
        let mut heard = Vec::new();
        loop {
            match session.next().await {
                Heard::Payload(payload) => heard.push(payload),
                Heard::Closed(_) => return (session, heard),
            }
        }
    })
}

#[tokio::test]
async fn readers_of_a_byte_per_second_are_closed_alone_and_resume_exactly() {
    let settings = [("DELIVERY__BACKLOG_BYTES", "512KiB")];
    let server = Server::start(&settings).await;
    let ada = Person::register(&server, "ada").await;
    let (guild, channel) = ada.found("Reading club").await;
    let mut people = Vec::new();
    for n in 0..SLOW {
        let person = Person::register(&server, &format!("slow{n}")).await;
        person.join(&guild).await;
        people.push(person);
    }
    let time = Duration::from_secs(if is_long() { 60 } else { 12 });
    let load = Load::start_with(&server, time, FAST, 20.0).await;
    let is_slow = Arc::new(AtomicBool::new(false));
    let mut slow = Vec::new();
    for person in &people {
        slow.push(slow_reader(&server, person, &is_slow).await);
    }
    is_slow.store(true, Ordering::Relaxed);
    let before = server.memory();
    let (long, mut posted) = (LONG.repeat(LONG_CHARS), Vec::new());
    while server.metric("guildhall_sockets_lagging_total").await < SLOW as u64 {
        assert!(posted.len() < POSTS_MAX, "nobody fell behind");
        for _ in 0..25 {
            posted.push(ada.post(&channel, &long).await);
        }
    }
    let grown = server.memory().saturating_sub(before);
    assert!(
        grown < 128 << 20,
        "{grown} bytes more for {SLOW} who do not read"
    );
    posted.push(ada.post(&channel, "the last").await);
    is_slow.store(false, Ordering::Relaxed);
    for task in slow {
        let (mut session, mut heard) = task.await.expect("it hangs up");
        assert!(messages(&heard).len() < posted.len(), "it was told all");
        heard.extend(session.resume().await);
        assert_eq!(messages(&heard), posted);
    }
    let report = load.must_hold(|| server.log()).await;
    assert_eq!(report["invalid_sessions"], 0, "{report}");
    assert_eq!(report["resumes"], 0, "nobody else was concerned: {report}");
}
