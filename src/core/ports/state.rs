//! A state store: its ports together.

use super::admin::StoreAdmin;
use super::audit::AuditLog;
use super::dead_letters::DeadLetters;
use super::deliveries::Deliveries;
use super::leases::LeaseStore;
use super::outbox::Outbox;
use super::runs::RunStore;
use super::worker_clocks::WorkerClocks;
use std::sync::Arc;

/// The ports of one state store.
#[derive(Clone)]
pub struct StateStore {
    /// Who may write.
    pub leases: Arc<dyn LeaseStore>,
    /// What has been done.
    pub runs: Arc<dyn RunStore>,
    /// What is to be handed over.
    pub deliveries: Arc<dyn Deliveries>,
    /// What is to be sent.
    pub outbox: Arc<dyn Outbox>,
    /// What people changed.
    pub audit: Arc<dyn AuditLog>,
    /// Events that could not be used.
    pub dead_letters: Arc<dyn DeadLetters>,
    /// How far workers' own clocks have come.
    pub clocks: Arc<dyn WorkerClocks>,
    /// Its server. `None` for a store without one.
    pub admin: Option<Arc<dyn StoreAdmin>>,
}

impl StateStore {
    /// All ports of one adapter that has no server.
    pub fn of<S>(store: Arc<S>) -> Self
    where
        S: LeaseStore + RunStore + Deliveries + Outbox + AuditLog + DeadLetters + WorkerClocks + 'static,
    {
        Self {
            leases: Arc::clone(&store) as Arc<dyn LeaseStore>,
            runs: Arc::clone(&store) as Arc<dyn RunStore>,
            deliveries: Arc::clone(&store) as Arc<dyn Deliveries>,
            outbox: Arc::clone(&store) as Arc<dyn Outbox>,
            audit: Arc::clone(&store) as Arc<dyn AuditLog>,
            dead_letters: Arc::clone(&store) as Arc<dyn DeadLetters>,
            clocks: store,
            admin: None,
        }
    }
}
