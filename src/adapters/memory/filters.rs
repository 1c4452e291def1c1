//! Filters in memory: each makes other bytes of the same content, as encryption does.

use crate::core::model::filters::{ToolFinding, ToolSpec};
use crate::core::ports::filters::{FilterError, FilterTools, Stage};
use jiff::Timestamp;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Filters whose contents begin with how many were begun before, and are changed by it. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct MemoryFilters {
    begun: Arc<AtomicU8>,
    failing: Arc<Mutex<Option<FilterError>>>,
}

impl MemoryFilters {
    /// From now on none can be begun, or all can again.
    pub fn fail(&self, error: Option<FilterError>) {
        *self.failing.lock().unwrap_or_else(PoisonError::into_inner) = error;
    }

    /// The content that became this.
    pub fn undone(made: &[u8]) -> Option<Vec<u8>> {
        let (key, rest) = made.split_first()?;
        Some(rest.iter().map(|byte| byte ^ key).collect())
    }
}

/// One of them at work.
struct MemoryStage {
    key: u8,
    is_begun: bool,
}

impl Stage for MemoryStage {
    fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        if !std::mem::replace(&mut self.is_begun, true) {
            out.push(self.key);
        }
        out.extend(piece.iter().map(|byte| byte ^ self.key));
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), String> {
        self.push(&[], out)
    }
}

impl FilterTools for MemoryFilters {
    fn begin(&self, _: &ToolSpec, _: Timestamp) -> Result<Box<dyn Stage>, FilterError> {
        if let Some(error) = self.failing.lock().unwrap_or_else(PoisonError::into_inner).clone() {
            return Err(error);
        }
        Ok(Box::new(MemoryStage { key: self.begun.fetch_add(1, Ordering::Relaxed), is_begun: false }))
    }

    fn look(&self, _: &ToolSpec, _: Timestamp) -> Vec<ToolFinding> {
        Vec::new()
    }
}
