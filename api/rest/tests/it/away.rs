//! What is answered while the store of accounts and guilds is away.

use std::time::{Duration, Instant};

use guildhall_ports::Failure;
use guildhall_ports::fake::Way;
use http::header::RETRY_AFTER;
use serde_json::{Value, json};

use crate::harness::{Answer, Caller, House, text};

/// Longer than a bot's token is taken for good without asking.
const BOT_KNOWN_MS: i64 = 11_000;
/// Longer than it can be recalled.
const LONG_MS: i64 = 6 * 60 * 1_000;

/// A server with a bot, and two people who have written to each other.
struct Tavern {
    house: House,
    ada: Caller,
    bea: Caller,
    bot: Caller,
    server: String,
    channel: String,
    /// Between the two people, in the other dialect.
    direct: String,
}

impl Tavern {
    async fn open() -> Self {
        let house = House::open().await;
        let [ada, bea] = house.people(["ada", "bea"]).await;
        let bot = house.bot(&ada, "Echo").await;
        let (server, channel) = house.server(&ada).await;
        let path = format!("/servers/{server}/bots/{}", bot.id);
        house.put(&ada, &path, json!({})).await.expect(200);
        let form = json!({"recipient_id": decimal(&house, &bea.id)});
        let direct = house
            .post(&ada, "/api/v10/users/@me/channels", form)
            .await
            .expect(200);
        let tavern = Self {
            direct: text(&direct["id"]),
            house,
            ada,
            bea,
            bot,
            server,
            channel,
        };
        for answer in tavern.everybody_posts().await {
            assert!(answer.status < 300, "{}", answer.body);
        }
        tavern
    }

    /// A person and a bot into the server in both dialects, and people to each other.
    async fn everybody_posts(&self) -> [Answer; 5] {
        let house = &self.house;
        let native = format!("/channels/{}/messages", self.channel);
        let id = decimal(house, &self.channel);
        let discord = format!("/api/v10/channels/{id}/messages");
        let direct = format!("/api/v10/channels/{}/messages", self.direct);
        let said = || json!({"content": "go on"});
        let mention = json!({"content": format!("<@{}>", decimal(house, &self.bea.id))});
        [
            house.post(&self.ada, &native, said()).await,
            house.post(&self.ada, &discord, said()).await,
            house.post(&self.bot, &native, said()).await,
            house.post(&self.bot, &discord, said()).await,
            house.post(&self.ada, &direct, mention).await,
        ]
    }
}

fn decimal(house: &House, uuid: &str) -> String {
    let id: guildhall_model::UserId = house.spelling.parse(uuid).unwrap();
    id.to_string()
}

/// Refuses every answer but "not now", with when to try again in whole seconds.
#[track_caller]
fn put_off(answer: &Answer) {
    assert_eq!(answer.status, 503, "{}", answer.body);
    let seconds = answer.headers[RETRY_AFTER].to_str().unwrap();
    assert!(seconds.parse::<u32>().unwrap() > 0, "{seconds}");
}

#[tokio::test]
async fn who_was_there_lately_posts_on_and_nobody_waits_for_the_store() {
    let tavern = Tavern::open().await;
    tavern.house.way.set(Way::Silent);
    tavern.house.clock.advance_ms(BOT_KNOWN_MS);
    for answer in tavern.everybody_posts().await {
        assert!(answer.status < 300, "{}", answer.body);
    }
}

#[tokio::test]
async fn a_loss_that_nobody_has_found_out_is_waited_for_a_little() {
    let tavern = Tavern::open().await;
    tavern.house.way.set_unnoticed(Way::Silent);
    tavern.house.clock.advance_ms(BOT_KNOWN_MS);
    let began = Instant::now();
    for answer in tavern.everybody_posts().await {
        assert!(answer.status < 300, "{}", answer.body);
    }
    assert!(began.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn what_a_bot_may_is_not_recalled_for_ever_and_comes_back_by_itself() {
    let Tavern {
        house,
        ada,
        bot,
        channel,
        ..
    } = Tavern::open().await;
    let path = format!("/channels/{channel}/messages");
    let said = || json!({"content": "beep"});
    house.way.set(Way::Refused);
    house.clock.advance_ms(LONG_MS);
    put_off(&house.post(&bot, &path, said()).await);
    // A person's token says by itself that it is good.
    house.post(&ada, &path, said()).await.expect(201);
    house.way.set(Way::Open);
    house.post(&bot, &path, said()).await.expect(201);
    house.way.set(Way::Refused);
    house.clock.advance_ms(BOT_KNOWN_MS);
    house.post(&bot, &path, said()).await.expect(201);
}

#[tokio::test]
async fn a_token_that_nobody_has_shown_before_is_neither_good_nor_bad_meanwhile() {
    let tavern = Tavern::open().await;
    let unknown = tavern.house.bot(&tavern.ada, "Late").await;
    tavern.house.way.set(Way::Refused);
    put_off(&tavern.house.get(&unknown, "/users/me").await);
    let nonsense = Caller {
        authorization: "Bot nonsense".to_owned(),
        ..unknown
    };
    assert_eq!(tavern.house.get(&nonsense, "/users/me").await.status, 401);
}

#[tokio::test]
async fn whoever_needs_an_engine_that_is_away_is_told_when_to_try_again_in_both_dialects() {
    let tavern = Tavern::open().await;
    let (house, server, channel) = (&tavern.house, &tavern.server, &tavern.channel);
    let (guild, room) = (decimal(house, server), decimal(house, channel));
    let name = || json!({"name": "elsewhere"});
    let writes: [(&str, String, Value); 10] = [
        ("POST", "/servers".into(), name()),
        ("PUT", format!("/servers/{server}"), name()),
        (
            "POST",
            format!("/servers/{server}/channels"),
            json!({"name": "elsewhere", "type": "text"}),
        ),
        ("PUT", format!("/channels/{channel}"), name()),
        ("POST", format!("/servers/{server}/roles"), name()),
        ("PUT", "/users/me".into(), json!({"display_name": "Ada"})),
        ("PATCH", format!("/api/v10/guilds/{guild}"), name()),
        ("POST", format!("/api/v10/guilds/{guild}/roles"), name()),
        ("PATCH", format!("/api/v10/channels/{room}"), name()),
        ("DELETE", format!("/api/v10/channels/{room}"), Value::Null),
    ];
    house.way.set(Way::Refused);
    for (method, path, body) in &writes {
        let body = (!body.is_null()).then(|| body.clone());
        let answer = house.call(Some(&tavern.ada), method, path, body).await;
        assert_eq!(answer.status, 503, "{method} {path}: {}", answer.body);
        put_off(&answer);
        let code = answer.body["code"].clone();
        let is_discord = path.starts_with("/api");
        assert_eq!(
            code,
            if is_discord {
                json!(0)
            } else {
                json!("unavailable")
            }
        );
    }
    house.way.set(Way::Open);
    house
        .blobs
        .fail(Some(Failure::unavailable("files", "away")));
    let picture = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    for (method, path) in [
        ("PATCH", "/api/v10/users/@me".to_owned()),
        ("PATCH", format!("/api/v10/guilds/{guild}")),
    ] {
        let body = if path.contains("guilds") {
            json!({"icon": picture})
        } else {
            json!({"avatar": picture})
        };
        put_off(
            &house
                .call(Some(&tavern.ada), method, &path, Some(body))
                .await,
        );
    }
}
