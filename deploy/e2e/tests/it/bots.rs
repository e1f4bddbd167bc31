//! What bot libraries count on at the gateway beside messages.

use guildhall_e2e::person::text;
use guildhall_e2e::{Bot, Link, Payload, Person, Server, Session};
use serde_json::{Value, json};

const JSON: &str = "v=10&encoding=json";
const GUILDS: u64 = 1;
const GUILD_MESSAGE_TYPING: u64 = 1 << 11;
const DIRECT_MESSAGE_TYPING: u64 = 1 << 14;

#[expect(clippy::needless_pass_by_value, reason = "it is built in the call")]
fn op(op: u64, d: Value) -> Value {
    json!({ "op": op, "d": d })
}

/// The decimal spelling of a native id, as a bot's session names it.
fn guild_of(session: &Session) -> String {
    text(&session.guilds[0].d, "/id")
}

/// The next dispatch of this name, numbered or not.
async fn heard(session: &mut Session, name: &str) -> Payload {
    loop {
        let payload = session.link.op(0).await;
        if payload.name() == name {
            return payload;
        }
    }
}

#[tokio::test]
async fn the_gateway_is_found_wherever_libraries_look_for_it() {
    let server = Server::start(&[]).await;
    for path in ["/", "/gw", "/gw/", "/gateway", "/gateway/"] {
        for query in ["", "?v=9", "?v=10&encoding=json"] {
            let mut link = Link::open_at(server.address(), &format!("{path}{query}")).await;
            assert_eq!(link.payload().await.op, 10, "{path}{query}");
        }
    }
    // Whoever asks for no WebSocket there gets what else is at that path.
    let plain = server.rest().get("/").await;
    assert_eq!(plain.refusal(), (404, "unknown_route".to_owned()));
    assert_eq!(server.rest().get("/gw").await.status.as_u16(), 426);
}

#[tokio::test]
async fn sounds_and_channel_info_are_answered_for_guilds_that_the_bot_is_in() {
    let server = Server::start(&[]).await;
    let ada = Person::register(&server, "ada").await;
    let (guild, _) = ada.found("Reading club").await;
    let (other, _) = ada.found("Chess club").await;
    let bot = ada.make_bot("Echo").await;
    ada.invite_bot(&guild, &bot).await;
    let mut session = bot.listen(GUILDS).await;
    let own = guild_of(&session);
    let asked = json!({ "guild_ids": [other, "1", "nonsense", own] });
    session.link.send(&op(31, asked)).await;
    let sounds = session.dispatch().await;
    assert_eq!(sounds.name(), "SOUNDBOARD_SOUNDS");
    assert_eq!(
        sounds.d,
        json!({ "guild_id": own, "soundboard_sounds": [] })
    );
    let asked = json!({ "guild_id": own, "fields": ["status", "voice_start_time"] });
    session.link.send(&op(43, asked)).await;
    let info = session.dispatch().await;
    assert_eq!(info.name(), "CHANNEL_INFO");
    assert_eq!(info.d, json!({ "guild_id": own, "channels": [] }));
}

#[tokio::test]
async fn typing_is_told_to_those_who_see_the_channel_and_asked_for_it() {
    let server = Server::start(&[]).await;
    let ada = Person::register(&server, "ada").await;
    let (guild, channel) = ada.found("Reading club").await;
    let (keen, dull) = (ada.make_bot("Keen").await, ada.make_bot("Dull").await);
    for bot in [&keen, &dull] {
        ada.invite_bot(&guild, bot).await;
    }
    let mut host = ada.listen().await;
    let mut keen = keen.listen(GUILDS | GUILD_MESSAGE_TYPING).await;
    let mut dull = dull.listen(GUILDS | DIRECT_MESSAGE_TYPING).await;
    let path = format!("/channels/{channel}/typing");
    ada.rest.post(&path, json!({})).await.expect(204);

    let told = heard(&mut host, "TYPING_START").await;
    assert_eq!(told.s, Some(host.s), "it repeats the present number");
    assert_eq!(told.d["channel_id"], channel.as_str());
    assert_eq!(told.d["server_id"], guild.as_str());
    assert_eq!(told.d["user_id"], ada.id.as_str());
    let told = heard(&mut keen, "TYPING_START").await;
    assert_eq!(told.d["guild_id"], guild_of(&keen).as_str());
    assert_eq!(told.d["member"]["user"]["username"], "ada");
    assert_eq!(told.d["member"]["user"]["id"], told.d["user_id"]);
    assert!(told.d["timestamp"].as_u64().is_some_and(|s| s < 1 << 33));
    // The other bot asked for typing in direct messages only: a rename comes first.
    let renamed = json!({ "name": "Book club" });
    let path = format!("/servers/{guild}");
    ada.rest.put(&path, renamed).await.expect(200);
    assert_eq!(dull.link.op(0).await.name(), "GUILD_UPDATE");
}

#[tokio::test]
async fn typing_in_direct_messages_is_told_to_both_ends() {
    let server = Server::start(&[]).await;
    let ada = Person::register(&server, "ada").await;
    let bob = Person::register(&server, "bob").await;
    let eve = Person::register(&server, "eve").await;
    let path = format!("/dm/{}/messages", bob.id);
    let said = ada.rest.post(&path, json!({ "content": "hail" })).await;
    let channel = text(&said.expect(201), "/channel_id");
    let (mut near, mut far) = (ada.listen().await, bob.listen().await);
    let path = format!("/channels/{channel}/typing");
    eve.rest.post(&path, json!({})).await.expect(404);
    bob.rest.post(&path, json!({})).await.expect(204);
    for session in [&mut near, &mut far] {
        let told = heard(session, "TYPING_START").await;
        assert_eq!(told.d["user_id"], bob.id.as_str());
        assert_eq!(told.d["server_id"], Value::Null);
    }
}

/// What IDENTIFY is answered with on a connection that was greeted.
async fn identify(link: &mut Link, bot: &Bot) -> Payload {
    link.identify(&bot.token, Some(0)).await;
    link.payload().await
}

#[tokio::test]
async fn who_starts_too_many_sessions_at_a_time_is_asked_to_wait() {
    let server = Server::start(&[
        ("LIMITS__RATE_LIMITS", "on"),
        ("LIMITS__SESSION_STARTS_AT_A_TIME", "2"),
    ])
    .await;
    let ada = Person::register(&server, "ada").await;
    let bot = ada.make_bot("Echo").await;
    for expected in ["READY", "READY", ""] {
        let mut link = Link::greeted(server.address(), JSON).await;
        let answer = identify(&mut link, &bot).await;
        assert_eq!(answer.name(), expected, "{answer:?}");
        if expected.is_empty() {
            assert_eq!((answer.op, answer.d), (9, json!(false)));
            // The connection goes on: libraries identify there again, later.
            link.send(&op(1, Value::Null)).await;
            assert_eq!(link.payload().await.op, 11);
        }
    }
}

#[tokio::test]
async fn a_bot_starts_only_so_many_sessions_per_day() {
    let settings = [
        ("LIMITS__RATE_LIMITS", "on"),
        ("LIMITS__SESSION_STARTS", "1"),
    ];
    let server = Server::start(&settings).await;
    let ada = Person::register(&server, "ada").await;
    let bot = ada.make_bot("Echo").await;
    let mut link = Link::greeted(server.address(), JSON).await;
    assert_eq!(identify(&mut link, &bot).await.name(), "READY");
    let mut link = Link::greeted(server.address(), JSON).await;
    link.identify(&bot.token, Some(0)).await;
    assert_eq!(link.close_code().await, Some(4008));
    // People are not counted so.
    ada.listen().await;
    ada.listen().await;
}

#[tokio::test]
async fn a_server_as_it_is_installed_limits_messages_per_channel() {
    let server = Server::start(&[("LIMITS__RATE_LIMITS", "on")]).await;
    let ada = Person::register(&server, "ada").await;
    let (_, channel) = ada.found("Reading club").await;
    let path = format!("/channels/{channel}/messages");
    let post = async || ada.rest.post(&path, json!({ "content": "hail" })).await;
    // Six within five seconds, even if a window ends between them on a busy machine.
    let mut refused = post().await;
    for _ in 0..11 {
        if refused.status.as_u16() == 429 {
            break;
        }
        assert_eq!(refused.headers["x-ratelimit-limit"], "5");
        refused = post().await;
    }
    assert_eq!(refused.refusal(), (429, "rate_limited".to_owned()));
    assert_eq!(refused.headers["via"], "1.1 guildhall");
    let wait: u16 = refused.headers["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=5).contains(&wait), "{wait}");
}

#[tokio::test]
async fn a_large_guild_comes_without_its_members_and_they_are_asked_for() {
    let server = Server::start(&[]).await;
    let ada = Person::register(&server, "ada").await;
    let (guild, _) = ada.found("Reading club").await;
    let bot = ada.make_bot("Echo").await;
    ada.invite_bot(&guild, &bot).await;
    for n in 0..49 {
        let name = format!("guest{n}");
        Person::register(&server, &name).await.join(&guild).await;
    }
    // 51 members: ada, the bot, and 49 guests.
    for (threshold, large, told) in [(50, true, 1), (51, false, 51)] {
        let mut link = Link::greeted(server.address(), JSON).await;
        let data = json!({
            "token": format!("Bot {}", bot.token), "properties": {}, "intents": GUILDS,
            "large_threshold": threshold, "compress": true,
        });
        link.send(&op(2, data)).await;
        assert_eq!(link.payload().await.name(), "READY");
        let guild = link.payload().await.d;
        assert_eq!(
            (&guild["large"], &guild["member_count"]),
            (&json!(large), &json!(51))
        );
        assert_eq!(guild["members"].as_array().unwrap().len(), told);
        let asked = json!({
            "guild_id": guild["id"], "query": "GUEST1", "limit": 0, "presences": true,
        });
        link.send(&op(8, asked)).await;
        let chunk = link.op(0).await.d;
        // guest1 and guest10 to guest19; how they appear is for the GUILD_PRESENCES intent.
        assert_eq!(chunk["members"].as_array().unwrap().len(), 11);
        assert_eq!(chunk.get("presences"), None);
    }
}
