//! Bodies of the Discord dialect: any bytes are read or refused, nothing gets past its bounds, and
//! no answer repeats what was sent.

use guildhall_model::limits;
use guildhall_model::rejection::{FieldError, Rejection};
use guildhall_wire::Spelling;
use guildhall_wire::discord::request::application_command::CommandInput;
use guildhall_wire::discord::request::channel::{ChannelCreate, ChannelPatch, ChannelPlace};
use guildhall_wire::discord::request::emoji::{EmojiCreate, EmojiPatch};
use guildhall_wire::discord::request::guild::GuildPatch;
use guildhall_wire::discord::request::interaction::Callback;
use guildhall_wire::discord::request::invite::InviteCreate;
use guildhall_wire::discord::request::member::{BulkBan, MemberPatch, OwnMemberPatch};
use guildhall_wire::discord::request::message::{BulkDelete, MessageCreate, MessagePatch};
use guildhall_wire::discord::request::role::{RolePatch, RolePlace};
use guildhall_wire::discord::request::user::{DirectCreate, UserPatch};
use guildhall_wire::discord::request::webhook::{WebhookCreate, WebhookExecute, WebhookPatch};
use guildhall_wire::discord::request::{read_json, read_json_list};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::document;
use crate::script::Script;

const SPELLING: Spelling = Spelling::new(0x000B_EEF0_CAFE);
/// Wrong fields that one answer names at most.
const FIELDS_MAX: usize = 50;
/// Bytes of a field's path and of what is said about it.
const ANSWER_BYTES_MAX: usize = 120;
const KEYS: [&str; 65] = [
    "name",
    "type",
    "topic",
    "position",
    "parent_id",
    "permission_overwrites",
    "id",
    "allow",
    "deny",
    "description",
    "icon",
    "owner_id",
    "max_age",
    "max_uses",
    "temporary",
    "nick",
    "roles",
    "communication_disabled_until",
    "user_ids",
    "delete_message_seconds",
    "content",
    "nonce",
    "message_reference",
    "message_id",
    "channel_id",
    "fail_if_not_exists",
    "permissions",
    "color",
    "colors",
    "primary_color",
    "hoist",
    "mentionable",
    "username",
    "avatar",
    "image",
    "recipient_id",
    "embeds",
    "components",
    "title",
    "description",
    "fields",
    "value",
    "footer",
    "text",
    "type",
    "style",
    "label",
    "custom_id",
    "options",
    "flags",
    "allowed_mentions",
    "parse",
    "messages",
    "attachments",
    "avatar_url",
    "thread_name",
    "tts",
    "choices",
    "data",
    "max_value",
    "min_length",
    "name_localizations",
    "required",
    "contexts",
    "autocomplete",
];

pub(crate) fn run(bytes: &[u8]) {
    read_all(bytes);
    let mut script = Script::new(bytes);
    let object = document::object(&mut script, &KEYS, 5);
    read_all(object.to_string().as_bytes());
    read_all(Value::Array(vec![object]).to_string().as_bytes());
}

fn read_all(bytes: &[u8]) {
    guilds(bytes);
    if let Some(message) = parsed(bytes, |body: MessageCreate| body.parse(&SPELLING)) {
        let chars = message
            .content
            .map_or(1, |text| text.as_str().chars().count());
        assert!((1..=limits::MESSAGE_CHARS_MAX).contains(&chars));
        assert!(message.rich.embeds.len() <= limits::EMBEDS_MAX);
        let rows = &message.rich.components;
        assert!(rows.len() <= limits::ACTION_ROWS_MAX);
        assert!(
            rows.iter()
                .all(|row| row.components.len() <= limits::BUTTONS_PER_ROW_MAX)
        );
    }
    parsed(bytes, |body: MessagePatch| body.parse(&SPELLING));
    parsed(bytes, |body: BulkDelete| body.parse(&SPELLING));
    parsed(bytes, WebhookCreate::parse);
    parsed(bytes, |body: WebhookPatch| body.parse(&SPELLING));
    if let Some(told) = parsed(bytes, |body: WebhookExecute| body.parse(&SPELLING)) {
        let name = told.name.map_or_else(|| "one".to_owned(), String::from);
        let (min, max) = limits::WEBHOOK_NAME_CHARS;
        assert!((min..=max).contains(&name.chars().count()));
        // Beside its own fields it is read as every message is.
        let alone = parsed(bytes, |body: MessageCreate| body.parse(&SPELLING));
        assert!(alone.is_some_and(|alone| alone.rich == told.message.rich));
    }
    parsed(bytes, UserPatch::parse);
    if let Some(emoji) = parsed(bytes, |body: EmojiCreate| body.parse(&SPELLING)) {
        assert!(emoji.image.bytes().len() <= limits::GUILD_EMOJI_BYTES_MAX);
        assert!(emoji.roles.len() <= limits::ROLES_MAX);
    }
    parsed(bytes, |body: EmojiPatch| body.parse(&SPELLING));
    parsed(bytes, |body: DirectCreate| body.parse(&SPELLING));
    applications(bytes);
}

fn applications(bytes: &[u8]) {
    if let Some(command) = parsed(bytes, CommandInput::parse) {
        let (min, max) = limits::COMMAND_NAME_CHARS;
        assert!((min..=max).contains(&command.name.text.chars().count()));
        assert!(command.options.len() <= limits::COMMAND_OPTIONS_MAX);
        // What is offered may be offered again.
        assert_eq!(
            CommandInput::default().change(command.clone()).ok(),
            Some(command)
        );
    }
    let all = read_json_list(bytes).and_then(CommandInput::parse_all);
    check(&all);
    assert!(all.unwrap_or_default().len() <= limits::COMMANDS_MAX);
    let callback = Callback::read(bytes, &SPELLING);
    check(&callback);
    if let Ok(callback) = callback {
        assert!((4..=7).contains(&callback.number()));
    }
}

fn guilds(bytes: &[u8]) {
    parsed(bytes, |body: GuildPatch| body.parse(&SPELLING));
    if let Some(channel) = parsed(bytes, |body: ChannelCreate| body.parse(&SPELLING)) {
        assert!(channel.overwrites.len() <= limits::OVERWRITES_MAX);
    }
    parsed(bytes, |body: ChannelPatch| body.parse(&SPELLING));
    parsed(bytes, |body: MemberPatch| body.parse(&SPELLING));
    parsed(bytes, OwnMemberPatch::parse);
    if let Some((users, purged_s)) = parsed(bytes, |body: BulkBan| body.parse(&SPELLING)) {
        assert!(users.len() <= limits::BULK_BAN_MAX);
        assert!(purged_s <= limits::BAN_PURGE_S_MAX);
    }
    parsed(bytes, RolePatch::parse);
    if let Some(invite) = parsed(bytes, InviteCreate::parse) {
        assert!(invite.max_age_s <= limits::INVITE_AGE_S_MAX);
    }
    let places = read_json_list(bytes).and_then(|list| ChannelPlace::parse(list, &SPELLING));
    check(&places);
    assert!(places.unwrap_or_default().len() <= limits::CHANNELS_MAX);
    check(&read_json_list(bytes).and_then(|list| RolePlace::parse(list, &SPELLING)));
}

/// Reads a body as one of these requests.
fn parsed<B: DeserializeOwned, T>(
    bytes: &[u8],
    parse: impl FnOnce(B) -> Result<T, Rejection>,
) -> Option<T> {
    let outcome = read_json::<B>(bytes).and_then(parse);
    check(&outcome);
    outcome.ok()
}

fn check<T>(outcome: &Result<T, Rejection>) {
    match outcome {
        Ok(_) => {}
        Err(Rejection::Invalid(fields)) => {
            assert!((1..=FIELDS_MAX).contains(&fields.len()));
            fields.iter().for_each(check_field);
        }
        Err(other) => panic!("{other:?} is no answer to a body"),
    }
}

fn check_field(field: &FieldError) {
    assert!(field.path.len() <= ANSWER_BYTES_MAX, "{field:?}");
    assert!(field.message.len() <= ANSWER_BYTES_MAX, "{field:?}");
    let is_ours = |step: &str| {
        step.is_empty() || KEYS.contains(&step) || step.bytes().all(|b| b.is_ascii_digit())
    };
    assert!(field.path.split('.').all(is_ours), "{field:?}");
}
