//! Users as Discord's clients see them.

use guildhall_model::picture::{Picture, PictureHash};
use guildhall_model::user as model;
use guildhall_model::{UserId, id};
use serde::Serialize;

use super::{Nothing, Shown};
use crate::id::Decimal;

/// A user as others see it.
#[derive(Serialize)]
pub struct User<'a> {
    id: Decimal<id::kind::User>,
    username: &'a str,
    /// Not in use any more; libraries still require it.
    discriminator: &'static str,
    global_name: Option<&'a str>,
    /// Addresses elsewhere do not fit here.
    avatar: Option<Shown<PictureHash>>,
    bot: bool,
    system: bool,
    banner: Nothing,
    accent_color: Nothing,
    flags: u64,
    public_flags: u64,
    avatar_decoration_data: Nothing,
    collectibles: Nothing,
    primary_guild: Nothing,
}

impl<'a> User<'a> {
    /// The user's public part.
    pub fn new(user: &'a model::User) -> Self {
        Self {
            id: Decimal(user.id),
            username: &user.username,
            discriminator: "0",
            global_name: user.display_name.as_deref(),
            avatar: user.avatar.as_ref().and_then(Picture::hash).map(Shown),
            bot: user.bot,
            system: false,
            banner: (),
            accent_color: (),
            flags: 0,
            public_flags: 0,
            avatar_decoration_data: (),
            collectibles: (),
            primary_guild: (),
        }
    }
}

impl<'a> User<'a> {
    /// Who a webhook's message is by: nobody else has this discriminator.
    pub(crate) fn of_webhook(author: &'a model::User) -> Self {
        Self {
            discriminator: "0000",
            ..Self::new(author)
        }
    }
}

/// A user as it sees itself.
#[derive(Serialize)]
pub struct CurrentUser<'a> {
    #[serde(flatten)]
    user: User<'a>,
    mfa_enabled: bool,
    locale: &'static str,
    premium_type: u8,
    email: Option<&'a str>,
    verified: bool,
}

impl<'a> CurrentUser<'a> {
    /// The user with its address, which bots lack.
    pub fn new(user: &'a model::User, email: Option<&'a str>) -> Self {
        Self {
            user: User::new(user),
            mfa_enabled: false,
            locale: "en-US",
            premium_type: 0,
            email,
            verified: true,
        }
    }
}

/// A user of whom only the id is said.
#[derive(Serialize)]
pub(crate) struct UserRef {
    id: Decimal<id::kind::User>,
}

impl UserRef {
    pub(crate) const fn new(id: UserId) -> Self {
        Self { id: Decimal(id) }
    }
}
