//! A state store's server in memory.

use crate::core::ports::admin::StoreAdmin;
use crate::core::ports::store::StoreError;
use async_trait::async_trait;
use jiff::Timestamp;
use std::sync::{Mutex, PoisonError};

/// A server with a clock of its own, and indexes that are there or not.
#[derive(Debug, Default)]
pub struct MemoryAdmin {
    /// What its clock shows. `None` for a server that does not tell.
    pub time: Option<Timestamp>,
    missing: Mutex<Vec<String>>,
}

impl MemoryAdmin {
    /// Without these indexes: `collection.name`.
    pub fn without(missing: &[&str]) -> Self {
        let missing = missing.iter().map(|&name| name.to_owned()).collect();
        Self { time: None, missing: Mutex::new(missing) }
    }
}

#[async_trait]
impl StoreAdmin for MemoryAdmin {
    fn describe(&self) -> String {
        "memory".to_owned()
    }

    async fn server_time(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.time)
    }

    async fn missing_indexes(&self) -> Result<Vec<String>, StoreError> {
        Ok(self.missing.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    async fn make_indexes(&self) -> Result<(), StoreError> {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner).clear();
        Ok(())
    }
}
