//! A full disk: posts are refused for what it is, reads go on, and once there is room everything
//! does, without a restart.

use std::time::Duration;

use guildhall_e2e::disk::{SmallDisk, largest_file};
use guildhall_e2e::load::Load;
use guildhall_e2e::person::{nonce, text};
use guildhall_e2e::{Answer, Person, Server, Session, eventually, is_long};
use serde_json::{Value, json};

/// Posts that fit behind the end of the last page or of the limit, generously.
const FITTING_MAX: usize = 200;
/// Tries that a read may take, and the pause between them.
const READS_MAX: usize = 4;
const READ_AGAIN: Duration = Duration::from_millis(100);

async fn post(person: &Person, channel: &str, body: &Value) -> Answer {
    let path = format!("/channels/{channel}/messages");
    person.rest.post(&path, body.clone()).await
}

/// Posts until one is refused for want of room, and answers how many were taken, and its body.
async fn post_until_full(person: &Person, channel: &str) -> (usize, Value) {
    for taken in 0..FITTING_MAX {
        let body = json!({ "content": "x".repeat(1_000), "nonce": nonce() });
        let answer = post(person, channel, &body).await;
        if !answer.status.is_success() {
            let (status, code) = answer.refusal();
            assert!(
                matches!(status, 503 | 507),
                "{status} {code}: {}",
                answer.text()
            );
            return (taken, body);
        }
    }
    panic!("the disk is never full");
}

/// Reads. A post that was refused restarts its channel, which a read may run into.
async fn read(person: &Person, path: &str) -> Value {
    for _ in 0..READS_MAX {
        let answer = person.rest.get(path).await;
        if answer.status.as_u16() != 503 {
            return answer.expect(200);
        }
        tokio::time::sleep(READ_AGAIN).await;
    }
    panic!("{path} cannot be read");
}

async fn count(person: &Person, channel: &str) -> usize {
    let mut before = String::new();
    let mut count = 0;
    loop {
        let path = format!("/channels/{channel}/messages?limit=100{before}");
        let page = read(person, &path).await;
        let page = page.as_array().expect("a page is a list").clone();
        let Some(oldest) = page.last() else {
            return count;
        };
        count += page.len();
        before = format!("&before={}", text(oldest, "/id"));
    }
}

async fn created(session: &mut Session) -> usize {
    let missed = session.resume().await;
    let created = missed
        .iter()
        .filter(|payload| payload.name() == "MESSAGE_CREATE");
    created.count()
}

/// Fills the disk, sees what holds meanwhile, frees it, and sees that all is well.
async fn fill_and_free(server: &mut Server, fill: impl Fn(&Server), free: impl Fn(&Server)) {
    let ada = Person::register(server, "ada").await;
    let (guild, channel) = ada.found("Reading club").await;
    let mut session = ada.listen().await;
    ada.post(&channel, "before").await;
    session.until("MESSAGE_CREATE").await;
    fill(server);
    let (taken, refused) = post_until_full(&ada, &channel).await;
    let said = server.until_ready(false).await.to_string();
    assert!(said.contains("full"), "{said}");
    // Who reads is not concerned, and stays unconcerned.
    for _ in 0..3 {
        assert_eq!(count(&ada, &channel).await, 1 + taken);
        read(&ada, &format!("/servers/{guild}")).await;
        read(&ada, "/users/me").await;
        let again = post(&ada, &channel, &refused).await;
        assert!(
            matches!(again.status.as_u16(), 503 | 507),
            "{}",
            again.text()
        );
    }
    assert!(server.is_alive());
    free(server);
    server.until_ready(true).await;
    eventually("posts are taken again", || async {
        post(&ada, &channel, &refused).await.status.is_success()
    })
    .await;
    assert_eq!(count(&ada, &channel).await, 2 + taken, "and none twice");
    assert_eq!(created(&mut session).await, 1 + taken);
    server.terminate();
    assert!(server.ended().await.0.success(), "{}", server.log());
    server.restart().await;
    server.until_ready(true).await;
    assert_eq!(count(&ada, &channel).await, 2 + taken);
    let last = ada.post(&channel, "after the restart").await;
    let missed = session.resume().await;
    assert_eq!(missed.last().expect("it was told").d["id"], last.as_str());
}

#[tokio::test]
async fn a_full_disk_refuses_posts_serves_reads_and_needs_no_restart() {
    let Some((mut server, disk)) = SmallDisk::start("16m", &[]).await else {
        return;
    };
    fill_and_free(&mut server, |_| disk.fill(), |_| disk.free()).await;
}

#[tokio::test]
async fn files_that_may_not_grow_refuse_posts_and_do_not_end_the_server() {
    let mut server = Server::start(&[]).await;
    let fill = |server: &Server| {
        let log = largest_file(&server.data().join("events"));
        server.limit_files(Some(log + 8 * 1024));
    };
    fill_and_free(&mut server, fill, |server| server.limit_files(None)).await;
}

#[tokio::test]
async fn a_disk_that_is_full_for_a_while_under_load_costs_nothing_that_was_acknowledged() {
    let Some((server, disk)) = SmallDisk::start("48m", &[]).await else {
        return;
    };
    let full = Duration::from_secs(if is_long() { 30 } else { 3 });
    let load = Load::start(&server, full * 2 + Duration::from_secs(4)).await;
    let before = server.memory();
    for _ in 0..2 {
        disk.fill();
        server.until_ready(false).await;
        tokio::time::sleep(full).await;
        disk.free();
        server.until_ready(true).await;
    }
    let report = load.must_hold(|| server.log()).await;
    assert_eq!(report["invalid_sessions"], 0, "{report}");
    let grown = server.memory().saturating_sub(before);
    assert!(
        grown < 64 << 20,
        "{grown} bytes more than before the disk was full"
    );
}
