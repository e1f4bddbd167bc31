//! The numbers stay whole whatever the lie: the checker must find it by its content.

use serde_json::{Value, json};

use super::*;

fn shared(sabotage: Sabotage) -> Shared {
    Shared {
        server: Target::parse("http://127.0.0.1:1").unwrap(),
        plan: Plan {
            sabotage,
            victim: "bob".to_owned(),
            open: "o".to_owned(),
            closed: "c".to_owned(),
            patience: 1,
        },
        state: Mutex::default(),
    }
}

fn ready(user: &str) -> Value {
    json!({"op": 0, "t": "READY", "s": 1, "d": {"session_id": user, "user": {"id": user}}})
}

fn message(s: u64, channel: &str, id: u64) -> Value {
    let body = json!({"id": id.to_string(), "channel_id": channel});
    json!({"op": 0, "t": "MESSAGE_CREATE", "s": s, "d": body})
}

/// What a connection tells of its messages: number and id.
fn told(liar: &mut Liar<'_>, payloads: &[Value]) -> Vec<(u64, String)> {
    let mut told = Vec::new();
    for payload in payloads {
        for text in liar.pass(payload.to_string().as_bytes()).unwrap() {
            let payload: Value = serde_json::from_str(&text).unwrap();
            if let Some(id) = payload["d"]["id"].as_str() {
                told.push((payload["s"].as_u64().unwrap(), id.to_owned()));
            }
        }
    }
    told
}

/// The victim's ids after another user has been told a secret, with numbers that must be whole.
fn victim_hears(sabotage: Sabotage) -> Vec<String> {
    let shared = shared(sabotage);
    let mut other = Liar::new(&shared);
    let heard = told(
        &mut other,
        &[ready("ann"), message(2, "c", 7), message(3, "o", 8)],
    );
    assert_eq!(heard.len(), 2, "others hear the truth");
    let mut victim = Liar::new(&shared);
    let payloads: Vec<Value> = (2..=5).map(|s| message(s, "o", s)).collect();
    let mut heard = told(&mut victim, &[ready("bob")]);
    heard.extend(told(&mut victim, &payloads));
    let numbers: Vec<u64> = heard.iter().map(|(s, _)| *s).collect();
    assert_eq!(numbers, (2..2 + heard.len() as u64).collect::<Vec<u64>>());
    assert!(shared.state().is_done);
    heard.into_iter().map(|(_, id)| id).collect()
}

#[test]
fn each_lie_is_told_once_and_keeps_the_numbers_whole() {
    assert_eq!(victim_hears(Sabotage::Drop), ["2", "4", "5"]);
    assert_eq!(victim_hears(Sabotage::Double), ["2", "3", "3", "4", "5"]);
    assert_eq!(victim_hears(Sabotage::Swap), ["2", "4", "3", "5"]);
    assert_eq!(victim_hears(Sabotage::Leak), ["2", "3", "7", "4", "5"]);
}

#[test]
fn what_is_no_dispatch_passes_as_it_is() {
    let shared = shared(Sabotage::Drop);
    let text = r#"{"op":10,"d":{"heartbeat_interval":5}}"#;
    assert_eq!(Liar::new(&shared).pass(text.as_bytes()).unwrap(), [text]);
}
