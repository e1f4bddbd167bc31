//! Carrying out what a partition's owner is asked for, on its owner.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use guildhall_model::account::Account;
use guildhall_model::command::GuildCommand;
use guildhall_model::event::{Event, Record, Source};
use guildhall_model::rejection::Noun;
use guildhall_model::{ChannelId, GuildId, Rejection};
use guildhall_ports::Failure;
use guildhall_ports::accounts::Taken;
use guildhall_ports::crash::{self, Point};
use guildhall_ports::guilds::{CommitError, Home};
use tokio::sync::oneshot;

use super::{Answer, Ask};
use crate::error::Refused;
use crate::node::Node;
use crate::partition::EventPartition;
use crate::partition::channel_actor::ChannelHandle;
use crate::partition::guild_actor::GuildHandle;

/// A partition that this node owns, and what is to be done there.
pub(crate) struct Owner<'a> {
    pub(crate) node: &'a Node,
    pub(crate) partition: &'a Arc<EventPartition>,
}

impl Owner<'_> {
    pub(crate) async fn carry_out(&self, ask: Ask) -> Result<Answer, Refused> {
        match ask {
            Ask::Command { guild, by, command } => {
                let events = self.guild(guild).await?.command(by, command).await?;
                Ok(Answer::Events(events))
            }
            Ask::Write {
                channel,
                by,
                command,
            } => {
                let channel = self.channel(channel).await?;
                channel.write(by, *command).await.map(Answer::Written)
            }
            Ask::Page {
                channel,
                reader,
                anchor,
                limit,
            } => {
                let channel = self.channel(channel).await?;
                channel
                    .page(reader, anchor, limit)
                    .await
                    .map(Answer::Messages)
            }
            Ask::Pins {
                channel,
                reader,
                before,
                limit,
            } => {
                let channel = self.channel(channel).await?;
                channel
                    .pins(reader, before, limit)
                    .await
                    .map(Answer::Messages)
            }
            Ask::Message {
                channel,
                reader,
                id,
            } => {
                let channel = self.channel(channel).await?;
                channel.get(reader, id).await.map(Answer::Message)
            }
            Ask::CatchUp => {
                let end = self.partition.writer().readable().await?;
                self.partition.projection.wait(end).await?;
                Ok(Answer::Done)
            }
            Ask::Commit(record) => self.commit_alone(*record).await,
            Ask::UpdateUser(account) => self.update_user(*account).await,
        }
    }

    async fn guild(&self, id: GuildId) -> Result<GuildHandle, Refused> {
        let handle = self.partition.guild(self.node, id).await?;
        Ok(handle.ok_or(Rejection::Unknown(Noun::Guild))?)
    }

    async fn channel(&self, id: ChannelId) -> Result<ChannelHandle, Refused> {
        let unknown = Rejection::Unknown(Noun::Channel);
        let home: Option<Home> = self.node.home_of(id).await?;
        let home = home.ok_or(unknown.clone())?;
        let handle = self.partition.channel(self.node, id, home).await?;
        Ok(handle.ok_or(unknown)?)
    }

    /// Commits an event whose source is known to be at rest, rows and event together.
    async fn commit_alone(&self, record: Record) -> Result<Answer, Refused> {
        let (node, partition) = (self.node.clone(), Arc::clone(self.partition));
        to_its_end(async move { commit_wholly(&node, &partition, record).await }).await
    }

    /// Boxed, because the owners of the user's guilds are asked for something in turn.
    fn update_user(&self, after: Account) -> BoxFuture<'static, Result<Answer, Refused>> {
        let (node, partition) = (self.node.clone(), Arc::clone(self.partition));
        Box::pin(to_its_end(async move {
            update_wholly(&node, &partition, after).await
        }))
    }
}

async fn commit_wholly(
    node: &Node,
    partition: &EventPartition,
    record: Record,
) -> Result<Answer, Refused> {
    let source = record.source;
    let writer = partition.writer();
    let place = writer.place()?;
    let guilds = &node.stores().guilds;
    let committed = guilds
        .commit(partition.token, std::slice::from_ref(&record))
        .await;
    committed.map_err(|error| match error {
        CommitError::Taken(Taken::Username) => Rejection::Taken("username").into(),
        CommitError::Taken(Taken::Email) => Rejection::Taken("email").into(),
        CommitError::PairExists(_) => Rejection::Taken("pair").into(),
        CommitError::Failure(failure) => {
            if !matches!(failure, Failure::Full { .. }) {
                partition.note_interrupted(source, record.gseq);
            }
            Refused::Failure(failure)
        }
    })?;
    crash::pass(Point::DirectCommitted);
    partition.note_made([&record.event]);
    let gseq = record.gseq;
    let (reply, stable) = oneshot::channel();
    place.submit(
        vec![record],
        Box::new(move |outcome| drop(reply.send(outcome))),
    );
    stable.await.map_err(|_| Failure::Closing)??;
    node.inner.outbox_done(source, gseq);
    Ok(Answer::Done)
}

async fn update_wholly(
    node: &Node,
    partition: &EventPartition,
    after: Account,
) -> Result<Answer, Refused> {
    let user = after.user.clone();
    let source = Source::User(user.id);
    let stream = partition.stream(&node.inner, source).await?;
    let mut head = stream.head().await?;
    let event = Event::UserUpdated {
        user: Box::new(after.user),
        email: after.email,
    };
    let records = head.records(node.env().now(), vec![event]);
    let record = records.first().cloned().ok_or(Failure::Closing)?;
    match commit_wholly(node, partition, record).await {
        Err(Refused::Failure(failure)) => {
            head.end();
            return Err(failure.into());
        }
        outcome => outcome?,
    };
    head.advance(&records);
    drop(head);
    for guild in node.guilds_of(user.id).await? {
        let refresh = GuildCommand::RefreshMember(Box::new(user.clone()));
        node.command(guild, user.id, refresh).await?;
    }
    Ok(Answer::Done)
}

/// Runs on although nobody waits for it any more. A request ends wherever it is when its client
/// hangs up, and between a commit and its append that would be in the midst of a change.
async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, Refused>> + Send + 'static,
) -> Result<T, Refused> {
    let done = tokio::spawn(work).await;
    done.map_err(|_| Failure::Closing)?
}
