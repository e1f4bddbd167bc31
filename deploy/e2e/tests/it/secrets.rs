//! No secret that was issued or presented appears in what a server says about itself.

use guildhall_e2e::person::text;
use guildhall_e2e::{Link, Person, Server, Session};
use serde_json::{Value, json};

/// Everything that the server was told or has told and must keep to itself.
async fn busy_day(server: &Server) -> Vec<(&'static str, String)> {
    let ada = Person::register(server, "ada").await;
    let (guild, channel) = ada.found("Reading club").await;
    let bot = ada.make_bot("Echo").await;
    ada.invite_bot(&guild, &bot).await;
    let person = ada.listen().await;
    let deaf = bot.listen(1).await;
    let query = "v=10&encoding=msgpack&compress=zstd-stream";
    let packed = Link::open(server.address(), query).await;
    let mut packed = Session::identify(packed, &ada.access, None).await;
    ada.post(&channel, "the-spoken-word").await;
    packed.resume().await;
    let webhook = tokens_in_paths(server, &ada, &channel).await;
    let wrong = "a-wrong-password-of-ada";
    let body = json!({ "username": "ada", "password": wrong });
    server.rest().post("/auth/login", body).await.expect(401);
    let short = json!({ "username": "bea", "email": "bea@example.org", "password": "sesame" });
    assert_eq!(
        server
            .rest()
            .post("/auth/register", short)
            .await
            .refusal()
            .0,
        400
    );
    let broken = format!("{{\"refresh_token\": \"{}\"", ada.refresh);
    let kind = Some("application/json");
    let path = "/auth/refresh";
    let answer = server
        .rest()
        .send(hyper::Method::POST, path, kind, broken)
        .await;
    assert_eq!(answer.refusal().0, 400);
    let refresh = json!({ "refresh_token": ada.refresh });
    let next = server.rest().post(path, refresh.clone()).await.expect(200);
    let mut forged = Link::greeted(server.address(), "v=10").await;
    forged.identify("a-token-of-nobody", None).await;
    forged.close_code().await;
    let nobody = server.rest().authorized("Bearer a-token-of-nobody");
    assert_eq!(nobody.get("/users/me").await.refusal().0, 401);
    assert_eq!(server.rest().post(path, refresh).await.refusal().0, 401);
    vec![
        ("password", ada.password.clone()),
        ("wrong password", wrong.to_owned()),
        ("short password", "sesame".to_owned()),
        ("access token", ada.access.clone()),
        (
            "signature",
            ada.access.rsplit('.').next().unwrap_or_default().to_owned(),
        ),
        ("refresh token", ada.refresh.clone()),
        ("next access token", text(&next, "/access_token")),
        ("next refresh token", text(&next, "/refresh_token")),
        ("bot token", bot.token.clone()),
        ("webhook token", webhook),
        ("interaction token", "a-token-of-an-interaction".to_owned()),
        ("token of nobody", "a-token-of-nobody".to_owned()),
        ("session", person.id.clone()),
        ("session of a bot", deaf.id.clone()),
        ("packed session", packed.id.clone()),
        ("address", "ada@example.org".to_owned()),
        ("content", "the-spoken-word".to_owned()),
        ("password hash", "$argon2".to_owned()),
    ]
}

/// Presents a webhook's token, which it answers, and one of an interaction.
async fn tokens_in_paths(server: &Server, ada: &Person, channel: &str) -> String {
    let path = format!("/api/v10/channels/{channel}/webhooks");
    let made = ada.rest.post(&path, json!({ "name": "Herald" })).await;
    let webhook = text(&made.expect(200), "/token");
    let path = format!("/api/v10/webhooks/1/{webhook}");
    let said = server.rest().post(&path, json!({ "content": "x" })).await;
    assert_eq!(said.status.as_u16(), 404);
    let path = "/api/v10/interactions/1/a-token-of-an-interaction/callback";
    let said = server.rest().post(path, json!({ "type": 5 })).await;
    assert_eq!(said.status.as_u16(), 404);
    webhook
}

#[tokio::test]
async fn no_secret_is_in_logs_or_metrics_at_the_most_talkative_level() {
    let settings = [("LOG__FILTER", "trace"), ("LOG__FORMAT", "json")];
    let mut server = Server::start(&settings).await;
    let secrets = busy_day(&server).await;
    let metrics = server.operator("/metrics").await.expect_text(200);
    server.kill().await;
    server.restart().await;
    server.terminate();
    let (status, stdout) = server.ended().await;
    assert!(status.success());
    let log = server.log();
    assert!(
        log.contains("\"level\":\"DEBUG\""),
        "the level is not the most talkative"
    );
    assert!(20 < log.lines().count(), "{log}");
    for (what, secret) in secrets {
        assert!(5 < secret.len(), "{what}: {secret:?}");
        for (place, said) in [("log", &log), ("metrics", &metrics), ("stdout", &stdout)] {
            let line = said.lines().find(|line| line.contains(&secret));
            assert_eq!(line, None, "{what} in the {place}");
        }
    }
    for line in log.lines() {
        let json: Result<Value, _> = serde_json::from_str(line);
        assert!(json.is_ok_and(|line| line["level"].is_string()), "{line}");
    }
}
