//! The ports of the flow transfer.

use super::{Access, WiringError, address_shown, clock, state};
use crate::adapters::file_target::LocalTarget;
use crate::adapters::filters::LocalFilters;
use crate::adapters::handover::LocalHandover;
use crate::adapters::host;
use crate::adapters::inbox::LocalInbox;
use crate::adapters::local_state::LocalState;
use crate::adapters::memory::state::MemoryState;
use crate::adapters::memory::transfers::MemoryTransfers;
use crate::adapters::nats::NatsBroker;
use crate::adapters::s3::S3Target;
use crate::adapters::sftp::{Logins, SftpTarget};
use crate::adapters::spool::LocalSpool;
use crate::core::inlet::Inlet;
use crate::core::model::database::Database;
use crate::core::model::filters::ToolFinding;
use crate::core::model::pattern::Pattern;
use crate::core::model::permissions::Permissions;
use crate::core::model::trace::Sampler;
use crate::core::ports::admin::StoreAdmin;
use crate::core::ports::audit::AuditLog;
use crate::core::ports::file_broker::{FileReceiver, FileSender};
use crate::core::ports::file_target::{FileTarget, TargetError};
use crate::core::ports::filters::FilterTools;
use crate::core::ports::inbox::Inbox;
use crate::core::ports::observer::Observer;
use crate::core::ports::transfer_ledger::TransferLedger;
use crate::core::transfer::arrivals::LedgerArrivals;
use crate::core::transfer::collect::{CollectPorts, Collector};
use crate::core::transfer::deliver::{DeliverPorts, Deliverer};
use crate::core::transfer::event::TransferEvent;
use crate::core::transfer::redrive::RedrivePorts;
use crate::core::transfer::spec::{BrokerSpec, Deliver, TargetSpec, Transfer};
use crate::core::transfer::steps::Filter;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

/// Permissions of files in a folder of this host where none are said.
const PERMISSIONS: u32 = 0o640;

/// A call to the ledger may take an eighth of it.
const LEDGER: Duration = Duration::from_mins(2);

/// The state store of a transfer: its ports together.
#[derive(Clone)]
pub struct TransferState {
    /// Which version of a file is how far.
    pub ledger: Arc<dyn TransferLedger>,
    /// What people did.
    pub audit: Arc<dyn AuditLog>,
    /// The store's server. `None` where it has none.
    pub admin: Option<Arc<dyn StoreAdmin>>,
}

impl TransferState {
    /// One that nothing was ever written to.
    pub fn empty() -> Self {
        Self { ledger: Arc::new(MemoryTransfers::default()), audit: Arc::new(MemoryState::default()), admin: None }
    }
}

/// The state store at the transfer's address. One that is only looked at and is not there counts as empty.
///
/// # Errors
/// When it cannot be opened.
pub async fn transfer_state(transfer: &Transfer, access: Access) -> Result<TransferState, WiringError> {
    let address = transfer.state.reveal();
    match Database::of_address(address) {
        Some(Database::Sqlite) => {
            let path = Path::new(Database::sqlite_path(address).unwrap_or_default());
            let store = match access {
                Access::Change | Access::Serve => Some(LocalState::open(path, LEDGER).await?),
                Access::Look => LocalState::open_existing(path, LEDGER).await?,
            };
            Ok(store.map_or_else(TransferState::empty, |store| TransferState {
                ledger: Arc::new(store.clone()),
                audit: Arc::new(store),
                admin: None,
            }))
        }
        Some(Database::Mongo) => {
            let store = Arc::new(state::mongo(&transfer.state, LEDGER, access).await?);
            Ok(TransferState {
                ledger: Arc::clone(&store) as Arc<_>,
                audit: Arc::clone(&store) as Arc<_>,
                admin: Some(store),
            })
        }
        Some(Database::Postgres | Database::SqlServer) | None => Err(state::foreign().into()),
    }
}

/// The folder that files are collected from. `None` when the file has no collecting side.
pub fn inbox(transfer: &Transfer) -> Option<Arc<dyn Inbox>> {
    let collect = transfer.collect.as_ref()?;
    let target = transfer.deliver.as_ref().and_then(|deliver| deliver.to.directory());
    let state = Database::sqlite_path(transfer.state.reveal()).map(Path::new).and_then(Path::parent);
    let work = transfer.deliver.as_ref().map(|deliver| deliver.work.as_path());
    let others: Vec<&Path> = [transfer.broker.folder(), target, work, state].into_iter().flatten().collect();
    Some(Arc::new(LocalInbox::new(&collect.directory, &collect.archive, &collect.error, &others)))
}

fn target_of(deliver: &Deliver) -> Result<Arc<dyn FileTarget>, WiringError> {
    Ok(match &deliver.to {
        TargetSpec::Directory(path) => {
            let mode = deliver.permissions.unwrap_or(PERMISSIONS);
            Arc::new(LocalTarget::new(path, mode, Permissions::of_folder(mode)))
        }
        TargetSpec::Sftp(spec) => {
            static LOGINS: LazyLock<Logins> = LazyLock::new(Logins::default);
            let target = SftpTarget::new(spec, deliver.permissions, &LOGINS);
            Arc::new(target.map_err(|why| TargetError::Unusable { target: "sftp".to_owned(), reason: why.to_owned() })?)
        }
        TargetSpec::S3(spec) => {
            let target = S3Target::new(spec);
            Arc::new(target.map_err(|reason| TargetError::Unusable { target: "s3".to_owned(), reason })?)
        }
    })
}

/// Where files go, as others may see it.
pub fn target_shown(to: &TargetSpec) -> String {
    match to {
        TargetSpec::Directory(path) => path.display().to_string(),
        TargetSpec::Sftp(spec) => address_shown(&spec.url),
        TargetSpec::S3(spec) => address_shown(&spec.url),
    }
}

/// The way in for files that others bring. `None` when the file has no collecting side.
pub fn inlet(transfer: &Transfer, state: &TransferState) -> Option<Inlet> {
    let collect = transfer.collect.as_ref()?;
    Some(Inlet {
        name: transfer.id.to_string(),
        // It was parsed when the file was read.
        pattern: Pattern::parse(&collect.pattern).ok()?,
        max_size: collect.max_size,
        folder: Arc::new(LocalHandover::new(&collect.directory)),
        arrivals: Arc::new(LedgerArrivals {
            transfer: transfer.id.to_string(),
            source: collect.source.clone(),
            ledger: Arc::clone(&state.ledger),
        }),
    })
}

/// The target. `None` when the file has no delivering side.
///
/// # Errors
/// When its address cannot be read.
pub fn file_target(transfer: &Transfer) -> Result<Option<Arc<dyn FileTarget>>, WiringError> {
    transfer.deliver.as_ref().map(target_of).transpose()
}

/// The folder for what filters take and make: nobody else reads it. `None` when the file has no delivering side.
pub fn work(transfer: &Transfer) -> Option<Arc<dyn FileTarget>> {
    /// A folder that is its owner's alone.
    const OWN: u32 = 0o700;
    let deliver = transfer.deliver.as_ref()?;
    Some(Arc::new(LocalTarget::new(&deliver.work.join(transfer.id.as_str()), 0o600, OWN)))
}

/// What is to be said of the files that a transfer's filters are made of. Each field's path begins at the file's root.
pub fn filter_findings(transfer: &Transfer) -> Vec<ToolFinding> {
    let filters = transfer.deliver.iter().flat_map(|deliver| deliver.filters.iter().enumerate());
    let tools = filters.filter_map(|(index, filter)| match filter {
        Filter::Tool(spec) => Some((index, spec)),
        _ => None,
    });
    let now = clock().now();
    tools
        .flat_map(|(index, spec)| {
            LocalFilters.look(spec, now).into_iter().map(move |found| ToolFinding {
                field: format!("deliver.filters[{index}].{}", found.field),
                finding: found.finding,
            })
        })
        .collect()
}

/// Both ends of what carries the files.
fn ends(transfer: &Transfer) -> (Arc<dyn FileSender>, Arc<dyn FileReceiver>) {
    let nonce = host::nonce();
    match &transfer.broker {
        BrokerSpec::Local(path) => {
            let spool = LocalSpool::new(&path.join(transfer.id.as_str()), &nonce);
            (Arc::new(spool.clone()), Arc::new(spool))
        }
        BrokerSpec::Nats(spec) => {
            let nats = NatsBroker::new(spec, transfer.id.as_str(), &nonce);
            (Arc::new(nats.clone()), Arc::new(nats))
        }
    }
}

/// The collecting side's end of what carries the files.
pub fn file_sender(transfer: &Transfer) -> Arc<dyn FileSender> {
    ends(transfer).0
}

/// The sides that the file declares, ready to run; whose traces are kept, if any are.
///
/// # Errors
/// When the ledger does not answer.
pub async fn transfer_sides(
    transfer: &Arc<Transfer>,
    state: &TransferState,
    observer: &Arc<dyn Observer<TransferEvent>>,
    traces: Option<Sampler>,
) -> Result<(Option<Collector>, Option<Deliverer>), WiringError> {
    let holder = state.ledger.join(host::instance().as_str()).await?;
    let (sender, receiver) = ends(transfer);
    let collector = inbox(transfer).and_then(|inbox| {
        let ports = CollectPorts {
            inbox,
            sender,
            ledger: Arc::clone(&state.ledger),
            clock: clock(),
            observer: Arc::clone(observer),
            holder: holder.clone(),
            traces,
        };
        Collector::new(Arc::clone(transfer), ports)
    });
    let deliverer = file_target(transfer)?.and_then(|target| {
        let ports = DeliverPorts {
            receiver,
            work: work(transfer).unwrap_or_else(|| Arc::clone(&target)),
            target,
            filters: Arc::new(LocalFilters),
            ledger: Arc::clone(&state.ledger),
            clock: clock(),
            observer: Arc::clone(observer),
            holder: holder.clone(),
        };
        Deliverer::new(Arc::clone(transfer), ports)
    });
    Ok((collector, deliverer))
}

/// What failed files go again through.
///
/// # Errors
/// When the ledger does not answer.
pub async fn redrive_ports(transfer: &Transfer, state: &TransferState) -> Result<RedrivePorts, WiringError> {
    let holder = state.ledger.join(host::instance().as_str()).await?;
    let (inbox, sender) = (inbox(transfer), file_sender(transfer));
    Ok(RedrivePorts { inbox, sender, ledger: Arc::clone(&state.ledger), clock: clock(), holder })
}
