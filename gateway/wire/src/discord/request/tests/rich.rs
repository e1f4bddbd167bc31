//! What messages hold beside their text.

use guildhall_model::command::Allowed;
use guildhall_model::message::MessageFlags;
use guildhall_model::message::component::{ButtonTarget, Component, SelectKind};

use super::*;
use crate::discord::request::message::{BulkDelete, NewMessage};

fn create(body: &Value) -> Result<NewMessage, Rejection> {
    read::<MessageCreate>(body)?.parse(&SPELLING)
}

#[test]
fn a_message_may_hold_boxes_instead_of_text() {
    let body = json!({
        "content": " ",
        "embeds": [{"type": "rich", "title": "Menu", "color": 0x00FF_8800, "description": "",
            "timestamp": "2026-01-31T12:00:00.5+01:00",
            "fields": [{"name": "Ale", "value": "Two coins"}],
            "footer": {"text": "until midnight", "proxy_icon_url": "x"},
            "image": {"url": "attachment://stew.png", "height": 5}}],
        "flags": 4 | 4096 | 64, "tts": true,
    });
    let new = create(&body).unwrap();
    assert_eq!(new.content, None);
    assert!(new.rich.tts);
    let known = MessageFlags::SUPPRESS_EMBEDS | MessageFlags::SUPPRESS_NOTIFICATIONS;
    assert_eq!(new.rich.flags, known, "the rest is not a sender's to set");
    let [embed] = &new.rich.embeds[..] else {
        panic!("one box")
    };
    assert_eq!(embed.description, None, "an empty text is none");
    assert_eq!(embed.timestamp.unwrap().0, 1_769_857_200_500);
    assert!(!embed.fields[0].inline);
    assert_eq!(
        create(&json!({})).unwrap().content,
        None,
        "its rule is the channel's"
    );
}

#[test]
fn wrong_boxes_are_named_by_their_place() {
    let long = "x".repeat(257);
    let body = json!({"embeds": [
        {"title": long, "color": 0x0100_0000, "footer": {"icon_url": "https://example.org"}},
        {},
        {"title": "x", "fields": [{"name": "y", "value": ""}], "url": "javascript:alert(1)"},
    ]});
    assert_eq!(
        faults(create(&body)),
        json!({"embeds": {
            "0": {
                "title": own("BASE_TYPE_BAD_LENGTH"), "color": own("NUMBER_TYPE_MAX"),
                "footer": {"text": own("BASE_TYPE_REQUIRED")},
            },
            "1": own("BASE_TYPE_REQUIRED"),
            "2": {
                "fields": {"0": {"value": own("BASE_TYPE_REQUIRED")}},
                "url": own("URL_TYPE_INVALID_URL"),
            },
        }})
    );
    let many = json!({"embeds": vec![json!({"title": "x"}); 11]});
    assert_eq!(
        faults(create(&many)),
        json!({"embeds": own("BASE_TYPE_BAD_LENGTH")})
    );
}

#[test]
fn buttons_and_menus_are_read_and_numbered() {
    let body = json!({"components": [
        {"type": 1, "components": [
            {"type": 2, "style": 1, "label": "Order", "custom_id": "order"},
            {"type": 2, "style": 5, "emoji": {"name": "🍺"}, "url": "https://example.org"},
        ]},
        {"type": 1, "id": 9, "components": [
            {"type": 3, "custom_id": "drink", "options": [{"label": "Ale", "value": "ale"}]},
        ]},
        {"type": 1, "components": [
            {"type": 8, "custom_id": "room", "channel_types": [0], "min_values": 0},
        ]},
    ]});
    let rows = create(&body).unwrap().rich.components;
    assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), [1, 9, 6]);
    let [Component::Button(order), Component::Button(link)] = &rows[0].components[..] else {
        panic!("two buttons")
    };
    assert_eq!((order.id, link.id), (2, 3));
    assert_eq!(
        link.target,
        ButtonTarget::Url("https://example.org".to_owned())
    );
    assert!(matches!(&rows[1].components[..],
        [Component::Select(menu)] if matches!(&menu.kind, SelectKind::Text(all) if all.len() == 1)));
    assert!(matches!(&rows[2].components[..],
        [Component::Select(menu)] if menu.kind == SelectKind::Channel(vec![0]) && menu.min_values == 0));
}

#[test]
fn wrong_components_are_named_by_their_place() {
    let body = json!({"components": [
        {"type": 1, "components": [
            {"type": 2, "style": 9, "label": "x", "custom_id": "a"},
            {"type": 2, "style": 5, "label": "x", "url": "javascript:alert(1)"},
            {"type": 2, "style": 1, "label": "x"},
            {"type": 4, "custom_id": "text"},
        ]},
        {"type": 17}, {},
    ]});
    assert_eq!(
        faults(create(&body)),
        json!({"components": {
            "0": {"components": {
                "0": {"style": own("BASE_TYPE_CHOICES")},
                "1": {"url": own("URL_TYPE_INVALID_URL")},
                "2": {"custom_id": own("BASE_TYPE_REQUIRED")},
                "3": {"type": own("BASE_TYPE_CHOICES")},
            }},
            "1": {"type": own("BASE_TYPE_CHOICES")},
            "2": {"type": own("BASE_TYPE_REQUIRED")},
        }})
    );
    let layout = json!({"flags": 1 << 15});
    assert_eq!(
        faults(create(&layout)),
        json!({"flags": own("UNSUPPORTED")})
    );
}

#[test]
fn a_bot_mentions_whom_it_allows() {
    let mentions = |body: Value| create(&json!({"allowed_mentions": body}));
    let silent = create(&json!({"content": "x"})).unwrap().allowed_mentions;
    assert!(silent.everyone && silent.replied_user && silent.users == Allowed::All);
    let nobody = mentions(json!({"parse": []})).unwrap().allowed_mentions;
    assert!(!nobody.everyone && !nobody.replied_user);
    assert_eq!(nobody.users, Allowed::These(Vec::new()));
    let some = json!({"parse": ["roles"], "users": [ID.to_string()], "replied_user": true});
    let some = mentions(some).unwrap().allowed_mentions;
    assert!(some.replied_user && some.roles == Allowed::All);
    assert_eq!(some.users, Allowed::These(vec![UserId::new(ID).unwrap()]));
    assert_eq!(
        faults(mentions(
            json!({"parse": ["users", "all"], "users": ["5", "x"]})
        )),
        json!({"allowed_mentions": {
            "parse": {"1": own("BASE_TYPE_CHOICES")},
            "users": own("MUTUALLY_EXCLUSIVE"),
        }})
    );
}

#[test]
fn an_edit_changes_what_it_names() {
    let parse = |body: &Value| read::<MessagePatch>(body).unwrap().parse(&SPELLING);
    let edit = |body: &Value| parse(body).map(|edit| edit.edit);
    assert_eq!(parse(&json!({})).unwrap().kept, None);
    let kept = json!({"attachments": [{"id": "5"}, {"id": 0}, {"id": 7}]});
    assert_eq!(parse(&kept).unwrap().kept, Some(vec![5, 7]));
    let nothing = edit(&json!({})).unwrap();
    assert!(!nothing.is_the_authors() && nothing.suppress_embeds.is_none());
    let hidden = edit(&json!({"flags": 4})).unwrap();
    assert!(!hidden.is_the_authors() && hidden.suppress_embeds == Some(true));
    let emptied = edit(&json!({"content": null, "embeds": null, "components": [], "flags": null}));
    let emptied = emptied.unwrap();
    assert_eq!(emptied.content, Some(None));
    assert_eq!(emptied.embeds, Some(Vec::new()));
    assert_eq!(emptied.components, Some(Vec::new()));
    assert_eq!(emptied.suppress_embeds, Some(false));
}

#[test]
fn several_messages_are_named_by_two_to_a_hundred_ids() {
    let bulk = |ids: Vec<Value>| {
        let body = json!({ "messages": ids });
        read::<BulkDelete>(&body).unwrap().parse(&SPELLING)
    };
    assert_eq!(bulk(vec![json!("5"), json!(6)]).unwrap().len(), 2);
    let wrong = json!({"messages": own("BASE_TYPE_BAD_LENGTH")});
    assert_eq!(faults(bulk(vec![json!("5")])), wrong);
    assert_eq!(faults(bulk(vec![json!("5"); 101])), wrong);
    let foreign = bulk(vec![json!("5"), json!("x")]);
    assert_eq!(
        faults(foreign),
        json!({"messages": {"1": own("NUMBER_TYPE_COERCE")}})
    );
}
