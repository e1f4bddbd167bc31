//! The native dialect's permission numbers: a lens over the stored set.
//!
//! The same number means different things in the two sets: the native 8 is MANAGE_CHANNELS, the
//! stored 8 is ADMINISTRATOR. So there are two types and no conversion of their numbers; the
//! table below is the only bridge. A native write replaces the bits of the table and keeps all
//! others.

use guildhall_model::Permissions;
use guildhall_model::command::PermissionEdit;
use serde::Serialize;
use utoipa::ToSchema;

/// Permissions in the specification's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = u64, example = 3)]
pub struct NativePermissions(u64);

/// Name and meaning of each native bit, from the lowest. The first seven are the specification's;
/// the rest is ours and only ever grows at the end.
const ROWS: [(&str, Permissions); 34] = [
    ("READ_MESSAGES", Permissions::VIEW_CHANNEL),
    ("SEND_MESSAGES", Permissions::SEND_MESSAGES),
    ("MANAGE_MESSAGES", Permissions::MANAGE_MESSAGES),
    ("MANAGE_CHANNELS", Permissions::MANAGE_CHANNELS),
    ("KICK_MEMBERS", Permissions::KICK_MEMBERS),
    ("BAN_MEMBERS", Permissions::BAN_MEMBERS),
    ("ADMINISTRATOR", Permissions::ADMINISTRATOR),
    ("MANAGE_ROLES", Permissions::MANAGE_ROLES),
    ("MANAGE_SERVER", Permissions::MANAGE_GUILD),
    ("CONNECT", Permissions::CONNECT),
    ("SPEAK", Permissions::SPEAK),
    ("MODERATE_MEMBERS", Permissions::MODERATE_MEMBERS),
    ("READ_MESSAGE_HISTORY", Permissions::READ_MESSAGE_HISTORY),
    ("ADD_REACTIONS", Permissions::ADD_REACTIONS),
    ("MENTION_EVERYONE", Permissions::MENTION_EVERYONE),
    ("ATTACH_FILES", Permissions::ATTACH_FILES),
    ("EMBED_LINKS", Permissions::EMBED_LINKS),
    ("CREATE_INVITES", Permissions::CREATE_INSTANT_INVITE),
    ("CHANGE_NICKNAME", Permissions::CHANGE_NICKNAME),
    ("MANAGE_NICKNAMES", Permissions::MANAGE_NICKNAMES),
    ("STREAM", Permissions::STREAM),
    ("MUTE_MEMBERS", Permissions::MUTE_MEMBERS),
    ("DEAFEN_MEMBERS", Permissions::DEAFEN_MEMBERS),
    ("MOVE_MEMBERS", Permissions::MOVE_MEMBERS),
    ("USE_VOICE_ACTIVITY", Permissions::USE_VAD),
    ("PRIORITY_SPEAKER", Permissions::PRIORITY_SPEAKER),
    ("VIEW_AUDIT_LOG", Permissions::VIEW_AUDIT_LOG),
    ("MANAGE_WEBHOOKS", Permissions::MANAGE_WEBHOOKS),
    ("USE_EXTERNAL_EMOJIS", Permissions::USE_EXTERNAL_EMOJIS),
    (
        "USE_APPLICATION_COMMANDS",
        Permissions::USE_APPLICATION_COMMANDS,
    ),
    ("SEND_TTS_MESSAGES", Permissions::SEND_TTS_MESSAGES),
    ("PIN_MESSAGES", Permissions::PIN_MESSAGES),
    ("MANAGE_EXPRESSIONS", Permissions::MANAGE_GUILD_EXPRESSIONS),
    ("CREATE_EXPRESSIONS", Permissions::CREATE_GUILD_EXPRESSIONS),
];

fn rows() -> impl Iterator<Item = (u64, &'static str, Permissions)> {
    (0..)
        .zip(ROWS)
        .map(|(bit, (name, stored))| (1 << bit, name, stored))
}

impl NativePermissions {
    /// Every bit that has a meaning.
    pub const EVERYTHING: Self = Self((1 << ROWS.len()) - 1);

    /// The number as a client sent it, or `None` if it has a bit that means nothing here.
    pub const fn parse(number: u64) -> Option<Self> {
        if number >> ROWS.len() == 0 {
            Some(Self(number))
        } else {
            None
        }
    }

    /// The lens's get: what of a stored set the native dialect can show.
    pub fn of(stored: Permissions) -> Self {
        Self(
            rows()
                .filter(|&(_, _, bit)| stored.contains(bit))
                .fold(0, |number, (native, _, _)| number | native),
        )
    }

    /// The lens's put: the stored set with the native bits as they are here.
    pub fn put(self, before: Permissions) -> Permissions {
        self.edit().apply(before)
    }

    /// The same as an edit of whatever is stored when it is carried out.
    pub fn edit(self) -> PermissionEdit {
        PermissionEdit {
            mask: rows().fold(Permissions::empty(), |mask, (_, _, bit)| mask | bit),
            bits: rows()
                .filter(|&(native, _, _)| self.0 & native != 0)
                .fold(Permissions::empty(), |bits, (_, _, bit)| bits | bit),
        }
    }

    /// The native names of a stored set, lowest number first.
    pub fn names(stored: Permissions) -> impl Iterator<Item = &'static str> {
        rows()
            .filter(move |&(_, _, bit)| stored.contains(bit))
            .map(|(_, name, _)| name)
    }

    /// The number that clients see.
    pub const fn number(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests;
