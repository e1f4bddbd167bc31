//! How `/openapi.json` describes fields, with the bounds that the parsers have.
//!
//! What the derived descriptions cannot take from a constant stands here, so that no number is
//! written twice. A test sends every text at its bounds and just beyond them.

use guildhall_model::limits::{
    APPLICATION_NAME_CHARS, BAN_PURGE_S_MAX, CHANNEL_NAME_CHARS, CHANNEL_TOPIC_CHARS_MAX,
    DISPLAY_NAME_CHARS, EMAIL_CHARS, EMOJI_CHARS_MAX, GUILD_DESCRIPTION_CHARS_MAX,
    GUILD_NAME_CHARS, INVITE_AGE_S_MAX, INVITE_CODE_CHARS_MAX, INVITE_USES_MAX, MESSAGE_CHARS_MAX,
    NONCE_CHARS_MAX, OVERWRITES_MAX, PASSWORD_CHARS, REASON_CHARS_MAX, ROLE_NAME_CHARS, ROLES_MAX,
    URL_CHARS_MAX, USERNAME_CHARS,
};
use utoipa::openapi::schema::{
    Array, ArrayBuilder, KnownFormat, Object, ObjectBuilder, OneOfBuilder, SchemaFormat,
    SchemaType, Type,
};
use utoipa::openapi::{Ref, Schema};

use super::permission::NativePermissions;

/// What Rust takes for white space, which is trimmed, for use within brackets.
macro_rules! white {
    () => {
        r"\t-\r \u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000"
    };
}

/// What no name may hold, for use within brackets.
macro_rules! deceptive {
    () => {
        r"\u0000-\u001F\u007F-\u009F\u200B-\u200F\u202A-\u202E\u2060-\u2069\uFEFF"
    };
}

/// A name of which something is left when it is trimmed.
const NAME: &str = concat!(
    "^[",
    white!(),
    "]*[^",
    deceptive!(),
    white!(),
    "]([^",
    deceptive!(),
    "]*[^",
    deceptive!(),
    white!(),
    "])?[",
    white!(),
    "]*$"
);
/// A name of which two characters are left when it is trimmed.
const NAME_OF_TWO: &str = concat!(
    "^[",
    white!(),
    "]*[^",
    deceptive!(),
    white!(),
    "][^",
    deceptive!(),
    "]*[^",
    deceptive!(),
    white!(),
    "][",
    white!(),
    "]*$"
);
const CONTENT: &str = concat!(r"^[^\u0000]*[^\u0000", white!(), r"][^\u0000]*$");
const FREE: &str = r"^[^\u0000]*$";
const USERNAME: &str = "^[A-Za-z0-9._-]*$";
const PICTURE: &str = concat!(
    r#"^https?://[^/<>"'`"#,
    white!(),
    r"\u0000-\u001F\u007F-\u009F",
    r#"][^<>"'`"#,
    white!(),
    r"\u0000-\u001F\u007F-\u009F",
    "]*$"
);
const COLOR: &str = "^#[0-9A-Fa-f]{6}$";

fn text((min, max): (usize, usize)) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(min))
        .max_length(Some(max))
}

fn name(size: (usize, usize)) -> ObjectBuilder {
    let pattern = if size.0 < 2 { NAME } else { NAME_OF_TWO };
    text(size).pattern(Some(pattern)).description(Some(
        "White space around it is trimmed; no control or direction characters.",
    ))
}

fn or_null(text: ObjectBuilder) -> Object {
    text.schema_type(SchemaType::from_iter([Type::String, Type::Null]))
        .build()
}

fn free(max: usize) -> ObjectBuilder {
    text((0, max)).pattern(Some(FREE))
}

fn whole(max: impl Into<u64>) -> ObjectBuilder {
    let max = usize::try_from(max.into()).unwrap_or(usize::MAX);
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(0_usize))
        .maximum(Some(max))
}

fn integer_or_null(number: ObjectBuilder) -> Object {
    number
        .schema_type(SchemaType::from_iter([Type::Integer, Type::Null]))
        .build()
}

pub(crate) fn username() -> Object {
    text(USERNAME_CHARS)
        .pattern(Some(USERNAME))
        .description(Some("Unique over the installation, whatever the case."))
        .build()
}

pub(crate) fn email() -> Object {
    text(EMAIL_CHARS)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Email)))
        .build()
}

pub(crate) fn password() -> Object {
    text(PASSWORD_CHARS)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)))
        .build()
}

/// What is compared with a password; no shorter than nothing.
pub(crate) fn presented_password() -> Object {
    text((0, PASSWORD_CHARS.1))
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)))
        .build()
}

/// An address or a username that is looked up.
pub(crate) fn login_name() -> Object {
    text((0, EMAIL_CHARS.1)).build()
}

pub(crate) fn display_name() -> Object {
    or_null(name(DISPLAY_NAME_CHARS))
}

pub(crate) fn picture() -> Object {
    let picture = text((1, URL_CHARS_MAX)).pattern(Some(PICTURE));
    or_null(picture.description(Some("An http or https address; nothing is fetched.")))
}

pub(crate) fn guild_name() -> Object {
    name(GUILD_NAME_CHARS).build()
}

pub(crate) fn guild_description() -> Object {
    or_null(free(GUILD_DESCRIPTION_CHARS_MAX))
}

pub(crate) fn channel_name() -> Object {
    name(CHANNEL_NAME_CHARS).build()
}

pub(crate) fn topic() -> Object {
    or_null(free(CHANNEL_TOPIC_CHARS_MAX))
}

pub(crate) fn role_name() -> Object {
    name(ROLE_NAME_CHARS).build()
}

pub(crate) fn application_name() -> Object {
    name(APPLICATION_NAME_CHARS).build()
}

pub(crate) fn reason() -> Object {
    or_null(free(REASON_CHARS_MAX))
}

pub(crate) fn content() -> Object {
    text((1, MESSAGE_CHARS_MAX))
        .pattern(Some(CONTENT))
        .description(Some("White space around it is trimmed."))
        .build()
}

/// The format is our own: no pattern tells emoji from other texts.
pub fn emoji() -> Object {
    text((1, EMOJI_CHARS_MAX))
        .format(Some(SchemaFormat::Custom("emoji".to_owned())))
        .description(Some("One standard emoji, or `name:id` of a server's own."))
        .examples(["👍"])
        .build()
}

pub(crate) fn nonce() -> Schema {
    let number = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(i64::MIN))
        .maximum(Some(i64::MAX));
    let nonce = OneOfBuilder::new()
        .item(text((1, NONCE_CHARS_MAX)))
        .item(number)
        .item(ObjectBuilder::new().schema_type(Type::Null))
        .description(Some(
            "The sender's own mark: sent again, it is answered with the first message.",
        ));
    Schema::OneOf(nonce.build())
}

/// The color of a role that may be taken away.
pub(crate) fn color() -> Object {
    let color = ObjectBuilder::new().pattern(Some(COLOR));
    or_null(
        color
            .description(Some("`null` means none."))
            .examples(["#2ecc71"]),
    )
}

pub(crate) fn position() -> Object {
    whole(u16::MAX).build()
}

pub(crate) fn position_or_last() -> Object {
    let position = whole(u16::MAX).description(Some("Behind all others where left out."));
    integer_or_null(position)
}

/// The place of a new role.
pub(crate) fn new_role_position() -> Object {
    whole(u16::MAX).minimum(Some(1_usize)).build()
}

/// A set of permissions by its number.
pub(crate) fn permissions() -> Object {
    whole(NativePermissions::EVERYTHING.number()).build()
}

/// The same, where nothing is meant by leaving it out.
pub(crate) fn permissions_or_none() -> Object {
    let permissions = whole(NativePermissions::EVERYTHING.number());
    integer_or_null(permissions.description(Some("Nothing where left out.")))
}

/// The code that a body may hold.
pub(crate) fn invite_code() -> Object {
    or_null(text((1, INVITE_CODE_CHARS_MAX)))
}

/// The code that a path names.
pub fn invite_code_in_path() -> Object {
    let code = text((1, INVITE_CODE_CHARS_MAX));
    code.pattern(Some("^[A-Za-z0-9]*$")).build()
}

pub(crate) fn invite_uses() -> Object {
    let uses = whole(INVITE_USES_MAX);
    integer_or_null(uses.description(Some("0, the default, means without limit.")))
}

pub(crate) fn invite_age() -> Object {
    let age = whole(INVITE_AGE_S_MAX);
    integer_or_null(age.description(Some(
        "Seconds; a day where left out, 0 means that it does not expire.",
    )))
}

pub(crate) fn ban_purge() -> Object {
    let seconds = whole(BAN_PURGE_S_MAX);
    integer_or_null(seconds.description(Some(
        "How far back the user's messages are deleted; none where left out.",
    )))
}

fn list(of: &str, max: usize) -> ArrayBuilder {
    let items = Ref::from_schema_name(of);
    ArrayBuilder::new().items(items).max_items(Some(max))
}

pub(crate) fn roles() -> Array {
    list("Id", ROLES_MAX)
        .description(Some("Exactly these, besides the role that everybody has."))
        .build()
}

pub(crate) fn overwrites() -> Array {
    list("OverwriteInput", OVERWRITES_MAX).build()
}
