//! Audit logs of servers.

use axum::extract::State;
use guildhall_model::GuildId;
use guildhall_wire::native::AuditEntry;

use crate::Api;
use crate::extract::Ctx;
use crate::path::Path;
use crate::query::AuditPage;
use crate::reply::{Reply, ok};

/// A page of what those did who manage the server, the newest first or from `after` on.
#[utoipa::path(get, path = "/servers/{server_id}/audit-log", tag = "members",
    params(AuditPage),
    responses((status = 200, description = "Entries are kept for 45 days.", body = [AuditEntry])))]
pub(crate) async fn list_audit_entries(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((guild,)): Path<(GuildId,)>,
    AuditPage { query, limit }: AuditPage,
) -> Reply {
    let page = api.app.audit_logs().page(&ctx, guild, query, limit).await?;
    let entries = page.entries.iter();
    let shown: Vec<_> = entries
        .map(|entry| AuditEntry::new(entry, &api.installation))
        .collect();
    ok(&shown)
}
