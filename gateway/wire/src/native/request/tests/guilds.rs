//! Servers, channels and roles as clients ask for them.

use guildhall_model::Permissions;
use guildhall_model::channel::{ChannelKind, OverwriteTarget};

use super::super::channel::{ChannelCreate, ChannelUpdate};
use super::super::role::{MemberRoles, RoleCreate, RoleUpdate};
use super::super::server::{ServerCreate, ServerUpdate};
use super::*;

#[test]
fn a_server_is_private_unless_said_otherwise() {
    let server = read::<ServerCreate>(&json!({"name": " Tavern "}))
        .parse()
        .unwrap();
    assert_eq!(server.name.as_str(), "Tavern");
    assert!(!server.is_public);
    let body = json!({"name": "T", "description": "d".repeat(1_001), "icon_url": "ftp://x"});
    assert_eq!(
        faults(read::<ServerCreate>(&body).parse()),
        [
            fault("name", "too_short"),
            fault("description", "too_long"),
            fault("icon_url", "invalid_characters"),
        ]
    );
}

#[test]
fn a_whole_object_may_be_sent_back() {
    let body = json!({
        "id": uuid(7), "name": "Tavern", "owner_id": uuid(8), "description": null,
        "icon_url": null, "member_count": 3, "is_public": true,
        "created_at": "2026-01-01T00:00:00.000Z",
    });
    let update = read::<ServerUpdate>(&body).parse(&SPELLING).unwrap();
    assert_eq!(update.description, Some(None));
    assert_eq!(update.is_public, Some(true));
    assert_eq!(update.owner_id, Id::new(8));
}

#[test]
fn ids_are_read_in_either_spelling_of_this_installation() {
    let owner = |text: &str| read::<ServerUpdate>(&json!({"owner_id": text})).parse(&SPELLING);
    assert_eq!(owner("8").unwrap().owner_id, Id::new(8));
    assert_eq!(owner(&uuid(8)).unwrap().owner_id, Id::new(8));
    let foreign = Spelling::new(1).uuid(Id::<()>::new(8).unwrap());
    assert_eq!(faults(owner(&foreign)), [fault("owner_id", "invalid_id")]);
    assert_eq!(
        misread::<ServerUpdate>(r#"{"owner_id":8}"#),
        [fault("owner_id", "invalid_type")]
    );
}

#[test]
fn a_channel_is_made_with_its_overwrites() {
    let body = json!({
        "name": "secrets", "type": "voice", "topic": "", "position": 2,
        "permissions": {"overwrites": [
            {"id": uuid(5), "type": "role", "deny": 1},
            {"id": "6", "type": "member", "allow": 3, "deny": 8},
        ]},
    });
    let channel = read::<ChannelCreate>(&body).parse(&SPELLING).unwrap();
    assert_eq!(channel.kind, ChannelKind::Voice);
    assert_eq!(channel.position, Some(2));
    let [role, member] = channel.overwrites[..] else {
        panic!("two overwrites")
    };
    assert_eq!(role.target, OverwriteTarget::Role(Id::new(5).unwrap()));
    assert_eq!(
        (role.allow, role.deny),
        (Permissions::empty(), Permissions::VIEW_CHANNEL)
    );
    assert_eq!(member.target, OverwriteTarget::Member(Id::new(6).unwrap()));
    assert_eq!(
        member.allow,
        Permissions::VIEW_CHANNEL | Permissions::SEND_MESSAGES
    );
    // The native 8 must never become the stored 8, which is ADMINISTRATOR.
    assert_eq!(member.deny, Permissions::MANAGE_CHANNELS);
}

#[test]
fn a_channel_is_a_text_channel_unless_said_otherwise() {
    let channel = read::<ChannelCreate>(&json!({"name": "x"}))
        .parse(&SPELLING)
        .unwrap();
    assert_eq!(channel.kind, ChannelKind::Text);
    assert!(channel.overwrites.is_empty());
    assert_eq!(channel.position, None);
}

#[test]
fn wrong_overwrites_are_named_each() {
    let body = json!({"position": -1, "permissions": {"overwrites": [
        {"id": "nobody", "type": "role", "allow": 1_u64 << 40},
        {"deny": 0},
        {"id": "6", "type": "member"},
        {"id": "6", "type": "member"},
        {"id": "6", "type": "role"},
    ]}});
    assert_eq!(
        faults(read::<ChannelUpdate>(&body).parse(&SPELLING)),
        [
            fault("position", "out_of_range"),
            fault("permissions.overwrites.0.id", "invalid_id"),
            fault("permissions.overwrites.0.allow", "unknown_permission"),
            fault("permissions.overwrites.1.type", "required"),
            fault("permissions.overwrites.1.id", "required"),
            fault("permissions.overwrites.3", "duplicate"),
        ]
    );
    for (body, path, code) in [
        (
            r#"{"permissions":{"overwrites":[{"allow":1.5}]}}"#,
            "0.allow",
            "invalid_type",
        ),
        (
            r#"{"permissions":{"overwrites":[{"type":"guild"}]}}"#,
            "0.type",
            "unknown_value",
        ),
    ] {
        let path = format!("permissions.overwrites.{path}");
        assert_eq!(misread::<ChannelUpdate>(body), [(path, code)]);
    }
}

#[test]
fn an_update_without_overwrites_keeps_them() {
    let overwrites = |body| {
        read::<ChannelUpdate>(&body)
            .parse(&SPELLING)
            .unwrap()
            .overwrites
    };
    assert_eq!(overwrites(json!({})), None);
    assert_eq!(overwrites(json!({"permissions": {}})), None);
    assert_eq!(
        overwrites(json!({"permissions": {"overwrites": []}})),
        Some(Vec::new())
    );
    let null = read::<ChannelUpdate>(&json!({"permissions": null})).parse(&SPELLING);
    assert_eq!(faults(null), [fault("permissions", "required")]);
}

#[test]
fn a_role_changes_only_what_was_sent() {
    let role = read::<RoleUpdate>(&json!({"color": "#FF00aa", "permissions_bitmask": 64}));
    let update = role.parse().unwrap();
    assert_eq!(update.color, Some(0xFF_00AA));
    assert_eq!(update.name.map(String::from), None);
    let edit = update.permissions.unwrap();
    assert_eq!(edit.bits, Permissions::ADMINISTRATOR);
    let hidden = Permissions::from_bits_retain(1 << 50);
    assert!(
        edit.apply(hidden).contains(hidden),
        "bits without a native number stay"
    );
    let cleared = read::<RoleUpdate>(&json!({"color": null})).parse().unwrap();
    assert_eq!(cleared.color, Some(0));
}

#[test]
fn a_new_role_has_a_name() {
    assert_eq!(
        faults(read::<RoleCreate>(&json!({})).parse()),
        [fault("name", "required")]
    );
    let body = json!({
        "name": null, "color": "red", "permissions_bitmask": 1_u64 << 40, "position": 65_536,
        "hoist": null,
    });
    assert_eq!(
        faults(read::<RoleCreate>(&body).parse()),
        [
            fault("name", "required"),
            fault("color", "invalid_color"),
            fault("hoist", "required"),
            fault("permissions_bitmask", "unknown_permission"),
            fault("position", "out_of_range"),
        ]
    );
}

#[test]
fn assigned_roles_are_sorted_and_each_counts_once() {
    let body = json!({"roles": ["9", uuid(5), "9"]});
    let roles = read::<MemberRoles>(&body).parse(&SPELLING).unwrap();
    assert_eq!(roles, [5, 9].map(|raw| Id::new(raw).unwrap()));
    let body = json!({"roles": ["9", "x", 9.to_string(), ""]});
    assert_eq!(
        faults(read::<MemberRoles>(&body).parse(&SPELLING)),
        [
            fault("roles.1", "invalid_id"),
            fault("roles.3", "invalid_id")
        ]
    );
    let many = json!({"roles": vec!["1"; 251]});
    let refused = read::<MemberRoles>(&many).parse(&SPELLING);
    assert_eq!(faults(refused), [fault("roles", "too_many")]);
}
