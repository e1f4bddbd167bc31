//! The newest messages of a channel, so that history never lags behind its own events.

use std::collections::VecDeque;
use std::sync::Arc;

use guildhall_model::event::Event;
use guildhall_model::message::{Anchor, Emoji, Message, ReactionCount};
use guildhall_model::{MessageId, limits};

/// The newest messages in rising order, without gaps from its first one on.
#[derive(Debug, Default)]
pub struct Window {
    messages: VecDeque<Arc<Message>>,
    /// No older message exists: the window is the whole channel.
    is_whole: bool,
}

impl Window {
    /// The window over the newest page of a channel, given newest first. Fewer than `asked` for
    /// means that there are no older ones.
    pub fn over(page: Vec<Message>, asked: usize) -> Self {
        let is_whole = page.len() < asked;
        Self {
            messages: page.into_iter().rev().map(Arc::new).collect(),
            is_whole,
        }
    }

    /// The message, if it is in the window.
    pub fn get(&self, id: MessageId) -> Option<&Arc<Message>> {
        let place = self
            .messages
            .binary_search_by_key(&id, |message| message.id)
            .ok()?;
        self.messages.get(place)
    }

    /// The window knows whether there is a message with this id.
    pub fn covers(&self, id: MessageId) -> bool {
        self.is_whole || self.messages.front().is_some_and(|first| first.id <= id)
    }

    /// A page, newest first, if it lies wholly within the window.
    pub fn page(&self, anchor: Anchor, limit: u16) -> Option<Vec<Arc<Message>>> {
        let limit = usize::from(limit);
        let place = |id: MessageId| self.messages.partition_point(|message| message.id < id);
        let n = self.messages.len();
        let range = match anchor {
            Anchor::Newest => n.saturating_sub(limit)..n,
            Anchor::Before(id) => place(id).saturating_sub(limit)..place(id),
            Anchor::After(id) => {
                if !self.covers(id) {
                    return None;
                }
                let start = self.messages.partition_point(|message| message.id <= id);
                start..n.min(start + limit)
            }
            Anchor::Around(_) => return None,
        };
        let is_short = range.len() < limit;
        if is_short && !self.is_whole && !matches!(anchor, Anchor::After(_)) {
            return None;
        }
        Some(self.messages.range(range).rev().cloned().collect())
    }

    /// Folds an event of the channel in.
    pub fn apply(&mut self, event: &Event) {
        match event {
            // What one user alone sees is not part of the history.
            Event::MessageCreated(message) if message.only_for().is_some() => {}
            Event::MessageCreated(message) => {
                self.messages.push_back(Arc::new((**message).clone()));
                if self.messages.len() > limits::RECENT_MESSAGES_MAX {
                    self.messages.pop_front();
                    self.is_whole = false;
                }
            }
            Event::MessageUpdated(message) => {
                let reactions = self.get(message.id).map(|old| old.reactions.clone());
                if let Some(slot) = self.slot(message.id) {
                    let mut message = (**message).clone();
                    message.reactions = reactions.unwrap_or_default();
                    *slot = Arc::new(message);
                }
            }
            Event::MessageDeleted { id, .. } => {
                self.messages.retain(|message| message.id != *id);
            }
            Event::MessagesDeleted { ids, .. } => {
                self.messages.retain(|message| !ids.contains(&message.id));
            }
            Event::ReactionsCleared {
                message_id, emoji, ..
            } => {
                if let Some(slot) = self.slot(*message_id) {
                    let is_cleared = |of: &Emoji| emoji.as_ref().is_none_or(|emoji| emoji == of);
                    let counts = &mut Arc::make_mut(slot).reactions;
                    counts.retain(|count| !is_cleared(&count.emoji));
                }
            }
            Event::ReactionAdded(reaction) => {
                if let Some(slot) = self.slot(reaction.message_id) {
                    let counts = &mut Arc::make_mut(slot).reactions;
                    match counts
                        .iter_mut()
                        .find(|count| count.emoji == reaction.emoji)
                    {
                        Some(count) => count.count += 1,
                        None => counts.push(ReactionCount {
                            emoji: reaction.emoji.clone(),
                            count: 1,
                        }),
                    }
                }
            }
            Event::ReactionRemoved(reaction) => {
                if let Some(slot) = self.slot(reaction.message_id) {
                    let counts = &mut Arc::make_mut(slot).reactions;
                    for count in counts.iter_mut().filter(|c| c.emoji == reaction.emoji) {
                        count.count = count.count.saturating_sub(1);
                    }
                    counts.retain(|count| count.count > 0);
                }
            }
            _ => {}
        }
    }

    fn slot(&mut self, id: MessageId) -> Option<&mut Arc<Message>> {
        let place = self
            .messages
            .binary_search_by_key(&id, |message| message.id)
            .ok()?;
        self.messages.get_mut(place)
    }
}
