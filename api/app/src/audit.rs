//! Audit logs of guilds: reading them.

use std::sync::Arc;

use guildhall_host::Refused;
use guildhall_model::audit::{AuditEntry, AuditQuery, Deed};
use guildhall_model::user::User;
use guildhall_model::webhook::Webhook;
use guildhall_model::{GuildId, Permissions, UserId};

use crate::{App, Context};

/// The use cases around audit logs.
#[derive(Clone, Copy, Debug)]
pub struct AuditLogs<'a> {
    app: &'a App,
}

/// A page of an audit log.
#[derive(Clone, Debug)]
pub struct AuditPage {
    /// In the order that was asked for.
    pub entries: Vec<AuditEntry>,
    /// The users whom the entries name, as far as they exist.
    pub users: Vec<User>,
    /// The webhooks that the entries name, as far as they exist.
    pub webhooks: Vec<Arc<Webhook>>,
}

impl App {
    /// The use cases around audit logs.
    pub const fn audit_logs(&self) -> AuditLogs<'_> {
        AuditLogs { app: self }
    }
}

impl AuditLogs<'_> {
    /// At most `limit` entries of a guild's log.
    pub async fn page(
        &self,
        ctx: &Context,
        guild: GuildId,
        query: AuditQuery,
        limit: u16,
    ) -> Result<AuditPage, Refused> {
        let view = self.app.guild_of_member(guild, ctx.user_id()).await?;
        App::require(ctx, &view, Permissions::VIEW_AUDIT_LOG)?;
        let node = self.app.node();
        let entries = node.audit_entries(guild, query, limit).await?;
        let named = entries
            .iter()
            .flat_map(|entry| [Some(entry.by), entry.deed.user()]);
        let mut users: Vec<UserId> = named.flatten().collect();
        users.sort_unstable();
        users.dedup();
        let webhooks = view.read(|state| {
            let ids = entries.iter().filter_map(|entry| match &entry.deed {
                Deed::Webhook(turn) => Some(turn.last()?.id),
                _ => None,
            });
            let mut ids: Vec<_> = ids.collect();
            ids.sort_unstable();
            ids.dedup();
            let found = ids.into_iter().filter_map(|id| state.webhook(id).cloned());
            found.collect()
        });
        Ok(AuditPage {
            users: self.app.accounts_store().users(&users).await?,
            webhooks,
            entries,
        })
    }
}
