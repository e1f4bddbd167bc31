//! Emojis of servers.

use guildhall_model::emoji as model;
use serde::Serialize;

use crate::file_url::PictureAddress;
use crate::id::UuidText;
use crate::installation::Installation;

/// An emoji that a server has made of a picture.
#[derive(Serialize)]
pub(super) struct ServerEmoji<'a> {
    id: UuidText,
    name: &'a str,
    image_url: PictureAddress<'a>,
    animated: bool,
    /// Who may use it; everybody where empty.
    roles: Vec<UuidText>,
    creator_id: UuidText,
}

impl<'a> ServerEmoji<'a> {
    pub(super) fn list(
        emojis: &'a [model::GuildEmoji],
        installation: &'a Installation,
    ) -> Vec<Self> {
        let each = emojis.iter().map(|emoji| Self::new(emoji, installation));
        each.collect()
    }

    fn new(emoji: &'a model::GuildEmoji, installation: &'a Installation) -> Self {
        let Installation { spelling, urls } = installation;
        Self {
            id: spelling.uuid(emoji.id),
            name: &emoji.name,
            image_url: urls.emoji(emoji.id, emoji.is_animated),
            animated: emoji.is_animated,
            roles: emoji
                .roles
                .iter()
                .map(|&role| spelling.uuid(role))
                .collect(),
            creator_id: spelling.uuid(emoji.creator_id),
        }
    }
}
