//! Channels that a change of roles, overwrites or ownership shows or hides.

use guildhall_model::channel::Channel;
use guildhall_model::dispatch::Dispatch;
use guildhall_model::event::Event;
use guildhall_model::{ChannelId, Permissions, RoleId, UserId};
use rustc_hash::{FxHashMap, FxHashSet};

use super::SessionRef;
use crate::guild::GuildState;

/// What some connected users could see before an event.
pub(super) struct Visibility {
    /// The users whose view the event may change.
    users: Vec<UserId>,
    seen: FxHashMap<ChannelId, FxHashSet<UserId>>,
    channels: Vec<Channel>,
}

/// A channel that came into view, or went out of it, for some users.
pub(super) struct Shift {
    pub(super) users: Vec<UserId>,
    channel: Channel,
    is_shown: bool,
}

impl Shift {
    pub(super) fn dispatch(&self) -> Dispatch {
        let channel = Box::new(self.channel.clone());
        if self.is_shown {
            Dispatch::ChannelShown(channel)
        } else {
            Dispatch::ChannelHidden(channel)
        }
    }
}

impl Visibility {
    /// Takes down what the connected users concerned see before the event is applied.
    pub(super) fn before(
        state: &GuildState,
        event: &Event,
        connected: &FxHashMap<UserId, Vec<SessionRef>>,
    ) -> Self {
        let mut users: Vec<UserId> = match event {
            Event::RoleUpdated(change) if change.before.permissions != change.after.permissions => {
                let changed = change.before.permissions ^ change.after.permissions;
                if changed.intersects(Permissions::VIEW_CHANNEL | Permissions::ADMINISTRATOR) {
                    holders(state, change.after.id, connected)
                } else {
                    Vec::new()
                }
            }
            Event::RoleDeleted(end) => holders(state, end.role.id, connected),
            Event::MemberUpdated(change) if change.before.roles != change.after.roles => {
                let user = change.after.user.id;
                connected
                    .contains_key(&user)
                    .then_some(user)
                    .into_iter()
                    .collect()
            }
            Event::GuildUpdated(change) if change.before.owner_id != change.after.owner_id => {
                let both = [change.before.owner_id, change.after.owner_id];
                both.into_iter()
                    .filter(|user| connected.contains_key(user))
                    .collect()
            }
            Event::ChannelUpdated(_) => connected.keys().copied().collect(),
            _ => Vec::new(),
        };
        users.sort_unstable();
        let channels: Vec<Channel> = match event {
            _ if users.is_empty() => Vec::new(),
            Event::ChannelUpdated(change) => vec![change.before.clone()],
            _ => state
                .channels()
                .map(|channel| Channel::clone(channel))
                .collect(),
        };
        let seen = channels.iter().map(|channel| {
            let viewers = users
                .iter()
                .copied()
                .filter(|&user| state.can_view(user, channel));
            (channel.id, viewers.collect())
        });
        Self {
            seen: seen.collect(),
            users,
            channels,
        }
    }

    /// The connected users who saw a channel before.
    pub(super) fn viewers_before(&self, channel: ChannelId) -> FxHashSet<UserId> {
        self.seen.get(&channel).cloned().unwrap_or_default()
    }

    /// What has come into view or gone out of it, now that the event is applied.
    pub(super) fn shifts(&self, state: &GuildState) -> Vec<Shift> {
        let mut shifts = Vec::new();
        for before in &self.channels {
            let Some(now) = state.channel(before.id) else {
                continue;
            };
            let Some(seen) = self.seen.get(&before.id) else {
                continue;
            };
            let (mut shown, mut hidden) = (Vec::new(), Vec::new());
            for &user in &self.users {
                match (seen.contains(&user), state.can_view(user, now)) {
                    (false, true) => shown.push(user),
                    (true, false) => hidden.push(user),
                    _ => {}
                }
            }
            if !hidden.is_empty() {
                // Who loses a channel sees it once more as it was, not as it has become.
                shifts.push(Shift {
                    users: hidden,
                    channel: before.clone(),
                    is_shown: false,
                });
            }
            if !shown.is_empty() {
                shifts.push(Shift {
                    users: shown,
                    channel: Channel::clone(now),
                    is_shown: true,
                });
            }
        }
        shifts
    }
}

fn holders(
    state: &GuildState,
    role: RoleId,
    connected: &FxHashMap<UserId, Vec<SessionRef>>,
) -> Vec<UserId> {
    let everyone = role == state.guild().id.everyone_role();
    let holds = |user: &UserId| {
        everyone
            || state
                .member(*user)
                .is_some_and(|m| m.roles.binary_search(&role).is_ok())
    };
    connected.keys().copied().filter(holds).collect()
}
