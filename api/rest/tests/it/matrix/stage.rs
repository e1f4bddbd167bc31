//! The people of the matrix, and the guild that they act in: made anew for each row, so that its
//! roles hold exactly what the row asks for.

mod cast;
mod props;

use guildhall_app::authorize::Method::{self, Delete, Get, Patch, Post, Put};
use guildhall_app::authorize::{Need, Row};

use guildhall_model::Permissions;
use guildhall_wire::native::NativePermissions;
use serde_json::{Value, json};

use super::{is_discords, place};
use crate::harness::{Caller, House, text};
pub(super) use cast::{Actor, Cast};
use cast::{credentials, login};
use props::{Hook, Props};

/// Whose id stands in the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// Of the guild that the callers are members of, or not.
    Own,
    /// Of a guild that none of them is a member of.
    Foreign,
    /// Of what there was.
    Deleted,
}

impl Which {
    /// Those that make a difference for a row.
    pub(super) fn of(row: &Row) -> Vec<Self> {
        if !row.path.contains('{') {
            vec![Self::Own]
        } else if is_about_users(row) {
            vec![Self::Own, Self::Deleted]
        } else {
            vec![Self::Own, Self::Foreign, Self::Deleted]
        }
    }
}

/// A guild with everybody in their places.
pub(super) struct Stage {
    own: Props,
    foreign: Props,
    deleted: Props,
    /// Of the bot: one that it offers everywhere, and one in the guild.
    commands: [String; 2],
    /// A message of the bot, with a button.
    pressable: Option<String>,
    /// Interactions with the bot in the guild, and with one that is not in the other guild.
    begun: [Begun; 2],
}

/// The id and the token of an interaction.
type Begun = (String, String);

impl Stage {
    pub(super) async fn set(house: &House, cast: &Cast, row: &Row) -> Self {
        let needed = bits(row.need);
        let is_public = matches!(row.need, Need::Preview | Need::Entry);
        let mut own = Props::make(house, cast.of(Actor::Owner), cast.of(Actor::Target)).await;
        let mut foreign = Props::make(house, &cast.other, &cast.other).await;
        let mut deleted = Props::make_and_delete(house, cast.of(Actor::Owner), &own).await;
        if row.path.contains("/{webhook_id}") {
            let owner = cast.of(Actor::Owner);
            own.hook = Some(Hook::make(house, owner, &own.channel).await);
            foreign.hook = Some(Hook::make(house, &cast.other, &foreign.channel).await);
            deleted.hook = Some(Hook::make_and_delete(house, owner, &own.channel).await);
        }
        let mut stage = Self {
            own,
            foreign,
            deleted,
            commands: Default::default(),
            pressable: None,
            begun: Default::default(),
        };
        stage.fill(house, cast, needed).await;
        stage.commands = stage.offer(house, cast).await;
        if row.path.ends_with("/components") {
            stage.pressable = Some(stage.say_with_button(house, cast).await);
        }
        let own = house.begun(
            &stage.own.channel,
            &cast.of(Actor::Bot).id,
            cast.of(Actor::Owner),
        );
        let foreign = house.begun(&stage.foreign.channel, &cast.application, &cast.other);
        stage.begun = [own, foreign];
        for (owner, props, is_public) in [
            (cast.of(Actor::Owner), &stage.own, is_public),
            (&cast.other, &stage.foreign, false),
        ] {
            let server = format!("/servers/{}", props.server);
            house
                .put(owner, &server, json!({"is_public": is_public}))
                .await
                .expect(200);
        }
        stage
    }

    /// Brings everybody in, gives the roles, hides the channel from one member, and bans one.
    async fn fill(&self, house: &House, cast: &Cast, needed: Permissions) {
        let (owner, server) = (cast.of(Actor::Owner), &self.own.server);
        let holding = NativePermissions::of(needed).number();
        let roles = format!("/servers/{server}/roles");
        for (position, actors) in [
            (2, &[Actor::Lower][..]),
            (5, &[Actor::Holder, Actor::Bot, Actor::Hidden]),
            (9, &[Actor::Higher]),
        ] {
            let form = json!({"name": "r", "permissions_bitmask": holding, "position": position});
            let role = text(&house.post(owner, &roles, form).await.expect(201)["id"]);
            for &actor in actors {
                self.enter(house, cast, actor, &[&role]).await;
            }
        }
        self.enter(house, cast, Actor::Plain, &[]).await;
        self.enter(house, cast, Actor::Target, &[&self.own.role])
            .await;
        for actor in Actor::MEMBERS {
            let path = format!("/messages/{}/reactions", self.own.message);
            house
                .post(cast.of(actor), &path, json!({"emoji": "👍"}))
                .await
                .expect(201);
        }
        let hidden = json!({"id": cast.of(Actor::Hidden).id, "type": "member", "deny": 1});
        let form = json!({"permissions": {"overwrites": [hidden]}});
        house
            .put(owner, &format!("/channels/{}", self.own.channel), form)
            .await
            .expect(200);
        let ban = format!("/servers/{server}/bans/{}", cast.of(Actor::Banned).id);
        assert_eq!(house.put(owner, &ban, json!({})).await.status, 204);
        let everyone = NativePermissions::of(Permissions::DEFAULT - needed).number();
        let form = json!({"permissions_bitmask": everyone});
        house
            .put(owner, &format!("/roles/{server}"), form)
            .await
            .expect(200);
    }

    /// The commands of the bot.
    async fn offer(&self, house: &House, cast: &Cast) -> [String; 2] {
        let bot = cast.of(Actor::Bot);
        let everywhere = format!("/api/applications/{}/commands", bot.id);
        let here = format!(
            "/api/applications/{}/guilds/{}/commands",
            bot.id, self.own.server
        );
        let form = || json!([{"name": "offered", "description": "by the bot"}]);
        let mut ids = Vec::new();
        for path in [everywhere, here] {
            let made = house.put(bot, &path, form()).await.expect(200);
            ids.push(text(&made[0]["id"]));
        }
        ids.try_into().expect("there are two scopes")
    }

    async fn say_with_button(&self, house: &House, cast: &Cast) -> String {
        let button = json!({"type": 2, "style": 1, "label": "Press", "custom_id": "pressed"});
        let form = json!({"content": "here", "components": [{"type": 1, "components": [button]}]});
        let path = format!("/api/channels/{}/messages", self.own.channel);
        let said = house
            .post(cast.of(Actor::Bot), &path, form)
            .await
            .expect(200);
        text(&said["id"])
    }

    async fn enter(&self, house: &House, cast: &Cast, actor: Actor, roles: &[&str]) {
        let (owner, server) = (cast.of(Actor::Owner), &self.own.server);
        let id = &cast.of(actor).id;
        if actor == Actor::Bot {
            house
                .put(owner, &format!("/servers/{server}/bots/{id}"), json!({}))
                .await
                .expect(200);
        } else if actor != Actor::Target {
            house.join(cast.of(actor), server).await;
        }
        let path = format!("/servers/{server}/members/{id}/roles");
        house
            .put(owner, &path, json!({"roles": roles}))
            .await
            .expect(200);
    }

    /// Ends the guilds, so that nobody reaches the bound of memberships.
    pub(super) async fn clear(self, house: &House, cast: &Cast) {
        for (owner, props) in [
            (cast.of(Actor::Owner), &self.own),
            (&cast.other, &self.foreign),
        ] {
            let status = house
                .delete(owner, &format!("/servers/{}", props.server))
                .await
                .status;
            // The row may have been about just that.
            assert!([204, 404].contains(&status));
        }
    }

    /// All of the guild that can be seen, to notice that something has changed.
    pub(super) async fn photo(&self, house: &House, cast: &Cast) -> Vec<Value> {
        let mut photo = self.own.photo(house, cast.of(Actor::Owner)).await;
        photo.extend(self.foreign.photo(house, &cast.other).await);
        photo
    }

    /// The application and the command that a path names.
    fn offered<'a>(&'a self, cast: &'a Cast, row: &Row, which: Which) -> (&'a str, &'a str) {
        let own = cast.of(Actor::Bot).id.as_str();
        let in_guild = row.path.contains("{guild_id}");
        if row.need != Need::OwnApplication {
            let command = match which {
                Which::Own => self.commands[1].as_str(),
                Which::Foreign | Which::Deleted => "1",
            };
            return (&cast.application, command);
        }
        match which {
            Which::Own => (own, &self.commands[usize::from(in_guild)]),
            Which::Foreign | Which::Deleted if in_guild => (own, "1"),
            Which::Deleted if row.path.contains("{command_id}") => (own, "1"),
            Which::Foreign | Which::Deleted => (&cast.application, "1"),
        }
    }

    pub(super) fn path(&self, cast: &Cast, row: &Row, which: Which) -> String {
        let props = match which {
            Which::Own => &self.own,
            Which::Foreign => &self.foreign,
            Which::Deleted => &self.deleted,
        };
        let user = match which {
            Which::Deleted if is_about_users(row) => "1",
            _ if row.path.ends_with("/bans/{user_id}") && row.method != Method::Put => {
                &cast.of(Actor::Banned).id
            }
            _ => &cast.of(Actor::Target).id,
        };
        // What is given to a message must be new to it, and what is taken must be there.
        let emoji = if row.method == Method::Put {
            "%F0%9F%8E%89"
        } else {
            "%F0%9F%91%8D"
        };
        let bound = if row.method == Method::Put {
            &props.role
        } else {
            &cast.of(Actor::Hidden).id
        };
        let (application, command) = self.offered(cast, row, which);
        let search = if row.path.ends_with("/search") {
            "?query=a"
        } else {
            ""
        };
        let message = match (&self.pressable, which) {
            (Some(pressable), Which::Own) => pressable,
            _ => &props.message,
        };
        let gone = ("1".to_owned(), "gone".to_owned());
        let begun = match which {
            Which::Own => &self.begun[0],
            Which::Foreign => &self.begun[1],
            Which::Deleted => &gone,
        };
        let template = match &props.hook {
            Some(hook) => hook.name_in(row.path),
            None => row.path.to_owned(),
        };
        let path = template
            .replace("{server_id}", &props.server)
            .replace("{guild_id}", &props.server)
            .replace("{overwrite_id}", bound)
            .replace("{channel_id}", &props.channel)
            .replace("{interaction_id}", &begun.0)
            .replace("{interaction_token}", &begun.1)
            .replace("{message_id}", message)
            .replace("{role_id}", &props.role)
            .replace("{code}", &props.code)
            .replace("{emoji_id}", &props.emoji)
            .replace("{user_id}", user)
            .replace("{application_id}", application)
            .replace("{command_id}", command)
            .replace("{emoji}", emoji);
        path + search
    }

    /// What the route is sent: something that would change the stage, if that were allowed.
    pub(super) async fn body(&self, house: &House, cast: &Cast, row: &Row) -> Option<Value> {
        if is_discords(row) {
            return self.discords_body(cast, row);
        }
        Some(match (row.method, row.path) {
            (Get | Delete, _)
            | (
                _,
                "/auth/logout"
                | "/servers/{server_id}/leave"
                | "/servers/{server_id}/bots/{application_id}"
                | "/channels/{channel_id}/typing",
            ) => return None,
            (Post, "/auth/register") => cast.registration(),
            (Post, "/auth/login") => credentials(),
            (Post, "/auth/refresh") => {
                json!({"refresh_token": login(house, Actor::Plain).await.refresh_token})
            }
            (Post, "/channels/{channel_id}/commands/{command_id}") => json!({}),
            (Post, "/messages/{message_id}/components") => json!({"custom_id": "pressed"}),
            (Put, "/servers/{server_id}") => json!({"description": "changed"}),
            (Put, "/channels/{channel_id}") => json!({"topic": "changed"}),
            (Put, "/users/me") => json!({"display_name": cast.registration()["username"]}),
            (Put, path) if path.ends_with("/roles") => json!({"roles": []}),
            (Put, path) if path.ends_with("/nick") => json!({"nick": "changed"}),
            (_, path) if path.contains("/messages") && !path.ends_with("/reactions") => {
                json!({"content": "changed"})
            }
            (_, path) if path.ends_with("/reactions") => json!({"emoji": "🎉"}),
            (_, path)
                if ["/join", "/invites", "/bans/{user_id}"]
                    .iter()
                    .any(|end| path.ends_with(end)) =>
            {
                json!({})
            }
            _ => json!({"name": "changed"}),
        })
    }

    fn discords_body(&self, cast: &Cast, row: &Row) -> Option<Value> {
        let one = |id: &str| json!([{"id": id, "position": 4}]);
        Some(match (row.method, place(row)) {
            (Get | Delete, _) => return None,
            (Put, path) if path.ends_with("/commands") => json!([]),
            (Post, path) if path.ends_with("/commands") => {
                json!({"name": "changed", "description": "new"})
            }
            (Put, path) if path.ends_with("/@me") || path.ends_with("/{role_id}") => return None,
            (Post, path) if path.ends_with("/typing") => return None,
            (Put, path) if path.contains("/pins/") => return None,
            (Post, path) if path.ends_with("/bulk-delete") => {
                json!({"messages": [self.own.message, "5"]})
            }
            (Put, path) if path.ends_with("/{overwrite_id}") => json!({"type": 0}),
            (Patch, "/users/@me") => json!({"avatar": null}),
            (Post, "/users/@me/channels") => json!({"recipient_id": cast.other.id}),
            (Patch, "/guilds/{guild_id}") => json!({"description": "changed"}),
            (Patch, "/guilds/{guild_id}/channels") => one(&self.own.channel),
            (Patch, "/guilds/{guild_id}/roles") => one(&self.own.role),
            (Post, path) if path.ends_with("/bulk-ban") => {
                json!({"user_ids": [cast.of(Actor::Target).id]})
            }
            (Post, path) if path.ends_with("/emojis") => props::new_emoji("changed"),
            (Patch, "/channels/{channel_id}") => json!({"topic": "changed"}),
            (Post, path) if path.ends_with("/callback") => {
                json!({"type": 4, "data": {"content": "changed"}})
            }
            (Post, path) if path.ends_with("/{webhook_token}") => json!({"content": "changed"}),
            (Patch, path) if path.contains("/members/") => json!({"nick": "changed"}),
            (_, path) if path.contains("/messages") => json!({"content": "changed"}),
            (_, path) if path.ends_with("/invites") || path.contains("/bans/") => json!({}),
            _ => json!({"name": "changed"}),
        })
    }
}

fn is_about_users(row: &Row) -> bool {
    place(row).starts_with("/users/{user_id}") || row.path.starts_with("/dm")
}

/// The permissions that a row asks for; the stage's roles hold them, and `@everyone` does not.
fn bits(need: Need) -> Permissions {
    match need {
        Need::MemberWith(bits)
        | Need::PersonWith(bits)
        | Need::Above(bits)
        | Need::Viewer(bits)
        | Need::PersonWho(bits)
        | Need::OwnOr(bits)
        | Need::SelfOrAbove { others: bits, .. } => bits,
        _ => Permissions::empty(),
    }
}
