//! No secret that the server is sent or makes stands in its log.

use std::cell::RefCell;
use std::io::Write;

use serde_json::json;
use tracing_subscriber::filter::dynamic_filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Layer, Registry, fmt};

use crate::harness::{House, PASSWORD, text};

thread_local! {
    /// The log of this thread, while it is captured.
    static LOG: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

struct Captured;

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOG.with_borrow_mut(|log| log.get_or_insert_default().extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Captures everything that this thread logs from now on. The subscriber is the whole process's:
/// one thread's alone would not hear of places in the code that another thread came by first.
fn capture() {
    let is_capturing = dynamic_filter_fn(|_, _| LOG.with_borrow(Option::is_some));
    let layer = fmt::layer()
        .with_ansi(false)
        .with_writer(|| Captured)
        .with_filter(is_capturing);
    tracing::subscriber::set_global_default(Registry::default().with(layer))
        .expect("no other test has a subscriber");
    LOG.set(Some(Vec::new()));
}

#[tokio::test]
async fn the_most_talkative_log_holds_no_secret() {
    capture();
    let house = House::open().await;
    let ada = house.person("ada").await;
    let again = house.login("ada").await;
    let bot = house.bot(&ada, "Echo").await;
    let (server, channel) = house.server(&ada).await;
    let content = "the content of a message";
    house.say(&ada, &channel, content).await;
    house.get(&bot, &format!("/servers/{server}")).await;
    let made = format!("/api/channels/{channel}/webhooks");
    let made = house.post(&ada, &made, json!({"name": "Crier"})).await;
    let made = made.expect(200);
    let token = text(&made["token"]);
    let path = format!("/api/webhooks/{}/{token}", text(&made["id"]));
    for form in [json!({"content": "hear"}), json!({"content": 5})] {
        house.post(None, &path, form).await;
    }
    house.get(None, &format!("{path}x")).await;
    let replayed = json!({"refresh_token": ada.refresh_token});
    for _ in 0..2 {
        house.post(None, "/auth/refresh", replayed.clone()).await;
    }
    let wrong = json!({"username": "ada", "password": "not the password"});
    house.post(None, "/auth/login", wrong).await;
    house
        .post(&again, "/auth/logout", json!({"broken": 1}))
        .await;
    let log = String::from_utf8(LOG.take().unwrap()).unwrap();
    assert!(log.contains("came twice"), "the log was captured");
    assert!(
        log.contains("http.route=\"/auth/login\""),
        "down to the requests"
    );
    let bare = |authorization: &str| authorization.split_once(' ').unwrap().1.to_owned();
    for secret in [
        PASSWORD.to_owned(),
        "not the password".to_owned(),
        "ada@example.org".to_owned(),
        content.to_owned(),
        token,
        bare(&ada.authorization),
        bare(&again.authorization),
        bare(&bot.authorization),
        ada.refresh_token,
        again.refresh_token,
    ] {
        assert!(!log.contains(&secret), "a secret stands in the log");
    }
}
