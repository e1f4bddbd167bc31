//! Applications: what bots are registered as.

use guildhall_model::account as model;
use serde::Serialize;
use utoipa::ToSchema;

use super::user::User;
use crate::id::UuidText;
use crate::installation::Installation;

/// A bot's registration. It has no `Debug`, because it may hold the token.
#[derive(Clone, Copy, Serialize, ToSchema)]
pub struct Application<'a> {
    id: UuidText,
    name: &'a str,
    bot: User<'a>,
    /// Shown once, in the answer to the creation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    bot_token: Option<&'a str>,
}

impl<'a> Application<'a> {
    /// The application without its token.
    pub fn new(application: &'a model::Application, installation: &'a Installation) -> Self {
        Self {
            id: installation.spelling.uuid(application.id),
            name: &application.name,
            bot: User::new(&application.bot, installation),
            bot_token: None,
        }
    }

    /// The application with the token that was just made.
    pub fn created(
        application: &'a model::Application,
        bot_token: &'a str,
        installation: &'a Installation,
    ) -> Self {
        Self {
            bot_token: Some(bot_token),
            ..Self::new(application, installation)
        }
    }
}
