//! Random commands: numbers that become a command once the guild is known that they are about.

use guildhall_model::channel::{ChannelKind, Overwrite, OverwriteTarget};
use guildhall_model::command::{
    ChannelMove, ChannelUpdate, EmojiUpdate, GuildCommand, GuildUpdate, MemberUpdate, NewEmoji,
    PermissionEdit, RoleUpdate, RolesEdit, WebhookUpdate,
};
use guildhall_model::text::{DisplayName, EmojiName, RoleName, WebhookName};
use guildhall_model::{ChannelId, EmojiId, Permissions, RoleId, WebhookId};
use proptest::prelude::*;

use super::{
    BOT, CAST, NOW, id, invite, join, new_category, new_channel, overwrites_of, user, webhook_in,
};
use crate::guild::GuildState;

/// What random commands grant and deny.
const BITS: [Permissions; 15] = [
    Permissions::VIEW_CHANNEL,
    Permissions::SEND_MESSAGES,
    Permissions::MANAGE_ROLES,
    Permissions::MANAGE_CHANNELS,
    Permissions::MANAGE_GUILD,
    Permissions::KICK_MEMBERS,
    Permissions::BAN_MEMBERS,
    Permissions::CREATE_INSTANT_INVITE,
    Permissions::MANAGE_NICKNAMES,
    Permissions::CHANGE_NICKNAME,
    Permissions::MODERATE_MEMBERS,
    Permissions::MANAGE_WEBHOOKS,
    Permissions::CREATE_GUILD_EXPRESSIONS,
    Permissions::MANAGE_GUILD_EXPRESSIONS,
    Permissions::ADMINISTRATOR,
];

/// A command before it is known whom and what there is.
#[derive(Clone, Debug)]
pub(crate) struct Dice {
    pub(crate) actor: u64,
    what: u8,
    whom: u64,
    which: usize,
    more: u16,
    bits: u16,
}

/// Commands by anybody of the cast.
pub(crate) fn dice() -> impl Strategy<Value = Dice> {
    (
        CAST,
        0_u8..31,
        CAST,
        0_usize..64,
        any::<u16>(),
        any::<u16>(),
    )
        .prop_map(|(actor, what, whom, which, more, bits)| Dice {
            actor,
            what,
            whom,
            which,
            more,
            bits,
        })
}

impl Dice {
    /// The command, about what this guild has.
    pub(crate) fn command(&self, state: &GuildState) -> GuildCommand {
        match self.what {
            0..=4 => self.about_channels(state),
            5..=13 => self.about_roles(state),
            14..=19 => self.about_members(state),
            20 => invite(
                &format!("code{}", self.which % 3),
                u32::from(self.more % 3),
                0,
            ),
            21 => GuildCommand::DeleteInvite(self.code(state)),
            22 => GuildCommand::RefreshMember(Box::new(user(self.whom))),
            24..=27 => self.about_webhooks(state),
            28..=30 => self.about_emojis(state),
            _ => GuildCommand::UpdateGuild(GuildUpdate {
                is_public: Some(self.more.is_multiple_of(2)),
                owner_id: (self.bits.is_multiple_of(4)).then_some(id(self.whom)),
                ..GuildUpdate::default()
            }),
        }
    }

    fn about_channels(&self, state: &GuildState) -> GuildCommand {
        match (self.what, self.channel(state)) {
            (0, _) | (_, None) if self.more.is_multiple_of(3) => new_category(),
            (0, _) | (_, None) => new_channel(self.overwrites(state)),
            (1, Some(channel)) => GuildCommand::DeleteChannel(channel),
            (2, Some(channel)) => {
                let update = ChannelUpdate {
                    position: Some(self.more % 4),
                    ..ChannelUpdate::default()
                };
                GuildCommand::UpdateChannel(channel, update)
            }
            (3, Some(channel)) => match self.overwrites(state).first() {
                Some(&overwrite) if self.more.is_multiple_of(3) => {
                    let other = OverwriteTarget::Member(id(self.whom));
                    GuildCommand::RemoveOverwrite(channel, [overwrite.target, other])
                }
                Some(&overwrite) => GuildCommand::SetOverwrite(channel, overwrite),
                None => GuildCommand::MoveChannels(vec![self.place(state, channel)]),
            },
            (_, Some(channel)) => overwrites_of(channel, self.overwrites(state)),
        }
    }

    fn place(&self, state: &GuildState, channel: ChannelId) -> ChannelMove {
        let categories = state
            .channels()
            .filter(|channel| channel.kind == ChannelKind::Category);
        let categories: Vec<ChannelId> = categories.map(|channel| channel.id).collect();
        let parent = categories
            .get(self.which % categories.len().max(1))
            .copied();
        ChannelMove {
            id: channel,
            position: Some(self.bits % 4),
            parent_id: (self.more.is_multiple_of(2)).then_some(parent),
            takes_overwrites: self.more.is_multiple_of(3),
        }
    }

    fn about_roles(&self, state: &GuildState) -> GuildCommand {
        let role = self.role(state);
        let update = RoleUpdate {
            name: (self.more.is_multiple_of(3)).then(|| RoleName::parse("renamed").unwrap()),
            ..RoleUpdate::default()
        };
        match self.what {
            5 => GuildCommand::CreateRole(RoleUpdate {
                permissions: Some(self.edit()),
                position: Some(self.more % 7),
                ..update
            }),
            6 => GuildCommand::CreateRole(update),
            7 | 8 => GuildCommand::UpdateRole(
                role,
                RoleUpdate {
                    permissions: Some(self.edit()),
                    ..RoleUpdate::default()
                },
            ),
            9 => GuildCommand::UpdateRole(
                role,
                RoleUpdate {
                    position: Some(self.more % 7),
                    ..update
                },
            ),
            10 if self.more.is_multiple_of(3) => {
                GuildCommand::MoveRoles(vec![(role, self.bits % 7), (self.role(state), 2)])
            }
            10 => GuildCommand::DeleteRole(role),
            _ => {
                let mut roles: Vec<RoleId> = state.roles().map(|role| role.id).collect();
                roles.retain(|role| role.get() % 5 == u64::from(self.bits % 5));
                roles.push(role);
                GuildCommand::SetMemberRoles(id(self.whom), roles)
            }
        }
    }

    fn about_members(&self, state: &GuildState) -> GuildCommand {
        match self.what {
            14 => GuildCommand::UpdateMember(id(self.whom), self.member_update(state)),
            15 => join(
                self.actor,
                (!self.more.is_multiple_of(4))
                    .then(|| self.code(state))
                    .as_deref(),
            ),
            16 => GuildCommand::AddBot(Box::new(user(BOT))),
            17 if self.more.is_multiple_of(2) => GuildCommand::Leave,
            17 => GuildCommand::Unban(id(self.whom)),
            18 => GuildCommand::Kick(id(self.whom)),
            _ => GuildCommand::Ban(Box::new(user(self.whom)), None),
        }
    }

    fn about_emojis(&self, state: &GuildState) -> GuildCommand {
        let roles = match self.bits % 3 {
            0 => Vec::new(),
            _ => vec![self.role(state)],
        };
        let emojis: Vec<EmojiId> = state.emojis().map(|emoji| emoji.id).collect();
        let emoji = emojis.get(self.which % emojis.len().max(1)).copied();
        match (self.what, emoji) {
            (25, Some(emoji)) => GuildCommand::UpdateEmoji(
                emoji,
                EmojiUpdate {
                    name: EmojiName::parse(&format!("named_{}", self.more % 3)).ok(),
                    roles: (self.bits.is_multiple_of(2)).then_some(roles),
                },
            ),
            (26, Some(emoji)) => GuildCommand::DeleteEmoji(emoji),
            _ => GuildCommand::CreateEmoji(NewEmoji {
                id: EmojiId::new(2_000 + u64::from(self.more)).unwrap(),
                name: EmojiName::parse("fresh").unwrap(),
                is_animated: self.more.is_multiple_of(2),
                roles,
            }),
        }
    }

    fn member_update(&self, state: &GuildState) -> MemberUpdate {
        let nick = (self.more.is_multiple_of(2)).then(|| DisplayName::parse("Nick").unwrap());
        let roles = match self.bits % 4 {
            0 => Some(RolesEdit::Add(self.role(state))),
            1 => Some(RolesEdit::Remove(self.role(state))),
            _ => None,
        };
        MemberUpdate {
            nick: Some(nick).filter(|_| !self.more.is_multiple_of(3)),
            roles,
            timed_out_until: (self.bits.is_multiple_of(5))
                .then(|| (self.more.is_multiple_of(7)).then_some(NOW.plus_ms(60_000))),
        }
    }

    fn about_webhooks(&self, state: &GuildState) -> GuildCommand {
        let webhooks: Vec<WebhookId> = state.webhooks().map(|webhook| webhook.id).collect();
        let chosen = webhooks.get(self.which % webhooks.len().max(1)).copied();
        match (self.what, chosen, self.channel(state)) {
            (24, Some(webhook), channel) => {
                let update = WebhookUpdate {
                    channel_id: channel.filter(|_| self.more.is_multiple_of(2)),
                    name: (self.bits.is_multiple_of(2))
                        .then(|| WebhookName::parse(&format!("Hook {}", self.more % 3)).unwrap()),
                    ..WebhookUpdate::default()
                };
                GuildCommand::UpdateWebhook(webhook, None, update)
            }
            (25, Some(webhook), _) => GuildCommand::DeleteWebhook(webhook, None),
            (_, _, Some(channel)) => webhook_in(state, channel, u64::from(self.bits)),
            (_, _, None) => GuildCommand::Leave,
        }
    }

    fn role(&self, state: &GuildState) -> RoleId {
        let roles: Vec<RoleId> = state.roles().map(|role| role.id).collect();
        roles[self.which % roles.len()]
    }

    fn channel(&self, state: &GuildState) -> Option<ChannelId> {
        let channels: Vec<ChannelId> = state.channels().map(|channel| channel.id).collect();
        channels.get(self.which % channels.len().max(1)).copied()
    }

    fn code(&self, state: &GuildState) -> String {
        let codes: Vec<&str> = state.invites().map(|invite| invite.code.as_str()).collect();
        let code = codes.get(self.which % codes.len().max(1));
        code.copied().unwrap_or("none").to_owned()
    }

    fn edit(&self) -> PermissionEdit {
        PermissionEdit {
            mask: some(self.more),
            bits: some(self.bits),
        }
    }

    fn overwrites(&self, state: &GuildState) -> Vec<Overwrite> {
        let target = match self.which % 3 {
            0 => OverwriteTarget::Role(state.guild().id.everyone_role()),
            1 => OverwriteTarget::Role(self.role(state)),
            _ => OverwriteTarget::Member(id(self.whom)),
        };
        let first = Overwrite {
            target,
            allow: some(self.more),
            deny: some(self.bits),
        };
        let second = Overwrite {
            target: OverwriteTarget::Member(id(self.actor)),
            allow: some(self.bits),
            deny: Permissions::empty(),
        };
        match self.more % 4 {
            0 => Vec::new(),
            1 if first.target != second.target => vec![first, second],
            _ => vec![first],
        }
    }
}

/// Few bits of all, and ADMINISTRATOR seldom: who holds it is beyond most rules.
fn some(dice: u16) -> Permissions {
    let chosen = [dice % 14, dice / 14 % 14];
    let few = chosen.map(|place| BITS[usize::from(place)]);
    let all = if dice.is_multiple_of(97) {
        BITS[14]
    } else {
        Permissions::empty()
    };
    few[0] | few[1] | all
}
