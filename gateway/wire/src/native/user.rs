//! Users as the native dialect shows them: to others, and to themselves.

use guildhall_model::user::{self as model, Appearance};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::file_url::PictureAddress;
use crate::id::UuidText;
use crate::installation::Installation;
use crate::time::Utc;

/// A person or a bot.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct User<'a> {
    id: UuidText,
    /// Unique over the installation.
    username: &'a str,
    /// Shown instead of the username where set.
    #[schema(required)]
    display_name: Option<&'a str>,
    #[schema(required, value_type = Option<&str>)]
    avatar_url: Option<PictureAddress<'a>>,
    status: Status,
    /// A program that acts through an application.
    bot: bool,
    created_at: Utc,
    updated_at: Utc,
    /// Only in the own profile of a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    email: Option<&'a str>,
}

/// How a user appears. Others see `invisible` as `offline`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = UserStatus)]
pub enum Status {
    /// Green.
    Online,
    /// Away.
    Idle,
    /// Do not disturb.
    Dnd,
    /// Connected but shown as offline to others.
    Invisible,
    /// Not connected, or invisible.
    Offline,
}

impl<'a> User<'a> {
    /// As others see the user.
    pub fn new(user: &'a model::User, installation: &'a Installation) -> Self {
        let picture = user.avatar.as_ref();
        Self {
            id: installation.spelling.uuid(user.id),
            username: &user.username,
            display_name: user.display_name.as_deref(),
            avatar_url: picture.map(|picture| installation.urls.avatar(user.id, picture)),
            status: Appearance::from(user.status).into(),
            bot: user.bot,
            created_at: Utc(user.id.created_at()),
            updated_at: Utc(user.updated_at),
            email: None,
        }
    }

    /// As the user sees itself.
    pub fn own(
        user: &'a model::User,
        email: Option<&'a str>,
        installation: &'a Installation,
    ) -> Self {
        Self {
            status: Chosen::from(user.status).into(),
            email,
            ..Self::new(user, installation)
        }
    }

    /// The same with how the user appears at this moment.
    pub fn appearing(self, appearance: Appearance) -> Self {
        Self {
            status: appearance.into(),
            ..self
        }
    }
}

impl From<Appearance> for Status {
    fn from(appearance: Appearance) -> Self {
        match appearance {
            Appearance::Online => Self::Online,
            Appearance::Idle => Self::Idle,
            Appearance::Dnd => Self::Dnd,
            Appearance::Offline => Self::Offline,
        }
    }
}

/// What a user may choose to be shown as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ChosenStatus)]
pub enum Chosen {
    /// Green.
    Online,
    /// Away.
    Idle,
    /// Do not disturb.
    Dnd,
    /// Connected but shown as offline to others.
    Invisible,
}

impl From<model::Status> for Chosen {
    fn from(status: model::Status) -> Self {
        match status {
            model::Status::Online => Self::Online,
            model::Status::Idle => Self::Idle,
            model::Status::Dnd => Self::Dnd,
            model::Status::Invisible => Self::Invisible,
        }
    }
}

impl From<Chosen> for model::Status {
    fn from(status: Chosen) -> Self {
        match status {
            Chosen::Online => Self::Online,
            Chosen::Idle => Self::Idle,
            Chosen::Dnd => Self::Dnd,
            Chosen::Invisible => Self::Invisible,
        }
    }
}

impl From<Chosen> for Status {
    fn from(status: Chosen) -> Self {
        match status {
            Chosen::Online => Self::Online,
            Chosen::Idle => Self::Idle,
            Chosen::Dnd => Self::Dnd,
            Chosen::Invisible => Self::Invisible,
        }
    }
}
