//! A post is repeated with the same nonce until it is answered, and every try is written down.

use serde_json::json;

use super::*;
use crate::client::objects::Message;
use crate::client::person::Registration;
use crate::client::scripted::{Answer, serve};
use crate::history::{reader, writer};

fn ann() -> Registration {
    Registration {
        username: "ann".to_owned(),
        email: "ann@example.org".to_owned(),
        password: "correct horse".to_owned(),
    }
}

#[tokio::test]
async fn a_post_is_repeated_with_its_nonce_until_it_is_answered() {
    let (target, calls) = serve(|index, _| match index {
        0 => Answer::Json(
            201,
            json!({
                "user": {"id": "ann", "username": "ann"}, "access_token": "t",
                "refresh_token": "r", "token_type": "Bearer", "expires_in": 900,
            }),
        ),
        1 => Answer::Nothing,
        2 => Answer::Json(503, json!({})),
        _ => Answer::Json(
            201,
            json!({"id": "m", "channel_id": "c", "content": "n hi"}),
        ),
    })
    .await;
    let home = tempfile::tempdir().unwrap();
    let recorders = writer::open(home.path(), 1).unwrap();
    let stage = Stage::new(Api::new(target), recorders, Arc::new(Meter::new(1)));
    let person = Person::register(&stage.api, &ann()).await.unwrap().body;
    let mut deed = Deed::new(Action::Post, "POST", "/channels/c/messages".to_owned());
    deed.nonce = Some("n".to_owned());
    let post = || person.post("c", "n hi", "n");
    let id: fn(&Message) -> &str = |message| &message.id;
    let message = stage
        .insist((0, "ann"), &deed, post, Some(id))
        .await
        .unwrap();
    assert_eq!(message.id, "m");
    let bodies: Vec<_> = calls.lock().unwrap()[1..]
        .iter()
        .map(|call| call.body.clone())
        .collect();
    assert_eq!(bodies, vec![json!({"content": "n hi", "nonce": "n"}); 3]);
    stage.flush().unwrap();
    let mut lines = Vec::new();
    reader::visit(home.path(), |_, line| {
        lines.push(match line.what {
            Entry::Request(request) => format!("{} {}", request.call, request.nonce.unwrap().0),
            Entry::Response(response) => {
                let message = response.message.map(|id| id.0.into_owned());
                format!("{} {} {message:?}", response.call, response.status)
            }
            _ => "begin".to_owned(),
        });
        Ok(())
    })
    .unwrap();
    assert_eq!(
        lines,
        [
            "begin",
            "1 n",
            "1 0 None",
            "2 n",
            "2 503 None",
            "3 n",
            "3 201 Some(\"m\")"
        ]
    );
}

#[tokio::test]
async fn a_server_that_limits_rates_is_complained_of() {
    let (target, _) = serve(|index, _| match index {
        0 => Answer::Json(429, json!({"code": "rate_limited", "message": "Wait."})),
        _ => Answer::Json(200, json!({})),
    })
    .await;
    let home = tempfile::tempdir().unwrap();
    let recorders = writer::open(home.path(), 1).unwrap();
    let meter = Arc::new(Meter::new(1));
    let stage = Stage::new(Api::new(target), recorders, meter.clone());
    let deed = Deed::new(Action::Other, "GET", "/servers".to_owned());
    let ann = ann();
    let login = || Person::login(&stage.api, &ann);
    let _ = stage.insist((0, "ann"), &deed, login, None).await;
    let (count, complaints) = meter.complaint_list();
    assert_eq!(count, 1);
    assert!(complaints[0].contains("RATE_LIMITS=off"), "{complaints:?}");
}
