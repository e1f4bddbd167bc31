//! Every route of the dialect, once with success: what Discord's description says to each.

use std::collections::BTreeSet;

use guildhall_app::authorize::DISCORD_ROWS;
use serde_json::{Value, json};

use super::{Tavern, judge};
use crate::harness::text;

/// A walk along the routes that remembers where it was.
struct Tour {
    tavern: Tavern,
    walked: BTreeSet<String>,
}

impl Tour {
    /// Calls a route as its administrator. Parameters are filled in by their names.
    async fn step(
        &mut self,
        route: &str,
        filled: &[(&str, &str)],
        body: impl Into<Option<Value>>,
    ) -> Value {
        let (method, template) = route.split_once(' ').unwrap();
        let named = [
            ("guild_id", self.tavern.guild.clone()),
            ("channel_id", self.tavern.channel.clone()),
            ("user_id", self.tavern.bob.id.clone()),
            ("emoji", "%F0%9F%8E%89".to_owned()),
        ];
        let mut path = template.to_owned();
        for &(name, value) in filled {
            path = path.replace(&format!("{{{name}}}"), value);
        }
        for (name, value) in named {
            path = path.replace(&format!("{{{name}}}"), &value);
        }
        let answer = self.tavern.bot(method, &path, body).await;
        assert!(answer.status < 300, "{route}: {}", answer.body);
        let template = template.split('?').next().unwrap();
        self.walked.insert(format!("{method} {template}"));
        answer.body
    }
}

#[tokio::test]
async fn every_route_answers_as_discord_describes_it() {
    let mut tour = Tour {
        tavern: Tavern::open().await,
        walked: BTreeSet::new(),
    };
    of_users(&mut tour).await;
    of_guilds(&mut tour).await;
    of_members(&mut tour).await;
    of_emojis(&mut tour).await;
    of_channels(&mut tour).await;
    of_messages(&mut tour).await;
    of_commands(&mut tour).await;
    of_interactions(&mut tour).await;
    of_webhooks(&mut tour).await;
    tour.step("DELETE /guilds/{guild_id}/members/{user_id}", &[], None)
        .await;
    ending(&mut tour).await;
    let rows: BTreeSet<String> = DISCORD_ROWS
        .iter()
        .map(|row| {
            let method = format!("{:?}", row.method).to_uppercase();
            format!("{method} {}", row.path.strip_prefix("/api").unwrap())
        })
        .collect();
    assert_eq!(tour.walked, rows);
    if let Some(tally) = judge::judge().tally() {
        judge::say(&format!(
            "Discord dialect: {} operations exercised, {} judged green by Discord's description, \
             {} outside of it: {:?}",
            rows.len(),
            tally.green.len(),
            tally.outside.len(),
            tally.outside,
        ));
        assert!(tally.green.len() + tally.outside.len() >= rows.len());
    }
}

async fn of_users(tour: &mut Tour) {
    for route in [
        "GET /gateway",
        "GET /gateway/bot",
        "GET /applications/@me",
        "GET /oauth2/applications/@me",
        "GET /soundboard-default-sounds",
        "GET /voice/regions",
        "GET /users/@me",
        "GET /users/{user_id}",
        "GET /users/@me/guilds?with_counts=true",
        "GET /users/@me/guilds/{guild_id}/member",
    ] {
        tour.step(route, &[], None).await;
    }
    tour.step("PATCH /users/@me", &[], json!({"avatar": null}))
        .await;
    let form = json!({"recipient_id": tour.tavern.bob.id});
    tour.step("POST /users/@me/channels", &[], form).await;
    tour.step("GET /users/@me/channels", &[], None).await;
}

async fn of_guilds(tour: &mut Tour) {
    for route in [
        "GET /guilds/{guild_id}?with_counts=true",
        "GET /guilds/{guild_id}/preview",
        "GET /guilds/{guild_id}/regions",
        "GET /guilds/{guild_id}/channels",
        "GET /guilds/{guild_id}/roles",
        "GET /guilds/{guild_id}/roles/member-counts",
    ] {
        tour.step(route, &[], None).await;
    }
    let form = json!({"description": "warm"});
    tour.step("PATCH /guilds/{guild_id}", &[], form).await;
    let made = tour
        .step("POST /guilds/{guild_id}/roles", &[], json!({}))
        .await;
    let role = text(&made["id"]);
    let place = json!([{"id": role, "position": 2}]);
    tour.step("PATCH /guilds/{guild_id}/roles", &[], place)
        .await;
    let named = [("role_id", role.as_str())];
    let one = "/guilds/{guild_id}/roles/{role_id}";
    tour.step(&format!("GET {one}"), &named, None).await;
    tour.step(&format!("PATCH {one}"), &named, json!({"color": 5}))
        .await;
    let given = "/guilds/{guild_id}/members/{user_id}/roles/{role_id}";
    tour.step(&format!("PUT {given}"), &named, None).await;
    tour.step(&format!("DELETE {given}"), &named, None).await;
    tour.step(&format!("DELETE {one}"), &named, None).await;
}

async fn of_members(tour: &mut Tour) {
    for route in [
        "GET /guilds/{guild_id}/members?limit=10",
        "GET /guilds/{guild_id}/members/search?query=bob",
        "GET /guilds/{guild_id}/members/{user_id}",
    ] {
        tour.step(route, &[], None).await;
    }
    let until = json!({"communication_disabled_until": "2026-01-03T00:00:00Z"});
    tour.step("PATCH /guilds/{guild_id}/members/{user_id}", &[], until)
        .await;
    let nick = json!({"nick": "Keeper"});
    tour.step("PATCH /guilds/{guild_id}/members/@me", &[], nick)
        .await;
    let eve = tour.tavern.house.person("eve").await;
    let eve = super::decimal(&tour.tavern.house, &eve.id);
    let named = [("user_id", eve.as_str())];
    let ban = "/guilds/{guild_id}/bans/{user_id}";
    tour.step(&format!("PUT {ban}"), &named, json!({})).await;
    tour.step(&format!("GET {ban}"), &named, None).await;
    tour.step("GET /guilds/{guild_id}/bans", &[], None).await;
    tour.step(&format!("DELETE {ban}"), &named, None).await;
    let many = json!({"user_ids": [eve]});
    tour.step("POST /guilds/{guild_id}/bulk-ban", &[], many)
        .await;
}

async fn of_emojis(tour: &mut Tour) {
    let image = super::pictures::uri("image/gif", super::pictures::GIF);
    let emojis = "/guilds/{guild_id}/emojis";
    let form = json!({"name": "beer", "image": image});
    let made = tour.step(&format!("POST {emojis}"), &[], form).await;
    tour.step(&format!("GET {emojis}"), &[], None).await;
    let id = text(&made["id"]);
    let named = [("emoji_id", id.as_str())];
    let one = format!("{emojis}/{{emoji_id}}");
    tour.step(&format!("GET {one}"), &named, None).await;
    tour.step(&format!("PATCH {one}"), &named, json!({"name": "ale"}))
        .await;
    let said = tour.tavern.say("cheers").await;
    let emoji = format!("ale:{id}");
    let given = [("message_id", said.as_str()), ("emoji", emoji.as_str())];
    let reaction = "/channels/{channel_id}/messages/{message_id}/reactions/{emoji}";
    tour.step(&format!("PUT {reaction}/@me"), &given, None)
        .await;
    tour.step(
        "GET /channels/{channel_id}/messages/{message_id}",
        &given,
        None,
    )
    .await;
    tour.step("GET /guilds/{guild_id}", &[], None).await;
    tour.step("GET /guilds/{guild_id}/preview", &[], None).await;
    tour.step(&format!("DELETE {one}"), &named, None).await;
}

async fn of_channels(tour: &mut Tour) {
    let form = json!({"name": "parlor", "type": 2});
    let made = tour
        .step("POST /guilds/{guild_id}/channels", &[], form)
        .await;
    let voice = text(&made["id"]);
    let place = json!([{"id": voice, "position": 7}]);
    tour.step("PATCH /guilds/{guild_id}/channels", &[], place)
        .await;
    let named = [("channel_id", voice.as_str())];
    tour.step("GET /channels/{channel_id}", &named, None).await;
    let topic = json!({"topic": "tales"});
    tour.step("PATCH /channels/{channel_id}", &[], topic).await;
    tour.step("POST /channels/{channel_id}/typing", &[], None)
        .await;
    let member = tour.tavern.bob.id.clone();
    let bound = [("overwrite_id", member.as_str())];
    let overwrite = "/channels/{channel_id}/permissions/{overwrite_id}";
    let form = json!({"type": 1, "allow": "1024"});
    tour.step(&format!("PUT {overwrite}"), &bound, form).await;
    tour.step("GET /channels/{channel_id}", &[], None).await;
    tour.step(&format!("DELETE {overwrite}"), &bound, None)
        .await;
    let invites = "/channels/{channel_id}/invites";
    let made = tour.step(&format!("POST {invites}"), &[], json!({})).await;
    tour.step(&format!("GET {invites}"), &[], None).await;
    tour.step("GET /guilds/{guild_id}/invites", &[], None).await;
    let code = text(&made["code"]);
    let named = [("code", code.as_str())];
    tour.step("GET /invites/{code}?with_counts=true", &named, None)
        .await;
    tour.step("DELETE /invites/{code}", &named, None).await;
    let named = [("channel_id", voice.as_str())];
    tour.step("DELETE /channels/{channel_id}", &named, None)
        .await;
}

async fn of_messages(tour: &mut Tour) {
    let bob = tour.tavern.bob.id.clone();
    let path = "/channels/{channel_id}/messages";
    let form = json!({"content": format!("hello <@{bob}>"), "nonce": 5});
    let first = tour.step(&format!("POST {path}"), &[], form).await;
    let form = json!({"content": "again", "message_reference": {"message_id": first["id"]}});
    tour.step(&format!("POST {path}"), &[], form).await;
    let id = text(&first["id"]);
    let named = [("message_id", id.as_str())];
    let one = "/channels/{channel_id}/messages/{message_id}";
    let emoji = format!("{one}/reactions/{{emoji}}");
    tour.step(&format!("PUT {emoji}/@me"), &named, None).await;
    tour.step(&format!("GET {emoji}"), &named, None).await;
    tour.step(&format!("GET {path}?limit=5"), &[], None).await;
    tour.step(&format!("GET {one}"), &named, None).await;
    tour.step(&format!("PATCH {one}"), &named, json!({"content": "bye"}))
        .await;
    tour.step(&format!("DELETE {emoji}/@me"), &named, None)
        .await;
    tour.step(&format!("PUT {emoji}/@me"), &named, None).await;
    let me = tour.tavern.bot.id.clone();
    let named = [("message_id", id.as_str()), ("user_id", me.as_str())];
    tour.step(&format!("DELETE {emoji}/{{user_id}}"), &named, None)
        .await;
    for what in ["", "/{emoji}"] {
        tour.step(&format!("PUT {emoji}/@me"), &named, None).await;
        tour.step(&format!("DELETE {one}/reactions{what}"), &named, None)
            .await;
    }
    for pins in [
        "/channels/{channel_id}/messages/pins",
        "/channels/{channel_id}/pins",
    ] {
        let pin = format!("{pins}/{{message_id}}");
        tour.step(&format!("PUT {pin}"), &named, None).await;
        let listed = tour.step(&format!("GET {pins}"), &[], None).await;
        assert!(listed.to_string().contains(&id), "{listed}");
        tour.step(&format!("DELETE {pin}"), &named, None).await;
    }
    tour.step(&format!("DELETE {one}"), &named, None).await;
    rich_messages(tour, path).await;
}

/// Boxes and buttons, and several messages that go at once.
async fn rich_messages(tour: &mut Tour, path: &str) {
    let form = json!({
        "embeds": [{"title": "Menu", "color": 1, "fields": [{"name": "Ale", "value": "2"}]}],
        "components": [{"type": 1, "components": [
            {"type": 2, "style": 1, "label": "Order", "custom_id": "order"},
        ]}],
        "allowed_mentions": {"parse": []}, "flags": 4096,
    });
    let boxed = tour.step(&format!("POST {path}"), &[], form).await;
    assert_eq!(boxed["embeds"][0]["fields"][0]["inline"], false);
    assert_eq!(
        boxed["components"][0]["components"][0]["custom_id"],
        "order"
    );
    let form = json!({"content": "soon gone"});
    let other = tour.step(&format!("POST {path}"), &[], form).await;
    let form = json!({"messages": [boxed["id"], other["id"]]});
    tour.step(&format!("POST {path}/bulk-delete"), &[], form)
        .await;
    let left = tour.step(&format!("GET {path}?limit=5"), &[], None).await;
    assert!(!left.to_string().contains("soon gone"), "{left}");
}

/// Commands, everywhere and in the guild.
async fn of_commands(tour: &mut Tour) {
    let application = tour.tavern.bot.id.clone();
    for scope in [
        "/applications/{application_id}/commands",
        "/applications/{application_id}/guilds/{guild_id}/commands",
    ] {
        let named = [("application_id", application.as_str())];
        let form = json!({"name": "order", "description": "Orders something", "options": [
            {"type": 3, "name": "what", "description": "A drink", "required": true, "choices": [
                {"name": "Ale", "value": "ale"},
            ]},
            {"type": 4, "name": "many", "description": "How many", "min_value": 1, "max_value": 9},
            {"type": 7, "name": "where", "description": "A room", "channel_types": [0]},
        ]});
        let made = tour.step(&format!("POST {scope}"), &named, form).await;
        tour.step(&format!("GET {scope}"), &named, None).await;
        let id = text(&made["id"]);
        let named = [named[0], ("command_id", id.as_str())];
        let one = format!("{scope}/{{command_id}}");
        tour.step(&format!("GET {one}"), &named, None).await;
        let form = json!({"description": "Orders a drink", "default_member_permissions": "8"});
        tour.step(&format!("PATCH {one}"), &named, form).await;
        tour.step(&format!("DELETE {one}"), &named, None).await;
        let all = json!([{"name": "help", "description": "Helps", "type": 1}]);
        tour.step(&format!("PUT {scope}"), &named, all).await;
    }
}

async fn of_webhooks(tour: &mut Tour) {
    let path = "/channels/{channel_id}/webhooks";
    let form = json!({"name": "Crier"});
    let made = tour.step(&format!("POST {path}"), &[], form).await;
    tour.step(&format!("GET {path}"), &[], None).await;
    tour.step("GET /guilds/{guild_id}/webhooks", &[], None)
        .await;
    let (id, token) = (text(&made["id"]), text(&made["token"]));
    let named = [("webhook_id", id.as_str()), ("webhook_token", &token)];
    let opened = "/webhooks/{webhook_id}/{webhook_token}";
    for one in ["/webhooks/{webhook_id}", opened] {
        tour.step(&format!("GET {one}"), &named, None).await;
        let form = json!({"name": "Bell"});
        tour.step(&format!("PATCH {one}"), &named, form).await;
    }
    let form = json!({"content": "quiet"});
    tour.step(&format!("POST {opened}"), &named, form).await;
    let form = json!({"content": "hear", "username": "Bell", "embeds": [{"title": "News"}]});
    let said = tour
        .step(&format!("POST {opened}?wait=true"), &named, form)
        .await;
    let message = text(&said["id"]);
    let [id, token] = named;
    let posted = [id, token, ("message_id", message.as_str())];
    let one = format!("{opened}/messages/{{message_id}}");
    tour.step(&format!("GET {one}"), &posted, None).await;
    let form = json!({"content": "hear, hear"});
    tour.step(&format!("PATCH {one}"), &posted, form).await;
    tour.step(&format!("DELETE {one}"), &posted, None).await;
    tour.step(&format!("DELETE {opened}"), &named, None).await;
    let form = json!({"name": "Crier"});
    let made = tour.step(&format!("POST {path}"), &[], form).await;
    let id = text(&made["id"]);
    let named = [("webhook_id", id.as_str())];
    tour.step("DELETE /webhooks/{webhook_id}", &named, None)
        .await;
}

/// A command that bob runs, answered in every way.
async fn of_interactions(tour: &mut Tour) {
    let application = tour.tavern.bot.id.clone();
    let callback = "POST /interactions/{interaction_id}/{interaction_token}/callback";
    let (id, token) = tour.tavern.begun();
    let named = [
        ("interaction_id", id.as_str()),
        ("interaction_token", &token),
    ];
    let form = json!({"type": 4, "data": {"content": "coming", "flags": 64}});
    let step = format!("{callback}?with_response=true");
    tour.step(&step, &named, form).await;
    let opened = [
        ("webhook_id", application.as_str()),
        ("webhook_token", &token),
    ];
    let followed = "/webhooks/{webhook_id}/{webhook_token}";
    let form = json!({"content": "more"});
    tour.step(&format!("POST {followed}"), &opened, form).await;
    let original = format!("{followed}/messages/@original");
    for (method, form) in [
        ("GET", None),
        ("PATCH", Some(json!({"content": "here"}))),
        ("DELETE", None),
    ] {
        let path = original
            .replace("{webhook_id}", &application)
            .replace("{webhook_token}", &token);
        let answer = tour.tavern.bot(method, &path, form).await;
        assert!(answer.status < 300, "{method} {path}: {}", answer.body);
    }
}

/// What can be done only once: the bot leaves, and the owner ends the guild.
async fn ending(tour: &mut Tour) {
    // All that was done before has left its entries.
    tour.step("GET /guilds/{guild_id}/audit-logs?limit=100", &[], None)
        .await;
    tour.step("DELETE /users/@me/guilds/{guild_id}", &[], None)
        .await;
    let path = tour.tavern.of_guild("");
    let ended = tour
        .tavern
        .by(&tour.tavern.ada, "DELETE", &path, None)
        .await;
    assert_eq!(ended.status, 204);
    tour.walked.insert("DELETE /guilds/{guild_id}".to_owned());
}
