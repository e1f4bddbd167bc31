//! Who comes and goes, as the others of a guild hear of it.

use guildhall_e2e::person::text;
use guildhall_e2e::{Heard, Link, Person, Server, Session};
use serde_json::json;

/// Long enough for a RESUME between, short enough to wait for.
const RESUME_WINDOW: (&str, &str) = ("DELIVERY__RESUME_WINDOW", "1s");

async fn members(person: &Person, guild: &str) -> usize {
    let listed = person.rest.get(&format!("/servers/{guild}/members")).await;
    listed.expect(200).as_array().expect("a list").len()
}

#[tokio::test]
async fn who_came_by_a_temporary_invite_leaves_with_the_last_session() {
    let server = Server::start(&[RESUME_WINDOW]).await;
    let ada = Person::register(&server, "ada").await;
    let (guild, _) = ada.found("Reading club").await;
    let mut host = ada.listen().await;
    let path = format!("/servers/{guild}/invites");
    let temporary = json!({ "temporary": true });
    let code = text(&ada.rest.post(&path, temporary).await.expect(201), "/code");
    let path = format!("/servers/{guild}/join");
    let guest = Person::register(&server, "guest").await;
    let keeper = Person::register(&server, "keeper").await;
    for person in [&guest, &keeper] {
        let joined = person.rest.post(&path, json!({ "code": code })).await;
        joined.expect(200);
        assert_eq!(
            host.until("GUILD_MEMBER_ADD").await.d["user"]["id"],
            person.id.as_str()
        );
    }
    // A role makes the second one stay.
    let path = format!("/servers/{guild}/roles");
    let role = ada.rest.post(&path, json!({ "name": "kept" })).await;
    let role = text(&role.expect(201), "/id");
    let path = format!("/servers/{guild}/members/{}/roles", keeper.id);
    ada.rest
        .put(&path, json!({ "roles": [role] }))
        .await
        .expect(200);

    let (mut first, mut second) = (guest.listen().await, guest.listen().await);
    let mut kept = keeper.listen().await;
    // A close with 1000 ends a session; the other one of the guest still holds it here.
    end(&mut kept).await;
    end(&mut first).await;
    assert_eq!(members(&ada, &guild).await, 3);
    // A lost socket ends nothing before the time to come back is over.
    second.link.hang_up().await;
    second.resume().await;
    assert_eq!(members(&ada, &guild).await, 3);
    second.link.hang_up().await;
    let left = host.until("GUILD_MEMBER_REMOVE").await;
    assert_eq!(left.d["user"]["id"], guest.id.as_str());
    assert_eq!(members(&ada, &guild).await, 2);
    let own = guest.rest.get("/servers").await.expect(200);
    assert_eq!(own, json!([]));
}

/// Ends a session as a client does that does not mean to come back.
async fn end(session: &mut Session) {
    let close = fastwebsockets::Frame::close(1000, b"");
    session.link.send_frame(close).await;
    session.link.close_code().await;
    let mut again: Link = session.link.again().await;
    again.op(10).await;
    again.resume(&session.token, &session.id, session.s).await;
    // It is over when it cannot be resumed.
    assert!(matches!(again.next().await, Heard::Payload(answer) if answer.op == 9));
}
