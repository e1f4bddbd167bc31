//! Bodies of the native dialect: any bytes are read or refused, nothing gets past its bounds, and
//! no answer repeats what was sent.

use guildhall_model::application_command::{
    Choices, CommandDefinition, CommandOption, Localized, OptionKind,
};
use guildhall_model::limits;
use guildhall_model::message::Nonce;
use guildhall_model::rejection::{FieldError, Rejection};
use guildhall_wire::Spelling;
use guildhall_wire::native::request::account::{Login, ProfileUpdate, Refresh, Register};
use guildhall_wire::native::request::application::ApplicationCreate;
use guildhall_wire::native::request::channel::{ChannelCreate, ChannelUpdate};
use guildhall_wire::native::request::interaction::{CommandRun, ComponentPress};
use guildhall_wire::native::request::invite::InviteCreate;
use guildhall_wire::native::request::member::{BanCreate, Join, MemberNick};
use guildhall_wire::native::request::message::{MessageCreate, MessageEdit, ReactionCreate};
use guildhall_wire::native::request::role::{MemberRoles, RoleCreate, RoleUpdate};
use guildhall_wire::native::request::server::{ServerCreate, ServerUpdate};
use guildhall_wire::native::request::{read_json, read_optional_json};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::document;
use crate::script::Script;

const SPELLING: Spelling = Spelling::new(0x000B_EEF0_CAFE);
/// Wrong fields that one answer names at most.
const FIELDS_MAX: usize = 50;
/// Bytes of a field's path and of what is said about it.
const ANSWER_BYTES_MAX: usize = 120;
const KEYS: [&str; 40] = [
    "name",
    "description",
    "icon_url",
    "is_public",
    "owner_id",
    "type",
    "topic",
    "position",
    "permissions",
    "overwrites",
    "id",
    "allow",
    "deny",
    "content",
    "nonce",
    "reply_to",
    "emoji",
    "roles",
    "color",
    "hoist",
    "mentionable",
    "permissions_bitmask",
    "username",
    "email",
    "password",
    "refresh_token",
    "display_name",
    "avatar_url",
    "status",
    "nick",
    "code",
    "reason",
    "max_uses",
    "max_age",
    "channel_id",
    "temporary",
    "options",
    "value",
    "values",
    "custom_id",
];

pub(crate) fn run(bytes: &[u8]) {
    read_all(bytes);
    let mut script = Script::new(bytes);
    let document = document::object(&mut script, &KEYS, 5);
    read_all(document.to_string().as_bytes());
    let levels = script.below(2 * limits::NESTING_MAX);
    read_all(format!("{{\"x\":{}{}}}", "[".repeat(levels), "]".repeat(levels)).as_bytes());
}

fn read_all(bytes: &[u8]) {
    let is_object = match serde_json::from_slice::<Value>(bytes) {
        Ok(value) => value.is_object() && levels(&value) <= limits::NESTING_MAX,
        // Also what is nested deeper than any parser should follow.
        Err(_) => false,
    };
    accounts(bytes, is_object);
    guilds(bytes, is_object);
    messages(bytes, is_object);
}

fn levels(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(levels).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(levels).max().unwrap_or(0),
        _ => 0,
    }
}

fn accounts(bytes: &[u8], is_object: bool) {
    if let Some(account) = parsed(bytes, is_object, Register::parse) {
        let password = account.password.expose().chars().count();
        let (min, max) = limits::PASSWORD_CHARS;
        assert!((min..=max).contains(&password));
        assert_chars(account.username.as_str(), limits::USERNAME_CHARS);
        assert_chars(account.email.as_str(), limits::EMAIL_CHARS);
    }
    if let Some(login) = parsed(bytes, is_object, Login::parse) {
        assert_chars(&login.name, (0, limits::EMAIL_CHARS.1));
        assert_chars(login.password.expose(), (0, limits::PASSWORD_CHARS.1));
    }
    parsed(bytes, is_object, Refresh::parse);
    if let Some(profile) = parsed(bytes, is_object, ProfileUpdate::parse) {
        let avatar: Option<String> = profile.avatar.flatten().map(|it| it.to_string());
        assert!(avatar.is_none_or(|url| url.chars().count() <= limits::URL_CHARS_MAX));
    }
    if let Some(name) = parsed(bytes, is_object, ApplicationCreate::parse) {
        assert_chars(name.as_str(), limits::APPLICATION_NAME_CHARS);
    }
}

fn guilds(bytes: &[u8], is_object: bool) {
    if let Some(server) = parsed(bytes, is_object, ServerCreate::parse) {
        assert_chars(server.name.as_str(), limits::GUILD_NAME_CHARS);
    }
    parsed(bytes, is_object, |body: ServerUpdate| body.parse(&SPELLING));
    if let Some(channel) = parsed(bytes, is_object, |body: ChannelCreate| {
        body.parse(&SPELLING)
    }) {
        assert_chars(channel.name.as_str(), limits::CHANNEL_NAME_CHARS);
        assert!(channel.overwrites.len() <= limits::OVERWRITES_MAX);
    }
    if let Some(channel) = parsed(bytes, is_object, |body: ChannelUpdate| {
        body.parse(&SPELLING)
    }) {
        let overwrites = channel.overwrites.unwrap_or_default();
        assert!(overwrites.len() <= limits::OVERWRITES_MAX);
        let mut targets: Vec<_> = overwrites.iter().map(|o| o.target).collect();
        targets.sort_unstable();
        targets.dedup();
        assert_eq!(targets.len(), overwrites.len());
    }
    parsed(bytes, is_object, RoleUpdate::parse);
    if let Some(role) = parsed(bytes, is_object, RoleCreate::parse) {
        let name = role.name.expect("a new role has a name");
        assert_chars(name.as_str(), limits::ROLE_NAME_CHARS);
    }
    if let Some(roles) = parsed(bytes, is_object, |body: MemberRoles| body.parse(&SPELLING)) {
        assert!(roles.len() <= limits::ROLES_MAX);
        assert!(roles.windows(2).all(|pair| pair[0] < pair[1]));
    }
    if let Some(invite) = parsed(bytes, is_object, |body: InviteCreate| {
        body.parse(&SPELLING, String::new())
    }) {
        assert!(invite.max_uses <= limits::INVITE_USES_MAX);
        assert!(invite.max_age_s <= limits::INVITE_AGE_S_MAX);
    }
    parsed(bytes, is_object, MemberNick::parse);
    let join = read_optional_json::<Join>(bytes).and_then(Join::parse);
    check(&join, is_object || bytes.is_empty());
    let ban = read_optional_json::<BanCreate>(bytes).and_then(BanCreate::parse);
    check(&ban, is_object || bytes.is_empty());
    if let Ok((reason, purged_s)) = ban {
        let reason = reason.map_or_else(String::new, String::from);
        assert_chars(&reason, (0, limits::REASON_CHARS_MAX));
        assert!(purged_s <= limits::BAN_PURGE_S_MAX);
    }
}

fn messages(bytes: &[u8], is_object: bool) {
    if let Some(message) = parsed(bytes, is_object, |body: MessageCreate| {
        body.parse(&SPELLING)
    }) {
        assert_chars(message.content.as_str(), (1, limits::MESSAGE_CHARS_MAX));
        if let Some(Nonce::Text(nonce)) = message.nonce {
            assert_chars(&nonce, (1, limits::NONCE_CHARS_MAX));
        }
    }
    if let Some(content) = parsed(bytes, is_object, MessageEdit::parse) {
        assert_chars(content.as_str(), (1, limits::MESSAGE_CHARS_MAX));
    }
    parsed(bytes, is_object, ComponentPress::parse);
    parsed(bytes, is_object, |body: CommandRun| {
        body.parse(&command(), &SPELLING)
    });
    parsed(bytes, is_object, |body: ReactionCreate| {
        body.parse(&SPELLING)
    });
}

/// A command that takes a text, a number and a user, each as a subcommand.
fn command() -> CommandDefinition {
    let option = |name: &str, kind| CommandOption {
        name: Localized::plain(name),
        description: Localized::plain(name),
        kind,
        required: false,
    };
    let text = OptionKind::Text {
        choices: Choices::Free,
        length: (Some(1), Some(5)),
    };
    let number = OptionKind::Integer {
        choices: Choices::Free,
        range: (Some(1), Some(9)),
    };
    let within = vec![option("name", text), option("type", number)];
    CommandDefinition {
        name: Localized::plain("name"),
        description: Localized::plain("name"),
        options: vec![
            option("name", OptionKind::Subcommand(within)),
            option(
                "id",
                OptionKind::Subcommand(vec![option("id", OptionKind::User)]),
            ),
        ],
        default_member_permissions: None,
        contexts: None,
        nsfw: false,
    }
}

fn assert_chars(text: &str, (min, max): (usize, usize)) {
    let chars = text.chars().count();
    assert!((min..=max).contains(&chars), "{chars} characters");
}

/// Reads a body as one of these requests.
fn parsed<B: DeserializeOwned, T>(
    bytes: &[u8],
    is_object: bool,
    parse: impl FnOnce(B) -> Result<T, Rejection>,
) -> Option<T> {
    let outcome = read_json::<B>(bytes).and_then(parse);
    check(&outcome, is_object);
    outcome.ok()
}

fn check<T>(outcome: &Result<T, Rejection>, is_object: bool) {
    match outcome {
        Ok(_) => assert!(is_object, "only an object of bounded depth is a body"),
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
