//! Roles.

use std::fmt;

use guildhall_model::role as model;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use super::permission::NativePermissions;
use crate::id::{Spelling, UuidText};

/// A named set of permissions with a rank.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct Role<'a> {
    /// The role of everybody has its server's id.
    id: UuidText,
    server_id: UuidText,
    name: &'a str,
    /// `#000000` means none.
    #[schema(value_type = String, pattern = "^#[0-9a-f]{6}$", example = "#2ecc71")]
    color: Color,
    #[schema(value_type = u64)]
    permissions_bitmask: NativePermissions,
    /// The higher, the more it commands; the role of everybody is 0.
    position: u16,
    /// Shown apart in member lists.
    hoist: bool,
    /// Everybody may mention it.
    mentionable: bool,
}

/// A color as browsers write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Color(pub(crate) u32);

impl Color {
    /// Reads `#rrggbb` in either case.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let hex = text.strip_prefix('#')?;
        let is_hex = hex.len() == 6 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_hex {
            return None;
        }
        u32::from_str_radix(hex, 16).ok().map(Self)
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:06x}", self.0 & 0xFF_FFFF)
    }
}

impl Serialize for Color {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'a> Role<'a> {
    /// The role as every member sees it.
    pub fn new(role: &'a model::Role, spelling: &Spelling) -> Self {
        Self {
            id: spelling.uuid(role.id),
            server_id: spelling.uuid(role.guild_id),
            name: &role.name,
            color: Color(role.color),
            permissions_bitmask: NativePermissions::of(role.permissions),
            position: role.position,
            hoist: role.hoist,
            mentionable: role.mentionable,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_color_is_refused() {
        for bad in [
            "", "#", "#12345", "#1234567", "123456", "#+12345", "#12345é", "red",
        ] {
            assert_eq!(Color::parse(bad), None, "{bad}");
        }
        assert_eq!(Color::parse("#FF00aa"), Some(Color(0xFF_00AA)));
    }

    proptest! {
        #[test]
        fn colors_read_back(rgb in 0_u32..=0xFF_FFFF) {
            prop_assert_eq!(Color::parse(&Color(rgb).to_string()), Some(Color(rgb)));
        }
    }
}
