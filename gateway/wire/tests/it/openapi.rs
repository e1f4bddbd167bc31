//! Discord's own description of its API judges our bodies of the Discord dialect.
//!
//! The description is not ours to ship: it stands beside the repository where it was put. Without
//! it the test says so on the process's stderr and passes.

use std::io::Write;
use std::path::{Path, PathBuf};

use guildhall_wire::discord;
use serde::Serialize;
use serde_json::{Value, json};

use crate::sample;

const DESCRIPTION: &str = "shared/data/discord-openapi.json";

fn description() -> Option<Value> {
    let places = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let found: Option<PathBuf> = places
        .map(|place| place.join(DESCRIPTION))
        .find(|path| path.is_file());
    let text = std::fs::read_to_string(found?).unwrap();
    Some(serde_json::from_str(&text).unwrap())
}

/// Finds everything that is wrong with a body of this schema.
fn faults(description: &Value, schema: &str, body: &Value) -> Vec<String> {
    let root = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$ref": format!("#/components/schemas/{schema}"),
        "components": description["components"],
    });
    let validator = jsonschema::draft202012::options()
        .should_validate_formats(true)
        .build(&root)
        .unwrap();
    let errors = validator.iter_errors(body);
    errors
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

fn value(body: &impl Serialize) -> Value {
    serde_json::to_value(body).unwrap()
}

fn bodies() -> Vec<(&'static str, Value)> {
    let (guild, general, parlor) = (sample::guild(), sample::general(), sample::parlor());
    let (everyone, keeper) = (sample::everyone(), sample::keeper());
    let ale = sample::ale();
    let (reply, whisper) = (sample::reply(), sample::whisper());
    let (ada, bob) = (sample::ada(), sample::bob());
    let (member, ban, invite) = (sample::keeper_bob(), sample::ban(), sample::invite());
    let (picture, notes) = (sample::picture(), sample::notes());
    let (channel, urls) = (general.id, sample::file_urls());
    let seen =
        discord::Message::seen_by_giver_of(&[reply.reactions[0].emoji.clone()], &reply, &urls);
    vec![
        (
            "MessageResponse",
            value(&discord::Message::new(&reply, &urls)),
        ),
        (
            "MessageResponse",
            value(&discord::Message::new(&whisper, &urls)),
        ),
        ("MessageResponse", value(&seen)),
        (
            "GuildResponse",
            value(&discord::Guild::new(&guild, [&everyone, &keeper], [&ale])),
        ),
        ("GuildRoleResponse", value(&discord::Role::new(&everyone))),
        ("GuildRoleResponse", value(&discord::Role::new(&keeper))),
        ("GuildMemberResponse", value(&discord::Member::new(&member))),
        ("UserResponse", value(&discord::User::new(&ada))),
        (
            "UserPIIResponse",
            value(&discord::CurrentUser::new(&ada, Some("ada@example.org"))),
        ),
        (
            "GuildChannelResponse",
            value(&discord::Channel::new(&general)),
        ),
        (
            "GuildChannelResponse",
            value(&discord::Channel::new(&parlor)),
        ),
        (
            "PrivateChannelResponse",
            value(&discord::DirectChannel::new(&sample::direct(), [&bob])),
        ),
        (
            "MessageAttachmentResponse",
            value(&discord::Attachment::new(channel, &picture, &urls)),
        ),
        (
            "MessageAttachmentResponse",
            value(&discord::Attachment::new(channel, &notes, &urls)),
        ),
        ("GuildBanResponse", value(&discord::Ban::new(&ban))),
        (
            "GuildInviteResponse",
            value(&discord::Invite::new(&invite, &guild, &general, Some(&ada))),
        ),
    ]
}

#[test]
fn bodies_satisfy_discords_own_schemas() {
    let Some(description) = description() else {
        // Not by `eprintln!`, which a passing test keeps to itself.
        let said = format!("LEFT OUT: no {DESCRIPTION}; Discord's schemas judged nothing\n");
        std::io::stderr().write_all(said.as_bytes()).unwrap();
        return;
    };
    for (schema, body) in bodies() {
        let faults = faults(&description, schema, &body);
        assert!(faults.is_empty(), "{schema}: {faults:#?}");
    }
}

#[test]
fn the_judge_notices_a_missing_field() {
    let Some(description) = description() else {
        return;
    };
    for (schema, mut body) in bodies() {
        let required = description["components"]["schemas"][schema]["required"].clone();
        let required = required[0].as_str().unwrap().to_owned();
        body.as_object_mut().unwrap().remove(&required);
        assert!(
            !faults(&description, schema, &body).is_empty(),
            "{schema} without {required}"
        );
    }
}

#[test]
fn errors_satisfy_discords_own_schema() {
    let Some(description) = description() else {
        return;
    };
    let rejection = guildhall_model::Rejection::field("name", "too_short", "must be longer");
    let problem = guildhall_wire::error::Problem::from(&rejection);
    let body = problem.body(guildhall_wire::Dialect::Discord);
    let body: Value = serde_json::from_slice(&body).unwrap();
    // Only the outer object: the description types the codes of fields as numbers, where the
    // documentation shows texts and Discord sends them. It asks to be distrusted then.
    let faults = faults(&description, "Error", &body);
    assert!(faults.is_empty(), "{faults:#?}");
}
