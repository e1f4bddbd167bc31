//! Guilds, direct channels and profiles: commands to their owners, and views for reading.

use std::sync::Arc;

use guildhall_model::account::Account;
use guildhall_model::audit::By;
use guildhall_model::channel::DirectChannel;
use guildhall_model::command::GuildCommand;
use guildhall_model::event::{Event, Record, Source};
use guildhall_model::picture::Picture;
use guildhall_model::rejection::Noun;
use guildhall_model::text::{Description, GuildName};
use guildhall_model::user::User;
use guildhall_model::{ChannelId, GuildId, Rejection, UserId};
use guildhall_ports::Failure;
use guildhall_ports::guilds::Home;
use guildhall_state::guild::{GuildState, first_events};

use super::Node;
use crate::calls::{Answer, Ask, misunderstood};
use crate::error::Refused;
use crate::partition::guild_actor::GuildShared;

/// A guild as it is at this moment on its owner, or as its rows were when it was asked for on
/// another node.
#[derive(Clone)]
pub struct GuildView(Kept);

#[derive(Clone)]
enum Kept {
    Owned(Arc<GuildShared>),
    Copied(Arc<GuildState>),
}

impl GuildView {
    /// Reads the state. Nothing may wait inside.
    pub fn read<T>(&self, read: impl FnOnce(&GuildState) -> T) -> T {
        match &self.0 {
            Kept::Owned(shared) => read(&shared.state.read()),
            Kept::Copied(state) => read(state),
        }
    }

    /// A copy of the state at this moment.
    pub(crate) fn copy(&self) -> GuildState {
        self.read(GuildState::clone)
    }
}

impl std::fmt::Debug for GuildView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GuildView")
            .field("id", &self.read(|state| state.guild().id))
            .finish_non_exhaustive()
    }
}

/// A command that was carried out and is durable.
#[derive(Clone, Debug)]
pub struct GuildDone {
    /// What has happened; nothing when everything was as asked already.
    pub events: Vec<Event>,
    /// The guild, at or after these events.
    pub view: GuildView,
}

/// What a new guild is made from.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "as in Guild")]
pub struct NewGuild {
    pub name: GuildName,
    pub description: Option<Description>,
    pub icon: Option<Picture>,
    pub is_public: bool,
}

impl Node {
    /// A guild; `None` if it does not exist or has ended. What another node owns is, while the
    /// relational store is away, as it was known lately.
    pub async fn guild(&self, id: GuildId) -> Result<Option<GuildView>, Failure> {
        let view = match self.inner.owned(Source::Guild(id)) {
            Some(partition) => {
                let handle = partition.guild(self, id).await?;
                handle.map(|handle| GuildView(Kept::Owned(handle.shared)))
            }
            None => self.recent_copy_of(id).await?,
        };
        Ok(view.filter(|view| !view.read(GuildState::is_deleted)))
    }

    /// A guild as its rows are, or were lately while the store is away.
    async fn recent_copy_of(&self, id: GuildId) -> Result<Option<GuildView>, Failure> {
        let inner = &self.inner;
        let copy = inner.copies.get(&inner.stores, id, inner.env.now());
        Ok(copy.await?.map(|copy| GuildView(Kept::Copied(copy))))
    }

    /// A guild as its rows are, though it may have ended.
    async fn copy_of(&self, id: GuildId) -> Result<Option<GuildView>, Failure> {
        let inner = &self.inner;
        let copy = inner.copies.present(&inner.stores, id, inner.env.now());
        Ok(copy.await?.map(|copy| GuildView(Kept::Copied(copy))))
    }

    /// Has a guild's owner decide a command, and waits until its events are durable.
    pub async fn command(
        &self,
        guild: GuildId,
        by: impl Into<By>,
        command: GuildCommand,
    ) -> Result<GuildDone, Refused> {
        let by = by.into();
        let ask = Ask::Command { guild, by, command };
        let answer = self.ask(Source::Guild(guild), ask).await?;
        let Answer::Events(events) = answer else {
            return Err(misunderstood().into());
        };
        // One that was recalled would be without the events.
        let mut view = match self.inner.owned(Source::Guild(guild)) {
            Some(_) => self.guild(guild).await?,
            None => self.copy_of(guild).await?,
        };
        if view.is_none() {
            // It has just ended.
            view = self.copy_of(guild).await?;
        }
        let view = view.ok_or(Rejection::Unknown(Noun::Guild))?;
        Ok(GuildDone { events, view })
    }

    /// Makes a guild with its `@everyone` role, the channel `general` and its owner as member.
    pub async fn create_guild(&self, owner: User, new: NewGuild) -> Result<GuildView, Refused> {
        let now = self.inner.env.now();
        let details = (new.description.map(Into::into), new.icon, new.is_public);
        let event = self
            .inner
            .minting(now, |mint| first_events(owner, new.name, details, mint));
        let Event::GuildCreated(founding) = &event else {
            return Err(Rejection::Unknown(Noun::Guild).into());
        };
        let id = founding.guild.id;
        let record = Record {
            source: Source::Guild(id),
            gseq: 1,
            at: now,
            event,
        };
        self.ask(record.source, Ask::Commit(Box::new(record)))
            .await?;
        Ok(self
            .guild(id)
            .await?
            .ok_or(Rejection::Unknown(Noun::Guild))?)
    }

    /// Where a channel belongs; `None` if it does not exist.
    pub async fn home_of(&self, channel: ChannelId) -> Result<Option<Home>, Failure> {
        self.inner.home_of(channel).await
    }

    /// The guilds that a user is a member of, rising.
    pub async fn guilds_of(&self, user: UserId) -> Result<Vec<GuildId>, Failure> {
        self.inner.stores.guilds.guilds_of(user).await
    }

    /// The direct-message channel of two users, opened if there is none.
    pub async fn direct_with(&self, from: User, to: User) -> Result<DirectChannel, Refused> {
        let users = DirectChannel::pair(from.id, to.id);
        if let Some(channel) = self.inner.stores.guilds.direct_of(users).await? {
            return Ok(channel);
        }
        let channel = DirectChannel {
            id: self.mint(),
            users,
        };
        let pair = if from.id == users[0] {
            [from, to]
        } else {
            [to, from]
        };
        let event = Event::DirectOpened {
            channel,
            users: Box::new(pair),
        };
        let source = Source::Direct(channel.id);
        let record = Record {
            source,
            gseq: 1,
            at: self.inner.env.now(),
            event,
        };
        match self.ask(source, Ask::Commit(Box::new(record))).await {
            Ok(_) => Ok(channel),
            // The other one was faster.
            Err(Refused::Rejection(Rejection::Taken("pair"))) => {
                let channel = self.inner.stores.guilds.direct_of(users).await?;
                Ok(channel.ok_or(Rejection::Unknown(Noun::Channel))?)
            }
            Err(refused) => Err(refused),
        }
    }

    /// Changes a profile, tells the user's own sessions, and then the guilds.
    pub async fn update_user(&self, before: &Account, after: Account) -> Result<(), Refused> {
        if *before == after {
            return Ok(());
        }
        let source = Source::User(after.user.id);
        self.ask(source, Ask::UpdateUser(Box::new(after))).await?;
        Ok(())
    }
}
