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
use guildhall_ports::accounts::Taken;
use guildhall_ports::crash::{self, Point};
use guildhall_ports::guilds::{CommitError, Home};
use guildhall_state::guild::{GuildState, first_events};
use tokio::sync::oneshot;

use super::Node;
use crate::error::Refused;
use crate::partition::guild_actor::GuildShared;

/// A guild as it is at this moment on its owner.
#[derive(Clone)]
pub struct GuildView {
    shared: Arc<GuildShared>,
}

impl GuildView {
    /// Reads the state. Nothing may wait inside.
    pub fn read<T>(&self, read: impl FnOnce(&GuildState) -> T) -> T {
        read(&self.shared.state.read())
    }

    /// A copy of the state at this moment.
    pub(crate) fn copy(&self) -> GuildState {
        self.shared.state.read().clone()
    }
}

impl std::fmt::Debug for GuildView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GuildView")
            .field("id", &self.shared.id)
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
    /// A guild; `None` if it does not exist or has ended.
    pub async fn guild(&self, id: GuildId) -> Result<Option<GuildView>, Failure> {
        let partition = self.inner.event_partition(Source::Guild(id));
        let handle = partition.guild(self, id).await?;
        let living = handle.filter(|handle| !handle.shared.state.read().is_deleted());
        Ok(living.map(|handle| GuildView {
            shared: handle.shared,
        }))
    }

    /// Has a guild's owner decide a command, and waits until its events are durable.
    pub async fn command(
        &self,
        guild: GuildId,
        by: impl Into<By>,
        command: GuildCommand,
    ) -> Result<GuildDone, Refused> {
        let partition = self.inner.event_partition(Source::Guild(guild));
        let handle = partition.guild(self, guild).await?;
        let handle = handle.ok_or(Rejection::Unknown(Noun::Guild))?;
        let events = handle.command(by.into(), command).await?;
        Ok(GuildDone {
            events,
            view: GuildView {
                shared: handle.shared,
            },
        })
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
        self.commit_alone(record).await?;
        Ok(self
            .guild(id)
            .await?
            .ok_or(Rejection::Unknown(Noun::Guild))?)
    }

    /// Commits an event whose source is known to be at rest, rows and event together.
    async fn commit_alone(&self, record: Record) -> Result<(), Refused> {
        let node = self.clone();
        to_its_end(async move { node.commit_wholly(record).await }).await
    }

    async fn commit_wholly(&self, record: Record) -> Result<(), Refused> {
        let source = record.source;
        let partition = self.inner.event_partition(source);
        let writer = partition.writer();
        let place = writer.place()?;
        let committed = self
            .inner
            .stores
            .guilds
            .commit(partition.token, std::slice::from_ref(&record))
            .await;
        committed.map_err(|error| match error {
            CommitError::Taken(Taken::Username) => Rejection::Taken("username").into(),
            CommitError::Taken(Taken::Email) => Rejection::Taken("email").into(),
            CommitError::PairExists(_) => Rejection::Taken("pair").into(),
            CommitError::Failure(failure) => Refused::Failure(failure),
        })?;
        crash::pass(Point::DirectCommitted);
        let gseq = record.gseq;
        let (reply, stable) = oneshot::channel();
        place.submit(
            vec![record],
            Box::new(move |outcome| drop(reply.send(outcome))),
        );
        stable.await.map_err(|_| Failure::Closing)??;
        self.inner.outbox_done(source, gseq);
        Ok(())
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
        match self.commit_alone(record).await {
            Ok(()) => Ok(channel),
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
        let node = self.clone();
        to_its_end(async move { node.update_wholly(after).await }).await
    }

    async fn update_wholly(&self, after: Account) -> Result<(), Refused> {
        let user = after.user.clone();
        let source = Source::User(user.id);
        let partition = self.inner.event_partition(source);
        let stream = partition.stream(&self.inner, source).await?;
        let mut head = stream.head().await?;
        let event = Event::UserUpdated {
            user: Box::new(after.user),
            email: after.email,
        };
        let records = head.records(self.inner.env.now(), vec![event]);
        let record = records.first().cloned().ok_or(Failure::Closing)?;
        match self.commit_wholly(record).await {
            Err(Refused::Failure(failure)) => {
                head.end();
                return Err(failure.into());
            }
            outcome => outcome?,
        }
        head.advance(&records);
        drop(head);
        for guild in self.guilds_of(user.id).await? {
            let refresh = GuildCommand::RefreshMember(Box::new(user.clone()));
            self.command(guild, user.id, refresh).await?;
        }
        Ok(())
    }
}

/// Runs on although nobody waits for it any more. A request ends wherever it is when its client
/// hangs up, and between a commit and its append that would be in the midst of a change.
async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, Refused>> + Send + 'static,
) -> Result<T, Refused> {
    let done = tokio::spawn(work).await;
    done.map_err(|_| Failure::Closing)?
}
