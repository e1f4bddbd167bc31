//! A guild's lasting state: a fold of its events, with what follows from it.

mod decide;
mod fold;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use guildhall_model::channel::Channel;
use guildhall_model::dispatch::Viewer;
use guildhall_model::emoji::GuildEmoji;
use guildhall_model::event::{Founding, Record};
use guildhall_model::guild::{Guild, GuildRows, GuildSnapshot};
use guildhall_model::invite::Invite;
use guildhall_model::member::{Ban, Member};
use guildhall_model::permission::Standing;
use guildhall_model::role::{Rank, Role};
use guildhall_model::webhook::Webhook;
use guildhall_model::{ChannelId, EmojiId, Permissions, RoleId, Timestamp, UserId, WebhookId};
use rustc_hash::FxHashMap;

pub use decide::{Acting, first_events};

/// A guild at one point of its stream.
///
/// Values are shared, so that a copy for another reader costs a reference per value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuildState {
    guild: Arc<Guild>,
    deleted: bool,
    roles: BTreeMap<RoleId, Arc<Role>>,
    channels: BTreeMap<ChannelId, Arc<Channel>>,
    members: FxHashMap<UserId, Arc<Member>>,
    bans: BTreeMap<UserId, Arc<Ban>>,
    invites: BTreeMap<String, Arc<Invite>>,
    webhooks: BTreeMap<WebhookId, Arc<Webhook>>,
    emojis: BTreeMap<EmojiId, Arc<GuildEmoji>>,
    gseq: u64,
}

impl GuildState {
    /// The state that a store's rows describe.
    pub fn restore(rows: GuildRows) -> Self {
        Self {
            guild: Arc::new(rows.guild),
            deleted: rows.deleted,
            roles: rows
                .roles
                .into_iter()
                .map(|role| (role.id, Arc::new(role)))
                .collect(),
            channels: rows
                .channels
                .into_iter()
                .map(|c| (c.id, Arc::new(c)))
                .collect(),
            members: rows
                .members
                .into_iter()
                .map(|m| (m.user.id, Arc::new(m)))
                .collect(),
            bans: rows
                .bans
                .into_iter()
                .map(|ban| (ban.user.id, Arc::new(ban)))
                .collect(),
            invites: rows
                .invites
                .into_iter()
                .map(|i| (i.code.clone(), Arc::new(i)))
                .collect(),
            webhooks: rows
                .webhooks
                .into_iter()
                .map(|webhook| (webhook.id, Arc::new(webhook)))
                .collect(),
            emojis: rows
                .emojis
                .into_iter()
                .map(|emoji| (emoji.id, Arc::new(emoji)))
                .collect(),
            gseq: rows.gseq,
        }
    }

    /// The state after a guild's first event.
    pub fn found(founding: &Founding, gseq: u64) -> Self {
        Self::restore(GuildRows {
            guild: founding.guild.clone(),
            deleted: false,
            roles: vec![founding.everyone.clone()],
            channels: vec![founding.channel.clone()],
            members: vec![founding.owner.clone()],
            bans: Vec::new(),
            invites: Vec::new(),
            webhooks: Vec::new(),
            emojis: Vec::new(),
            gseq,
        })
    }

    /// Folds the next record of the guild's stream into the state. Records at or before the
    /// state's place change nothing.
    pub fn apply(&mut self, record: &Record) {
        if record.gseq > self.gseq {
            fold::apply(self, &record.event);
            self.gseq = record.gseq;
        }
    }

    /// Takes back the last record that was folded in. The state then stands where it stood
    /// before. Records after the state's place change nothing.
    pub fn revert(&mut self, record: &Record) {
        if record.gseq <= self.gseq {
            fold::revert(self, &record.event);
            self.gseq = record.gseq - 1;
        }
    }

    /// Says that the state stands at this place: what lies between changes no guild and has not
    /// been heard.
    pub fn stand_at(&mut self, gseq: u64) {
        debug_assert!(
            gseq <= self.gseq,
            "a state holds what came before its place"
        );
        self.gseq = gseq;
    }

    /// The guild itself.
    pub fn guild(&self) -> &Arc<Guild> {
        &self.guild
    }

    /// It has ended.
    pub const fn is_deleted(&self) -> bool {
        self.deleted
    }

    /// The place of the last event in the state.
    pub const fn gseq(&self) -> u64 {
        self.gseq
    }

    /// All roles, by id.
    pub fn roles(&self) -> impl Iterator<Item = &Arc<Role>> {
        self.roles.values()
    }

    /// One role.
    pub fn role(&self, id: RoleId) -> Option<&Arc<Role>> {
        self.roles.get(&id)
    }

    /// All channels, by id.
    pub fn channels(&self) -> impl Iterator<Item = &Arc<Channel>> {
        self.channels.values()
    }

    /// One channel.
    pub fn channel(&self, id: ChannelId) -> Option<&Arc<Channel>> {
        self.channels.get(&id)
    }

    /// All members, in no order.
    pub fn members(&self) -> impl Iterator<Item = &Arc<Member>> {
        self.members.values()
    }

    /// One member.
    pub fn member(&self, id: UserId) -> Option<&Arc<Member>> {
        self.members.get(&id)
    }

    /// How many members there are.
    pub fn member_count(&self) -> u32 {
        u32::try_from(self.members.len()).unwrap_or(u32::MAX)
    }

    /// All bans, by user.
    pub fn bans(&self) -> impl Iterator<Item = &Arc<Ban>> {
        self.bans.values()
    }

    /// One ban.
    pub fn ban(&self, user: UserId) -> Option<&Arc<Ban>> {
        self.bans.get(&user)
    }

    /// All invites, spent ones included.
    pub fn invites(&self) -> impl Iterator<Item = &Arc<Invite>> {
        self.invites.values()
    }

    /// One invite.
    pub fn invite(&self, code: &str) -> Option<&Arc<Invite>> {
        self.invites.get(code)
    }

    /// All webhooks, the oldest first.
    pub fn webhooks(&self) -> impl Iterator<Item = &Arc<Webhook>> {
        self.webhooks.values()
    }

    /// One webhook.
    pub fn webhook(&self, id: WebhookId) -> Option<&Arc<Webhook>> {
        self.webhooks.get(&id)
    }

    /// All emojis, by id.
    pub fn emojis(&self) -> impl Iterator<Item = &Arc<GuildEmoji>> {
        self.emojis.values()
    }

    /// One emoji.
    pub fn emoji(&self, id: EmojiId) -> Option<&Arc<GuildEmoji>> {
        self.emojis.get(&id)
    }

    /// Copies of all emojis, by id, for events that tell of them.
    fn emoji_list(&self) -> Vec<GuildEmoji> {
        self.emojis
            .values()
            .map(|emoji| GuildEmoji::clone(emoji))
            .collect()
    }

    /// What a member brings to the question what it may do at `now`; `None` for strangers.
    pub fn standing(&self, user: UserId, now: Timestamp) -> Option<Standing<'_>> {
        let member = self.members.get(&user)?;
        let everyone = self.guild.id.everyone_role();
        let granted = std::iter::once(&everyone).chain(&member.roles);
        Some(Standing {
            user_id: user,
            is_owner: self.guild.owner_id == user,
            is_timed_out: member.timed_out_until.is_some_and(|end| now < end),
            everyone,
            roles: &member.roles,
            base: granted
                .filter_map(|id| self.roles.get(id))
                .fold(Permissions::empty(), |held, role| held | role.permissions),
        })
    }

    /// What somebody may do in the guild as a whole; nothing for strangers.
    pub fn permissions(&self, user: UserId, now: Timestamp) -> Permissions {
        self.standing(user, now)
            .map_or(Permissions::empty(), |standing| standing.in_guild())
    }

    /// What somebody may do in a channel; nothing for strangers and unknown channels.
    pub fn channel_permissions(
        &self,
        user: UserId,
        channel: ChannelId,
        now: Timestamp,
    ) -> Permissions {
        match (self.standing(user, now), self.channels.get(&channel)) {
            (Some(standing), Some(channel)) => standing.in_channel(&channel.overwrites),
            _ => Permissions::empty(),
        }
    }

    /// The user is a member who can see the channel. Time-outs do not hide channels.
    pub fn can_view(&self, user: UserId, channel: &Channel) -> bool {
        self.standing(user, Timestamp(i64::MAX))
            .is_some_and(|standing| {
                standing
                    .in_channel(&channel.overwrites)
                    .contains(Permissions::VIEW_CHANNEL)
            })
    }

    /// The channels that a user can see, by position.
    pub fn visible_channels(&self, user: UserId) -> Vec<&Arc<Channel>> {
        let mut visible: Vec<_> = self
            .channels
            .values()
            .filter(|c| self.can_view(user, c))
            .collect();
        visible.sort_by_key(|channel| (channel.position, channel.id));
        visible
    }

    /// Where a member stands among the roles. The owner is above all, see [`Acting`].
    fn rank(&self, member: &Member) -> Option<Rank> {
        member
            .roles
            .iter()
            .filter_map(|id| self.roles.get(id))
            .map(|role| role.rank())
            .max()
    }

    /// All that one member may see of the guild; `None` for strangers. A guild with more members
    /// than the viewer's threshold comes without them.
    pub fn snapshot_for(&self, viewer: &Viewer) -> Option<GuildSnapshot> {
        let user = viewer.user_id;
        let me = self.members.get(&user)?;
        let large = self.members.len() > usize::from(viewer.large_threshold);
        let mut members = vec![Member::clone(me)];
        if !large {
            members.extend(
                self.members
                    .values()
                    .filter(|m| m.user.id != user)
                    .map(|m| (**m).clone()),
            );
            members.sort_by_key(|member| member.user.id);
        }
        let mut roles: Vec<Role> = self.roles.values().map(|role| (**role).clone()).collect();
        roles.sort_by_key(Role::rank);
        Some(GuildSnapshot {
            guild: (*self.guild).clone(),
            roles,
            channels: self
                .visible_channels(user)
                .into_iter()
                .map(|c| (**c).clone())
                .collect(),
            members,
            member_count: self.member_count(),
            large,
            emojis: self.emoji_list(),
            me: user,
        })
    }
}
