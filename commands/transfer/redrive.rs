//! `filegen transfer redrive`: failed files go again.

use super::{load, short};
use crate::commands::context::Context;
use crate::commands::exit::{Code, CommandEnd};
use crate::commands::failure::Failure;
use crate::commands::ui::table;
use crate::core::kind::FailureKind;
use crate::core::model::transfer::FileRecord;
use crate::core::ports::audit::AuditEntry;
use crate::core::ports::store::Found;
use crate::core::transfer::redrive::{RedrivePorts, Redriven, Which, failed, redrive};
use crate::core::transfer::spec::Transfer;
use crate::wiring;
use serde::Serialize;

/// Let failed files go again
///
/// Each file goes back to the folder that it was collected from, and the next run or the daemon sends it. Give this once the reason is
/// mended. Files that changed since they were listed are named, and left. Exits with 4 when files are left.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  filegen transfer redrive --all --dry-run -c sales.yaml
  filegen transfer redrive 3f2a91 --reason \"INC-4711: disk is larger now\" -c sales.yaml
  filegen transfer redrive --all --kind conflict --reason \"old files are gone\" -c sales.yaml")]
pub(super) struct Args {
    /// The file's id, or its first digits
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    id: Option<String>,
    /// All failed files
    #[arg(long)]
    all: bool,
    /// Only failures of this kind, as `transfer show` tells it
    #[arg(long, value_name = "KIND", value_parser = kind)]
    kind: Option<String>,
    /// Why, for the audit trail
    #[arg(long, value_name = "TEXT", required_unless_present = "dry_run")]
    reason: Option<String>,
    /// Show which files would go, and do nothing
    #[arg(long)]
    dry_run: bool,
}

fn kind(text: &str) -> Result<String, String> {
    let all = FailureKind::ALL.map(FailureKind::as_str);
    if all.contains(&text) { Ok(text.to_owned()) } else { Err(format!("there are {}", all.join(", "))) }
}

/// What became of a file.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    id: String,
    path: String,
    kind: String,
    failure: String,
    goes: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    left: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Ended {
    dry_run: bool,
    files: Vec<Row>,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<CommandEnd, Failure> {
    let transfer = load(context)?;
    let which = Which { id: args.id.clone(), kind: args.kind.clone() };
    context.block_on(async {
        let access = if args.dry_run { wiring::Access::Look } else { wiring::Access::Change };
        let state = wiring::transfer_state(&transfer, access).await?;
        let Found { records: found, odd } = failed(&*state.ledger, &transfer, &which).await?;
        context.ui.unreadable(&odd);
        if found.is_empty() && odd.is_empty() && args.id.is_some() {
            return Err(Failure::new(Code::Failed, "no failed file has such an id")
                .hint("`filegen transfer list{c} --state failed` shows them"));
        }
        let mut files = Vec::new();
        if let Some(reason) = args.reason.as_deref().filter(|_| !args.dry_run) {
            let ports = wiring::redrive_ports(&transfer, &state).await?;
            for record in &found {
                let row = apply(&ports, &transfer, record).await?;
                if row.goes {
                    let detail = format!("transfer {} file {} ({})", transfer.id, record.id, record.path);
                    let now = wiring::clock().now();
                    let entry = AuditEntry::new(now, &wiring::who(), "transfer redrive", &detail, reason);
                    state.audit.audit(&entry).await?;
                }
                files.push(row);
            }
        } else {
            files.extend(found.iter().map(|record| row(record, None)));
        }
        let left = files.iter().any(|row| !row.goes) || !odd.is_empty();
        context.ui.result(&Ended { dry_run: args.dry_run, files }, |ended| text(context, ended));
        Ok(CommandEnd::unless(left))
    })
}

async fn apply(ports: &RedrivePorts, transfer: &Transfer, record: &FileRecord) -> Result<Row, Failure> {
    Ok(match redrive(ports, transfer, record).await? {
        Redriven::Goes => row(record, None),
        Redriven::Left(why) => row(record, Some(why)),
    })
}

fn row(record: &FileRecord, left: Option<String>) -> Row {
    let failure = record.failure.as_ref();
    Row {
        id: record.id.clone(),
        path: record.path.clone(),
        kind: failure.map(|failure| failure.kind.clone()).unwrap_or_default(),
        failure: failure.map(|failure| failure.reason.clone()).unwrap_or_default(),
        goes: left.is_none(),
        left,
    }
}

fn text(context: &Context, ended: &Ended) -> String {
    if ended.files.is_empty() {
        return "no failed file\n".to_owned();
    }
    let mut rows = context.ui.table(&["id", "path", "kind", "goes", "why"]);
    for row in &ended.files {
        let goes = match (&row.left, ended.dry_run) {
            (Some(_), _) => "no",
            (None, true) => "would",
            (None, false) => "yes",
        };
        rows.row(vec![
            table::text(short(&row.id)),
            table::text(&row.path),
            table::text(&row.kind),
            table::text(goes),
            table::text(row.left.as_deref().unwrap_or(&row.failure)),
        ]);
    }
    rows.text()
}
