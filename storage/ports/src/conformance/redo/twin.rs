//! A slow, plain twin of the projection: messages in a list, and how events change them.

use std::collections::BTreeSet;

use guildhall_model::event::Event;
use guildhall_model::message::{Anchor, Emoji, Message, ReactionCount};
use guildhall_model::{ChannelId, MessageId, UserId};

/// Living messages with who gave which emoji, in order of first use.
#[derive(Default)]
pub(super) struct Twin {
    messages: Vec<(Message, Vec<Given>)>,
}

type Given = (Emoji, BTreeSet<UserId>);

impl Twin {
    pub(super) fn fold(&mut self, event: &Event) {
        match event {
            Event::MessageCreated(message) => {
                self.messages.push(((**message).clone(), Vec::new()));
            }
            Event::MessageUpdated(message) => {
                if let Some((present, _)) = self.find(message.id) {
                    *present = (**message).clone();
                }
            }
            Event::MessageDeleted { id, .. } => self.messages.retain(|(m, _)| m.id != *id),
            Event::MessagesDeleted { ids, .. } => {
                self.messages.retain(|(m, _)| !ids.contains(&m.id));
            }
            Event::ReactionsCleared {
                message_id, emoji, ..
            } => {
                if let Some((_, given)) = self.find(*message_id) {
                    given.retain(|(of, _)| emoji.as_ref().is_some_and(|emoji| emoji != of));
                }
            }
            Event::ReactionAdded(reaction) => {
                if let Some((_, given)) = self.find(reaction.message_id) {
                    match given.iter_mut().find(|(e, _)| *e == reaction.emoji) {
                        Some((_, users)) => {
                            users.insert(reaction.user_id);
                        }
                        None => given.push((reaction.emoji.clone(), [reaction.user_id].into())),
                    }
                }
            }
            Event::ReactionRemoved(reaction) => {
                if let Some((_, given)) = self.find(reaction.message_id) {
                    for (_, users) in given.iter_mut().filter(|(e, _)| *e == reaction.emoji) {
                        users.remove(&reaction.user_id);
                    }
                    given.retain(|(_, users)| !users.is_empty());
                }
            }
            _ => {}
        }
    }

    fn find(&mut self, id: MessageId) -> Option<&mut (Message, Vec<Given>)> {
        self.messages.iter_mut().find(|(m, _)| m.id == id)
    }

    /// The living messages as they are shown, oldest first.
    pub(super) fn shown(&self) -> Vec<Message> {
        let mut shown: Vec<Message> = self
            .messages
            .iter()
            .map(|(message, given)| {
                let mut message = message.clone();
                message.reactions = given
                    .iter()
                    .map(|(emoji, users)| ReactionCount {
                        emoji: emoji.clone(),
                        count: u32::try_from(users.len()).unwrap_or(u32::MAX),
                    })
                    .collect();
                message
            })
            .collect();
        shown.sort_by_key(|message| message.id);
        shown
    }

    /// Who gave an emoji to a message, rising.
    pub(super) fn reactors(&self, id: MessageId, emoji: &Emoji) -> Vec<UserId> {
        self.messages
            .iter()
            .filter(|(message, _)| message.id == id)
            .flat_map(|(_, given)| given)
            .filter(|(given, _)| given == emoji)
            .flat_map(|(_, users)| users.iter().copied())
            .collect()
    }

    /// What a user gave to all messages.
    pub(super) fn given_by(&self, user: UserId) -> Vec<(MessageId, Emoji)> {
        let mut all = Vec::new();
        for (message, given) in &self.messages {
            for (emoji, users) in given {
                if users.contains(&user) {
                    all.push((message.id, emoji.clone()));
                }
            }
        }
        all
    }

    pub(super) fn page(&self, channel: ChannelId, anchor: Anchor, limit: usize) -> Vec<Message> {
        let mut all = self.shown();
        all.retain(|message| message.channel_id == channel);
        let mut page = match anchor {
            Anchor::Newest => last(all, limit),
            Anchor::Before(id) => {
                all.retain(|message| message.id < id);
                last(all, limit)
            }
            Anchor::After(id) => {
                all.retain(|message| message.id > id);
                all.truncate(limit);
                all
            }
            Anchor::Around(id) => {
                let above = all.partition_point(|message| message.id <= id);
                let mut upper = all.split_off(above);
                upper.truncate(limit / 2);
                let mut page = last(all, limit - limit / 2);
                page.append(&mut upper);
                page
            }
        };
        page.reverse();
        page
    }
}

fn last(mut list: Vec<Message>, limit: usize) -> Vec<Message> {
    list.split_off(list.len().saturating_sub(limit))
}
