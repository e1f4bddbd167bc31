//! The audit log of a guild.

use axum::extract::State;
use guildhall_model::GuildId;
use guildhall_wire::discord::AuditLog;

use super::query::{Asked, AuditEntries};
use crate::Api;
use crate::extract::Ctx;
use crate::path::Path;
use crate::reply::{Reply, ok};

pub(super) async fn list(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((guild,)): Path<(GuildId,)>,
    Asked(asked): Asked<AuditEntries>,
) -> Reply {
    let AuditEntries { query, limit } = asked;
    let page = api.app.audit_logs().page(&ctx, guild, query, limit).await?;
    let webhooks = page.webhooks.iter().map(|webhook| &**webhook);
    ok(&AuditLog::new(&page.entries, &page.users, webhooks))
}
