//! How people appear to each other.

use guildhall_e2e::{Payload, Person, Server, Session};
use serde_json::json;

/// The next time that the session is told that somebody appears so. All else is passed over.
async fn presence(session: &mut Session, of: &Person, status: &str) -> Payload {
    loop {
        let payload = session.link.op(0).await;
        let is_theirs = payload.d["user_id"] == of.id.as_str();
        if payload.name() == "PRESENCE_UPDATE" && is_theirs && payload.d["status"] == status {
            return payload;
        }
    }
}

#[tokio::test]
async fn members_see_each_other_appear_as_each_of_them_chooses() {
    let server = Server::start(&[]).await;
    let ada = Person::register(&server, "ada").await;
    let (guild, _) = ada.found("Reading club").await;
    let bob = Person::register(&server, "bob").await;
    bob.join(&guild).await;
    let mut host = ada.listen().await;
    let s = host.s;
    let mut guest = bob.listen().await;
    // Who is invisible looks like who is not there.
    for (chosen, seen) in [
        ("online", "online"),
        ("idle", "idle"),
        ("dnd", "dnd"),
        ("invisible", "offline"),
        ("online", "online"),
    ] {
        let presence_update = json!({
            "op": 3,
            "d": { "since": null, "activities": [], "status": chosen, "afk": false },
        });
        guest.link.send(&presence_update).await;
        let told = presence(&mut host, &bob, seen).await;
        assert_eq!(told.d["server_id"], guild.as_str());
        assert_eq!(told.s, Some(s), "a presence repeats the present number");
    }
    guest.link.hang_up().await;
    presence(&mut host, &bob, "offline").await;
}
