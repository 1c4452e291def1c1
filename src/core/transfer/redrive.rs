//! Failed files go again, once the reason is mended: exactly those that were shown.

use super::collect::claim_until;
use super::error::TransferError;
use super::spec::{After, Transfer};
use crate::core::kind::{FailureKind, HasKind};
use crate::core::model::transfer::{FileRecord, FileState, Side};
use crate::core::ports::clock::Clock;
use crate::core::ports::file_broker::FileSender;
use crate::core::ports::folders::FoundFile;
use crate::core::ports::inbox::{Inbox, Moved};
use crate::core::ports::store::Found;
use crate::core::ports::transfer_ledger::{Claim, Holder, TransferLedger, Wanted};
use std::sync::Arc;

/// Most failed files that are looked at.
const RECORDS: usize = 100_000;

/// What is needed of the world.
pub struct RedrivePorts {
    /// The folder that files were collected from. `None` where this host only delivers.
    pub inbox: Option<Arc<dyn Inbox>>,
    /// The broker.
    pub sender: Arc<dyn FileSender>,
    /// The ledger.
    pub ledger: Arc<dyn TransferLedger>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// This process.
    pub holder: Holder,
}

/// Which failed files.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Which {
    /// Ids that begin so; all when `None`.
    pub id: Option<String>,
    /// Failures of this kind only.
    pub kind: Option<String>,
}

/// What became of one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Redriven {
    /// It goes again.
    Goes,
    /// It does not, for this reason.
    Left(String),
}

/// The failed files of the collecting side, oldest failure first; and such records that cannot be read.
///
/// # Errors
/// When the ledger does not answer.
pub async fn failed(
    ledger: &dyn TransferLedger,
    transfer: &Transfer,
    which: &Which,
) -> Result<Found<FileRecord>, TransferError> {
    let wanted = Wanted { id: which.id.clone(), ..Wanted::of(Side::Collect, FileState::Failed, RECORDS) };
    let mut found = ledger.records(transfer.id.as_str(), &wanted).await?;
    found.odd.extend(ledger.strange(transfer.id.as_str()).await?);
    found.odd.retain(|odd| {
        let own = odd.id.rsplit(' ').next().unwrap_or_default();
        which.id.as_ref().is_none_or(|id| own.starts_with(id.as_str()))
    });
    found.records.retain(|record| {
        let kind = record.failure.as_ref().map(|failure| failure.kind.as_str());
        which.kind.as_deref().is_none_or(|wanted| kind == Some(wanted))
    });
    found.records.reverse();
    Ok(found)
}

/// Lets one go again, if it is still as it was shown.
///
/// # Errors
/// When something needed does not answer.
pub async fn redrive(ports: &RedrivePorts, transfer: &Transfer, shown: &FileRecord) -> Result<Redriven, TransferError> {
    let now = ports.clock.now();
    let mut record = match ports.ledger.claim(shown, &ports.holder, now, claim_until(now)).await? {
        Claim::Yours(record) => record,
        Claim::Odd { reason } => return Ok(Redriven::Left(format!("its record cannot be read: {reason}"))),
        Claim::Held { by } => return Ok(Redriven::Left(format!("{by} works on it"))),
    };
    let is_as_shown = (record.state, record.changed_at) == (FileState::Failed, shown.changed_at);
    let left = if is_as_shown { go_back(ports, transfer, &mut record).await? } else { Some(CHANGED.to_owned()) };
    if left.is_none() {
        ports.sender.forget(&record.id).await?;
        if record.sha256.is_empty() {
            // Nobody read it before it failed: it gets its id when it is read.
            let is_gone = ports.ledger.forget(&record, &ports.holder).await?;
            return Ok(if is_gone { Redriven::Goes } else { Redriven::Left(CHANGED.to_owned()) });
        }
        (record.state, record.durable, record.place, record.changed_at) = (FileState::Seen, 0, None, now);
    }
    if !ports.ledger.advance(&record, &ports.holder, None).await? {
        return Ok(Redriven::Left(CHANGED.to_owned()));
    }
    Ok(left.map_or(Redriven::Goes, Redriven::Left))
}

const CHANGED: &str = "it changed since it was shown";

/// Brings the file back to where it is collected. Why that cannot be, if it cannot.
async fn go_back(
    ports: &RedrivePorts,
    transfer: &Transfer,
    record: &mut FileRecord,
) -> Result<Option<String>, TransferError> {
    let (Some(inbox), Some(collect)) = (&ports.inbox, &transfer.collect) else {
        return Ok(Some("this host does not collect".to_owned()));
    };
    let Some(place) = record.place.clone() else {
        let is_there = lying(&**inbox, record).await?.is_some_and(|file| file.stamp == record.stamp);
        return Ok((!is_there).then(|| "its file is neither in the folder nor among the failed ones".to_owned()));
    };
    if collect.after == After::Keep
        && let Some(file) = lying(&**inbox, record).await?
        && file.stamp == record.stamp
    {
        return Ok(None);
    }
    Ok(match inbox.restore(&place, &record.path).await? {
        Moved::To(_) => {
            // A move changes what the file system says of the file.
            if let Some(file) = lying(&**inbox, record).await?.filter(|file| file.size == record.size) {
                record.stamp = file.stamp;
            }
            None
        }
        Moved::Gone => Some(format!("`{place}` is no longer among the failed files")),
        Moved::Changed => Some(format!("`{}` is taken by another file", record.path)),
    })
}

/// What lies in the folder under a version's path.
async fn lying(inbox: &dyn Inbox, record: &FileRecord) -> Result<Option<FoundFile>, TransferError> {
    match inbox.open(&record.path).await {
        Err(error) if error.kind() == FailureKind::Absent => Ok(None),
        file => Ok(Some(file?.now().await?)),
    }
}
