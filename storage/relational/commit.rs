//! Committing events: rows are a function of the event, and both are written together.

use guildhall_model::GuildId;
use guildhall_model::event::{Event, Record, Source};
use guildhall_ports::Failure;
use guildhall_ports::guilds::FencingToken;

use super::engine::Connection;
use super::error::CommitFault;
use super::write::Write;
use super::{channel, direct, emoji, fence, guild, invite, member, outbox, role, user, webhook};

/// Events of one stream, rising, at least one.
pub(super) struct Commit {
    token: FencingToken,
    records: Vec<Record>,
}

impl Commit {
    /// `None` if there is nothing to commit.
    pub(super) fn new(token: FencingToken, records: &[Record]) -> Result<Option<Self>, Failure> {
        let Some(first) = records.first() else {
            return Ok(None);
        };
        let in_order = records
            .windows(2)
            .all(|pair| pair[0].source == pair[1].source && pair[0].gseq < pair[1].gseq);
        if !in_order || first.gseq == 0 {
            return Err(misplaced("events of one stream rise from 1"));
        }
        Ok(Some(Self {
            token,
            records: records.to_vec(),
        }))
    }
}

impl Write for Commit {
    type Done = ();
    type Error = CommitFault;

    async fn run(&self, tx: &mut Connection) -> Result<(), CommitFault> {
        let (Some(first), Some(last)) = (self.records.first(), self.records.last()) else {
            return Ok(());
        };
        let places = (first.gseq, last.gseq);
        let is_open = fence::is_open(tx, self.token).await?;
        if !is_open || !outbox::advance(tx, first.source, places).await? {
            return Err(Failure::Stale { what: "the stream" }.into());
        }
        for record in &self.records {
            write_rows(tx, record).await?;
            outbox::post(tx, record).await?;
        }
        Ok(())
    }
}

async fn write_rows(tx: &mut Connection, record: &Record) -> Result<(), CommitFault> {
    match (record.source, &record.event) {
        (Source::Guild(id), event) => write_guild_rows(tx, id, event).await,
        (Source::Direct(id), Event::DirectOpened { channel, .. }) if channel.id == id => {
            direct::opened(tx, *channel).await
        }
        (Source::User(id), Event::UserUpdated { user, email }) if user.id == id => {
            user::updated(tx, user, email.as_deref()).await
        }
        _ => Err(misplaced("the event belongs to another stream or store").into()),
    }
}

async fn write_guild_rows(
    tx: &mut Connection,
    id: GuildId,
    event: &Event,
) -> Result<(), CommitFault> {
    match event {
        Event::GuildCreated(founding) => guild::created(tx, founding).await?,
        Event::GuildUpdated(change) => guild::updated(tx, &change.after).await?,
        Event::GuildDeleted => guild::deleted(tx, id).await?,
        Event::ChannelCreated(channel) => channel::created(tx, channel).await?,
        Event::ChannelUpdated(change) => channel::updated(tx, &change.after).await?,
        Event::ChannelDeleted(channel) => channel::deleted(tx, channel.id).await?,
        Event::RoleCreated(role) => role::created(tx, role).await?,
        Event::RoleUpdated(change) => role::updated(tx, &change.after).await?,
        Event::RoleDeleted(end) => role::deleted(tx, end).await?,
        Event::MemberJoined { member, invite } => {
            member::joined(tx, id, member, invite.as_ref()).await?;
        }
        Event::MemberUpdated(change) => member::updated(tx, id, &change.after).await?,
        Event::MemberRemoved { member, .. } => member::removed(tx, id, member.user.id).await?,
        Event::BanAdded(ban) => member::banned(tx, id, ban).await?,
        Event::BanRemoved(ban) => member::unbanned(tx, id, ban.user.id).await?,
        Event::InviteCreated(invite) => invite::created(tx, invite).await?,
        Event::InviteDeleted(invite) => invite::deleted(tx, &invite.code).await?,
        Event::WebhookCreated(webhook) => webhook::created(tx, webhook).await?,
        Event::WebhookUpdated(change) => webhook::updated(tx, &change.after).await?,
        Event::WebhookDeleted(webhook) => webhook::deleted(tx, webhook.id).await?,
        Event::EmojisChanged(changed) => emoji::changed(tx, &changed.change).await?,
        // Its rows are in the projection of the events log.
        Event::Audited(_) => {}
        Event::MessageCreated(_)
        | Event::MessageUpdated(_)
        | Event::MessageDeleted { .. }
        | Event::MessagesDeleted { .. }
        | Event::PinsChanged { .. }
        | Event::ReactionsCleared { .. }
        | Event::ReactionAdded(_)
        | Event::ReactionRemoved(_)
        | Event::InteractionCreated(_)
        | Event::InteractionAcknowledged { .. }
        | Event::DirectOpened { .. }
        | Event::UserUpdated { .. } => {
            return Err(misplaced("the event belongs to another stream or store").into());
        }
    }
    Ok(())
}

fn misplaced(why: &'static str) -> Failure {
    Failure::damaged("a commit", why)
}
