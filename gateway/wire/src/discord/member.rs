//! Members of guilds.

use guildhall_model::message::Authorship;
use guildhall_model::{RoleId, Timestamp, id, member as model};
use serde::Serialize;

use super::Nothing;
use super::user::User;
use crate::id::Decimal;
use crate::time::Iso8601;

/// A member with its user.
#[derive(Serialize)]
pub struct Member<'a> {
    user: User<'a>,
    #[serde(flatten)]
    membership: Membership<'a>,
}

/// A member without its user, as a message carries its author's.
#[derive(Serialize)]
pub struct Membership<'a> {
    nick: Option<&'a str>,
    avatar: Nothing,
    banner: Nothing,
    /// Without `@everyone`.
    roles: Vec<Decimal<id::kind::Role>>,
    joined_at: Iso8601,
    premium_since: Nothing,
    deaf: bool,
    mute: bool,
    flags: u64,
    pending: bool,
    communication_disabled_until: Option<Iso8601>,
    avatar_decoration_data: Nothing,
    collectibles: Nothing,
}

impl<'a> Member<'a> {
    /// The member as every member sees it.
    pub fn new(member: &'a model::Member) -> Self {
        Self {
            user: User::new(&member.user),
            membership: Membership::of(member),
        }
    }
}

impl<'a> Membership<'a> {
    /// A member without its user.
    pub fn of(member: &'a model::Member) -> Self {
        let mut membership = Self::build(member.nick.as_deref(), &member.roles, member.joined_at);
        membership.communication_disabled_until = member.timed_out_until.map(Iso8601);
        membership
    }

    /// What a message says of its author's membership.
    pub fn of_author(author: &'a Authorship) -> Self {
        Self::build(author.nick.as_deref(), &author.roles, author.joined_at)
    }

    fn build(nick: Option<&'a str>, roles: &[RoleId], joined_at: Timestamp) -> Self {
        Self {
            nick,
            avatar: (),
            banner: (),
            roles: roles.iter().copied().map(Decimal).collect(),
            joined_at: Iso8601(joined_at),
            premium_since: (),
            deaf: false,
            mute: false,
            flags: 0,
            pending: false,
            communication_disabled_until: None,
            avatar_decoration_data: (),
            collectibles: (),
        }
    }
}
