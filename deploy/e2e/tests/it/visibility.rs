//! Events reach exactly the sessions that may see them: what people do, and who hears of it.

mod scene;

use guildhall_e2e::person::{nonce, text};
use guildhall_e2e::{Bot, Person, Server};
use scene::{BLIND, EVERYTHING, Scene, direct_path};
use serde_json::json;

#[tokio::test]
async fn channels_and_their_messages_are_told_to_those_who_can_see_them() {
    let mut scene = Scene::open().await;
    let (ada, guild) = (scene.ada.clone(), scene.guild.clone());
    let channels = format!("/servers/{guild}/channels");
    let act = ada.rest.post(&channels, json!({ "name": "garden" })).await;
    let garden = scene
        .act(act, "ada ivy max watcher blind: CHANNEL_CREATE")
        .await;
    let garden = text(&garden, "/id");
    let hidden = json!({ "name": "vault", "permissions": { "overwrites": scene.keepers_only() } });
    let act = ada.rest.post(&channels, hidden).await;
    let vault = scene.act(act, "ada ivy: CHANNEL_CREATE").await;
    let vault = format!("/channels/{}", text(&vault, "/id"));
    let act = ada.rest.put(&vault, json!({ "topic": "gold" })).await;
    scene.act(act, "ada ivy: CHANNEL_UPDATE").await;
    for (channel, who) in [
        (vault.clone(), "ada ivy"),
        (format!("/channels/{garden}"), "ada ivy max watcher blind"),
    ] {
        let post = json!({ "content": "hello", "nonce": nonce() });
        let act = ada.rest.post(&format!("{channel}/messages"), post).await;
        let message = scene.act(act, &format!("{who}: MESSAGE_CREATE")).await;
        let message = format!("/messages/{}", text(&message, "/id"));
        let act = ada
            .rest
            .put(&message, json!({ "content": "hello again" }))
            .await;
        scene.act(act, &format!("{who}: MESSAGE_UPDATE")).await;
        // Of the bots only the watcher has asked for reactions.
        let who_sees = who.replace(" blind", "");
        let act = ada
            .rest
            .post(
                &format!("{message}/reactions"),
                json!({ "emoji": "\u{1f44d}" }),
            )
            .await;
        scene
            .act(act, &format!("{who_sees}: MESSAGE_REACTION_ADD"))
            .await;
        let act = ada
            .rest
            .delete(&format!("{message}/reactions/%F0%9F%91%8D"))
            .await;
        scene
            .act(act, &format!("{who_sees}: MESSAGE_REACTION_REMOVE"))
            .await;
        let act = ada.rest.delete(&message).await;
        scene.act(act, &format!("{who}: MESSAGE_DELETE")).await;
    }
    let act = ada.rest.delete(&vault).await;
    scene.act(act, "ada ivy: CHANNEL_DELETE").await;
}

#[tokio::test]
async fn a_change_of_overwrites_or_roles_shows_and_hides_channels() {
    let mut scene = Scene::open().await;
    let (ada, guild) = (scene.ada.clone(), scene.guild.clone());
    let keepers_only = scene.keepers_only();
    let hidden = json!({ "name": "vault", "permissions": { "overwrites": keepers_only } });
    let act = ada
        .rest
        .post(&format!("/servers/{guild}/channels"), hidden)
        .await;
    let vault = scene.act(act, "ada ivy: CHANNEL_CREATE").await;
    let vault = format!("/channels/{}", text(&vault, "/id"));
    let mut with_max = keepers_only.clone();
    with_max.push(json!({ "id": scene.max.id, "type": "member", "allow": 1, "deny": 0 }));
    let open = json!({ "permissions": { "overwrites": with_max } });
    let act = ada.rest.put(&vault, open).await;
    scene
        .act(act, "ada ivy: CHANNEL_UPDATE; max: CHANNEL_CREATE")
        .await;
    let shut = json!({ "permissions": { "overwrites": keepers_only } });
    let act = ada.rest.put(&vault, shut).await;
    scene
        .act(act, "ada ivy: CHANNEL_UPDATE; max: CHANNEL_DELETE")
        .await;
    let roles = format!("/servers/{guild}/members/{}/roles", scene.max.id);
    let act = ada
        .rest
        .put(&roles, json!({ "roles": [scene.keepers] }))
        .await;
    let told = "ada ivy watcher: GUILD_MEMBER_UPDATE; max: GUILD_MEMBER_UPDATE CHANNEL_CREATE";
    scene.act(act, told).await;
    let act = ada.rest.put(&roles, json!({ "roles": [] })).await;
    let told = "ada ivy watcher: GUILD_MEMBER_UPDATE; max: GUILD_MEMBER_UPDATE CHANNEL_DELETE";
    scene.act(act, told).await;
    let role = format!("/roles/{}", scene.keepers);
    let act = ada.rest.put(&role, json!({ "name": "old keepers" })).await;
    scene
        .act(act, "ada ivy max watcher blind: GUILD_ROLE_UPDATE")
        .await;
    let new = json!({ "name": "readers", "permissions_bitmask": 1 });
    let act = ada.rest.post(&format!("/servers/{guild}/roles"), new).await;
    scene
        .act(act, "ada ivy max watcher blind: GUILD_ROLE_CREATE")
        .await;
    // With the role its overwrite goes, and the channel with it.
    let act = ada.rest.delete(&role).await;
    let told = "ada max watcher blind: GUILD_ROLE_DELETE; ivy: GUILD_ROLE_DELETE CHANNEL_DELETE";
    scene.act(act, told).await;
}

#[tokio::test]
async fn comings_and_goings_are_told_to_members_and_guilds_to_who_comes_and_goes() {
    let mut scene = Scene::open().await;
    let (ada, max, sam) = (scene.ada.clone(), scene.max.clone(), scene.sam.clone());
    let guild = format!("/servers/{}", scene.guild);
    let join = format!("{guild}/join");
    let invites = format!("{guild}/invites");
    let act = ada.rest.post(&invites, json!({})).await;
    let invite = scene.act(act, "ada: INVITE_CREATE").await;
    let code = text(&invite, "/code");
    let act = sam.rest.post(&join, json!({ "code": code })).await;
    scene
        .act(
            act,
            "ada ivy max watcher: GUILD_MEMBER_ADD; sam: GUILD_CREATE",
        )
        .await;
    let act = ada.rest.delete(&format!("/invites/{code}")).await;
    scene.act(act, "ada: INVITE_DELETE").await;
    let act = sam.rest.post(&format!("{guild}/leave"), json!({})).await;
    scene
        .act(
            act,
            "ada ivy max watcher: GUILD_MEMBER_REMOVE; sam: GUILD_DELETE",
        )
        .await;
    let nick = format!("{guild}/members/{}/nick", max.id);
    let act = max.rest.put(&nick, json!({ "nick": "Maxim" })).await;
    scene
        .act(act, "ada ivy max watcher: GUILD_MEMBER_UPDATE")
        .await;
    let act = ada
        .rest
        .delete(&format!("{guild}/members/{}", max.id))
        .await;
    scene
        .act(
            act,
            "ada ivy watcher: GUILD_MEMBER_REMOVE; max: GUILD_DELETE",
        )
        .await;
    let act = max.rest.post(&join, json!({})).await;
    scene
        .act(act, "ada ivy watcher: GUILD_MEMBER_ADD; max: GUILD_CREATE")
        .await;
    // Who was never there can be banned, too; only those hear of it who may ban.
    let ban = format!("{guild}/bans/{}", sam.id);
    let act = ada.rest.put(&ban, json!({ "reason": "noise" })).await;
    scene.act(act, "ada: GUILD_BAN_ADD").await;
    let act = ada.rest.delete(&ban).await;
    scene.act(act, "ada: GUILD_BAN_REMOVE").await;
    let act = ada
        .rest
        .put(&format!("{guild}/bans/{}", max.id), json!({}))
        .await;
    let told = "ada: GUILD_MEMBER_REMOVE GUILD_BAN_ADD; \
                ivy watcher: GUILD_MEMBER_REMOVE; max: GUILD_DELETE";
    scene.act(act, told).await;
    let act = ada.rest.delete(&guild).await;
    scene
        .act_last(act, "GUILD_DELETE", "ada ivy watcher blind: GUILD_DELETE")
        .await;
}

#[tokio::test]
async fn direct_messages_and_profiles_are_told_to_whom_they_concern() {
    let mut scene = Scene::open().await;
    let (ada, max, sam) = (scene.ada.clone(), scene.max.clone(), scene.sam.clone());
    let say = || json!({ "content": "between us", "nonce": nonce() });
    let act = max.rest.post(&direct_path(&sam.id), say()).await;
    scene
        .act(act, "max sam: CHANNEL_CREATE MESSAGE_CREATE")
        .await;
    let act = ada.rest.post(&direct_path(&scene.deaf.id), say()).await;
    scene
        .act(act, "ada deaf: CHANNEL_CREATE MESSAGE_CREATE")
        .await;
    let act = max
        .rest
        .put("/users/me", json!({ "display_name": "Maximilian" }))
        .await;
    let told = "max: USER_UPDATE GUILD_MEMBER_UPDATE; ada ivy watcher: GUILD_MEMBER_UPDATE";
    scene.act_after(act, "GUILD_MEMBER_UPDATE", told).await;
}

#[tokio::test]
async fn a_private_channel_leaks_into_nothing_that_others_are_told() {
    let scene = Scene::open().await;
    let (ada, max, guild) = (&scene.ada, &scene.max, &scene.guild);
    let name = "the-hidden-vault";
    let hidden = json!({ "name": name, "permissions": { "overwrites": scene.keepers_only() } });
    let made = ada
        .rest
        .post(&format!("/servers/{guild}/channels"), hidden)
        .await
        .expect(201);
    let vault = text(&made, "/id");
    let secret = ada.post(&vault, "under the floor").await;
    let member = max.listen().await;
    let bot = scene.watcher.listen(EVERYTHING).await;
    for session in [&member, &bot] {
        assert_eq!(session.guilds.len(), 1, "{session:?}");
        for payload in session.guilds.iter().chain([&session.ready]) {
            let told = payload.d.to_string();
            assert!(!told.contains(name) && !told.contains(&vault), "{told}");
        }
    }
    let keeper = scene.ivy.listen().await;
    assert!(
        keeper.guilds[0].d.to_string().contains(name),
        "or this test sees nothing"
    );
    for list in ["", "/channels", "/members", "/roles"] {
        let answer = max.rest.get(&format!("/servers/{guild}{list}")).await;
        let told = answer.expect(200).to_string();
        assert!(
            !told.contains(name) && !told.contains(&vault),
            "{list}: {told}"
        );
    }
    for path in [
        format!("/channels/{vault}"),
        format!("/channels/{vault}/messages"),
        format!("/messages/{secret}"),
        format!("/messages/{secret}/reactions"),
    ] {
        assert_eq!(max.rest.get(&path).await.refusal().0, 404, "{path}");
    }
}

/// The contents of the next message in both sessions.
async fn contents(scene: &Scene, full: &Bot, blank: &Bot, content: &str) -> (String, String) {
    let mut full = full.listen(EVERYTHING).await;
    let mut blank = blank.listen(BLIND).await;
    scene.ada.post(&scene.hall, content).await;
    let seen = full.until("MESSAGE_CREATE").await;
    let blanked = blank.until("MESSAGE_CREATE").await;
    assert_eq!(seen.d["id"], blanked.d["id"]);
    (text(&seen.d, "/content"), text(&blanked.d, "/content"))
}

#[tokio::test]
async fn bots_without_message_content_see_only_what_concerns_them() {
    let scene = Scene::open().await;
    let (watcher, blind) = (&scene.watcher, &scene.blind);
    let told = contents(&scene, watcher, blind, "not for everybody").await;
    assert_eq!(told, ("not for everybody".to_owned(), String::new()));
    let of_blind = blind.listen(BLIND).await;
    let called = format!("you there <@{}>", text(&of_blind.ready.d, "/user/id"));
    let (seen, also_seen) = contents(&scene, watcher, blind, &called).await;
    assert_eq!(seen, also_seen, "a mention shows the message");
    assert!(seen.starts_with("you there"), "{seen}");
}

#[tokio::test]
async fn a_private_guild_is_unknown_to_strangers() {
    let server = Server::start(&[]).await;
    let ada = Person::register(&server, "ada").await;
    let eve = Person::register(&server, "eve").await;
    let made = ada
        .rest
        .post("/servers", json!({ "name": "Cabal" }))
        .await
        .expect(201);
    let guild = text(&made, "/id");
    let path = format!("/servers/{guild}");
    assert_eq!(eve.rest.get(&path).await.refusal().0, 404);
    let joined = eve.rest.post(&format!("{path}/join"), json!({})).await;
    assert_eq!(joined.refusal().0, 404);
    assert_eq!(eve.rest.get("/servers").await.expect(200), json!([]));
    assert!(eve.listen().await.guilds.is_empty());
}
