//! The audit trail: `audit`.

use super::LocalState;
use super::runs::{found, looked_at};
use super::value::{parsed, time};
use crate::adapters::sqlite_numbers::Numbered;
use crate::core::ports::audit::{AuditEntry, AuditLog};
use crate::core::ports::store::{Found, StoreError};
use async_trait::async_trait;
use rusqlite::Row;

const LINES: Numbered = Numbered::new("audit.id");

const AUDIT: &str = "INSERT INTO audit (at, who, action, detail, reason, id) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

#[async_trait]
impl AuditLog for LocalState {
    async fn audit(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        let entry = entry.clone();
        self.change(move |db, _| {
            let values = (time(entry.at), entry.who, entry.action, entry.detail, entry.reason, LINES.next(db)?);
            db.prepare_cached(AUDIT)?.execute(values)?;
            Ok(())
        })
        .await
    }

    async fn audits(&self, limit: usize) -> Result<Found<AuditEntry>, StoreError> {
        self.look(move |db, _| {
            let mut query = db.prepare_cached("SELECT * FROM audit ORDER BY at DESC, id DESC LIMIT ?1")?;
            let id = |row: &Row<'_>| format!("audit {}", row.get::<_, i64>("id").unwrap_or_default());
            Ok(found(query.query([looked_at(limit)])?, limit, id, audit_entry)?)
        })
        .await
    }
}

fn audit_entry(row: &Row<'_>) -> rusqlite::Result<AuditEntry> {
    Ok(AuditEntry {
        at: parsed(row, "at", |text| text.parse())?,
        who: row.get("who")?,
        action: row.get("action")?,
        detail: row.get("detail")?,
        reason: row.get("reason")?,
    })
}
