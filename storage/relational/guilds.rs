//! The port `Guilds`.

use async_trait::async_trait;
use guildhall_model::channel::DirectChannel;
use guildhall_model::event::{Record, Source};
use guildhall_model::{ChannelId, EmojiId, GuildId, RoleId, UserId, WebhookId};
use guildhall_ports::Failure;
use guildhall_ports::guilds::{CommitError, FencingToken, GuildRows, Guilds, Home};

use super::column;
use super::commit::Commit;
use super::engine::{self, Connection, Store};
use super::error::SqlError;
use super::fence::Fence;
use super::write::Write;
use super::{channel, direct, emoji, guild, invite, member, outbox, role, webhook};

#[async_trait]
impl Guilds for Store {
    async fn load(&self, id: GuildId) -> Result<Option<GuildRows>, Failure> {
        self.read(Box::pin(load(self, id))).await
    }

    async fn fence(&self, token: FencingToken) -> Result<(), Failure> {
        Ok(self.write(Fence(token)).await?)
    }

    async fn commit(&self, token: FencingToken, records: &[Record]) -> Result<(), CommitError> {
        match Commit::new(token, records)? {
            Some(commit) => Ok(self.write(commit).await?),
            None => Ok(()),
        }
    }

    fn commits_may_be_late(&self) -> bool {
        engine::COMMITS_MAY_BE_LATE
    }

    async fn give_up(&self, token: FencingToken, source: Source, upto: u64) -> Result<(), Failure> {
        let given_up = outbox::GivenUp {
            token,
            source,
            upto,
        };
        Ok(self.write(given_up).await?)
    }

    async fn outbox(&self) -> Result<Vec<Record>, Failure> {
        self.read(outbox::waiting(self.readers())).await
    }

    async fn outbox_done(&self, source: Source, upto: u64) -> Result<(), Failure> {
        Ok(self.write(outbox::Done { source, upto }).await?)
    }

    async fn last_gseq(&self, source: Source) -> Result<u64, Failure> {
        self.read(outbox::last_gseq(self.readers(), source)).await
    }

    async fn guilds_of(&self, user: UserId) -> Result<Vec<GuildId>, Failure> {
        self.read(member::guilds_of(self.readers(), user)).await
    }

    async fn home_of(&self, channel: ChannelId) -> Result<Option<Home>, Failure> {
        self.read(home_of(self, channel)).await
    }

    async fn guild_of_role(&self, role: RoleId) -> Result<Option<GuildId>, Failure> {
        self.read(role::guild_of(self.readers(), role)).await
    }

    async fn guild_of_invite(&self, code: &str) -> Result<Option<GuildId>, Failure> {
        self.read(invite::guild_of(self.readers(), code)).await
    }

    async fn guild_of_webhook(&self, webhook: WebhookId) -> Result<Option<GuildId>, Failure> {
        self.read(webhook::guild_of(self.readers(), webhook)).await
    }

    async fn guild_of_emoji(&self, id: EmojiId) -> Result<Option<GuildId>, Failure> {
        self.read(emoji::guild_of(self.readers(), id)).await
    }

    async fn direct_of(&self, pair: [UserId; 2]) -> Result<Option<DirectChannel>, Failure> {
        self.read(direct::between(self.readers(), pair)).await
    }

    async fn directs_of(&self, user: UserId, limit: u32) -> Result<Vec<DirectChannel>, Failure> {
        self.read(direct::of_user(self.readers(), user, limit))
            .await
    }

    async fn highest_id(&self) -> Result<u64, Failure> {
        self.read(highest_id(self)).await
    }

    async fn instance_value(&self, name: &str, fresh: &[u8]) -> Result<Vec<u8>, Failure> {
        let write = InstanceValue {
            name: name.to_owned(),
            fresh: fresh.to_vec(),
        };
        Ok(self.write(write).await?)
    }
}

async fn load(store: &Store, id: GuildId) -> Result<Option<GuildRows>, SqlError> {
    let mut reader = engine::lend(store.readers()).await?;
    let mut tx = engine::moment(&mut reader).await?;
    let Some((guild, deleted)) = guild::read(&mut tx, id).await? else {
        return Ok(None);
    };
    let rows = GuildRows {
        guild,
        deleted,
        roles: role::of_guild(&mut tx, id).await?,
        channels: channel::of_guild(&mut tx, id).await?,
        members: member::of_guild(&mut tx, id).await?,
        bans: member::bans_of_guild(&mut tx, id).await?,
        invites: invite::of_guild(&mut tx, id).await?,
        webhooks: webhook::of_guild(&mut tx, id).await?,
        emojis: emoji::of_guild(&mut tx, id).await?,
        gseq: outbox::last_gseq(&mut *tx, Source::Guild(id)).await?,
    };
    tx.commit().await?;
    Ok(Some(rows))
}

async fn home_of(store: &Store, channel: ChannelId) -> Result<Option<Home>, SqlError> {
    if let Some(guild) = channel::guild_of(store.readers(), channel).await? {
        return Ok(Some(Home::Guild(guild)));
    }
    let direct = direct::with_id(store.readers(), channel).await?;
    Ok(direct.map(Home::Direct))
}

async fn highest_id(store: &Store) -> Result<u64, SqlError> {
    // One look at the end of each index.
    let highest: i64 = sqlx::query_scalar(
        "SELECT COALESCE(MAX(id), 0) FROM (
             SELECT MAX(id) AS id FROM users UNION ALL
             SELECT MAX(id) FROM logins UNION ALL
             SELECT MAX(id) FROM guilds UNION ALL
             SELECT MAX(id) FROM roles UNION ALL
             SELECT MAX(id) FROM channels UNION ALL
             SELECT MAX(id) FROM emojis UNION ALL
             SELECT MAX(id) FROM directs UNION ALL
             SELECT MAX(id) FROM application_commands UNION ALL
             SELECT MAX(version) FROM application_commands UNION ALL
             SELECT MAX(id) FROM webhooks UNION ALL
             SELECT MAX(highest) FROM id_floor
         ) AS each_kind",
    )
    .fetch_one(store.readers())
    .await?;
    column::small("id_floor", highest)
}

/// Stores a value of the installation unless there is one already.
struct InstanceValue {
    name: String,
    fresh: Vec<u8>,
}

impl Write for InstanceValue {
    type Done = Vec<u8>;
    type Error = SqlError;

    async fn run(&self, tx: &mut Connection) -> Result<Vec<u8>, SqlError> {
        sqlx::query(
            "INSERT INTO instance_values (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
        )
        .bind(&self.name)
        .bind(&self.fresh)
        .execute(&mut *tx)
        .await?;
        let stored = sqlx::query_scalar("SELECT value FROM instance_values WHERE name = $1")
            .bind(&self.name)
            .fetch_one(tx)
            .await?;
        Ok(stored)
    }
}
