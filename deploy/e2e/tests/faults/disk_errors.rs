//! A disk that fails below the logs and below SQLite: what was acknowledged is there afterwards,
//! and what could not be synced is never acknowledged.

use std::time::Duration;

use guildhall_e2e::load::Load;
use guildhall_e2e::person::{nonce, text};
use guildhall_e2e::shim::{Failing, Shim, Times};
use guildhall_e2e::{Answer, Payload, Person, Server, eventually};
use serde_json::{Value, json};

/// How long the disk is ill.
const ILL: Duration = Duration::from_secs(2);

async fn post(person: &Person, channel: &str, body: &Value) -> Answer {
    let path = format!("/channels/{channel}/messages");
    person.rest.post(&path, body.clone()).await
}

fn must_be_unavailable(answer: &Answer) {
    let (status, code) = answer.refusal();
    assert_eq!(status, 503, "{code}: {}", answer.text());
}

async fn history(person: &Person, channel: &str) -> Vec<String> {
    let path = format!("/channels/{channel}/messages?limit=100");
    let page = person.rest.get(&path).await.expect(200);
    let page = page.as_array().expect("a page is a list").iter();
    page.rev()
        .map(|message| text(message, "/content"))
        .collect()
}

fn messages(heard: &[Payload]) -> Vec<String> {
    let created = heard
        .iter()
        .filter(|payload| payload.name() == "MESSAGE_CREATE");
    created.map(|payload| text(&payload.d, "/id")).collect()
}

/// Restarts as after a crash: nothing is told to the server before.
async fn restart(server: &mut Server) {
    server.kill().await;
    server.restart().await;
}

#[tokio::test]
async fn a_write_to_the_events_log_that_fails_costs_its_posts_and_nothing_else() {
    let (server, shim) = Shim::start(&[]).await;
    let load = Load::start(&server, ILL * 3).await;
    shim.fail(Failing::Writes, "/data/events/", Times::Some(3));
    eventually("the writes fail", || async { shim.failures() == 3 }).await;
    server.until_ready(true).await;
    let report = load.must_hold(|| server.log()).await;
    assert_eq!(report["invalid_sessions"], 0, "{report}");
}

#[tokio::test]
async fn after_a_failed_sync_of_the_events_log_nothing_is_acknowledged_until_a_restart() {
    let (mut server, shim) = Shim::start(&[]).await;
    let ada = Person::register(&server, "ada").await;
    let (_, channel) = ada.found("Reading club").await;
    let mut session = ada.listen().await;
    ada.post(&channel, "before").await;
    session.until("MESSAGE_CREATE").await;
    shim.fail(Failing::Syncs, "/data/events/", Times::Some(1));
    let body = json!({ "content": "unsynced", "nonce": nonce() });
    must_be_unavailable(&post(&ada, &channel, &body).await);
    assert_eq!(shim.failures(), 1);
    // The system syncs again as if nothing had been; what was lost then stays lost.
    let said = server.until_ready(false).await;
    assert!(
        said["dependencies"]["events_log"]
            .to_string()
            .contains("sync"),
        "{said}"
    );
    must_be_unavailable(&post(&ada, &channel, &body).await);
    assert_eq!(history(&ada, &channel).await, ["before"], "reads go on");
    assert!(server.is_alive());
    restart(&mut server).await;
    server.until_ready(true).await;
    let again = post(&ada, &channel, &body).await;
    assert!(again.status.is_success(), "{}", again.text());
    assert_eq!(history(&ada, &channel).await, ["before", "unsynced"]);
    let missed = session.resume().await;
    let made = missed.iter().filter(|told| told.name() == "MESSAGE_CREATE");
    assert_eq!(made.count(), 1, "{missed:?}");
}

#[tokio::test]
async fn after_a_failed_sync_of_the_frames_log_nothing_is_told_until_a_restart() {
    let (mut server, shim) = Shim::start(&[]).await;
    let ada = Person::register(&server, "ada").await;
    let (_, channel) = ada.found("Reading club").await;
    let mut session = ada.listen().await;
    ada.post(&channel, "before").await;
    session.until("MESSAGE_CREATE").await;
    shim.fail(Failing::Syncs, "/data/frames/", Times::Some(1));
    // Acknowledged, because the events log is well, and not to be told before it can be told again.
    let posted = ada.post(&channel, "unsynced").await;
    let said = server.until_ready(false).await;
    assert!(
        said["dependencies"]["frames_log"]
            .to_string()
            .contains("sync"),
        "{said}"
    );
    let code = session.link.close_code().await;
    assert!(
        code.is_some_and(|code| code == 1012),
        "{code:?} is not one to resume after"
    );
    restart(&mut server).await;
    server.until_ready(true).await;
    let missed = session.resume().await;
    assert_eq!(missed.len(), 1, "{missed:?}");
    assert_eq!(missed[0].d["id"], posted.as_str());
}

#[tokio::test]
async fn a_database_of_accounts_that_fails_refuses_changes_and_works_again_by_itself() {
    let (mut server, shim) = Shim::start(&[]).await;
    let ada = Person::register(&server, "ada").await;
    let (guild, channel) = ada.found("Reading club").await;
    let mut session = ada.listen().await;
    let mut posted = Vec::new();
    for what in [Failing::Writes, Failing::Syncs] {
        shim.fail(what, "/data/guildhall.db", Times::Forever);
        let role = json!({ "name": "librarian", "permissions_bitmask": 4 });
        let path = format!("/servers/{guild}/roles");
        must_be_unavailable(&ada.rest.post(&path, role.clone()).await);
        let name = json!({ "display_name": "Ada again" });
        must_be_unavailable(&ada.rest.put("/users/me", name).await);
        // Messages do not depend on it.
        posted.push(ada.post(&channel, "all the same").await);
        ada.rest.get("/users/me").await.expect(200);
        assert!(shim.failures() > 0, "{what:?}");
        shim.mend();
        let made = ada.rest.post(&path, role).await;
        assert_eq!(made.status.as_u16(), 201, "{}", made.text());
        let name = json!({ "display_name": format!("Ada {what:?}") });
        ada.rest.put("/users/me", name).await.expect(200);
        for _ in 0..3 {
            posted.push(ada.post(&channel, "and afterwards").await);
        }
    }
    let last = posted.last().cloned().expect("something was posted");
    let heard = session.up_to(|told| told.d["id"] == last.as_str()).await;
    assert_eq!(messages(&heard), posted);
    let roles = format!("/servers/{guild}/roles");
    let before = ada.rest.get(&roles).await.expect(200);
    restart(&mut server).await;
    assert_eq!(ada.rest.get(&roles).await.expect(200), before);
    let me = ada.rest.get("/users/me").await.expect(200);
    assert_eq!(me["display_name"], "Ada Syncs");
    assert_eq!(history(&ada, &channel).await.len(), posted.len());
}

#[tokio::test]
async fn a_database_of_messages_that_fails_lags_behind_the_log_and_catches_up() {
    let (server, shim) = Shim::start(&[]).await;
    let load = Load::start(&server, ILL * 4).await;
    for what in [Failing::Writes, Failing::Syncs] {
        shim.fail(what, "/data/messages.db", Times::Forever);
        tokio::time::sleep(ILL).await;
        shim.mend();
    }
    server.until_ready(true).await;
    let report = load.must_hold(|| server.log()).await;
    assert_eq!(report["invalid_sessions"], 0, "{report}");
}
