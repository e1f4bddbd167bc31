//! The Discord dialect from request to answer. Every answer of success is held against Discord's
//! own description, where it was put beside the repository.

mod application_commands;
mod audit;
mod channels;
mod emojis;
mod gateway;
mod guilds;
mod hostile;
mod interactions;
mod invites;
mod judge;
mod members;
mod messages;
mod pictures;
mod roles;
mod tour;
mod twin;
mod users;
mod webhooks;

use axum::body::Body;
use axum::http::Request;
use axum::http::header::AUTHORIZATION;
use guildhall_rest::Limits;
use serde_json::{Value, json};

use crate::harness::{Answer, Caller, House, text};

/// A guild with its owner, a member, and a bot that administrates it.
struct Tavern {
    house: House,
    ada: Caller,
    bob: Caller,
    bot: Caller,
    guild: String,
    channel: String,
}

impl Tavern {
    async fn open() -> Self {
        Self::limited(Limits::default()).await
    }

    async fn limited(limits: Limits) -> Self {
        let house = House::limited(limits).await;
        let [ada, bob] = house.people(["ada", "bob"]).await;
        let bot = house.bot(&ada, "Echo").await;
        let (server, channel) = house.server(&ada).await;
        house.join(&bob, &server).await;
        let path = format!("/servers/{server}/bots/{}", bot.id);
        house.put(&ada, &path, json!({})).await.expect(200);
        let form = json!({"name": "keepers", "permissions_bitmask": 64, "position": 5});
        let role = house
            .post(&ada, &format!("/servers/{server}/roles"), form)
            .await;
        let role = text(&role.expect(201)["id"]);
        let path = format!("/servers/{server}/members/{}/roles", bot.id);
        house
            .put(&ada, &path, json!({"roles": [role]}))
            .await
            .expect(200);
        let (guild, channel) = (decimal(&house, &server), decimal(&house, &channel));
        let tavern = |who: Caller| Caller {
            id: decimal(&house, &who.id),
            ..who
        };
        Self {
            ada: tavern(ada),
            bob: tavern(bob),
            bot: tavern(bot),
            guild,
            channel,
            house,
        }
    }

    /// A call by the bot.
    async fn bot(&self, method: &str, path: &str, body: impl Into<Option<Value>>) -> Answer {
        call(&self.house, &self.bot, method, path, body).await
    }

    /// A call by somebody else.
    async fn by(
        &self,
        who: &Caller,
        method: &str,
        path: &str,
        body: impl Into<Option<Value>>,
    ) -> Answer {
        call(&self.house, who, method, path, body).await
    }

    fn of_guild(&self, rest: &str) -> String {
        format!("/guilds/{}{rest}", self.guild)
    }

    fn of_channel(&self, rest: &str) -> String {
        format!("/channels/{}{rest}", self.channel)
    }

    /// A message by the bot.
    async fn say(&self, content: &str) -> String {
        let path = self.of_channel("/messages");
        let posted = self.bot("POST", &path, json!({"content": content})).await;
        text(&posted.expect(200)["id"])
    }
}

/// A call in this dialect, by its latest name. The path is without prefix.
async fn call(
    house: &House,
    who: impl Into<Option<&Caller>>,
    method: &str,
    path: &str,
    body: impl Into<Option<Value>>,
) -> Answer {
    let whole = format!("/api/v10{path}");
    let answer = house.call(who.into(), method, &whole, body.into()).await;
    judge::judge().answered(method, path, &answer);
    answer
}

/// A call whose header says why.
async fn call_because(
    tavern: &Tavern,
    who: &Caller,
    method: &str,
    path: &str,
    reason: &str,
) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(format!("/api/v10{path}"))
        .header(AUTHORIZATION, &who.authorization)
        .header("X-Audit-Log-Reason", reason);
    let answer = tavern
        .house
        .send(request.body(Body::empty()).unwrap())
        .await;
    judge::judge().answered(method, path, &answer);
    answer
}

/// An id of the native dialect as this one writes it.
fn decimal(house: &House, uuid: &str) -> String {
    let id: guildhall_model::UserId = house.spelling.parse(uuid).unwrap();
    id.to_string()
}

/// The status and the code of an error.
#[track_caller]
fn refused(answer: &Answer, status: u16, code: u32) {
    let found = (answer.status, answer.body["code"].as_u64());
    assert_eq!(found, (status, Some(code.into())), "{}", answer.body);
}

/// The code of what is wrong with the field at this place: `a.0.b`.
#[track_caller]
fn fault(answer: &Answer, place: &str) -> String {
    refused(answer, 400, 50_035);
    let steps = place.split('.').filter(|step| !step.is_empty());
    let at = steps.fold(&answer.body["errors"], |at, step| &at[step]);
    let code = &at["_errors"][0]["code"];
    code.as_str()
        .unwrap_or_else(|| panic!("nothing is wrong at {place}: {}", answer.body))
        .to_owned()
}
