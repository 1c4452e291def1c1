//! The state store that several hosts share: MongoDB, through its own driver.
//!
//! Nothing here needs a transaction: each promise is one update of one document whose filter holds the token.

mod address;
mod admin;
mod audit;
mod data_sources;
mod dead_letters;
mod deliveries;
mod documents;
mod error;
mod indexes;
mod leases;
mod ledger;
mod lists;
mod outbox;
mod runs;
mod schedule_documents;
mod schedules;
#[cfg(test)]
mod tests;
mod transfers;
mod worker_clocks;

use crate::core::kind::HasKind;
use crate::core::model::names::WorkerId;
use crate::core::model::run::BusinessDate;
use crate::core::model::secret::Secret;
use crate::core::model::term::Token;
use crate::core::ports::store::StoreError;
use address::Address;
pub use address::{look, refused};
pub use documents::rewritten;
use error::MongoError;
use jiff::SignedDuration;
use mongodb::options::{Acknowledgment, ClientOptions, ReadConcern, ReadPreference, SelectionCriteria, WriteConcern};
use mongodb::{Client, Collection, Database};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::OnceCell;
use tracing::warn;

/// Time between two tries to make the indexes, which nothing but speed waits for.
const INDEXES_AGAIN: Duration = Duration::from_secs(5);

/// Leases, epochs, runs, file statuses, passed-over events, transfers and audit in one database. Clones share one client.
///
/// Every call answers within an eighth of the lease's time to live or fails with [`StoreError::Unreachable`]; a write
/// may then still happen. All writes wait for the majority of a replica set and its journals; all reads go to the
/// primary and see only what the majority has. Times are kept to the millisecond, as BSON has them.
#[derive(Clone)]
pub struct MongoState {
    link: Arc<Mutex<NumberedClient>>,
    options: Arc<ClientOptions>,
    name: Arc<str>,
    answer_within: Duration,
    /// The run that each worker's holder in this process has fenced last, and under which token.
    fenced: Arc<Mutex<HashMap<WorkerId, (BusinessDate, Token)>>>,
    /// Set once the names of data sources are known to be unique.
    unique_names: Arc<OnceCell<()>>,
    /// How far the server's clock is ahead of this host's, and when that was looked at.
    ahead: Arc<Mutex<Option<(Instant, SignedDuration)>>>,
}

impl MongoState {
    /// Connects, and makes the indexes that are missing. `lease_ttl` sets the time limits.
    ///
    /// # Errors
    /// When the address is not understood, no server answers in time, or the user may not make indexes.
    pub async fn open(url: &Secret, lease_ttl: Duration) -> Result<Self, StoreError> {
        let state = Self::connect(url, lease_ttl).await?;
        state.make_indexes().await?;
        Ok(state)
    }

    /// For a service: as [`MongoState::open`], but no server need answer yet. The indexes are made once one does.
    ///
    /// # Errors
    /// As [`MongoState::connect`].
    pub async fn open_for_service(url: &Secret, lease_ttl: Duration) -> Result<Self, StoreError> {
        let state = Self::connect(url, lease_ttl).await?;
        let later = state.clone();
        tokio::spawn(async move {
            while let Err(error) = later.make_indexes().await {
                if !error.kind().is_transient() {
                    warn!(%error, "the indexes of the state store could not be made; `filegen doctor` names them");
                    return;
                }
                tokio::time::sleep(INDEXES_AGAIN).await;
            }
        });
        Ok(state)
    }

    /// A client for commands that only look: makes nothing, and no server need answer yet.
    ///
    /// # Errors
    /// When the address is not understood, or the name of a `mongodb+srv://` address cannot be resolved.
    pub async fn connect(url: &Secret, lease_ttl: Duration) -> Result<Self, StoreError> {
        // Below a sixth, so that the answer comes before the next renewal is due.
        let answer_within = lease_ttl / 8;
        let Address { mut options, database, name } = Address::parse(url, answer_within).await?;
        settle(&mut options, answer_within);
        options.default_database = Some(database);
        let link = NumberedClient { database: client(&options, &name)?, number: 0 };
        Ok(Self {
            link: Arc::new(Mutex::new(link)),
            options: Arc::new(options),
            name: name.into(),
            answer_within,
            fenced: Arc::default(),
            unique_names: Arc::default(),
            ahead: Arc::default(),
        })
    }

    /// The store's name in errors and tables: its address without user, password and options.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn link(&self) -> MutexGuard<'_, NumberedClient> {
        // What a panicking thread left behind is whole: the two fields change together, by one assignment.
        self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn collection<T: Send + Sync>(&self, name: &str) -> Collection<T> {
        self.link().database.collection(name)
    }

    /// Runs one call within its time.
    async fn call<T>(&self, work: impl Future<Output = Result<T, MongoError>>) -> Result<T, StoreError> {
        let number = self.link().number;
        if let Ok(result) = tokio::time::timeout(self.answer_within, work).await {
            return result.map_err(|trouble| trouble.into_store(&self.name));
        }
        self.start_anew(number);
        Err(late(&self.name, self.answer_within))
    }

    /// Leaves the client whose call was given up, and takes a new one; once, however many calls were given up with it.
    ///
    /// The driver keeps given-up calls in its pool's queue, where each costs one later call its connection; and it
    /// waits without limit for the first answer on a new connection. A new client has neither behind it.
    fn start_anew(&self, number: u64) {
        let mut link = self.link();
        if link.number == number
            && let Ok(database) = client(&self.options, &self.name)
        {
            *link = NumberedClient { database, number: number + 1 };
        }
    }
}

/// The client in use, and how many there were before.
struct NumberedClient {
    database: Database,
    number: u64,
}

/// A client of its own, with its own connections. None is opened yet.
fn client(options: &ClientOptions, name: &str) -> Result<Database, StoreError> {
    let client = Client::with_options(options.clone()).map_err(|error| error::failed(name, &error))?;
    let database = client.default_database();
    database.ok_or_else(|| StoreError::Failed {
        store: name.to_owned(),
        reason: "its address names no database".to_owned(),
    })
}

impl fmt::Debug for MongoState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MongoState").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What the promises need, whatever the address says; and waits that end before the call's own.
fn settle(options: &mut ClientOptions, answer_within: Duration) {
    options.write_concern =
        Some(WriteConcern::builder().w(Acknowledgment::Majority).journal(true).w_timeout(answer_within).build());
    options.read_concern = Some(ReadConcern::majority());
    options.selection_criteria = Some(SelectionCriteria::ReadPreference(ReadPreference::Primary));
    // Shorter than the call's, so that the driver can say why it found no server.
    let wait = answer_within * 3 / 4;
    options.server_selection_timeout = Some(options.server_selection_timeout.map_or(wait, |given| given.min(wait)));
    options.connect_timeout.get_or_insert(answer_within);
    options.app_name.get_or_insert_with(|| "filegen".to_owned());
}

fn late(name: &str, limit: Duration) -> StoreError {
    StoreError::Unreachable { store: name.to_owned(), reason: format!("no answer within {limit:?}") }
}
