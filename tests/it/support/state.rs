//! A state store with several doors, as several processes have it, and a way to lose a lease.

use super::mongo;
use async_trait::async_trait;
use filegen::adapters::local_state::LocalState;
use filegen::adapters::memory::schedules::MemorySchedules;
use filegen::adapters::memory::state::MemoryState;
use filegen::core::model::names::{FileId, InstanceId, LeaseKey, WorkerId};
use filegen::core::model::run::{BusinessDate, RunId};
use filegen::core::model::term::Token;
use filegen::core::ports::audit::AuditLog;
use filegen::core::ports::data_sources::DataSources;
use filegen::core::ports::dead_letters::DeadLetters;
use filegen::core::ports::deliveries::Deliveries;
use filegen::core::ports::leases::{EpochClaim, LeaseRecord, LeaseStore, Mint};
use filegen::core::ports::ledger::Ledger;
use filegen::core::ports::outbox::Outbox;
use filegen::core::ports::runs::RunStore;
use filegen::core::ports::schedules::ScheduleStore;
use filegen::core::ports::state::StateStore;
use filegen::core::ports::worker_clocks::WorkerClocks;
use jiff::{Timestamp, ToSpan};
use mongodb::bson::{Document, doc};
use std::any::Any;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// All ports of one store.
pub trait Store:
    LeaseStore + RunStore + Deliveries + Outbox + AuditLog + DeadLetters + WorkerClocks + DataSources + Ledger
{
}

impl<S: LeaseStore + RunStore + Deliveries + Outbox + AuditLog + DeadLetters + WorkerClocks + DataSources + Ledger>
    Store for S
{
}

/// Deletes behind the store's back.
#[async_trait]
pub trait Litter: Send + Sync {
    /// A lease, as litter collection does.
    async fn collect(&self, key: &LeaseKey);

    /// Both collections, as somebody does who drops them.
    async fn drop_all(&self);

    /// Writes into a lease what no build writes.
    async fn spoil_lease(&self, key: &LeaseKey);

    /// Writes a word into a run's record that no build knows.
    async fn spoil_run(&self, run: &RunId);
}

/// One store.
#[derive(Clone)]
pub struct State {
    /// Different clients of it; at least one.
    pub doors: Vec<Arc<dyn Store>>,
    /// The same doors, for schedules; of memory, one of its own.
    schedules: Vec<Arc<dyn ScheduleStore>>,
    pub litter: Arc<dyn Litter>,
    /// Goes with the store.
    _place: Arc<dyn Any + Send + Sync>,
}

impl State {
    /// The first door.
    pub fn store(&self) -> &dyn Store {
        &*self.doors[0]
    }

    /// Any door, by number.
    pub fn door(&self, number: usize) -> Arc<dyn Store> {
        Arc::clone(&self.doors[number % self.doors.len()])
    }

    /// Any door for schedules, by number.
    pub fn schedules(&self, number: usize) -> Arc<dyn ScheduleStore> {
        Arc::clone(&self.schedules[number % self.schedules.len()])
    }

    /// All ports of one door.
    pub fn ports(&self, number: usize) -> StateStore {
        let door = self.door(number);
        StateStore {
            leases: door.clone(),
            runs: door.clone(),
            deliveries: door.clone(),
            outbox: door.clone(),
            audit: door.clone(),
            dead_letters: door.clone(),
            clocks: door,
            admin: None,
        }
    }

    fn memory() -> Self {
        let state = MemoryState::default();
        let schedules: Vec<Arc<dyn ScheduleStore>> = vec![Arc::new(MemorySchedules::default())];
        Self { doors: vec![Arc::new(state.clone())], schedules, litter: Arc::new(state), _place: Arc::new(()) }
    }

    async fn embedded() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".filegen/state.db");
        let mut doors: Vec<Arc<dyn Store>> = Vec::new();
        let mut schedules: Vec<Arc<dyn ScheduleStore>> = Vec::new();
        for _ in 0..4 {
            let door = Arc::new(LocalState::open(&path, Duration::from_mins(4)).await.unwrap());
            doors.push(Arc::clone(&door) as _);
            schedules.push(door);
        }
        Self { doors, schedules, litter: Arc::new(Sqlite(path)), _place: Arc::new(folder) }
    }

    async fn mongo() -> Self {
        let database = Arc::new(mongo::Database::new());
        let mut doors: Vec<Arc<dyn Store>> = Vec::new();
        let mut schedules: Vec<Arc<dyn ScheduleStore>> = Vec::new();
        for _ in 0..4 {
            let door = Arc::new(database.open().await);
            doors.push(Arc::clone(&door) as _);
            schedules.push(door);
        }
        Self { doors, schedules, litter: Arc::new(Mongo(database.client().await)), _place: database }
    }
}

#[async_trait]
impl Litter for MemoryState {
    async fn collect(&self, key: &LeaseKey) {
        self.forget_lease(key);
    }

    async fn drop_all(&self) {
        self.forget_claims();
    }

    async fn spoil_run(&self, run: &RunId) {
        self.spoil(run, "`bogus` is no status");
    }

    async fn spoil_lease(&self, key: &LeaseKey) {
        MemoryState::spoil_lease(self, key, "-3 is below zero");
    }
}

struct Sqlite(PathBuf);

impl Sqlite {
    fn open(&self) -> rusqlite::Connection {
        let db = rusqlite::Connection::open(&self.0).unwrap();
        db.busy_timeout(Duration::from_secs(5)).unwrap();
        db
    }
}

#[async_trait]
impl Litter for Sqlite {
    async fn collect(&self, key: &LeaseKey) {
        self.open().execute("DELETE FROM worker_leases WHERE workerId = ?1", [key.as_str()]).unwrap();
    }

    async fn spoil_run(&self, run: &RunId) {
        let key = (run.worker.as_str(), run.date.to_string());
        self.open().execute("UPDATE runs SET status = 'bogus' WHERE workerId = ?1 AND date = ?2", key).unwrap();
    }

    async fn spoil_lease(&self, key: &LeaseKey) {
        let sql = "UPDATE worker_leases SET token = -3, releasedAt = 'never' WHERE workerId = ?1";
        self.open().execute(sql, [key.as_str()]).unwrap();
    }

    async fn drop_all(&self) {
        self.open().execute_batch("DELETE FROM worker_leases; DELETE FROM worker_epochs;").unwrap();
    }
}

struct Mongo(mongodb::Database);

#[async_trait]
impl Litter for Mongo {
    async fn collect(&self, key: &LeaseKey) {
        let leases = self.0.collection::<Document>("worker_leases");
        leases.delete_one(doc! { "_id": key.as_str() }).await.unwrap();
    }

    async fn spoil_run(&self, run: &RunId) {
        let runs = self.0.collection::<Document>("runs");
        runs.update_one(doc! { "_id": run.to_string() }, doc! { "$set": { "status": "bogus" } }).await.unwrap();
    }

    async fn spoil_lease(&self, key: &LeaseKey) {
        let leases = self.0.collection::<Document>("worker_leases");
        let odd = doc! { "$set": { "token": "seven", "releasedAt": -3 } };
        leases.update_one(doc! { "_id": key.as_str() }, odd).await.unwrap();
    }

    async fn drop_all(&self) {
        for collection in ["worker_leases", "worker_epochs"] {
            self.0.collection::<Document>(collection).drop().await.unwrap();
        }
    }
}

/// Holds every state store to a claim. A new adapter joins here.
pub async fn on_each<F: Future<Output = ()>>(claim: impl Fn(State) -> F) {
    claim(State::memory()).await;
    claim(State::embedded().await).await;
    claim(State::mongo().await).await;
}

pub fn key(name: &str) -> LeaseKey {
    LeaseKey::new(name).unwrap()
}

pub fn worker(name: &str) -> WorkerId {
    WorkerId::new(name).unwrap()
}

pub fn file(name: &str) -> FileId {
    FileId::new(name).unwrap()
}

pub fn run(name: &str, day: i8) -> RunId {
    RunId { worker: worker(name), date: BusinessDate(jiff::civil::date(2026, 11, day)) }
}

/// Whole milliseconds: what every store can keep.
pub fn at(millisecond: i64) -> Timestamp {
    Timestamp::from_millisecond(1_795_000_000_000 + millisecond).unwrap()
}

pub fn claim(name: &str, token: u64, nonce: &str) -> EpochClaim {
    EpochClaim {
        key: key(name),
        token: Token(token),
        instance: InstanceId::new("pod-1:7"),
        nonce: nonce.to_owned(),
        claimed_at: at(1),
    }
}

pub fn lease(name: &str, token: u64, instance: &str) -> LeaseRecord {
    LeaseRecord {
        key: key(name),
        instance: InstanceId::new(instance),
        token: Token(token),
        seq: 1,
        acquired_at: at(123),
        renewed_at: at(123),
        expires_at: at(123) + 30.seconds(),
        released: None,
    }
}

/// Mints the next token and installs its lease.
pub async fn take(store: &dyn Store, name: &str) -> Token {
    let held = store.read(&key(name)).await.unwrap().map(|lease| lease.token);
    let highest = store.highest_token(&key(name), Token(u64::MAX)).await.unwrap();
    let next = held.max(highest).map_or(1, |token| token.0 + 1);
    assert_eq!(store.mint(&claim(name, next, "nonce")).await, Ok(Mint::Won));
    assert_eq!(store.install(&lease(name, next, "pod-1:7")).await, Ok(true));
    Token(next)
}
