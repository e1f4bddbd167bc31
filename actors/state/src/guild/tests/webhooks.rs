//! Webhooks: who may make, change and end them, and with what they end.

use guildhall_model::channel::{Overwrite, OverwriteTarget};
use guildhall_model::command::{GuildCommand, WebhookUpdate};
use guildhall_model::event::Event;
use guildhall_model::rejection::Noun;
use guildhall_model::text::WebhookName;
use guildhall_model::webhook::Webhook;
use guildhall_model::{ChannelId, Permissions, Rejection, WebhookId, limits};

use crate::scene::{OWNER, Scene, id, new_channel, permissions_of, token, webhook_in};

const MANAGER: u64 = 2;
const OTHER: u64 = 5;

/// A guild in which user 2 may manage webhooks, with one webhook in its first channel.
fn scene() -> (Scene, ChannelId, Webhook) {
    let mut scene = Scene::new();
    scene.join(MANAGER);
    scene.join(OTHER);
    let role = scene.role(5, Permissions::MANAGE_WEBHOOKS);
    scene.give(MANAGER, &[role]);
    let channel = scene.general();
    let webhook = made(&mut scene, MANAGER, channel).unwrap();
    (scene, channel, webhook)
}

fn made(scene: &mut Scene, who: u64, channel: ChannelId) -> Result<Webhook, Rejection> {
    let command = webhook_in(&scene.state, channel, 1);
    let events = scene.attempt(who, command)?;
    match <[Event; 1]>::try_from(events) {
        Ok([Event::WebhookCreated(webhook)]) => Ok(*webhook),
        other => panic!("a webhook is made by one event: {other:?}"),
    }
}

fn renamed(webhook: WebhookId, name: &str) -> GuildCommand {
    let name = Some(WebhookName::parse(name).unwrap());
    let update = WebhookUpdate {
        name,
        ..WebhookUpdate::default()
    };
    GuildCommand::UpdateWebhook(webhook, None, update)
}

fn moved(webhook: WebhookId, channel: ChannelId) -> GuildCommand {
    let update = WebhookUpdate {
        channel_id: Some(channel),
        ..WebhookUpdate::default()
    };
    GuildCommand::UpdateWebhook(webhook, None, update)
}

/// Takes everything from one member in one channel.
fn hidden_from(who: u64) -> Overwrite {
    Overwrite {
        target: OverwriteTarget::Member(id(who)),
        allow: Permissions::empty(),
        deny: Permissions::VIEW_CHANNEL,
    }
}

fn missing<T>() -> Result<T, Rejection> {
    Err(Rejection::MissingPermission(Permissions::MANAGE_WEBHOOKS))
}

#[test]
fn a_webhook_is_made_by_whoever_manages_webhooks_in_its_channel() {
    let (mut scene, channel, webhook) = scene();
    assert_eq!(webhook.creator_id, id(MANAGER));
    assert_eq!(
        scene.state.webhook(webhook.id).map(|w| &**w),
        Some(&webhook)
    );
    assert_eq!(made(&mut scene, OTHER, channel), missing());
    let unknown = Err(Rejection::Unknown(Noun::Guild));
    assert_eq!(made(&mut scene, 6, channel), unknown);
    let here = scene.channel(vec![hidden_from(MANAGER)]);
    let unknown = Err(Rejection::Unknown(Noun::Channel));
    assert_eq!(made(&mut scene, MANAGER, here), unknown);
}

#[test]
fn a_channel_has_at_most_as_many_webhooks_as_discords() {
    let (mut scene, channel, _) = scene();
    for _ in 1..limits::WEBHOOKS_MAX {
        made(&mut scene, MANAGER, channel).unwrap();
    }
    let full = Err(Rejection::LimitReached {
        what: "webhooks",
        limit: limits::WEBHOOKS_MAX,
    });
    assert_eq!(made(&mut scene, MANAGER, channel), full);
    let other = scene.channel(Vec::new());
    let elsewhere = made(&mut scene, MANAGER, other).unwrap();
    let refused = scene.attempt(MANAGER, moved(elsewhere.id, channel));
    assert_eq!(refused.map(|_| ()), full.map(|_| ()));
}

#[test]
fn changing_and_ending_a_webhook_needs_the_permission_in_its_channel() {
    let (mut scene, channel, webhook) = scene();
    let end = || GuildCommand::DeleteWebhook(webhook.id, None);
    assert_eq!(scene.attempt(OTHER, renamed(webhook.id, "Mine")), missing());
    assert_eq!(scene.attempt(OTHER, end()), missing());
    let events = scene.attempt(MANAGER, renamed(webhook.id, "Courier"));
    assert_eq!(events.unwrap().len(), 1);
    let again = scene.attempt(MANAGER, renamed(webhook.id, "Courier"));
    assert_eq!(again, Ok(vec![]));
    scene.overwrite(channel, vec![hidden_from(MANAGER)]);
    let unknown = Err(Rejection::Unknown(Noun::Webhook));
    assert_eq!(scene.attempt(MANAGER, end()), unknown);
    let events = scene.attempt(OWNER, end()).unwrap();
    assert!(matches!(&events[..], [Event::WebhookDeleted(w)] if w.name == "Courier"));
    let unknown = Err(Rejection::Unknown(Noun::Webhook));
    assert_eq!(scene.attempt(OWNER, end()), unknown);
}

#[test]
fn a_webhook_moves_only_to_where_its_manager_manages_webhooks() {
    let (mut scene, channel, webhook) = scene();
    let there = scene.channel(vec![Overwrite {
        deny: Permissions::MANAGE_WEBHOOKS,
        ..hidden_from(MANAGER)
    }]);
    assert_eq!(scene.attempt(MANAGER, moved(webhook.id, there)), missing());
    scene.attempt(OWNER, moved(webhook.id, there)).unwrap();
    assert_eq!(scene.state.webhook(webhook.id).unwrap().channel_id, there);
    scene.attempt(OWNER, moved(webhook.id, channel)).unwrap();
}

#[test]
fn whoever_shows_the_token_changes_and_ends_the_webhook_and_moves_it_nowhere() {
    let (mut scene, channel, webhook) = scene();
    let there = scene.channel(Vec::new());
    let by = |shown: u64| {
        let update = WebhookUpdate {
            name: Some(WebhookName::parse("Courier").unwrap()),
            channel_id: Some(there),
            ..WebhookUpdate::default()
        };
        GuildCommand::UpdateWebhook(webhook.id, Some(token(shown)), update)
    };
    let wrong = Err(Rejection::WrongWebhookToken);
    assert_eq!(scene.attempt(6, by(2)), wrong);
    scene.attempt(6, by(1)).unwrap();
    let now = scene.state.webhook(webhook.id).unwrap();
    assert_eq!((now.name.as_str(), now.channel_id), ("Courier", channel));
    let end = |shown| GuildCommand::DeleteWebhook(webhook.id, Some(token(shown)));
    assert_eq!(scene.attempt(6, end(2)), wrong);
    assert_eq!(scene.attempt(6, end(1)).unwrap().len(), 1);
    let unknown = Err(Rejection::Unknown(Noun::Webhook));
    assert_eq!(scene.attempt(6, end(1)), unknown);
}

#[test]
fn webhooks_end_with_their_channel() {
    let (mut scene, channel, _) = scene();
    let other = scene.channel(Vec::new());
    let stays = made(&mut scene, MANAGER, other).unwrap();
    made(&mut scene, MANAGER, channel).unwrap();
    let events = scene.attempt(OWNER, GuildCommand::DeleteChannel(channel));
    let events = events.unwrap();
    assert!(matches!(
        &events[..],
        [
            Event::WebhookDeleted(_),
            Event::WebhookDeleted(_),
            Event::ChannelDeleted(_)
        ]
    ));
    let left: Vec<WebhookId> = scene.state.webhooks().map(|webhook| webhook.id).collect();
    assert_eq!(left, [stays.id]);
}

#[test]
fn a_webhook_outlives_the_rights_of_its_maker() {
    let (mut scene, _, webhook) = scene();
    scene.give(MANAGER, &[]);
    scene.attempt(MANAGER, GuildCommand::Leave).unwrap();
    let everyone = scene.everyone();
    scene
        .attempt(OWNER, permissions_of(everyone, Permissions::empty()))
        .unwrap();
    scene.attempt(OWNER, new_channel(Vec::new())).unwrap();
    assert!(scene.state.webhook(webhook.id).is_some());
}
