//! Roles.

use guildhall_model::{id, role as model};
use serde::Serialize;

use super::{Bits, Nothing};
use crate::id::Decimal;

/// A role.
#[derive(Serialize)]
pub struct Role<'a> {
    id: Decimal<id::kind::Role>,
    name: &'a str,
    color: u32,
    /// oceanic.js, py-cord, disnake and hikari read only this one and stop without it.
    colors: Colors,
    hoist: bool,
    icon: Nothing,
    unicode_emoji: Nothing,
    position: u16,
    permissions: Bits,
    managed: bool,
    mentionable: bool,
    flags: u32,
}

#[derive(Serialize)]
struct Colors {
    #[serde(rename = "primary_color")]
    primary: u32,
    #[serde(rename = "secondary_color")]
    secondary: Nothing,
    #[serde(rename = "tertiary_color")]
    tertiary: Nothing,
}

impl<'a> Role<'a> {
    /// The role as every member sees it.
    pub fn new(role: &'a model::Role) -> Self {
        Self {
            id: Decimal(role.id),
            name: &role.name,
            color: role.color,
            colors: Colors {
                primary: role.color,
                secondary: (),
                tertiary: (),
            },
            hoist: role.hoist,
            icon: (),
            unicode_emoji: (),
            position: role.position,
            permissions: Bits(role.permissions),
            managed: role.managed,
            mentionable: role.mentionable,
            flags: 0,
        }
    }
}
