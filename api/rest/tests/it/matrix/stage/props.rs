//! The objects that paths name.

use serde_json::{Value, json};

use super::{Caller, House};
use crate::harness::text;

/// One object of each kind.
pub(super) struct Props {
    pub(super) server: String,
    pub(super) channel: String,
    pub(super) message: String,
    /// Between the roles of those who reach the target and those who do not.
    pub(super) role: String,
    /// Of an invite by the author of the message.
    pub(super) code: String,
    /// A webhook, for the rows that are about one.
    pub(super) hook: Option<Hook>,
    /// By the owner.
    pub(super) emoji: String,
}

/// A webhook and a message of it.
pub(super) struct Hook {
    id: String,
    token: String,
    message: String,
}

impl Hook {
    pub(super) async fn make(house: &House, owner: &Caller, channel: &str) -> Self {
        let path = format!("/api/channels/{channel}/webhooks");
        let made = house.post(owner, &path, json!({"name": "Hook"})).await;
        let made = made.expect(200);
        let (id, token) = (text(&made["id"]), text(&made["token"]));
        let path = format!("/api/webhooks/{id}/{token}?wait=true");
        let said = house.post(None, &path, json!({"content": "hail"})).await;
        let message = text(&said.expect(200)["id"]);
        Self { id, token, message }
    }

    pub(super) async fn make_and_delete(house: &House, owner: &Caller, channel: &str) -> Self {
        let hook = Self::make(house, owner, channel).await;
        let path = format!("/api/webhooks/{}", hook.id);
        assert_eq!(house.delete(owner, &path).await.status, 204);
        hook
    }

    /// A path with its parameters in their places.
    pub(super) fn name_in(&self, template: &str) -> String {
        template
            .replace("{webhook_id}", &self.id)
            .replace("{webhook_token}", &self.token)
            .replace("{message_id}", &self.message)
    }
}

/// What an emoji is made from.
pub(super) fn new_emoji(name: &str) -> Value {
    json!({"name": name, "image": "data:image/gif;base64,R0lGODlhAQABAAAAADs="})
}

async fn emoji(house: &House, owner: &Caller, server: &str) -> String {
    let path = format!("/api/guilds/{server}/emojis");
    let made = house.post(owner, &path, new_emoji("target")).await;
    text(&made.expect(201)["id"])
}

impl Props {
    /// A guild with one object of each kind; `author` is in it.
    pub(super) async fn make(house: &House, owner: &Caller, author: &Caller) -> Self {
        let (server, channel) = house.server(owner).await;
        if author.id != owner.id {
            house.join(author, &server).await;
        }
        let message = house.say(author, &channel, "hello").await;
        let form = json!({"name": "target", "position": 3, "permissions_bitmask": 0});
        let role = house
            .post(owner, &format!("/servers/{server}/roles"), form)
            .await
            .expect(201);
        let invites = format!("/servers/{server}/invites");
        let invite = house.post(author, &invites, json!({})).await.expect(201);
        let emoji = emoji(house, owner, &server).await;
        Self {
            emoji,
            server,
            channel,
            message,
            role: text(&role["id"]),
            code: text(&invite["code"]),
            hook: None,
        }
    }

    /// What there was: objects of the living guild, and a guild that has ended.
    pub(super) async fn make_and_delete(house: &House, owner: &Caller, living: &Self) -> Self {
        let (ended, _) = house.server(owner).await;
        let at = |what: &str| format!("/servers/{}/{what}", living.server);
        let named = || json!({"name": "gone"});
        let channel = text(
            &house
                .post(owner, &at("channels"), named())
                .await
                .expect(201)["id"],
        );
        let role = text(&house.post(owner, &at("roles"), named()).await.expect(201)["id"]);
        let code = text(
            &house
                .post(owner, &at("invites"), json!({}))
                .await
                .expect(201)["code"],
        );
        let message = house.say(owner, &living.channel, "gone").await;
        let emoji = emoji(house, owner, &living.server).await;
        let path = format!("/api/guilds/{}/emojis/{emoji}", living.server);
        assert_eq!(house.delete(owner, &path).await.status, 204);
        for path in [
            format!("/servers/{ended}"),
            format!("/channels/{channel}"),
            format!("/roles/{role}"),
            format!("/invites/{code}"),
            format!("/messages/{message}"),
        ] {
            assert_eq!(house.delete(owner, &path).await.status, 204, "{path}");
        }
        Self {
            server: ended,
            channel,
            message,
            role,
            code,
            hook: None,
            emoji,
        }
    }

    /// Everything that its owner can see of the guild.
    pub(super) async fn photo(&self, house: &House, owner: &Caller) -> Vec<Value> {
        let mut photo = Vec::new();
        for part in ["", "/channels", "/roles", "/members", "/bans", "/invites"] {
            let path = format!("/servers/{}{part}", self.server);
            photo.push(house.get(owner, &path).await.expect(200));
        }
        for part in ["webhooks", "emojis"] {
            let path = format!("/api/guilds/{}/{part}", self.server);
            photo.push(house.get(owner, &path).await.expect(200));
        }
        let path = format!("/channels/{}/messages", self.channel);
        photo.push(house.get(owner, &path).await.expect(200));
        photo
    }
}
