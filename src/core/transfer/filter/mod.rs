//! What is done with a content on its way, filter by filter: each takes pieces and gives pieces, so that memory does not grow with
//! the file.

mod compress;
mod csv;
#[cfg(test)]
mod tests;

use super::spec::Deliver;
use super::steps::Filter;
use crate::core::ports::filters::{FilterError, FilterTools, Stage};
use jiff::Timestamp;

/// Most bytes that filters take at once: what unpacks best becomes a thousand times as many.
pub(super) const SLICE: usize = 16 * 1024;

/// All filters of a file, the first one first.
pub(super) struct Chain(Vec<(&'static str, Box<dyn Stage>)>);

impl Chain {
    /// The filters for a content of so many bytes.
    ///
    /// # Errors
    /// Which filter cannot be begun, and why.
    pub(super) fn new(
        deliver: &Deliver,
        size: u64,
        tools: &dyn FilterTools,
        now: Timestamp,
    ) -> Result<Self, FilterError> {
        let mut stages: Vec<(&'static str, Box<dyn Stage>)> = Vec::new();
        // Known only until a filter changes the content.
        let mut size = Some(size);
        for filter in &deliver.filters {
            let stage: Box<dyn Stage> = match filter {
                Filter::Gzip { level } => Box::new(compress::Gzip::new(*level)),
                Filter::Zstd { level } => Box::new(compress::Zstd::new(*level, size)?),
                Filter::Gunzip => Box::new(compress::Gunzip::new(deliver.max_size)),
                Filter::CheckCsv(check) => Box::new(csv::CsvChecker::new(check)),
                Filter::Tool(spec) => tools.begin(spec, now)?,
            };
            if filter.changes() {
                size = None;
            }
            stages.push((filter.name(), stage));
        }
        Ok(Self(stages))
    }

    /// What comes of a piece.
    ///
    /// # Errors
    /// Which filter refuses the content, and why.
    pub(super) fn push(&mut self, piece: &[u8]) -> Result<Vec<u8>, String> {
        let mut passed = piece.to_vec();
        for (name, stage) in &mut self.0 {
            let mut out = Vec::new();
            stage.push(&passed, &mut out).map_err(|why| refused(name, &why))?;
            passed = out;
        }
        Ok(passed)
    }

    /// What comes of the end.
    ///
    /// # Errors
    /// As [`Chain::push`].
    pub(super) fn finish(mut self) -> Result<Vec<u8>, String> {
        let mut passed = Vec::new();
        for (name, stage) in &mut self.0 {
            let mut out = Vec::new();
            stage.push(&passed, &mut out).and_then(|()| stage.finish(&mut out)).map_err(|why| refused(name, &why))?;
            passed = out;
        }
        Ok(passed)
    }
}

fn refused(name: &str, why: &str) -> String {
    format!("the filter `{name}` refuses it: {why}")
}
