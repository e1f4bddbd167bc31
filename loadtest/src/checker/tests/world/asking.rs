//! The calls of the world's users, as their clients write them down.

use super::{CLOSED, Change, World, channel_id, message_id, user_id};
use crate::history::{Access, Action, Entry, Request, Response};

impl World {
    pub(super) fn send(&mut self, user: usize, change: &Change) -> u64 {
        let (action, access) = match change {
            Change::Post { .. } => (Action::Post, None),
            Change::Edit { .. } => (Action::Edit, None),
            Change::Delete { .. } => (Action::Delete, None),
            Change::React { .. } => (Action::React, None),
            Change::Sight { user, view } => (Action::Other, Some((*user, CLOSED, *view))),
        };
        self.request(action, user, Some(change), access.as_slice())
    }

    pub(super) fn request(
        &mut self,
        action: Action,
        user: usize,
        change: Option<&Change>,
        access: &[(usize, usize, bool)],
    ) -> u64 {
        self.calls += 1;
        let mut request = Request {
            call: self.calls,
            user: user_id(user).into(),
            action,
            method: "POST".into(),
            path: "/".into(),
            channel: None,
            message: None,
            nonce: None,
            tag: None,
            access: access
                .iter()
                .map(|&(user, channel, view)| Access {
                    channel: channel_id(channel).into(),
                    user: user_id(user).into(),
                    view,
                })
                .collect(),
        };
        match change {
            Some(Change::Post { channel, nonce }) => {
                request.channel = Some(channel_id(*channel).into());
                request.nonce = Some(nonce.clone().into());
            }
            Some(Change::Edit { message, tag } | Change::React { message, tag }) => {
                request.channel = Some(channel_id(self.rows[*message].channel).into());
                request.message = Some(message_id(*message).into());
                request.tag = Some(tag.clone().into());
            }
            Some(Change::Delete { message }) => {
                request.channel = Some(channel_id(self.rows[*message].channel).into());
                request.message = Some(message_id(*message).into());
            }
            Some(Change::Sight { .. }) | None => {}
        }
        let at = self.tick();
        self.rest.push((at, Entry::Request(request)));
        self.calls
    }

    pub(super) fn respond(&mut self, call: u64, status: u16, message: Option<usize>) {
        let at = self.tick();
        let response = Response {
            call,
            status,
            message: message.map(|message| message_id(message).into()),
        };
        self.rest.push((at, Entry::Response(response)));
    }
}
