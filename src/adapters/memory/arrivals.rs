//! The word of a flow that takes files, in memory: what a test says.

use crate::core::ports::handover::{Arrival, Arrivals};
use crate::core::ports::store::StoreError;
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What has become of each path and digest. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct MemoryArrivals(Arc<Mutex<BTreeMap<(String, String), Arrival>>>);

impl MemoryArrivals {
    /// From now on this is what became of a version.
    pub fn say(&self, path: &str, sha256: &str, arrival: Arrival) {
        self.all().insert((path.to_owned(), sha256.to_owned()), arrival);
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<(String, String), Arrival>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Arrivals for MemoryArrivals {
    async fn arrival(&self, path: &str, _: u64, sha256: &str) -> Result<Arrival, StoreError> {
        Ok(self.all().get(&(path.to_owned(), sha256.to_owned())).cloned().unwrap_or(Arrival::Unknown))
    }
}
