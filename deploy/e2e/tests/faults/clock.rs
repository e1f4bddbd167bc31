//! A clock that jumps: ids rise, order holds, nobody loses a session or is shut out.

use std::time::Duration;

use guildhall_e2e::load::Load;
use guildhall_e2e::person::text;
use guildhall_e2e::shim::Shim;
use guildhall_e2e::{Payload, Person, is_long};
use serde_json::json;

const HOUR_MS: i64 = 3_600_000;

fn ids(heard: &[Payload]) -> Vec<String> {
    let created = heard
        .iter()
        .filter(|payload| payload.name() == "MESSAGE_CREATE");
    created.map(|payload| text(&payload.d, "/id")).collect()
}

#[tokio::test]
async fn a_clock_that_jumps_under_load_breaks_no_promise() {
    let (server, shim) = Shim::start(&[]).await;
    let time = Duration::from_secs(if is_long() { 60 } else { 10 });
    let load = Load::start(&server, time).await;
    let jumps = [HOUR_MS, 0, -HOUR_MS, -HOUR_MS - 5_000, 0, -5_000];
    for ahead_ms in jumps {
        shim.set_clock(ahead_ms);
        tokio::time::sleep(time / 8).await;
    }
    let report = load.must_hold(|| server.log()).await;
    assert_eq!(report["invalid_sessions"], 0, "{report}");
}

#[tokio::test]
async fn ids_rise_in_the_order_of_posting_whatever_the_clock_does() {
    let (mut server, shim) = Shim::start(&[]).await;
    let ada = Person::register(&server, "ada").await;
    let (_, channel) = ada.found("Reading club").await;
    let mut session = ada.listen().await;
    let mut posted = Vec::new();
    for ahead_ms in [0, -5_000, -HOUR_MS, 0, HOUR_MS / 6, -5_000] {
        shim.set_clock(ahead_ms);
        for _ in 0..10 {
            posted.push(ada.post(&channel, "tick").await);
        }
        // Whoever starts anew has no memory of the time that it has seen.
        if ahead_ms < 0 {
            server.kill().await;
            server.restart().await;
            session.resume().await;
        }
    }
    let rising = posted.windows(2).all(|pair| pair[0] < pair[1]);
    assert!(rising, "{posted:?}");
    session.s = 2;
    assert_eq!(ids(&session.resume().await), posted);
}

#[tokio::test]
async fn a_session_that_waits_for_its_client_outlives_a_jump_of_the_clock() {
    let (server, shim) = Shim::start(&[("DELIVERY__RESUME_WINDOW", "3m")]).await;
    let ada = Person::register(&server, "ada").await;
    let (_, channel) = ada.found("Reading club").await;
    let mut session = ada.listen().await;
    ada.post(&channel, "before").await;
    session.until("MESSAGE_CREATE").await;
    session.link.hang_up().await;
    shim.set_clock(HOUR_MS);
    // Longer than it takes to look for sessions that nobody has come back to.
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    shim.set_clock(0);
    let during = ada.post(&channel, "while nobody listened").await;
    assert_eq!(ids(&session.resume().await), [during]);
}

#[tokio::test]
async fn tokens_outlive_a_small_step_of_the_clock_and_end_with_their_time() {
    let (server, shim) = Shim::start(&[]).await;
    let ada = Person::register(&server, "ada").await;
    for ahead_ms in [-5_000, -HOUR_MS, 5_000, 14 * 60_000] {
        shim.set_clock(ahead_ms);
        ada.rest.get("/users/me").await.expect(200);
    }
    shim.set_clock(HOUR_MS);
    assert_eq!(ada.rest.get("/users/me").await.refusal().0, 401);
    let refresh = json!({ "refresh_token": ada.refresh });
    let renewed = server
        .rest()
        .post("/auth/refresh", refresh)
        .await
        .expect(200);
    let token = text(&renewed, "/access_token");
    let ada = server.rest().authorized(format!("Bearer {token}"));
    // What was handed out while the clock was ahead is no worse when it is put right.
    shim.set_clock(0);
    ada.get("/users/me").await.expect(200);
}
