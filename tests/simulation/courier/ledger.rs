//! One instance's line to the ledger of either side. What it becomes is written down in the book.

use super::line::{Line, To};
use crate::sim::locked;
use async_trait::async_trait;
use filegen::core::model::transfer::{FileRecord, FileStep, Side};
use filegen::core::ports::store::{Found, OddRecord, StoreError};
use filegen::core::ports::transfer_ledger::{
    Claim, Entry, Holder, KnownFile, StateCount, Total, TransferLedger, Wanted,
};
use futures_util::FutureExt;
use jiff::Timestamp;

type Told<T> = Result<T, StoreError>;

/// A ledger in memory answers at once.
pub fn now<T>(answer: impl Future<Output = T>) -> T {
    answer.now_or_never().expect("it never waits")
}

fn away() -> StoreError {
    StoreError::Unreachable { store: "simulated".to_owned(), reason: "no answer".to_owned() }
}

/// Asks the ledger of a side: what the request needs goes with it.
macro_rules! asked {
    ($line:expr, $side:expr, $ledger:ident, [$($name:ident = $value:expr),*] $call:expr) => {{
        let side = $side;
        $(let $name = $value;)*
        let told = $line.ask(To::Ledger, move |far| {
            let $ledger = far.ledger(side);
            now($call)
        });
        told.await.unwrap_or_else(|| Err(away()))
    }};
}

#[async_trait]
impl TransferLedger for Line {
    async fn join(&self, shown: &str) -> Told<Holder> {
        Ok(Holder { name: self.name.clone(), shown: shown.to_owned() })
    }

    async fn find(&self, transfer: &str, side: Side, id: &str) -> Told<Option<Entry>> {
        asked!(self, side, ledger, [transfer = transfer.to_owned(), id = id.to_owned()] ledger.find(&transfer, side, &id))
    }

    async fn known(&self, transfer: &str, paths: Vec<String>) -> Told<Vec<KnownFile>> {
        asked!(self, Side::Collect, ledger, [transfer = transfer.to_owned()] ledger.known(&transfer, paths))
    }

    async fn claim(&self, record: &FileRecord, holder: &Holder, at: Timestamp, until: Timestamp) -> Told<Claim> {
        asked!(self, record.side, ledger, [record = record.clone(), holder = holder.clone()]
            ledger.claim(&record, &holder, at, until))
    }

    async fn advance(&self, record: &FileRecord, holder: &Holder, until: Option<Timestamp>) -> Told<bool> {
        let (record, holder) = (record.clone(), holder.clone());
        let told = self.ask(To::Ledger, move |far| {
            let ledger = far.ledger(record.side);
            let before = now(ledger.find(&record.transfer, record.side, &record.id));
            let before = before.ok().flatten().and_then(Entry::record);
            let is_written = now(ledger.advance(&record, &holder, until))?;
            if is_written {
                far.note(&holder.name, &format!("{} {} {}", record.id, record.side.as_str(), record.state.as_str()));
                locked(&far.book).advanced(before.as_ref(), &record, &holder);
            }
            Ok(is_written)
        });
        told.await.unwrap_or_else(|| Err(away()))
    }

    async fn forget(&self, record: &FileRecord, holder: &Holder) -> Told<bool> {
        asked!(self, record.side, ledger, [record = record.clone(), holder = holder.clone()]
            ledger.forget(&record, &holder))
    }

    async fn records(&self, transfer: &str, wanted: &Wanted) -> Told<Found<FileRecord>> {
        let side = wanted.side.unwrap_or(Side::Collect);
        asked!(self, side, ledger, [transfer = transfer.to_owned(), wanted = wanted.clone()]
            ledger.records(&transfer, &wanted))
    }

    async fn total(&self, transfer: &str, wanted: &Wanted) -> Told<Total> {
        let side = wanted.side.unwrap_or(Side::Collect);
        asked!(self, side, ledger, [transfer = transfer.to_owned(), wanted = wanted.clone()]
            ledger.total(&transfer, &wanted))
    }

    async fn counts(&self, transfer: &str) -> Told<Vec<StateCount>> {
        asked!(self, Side::Collect, ledger, [transfer = transfer.to_owned()] ledger.counts(&transfer))
    }

    async fn strange(&self, transfer: &str) -> Told<Vec<OddRecord>> {
        asked!(self, Side::Collect, ledger, [transfer = transfer.to_owned()] ledger.strange(&transfer))
    }

    async fn steps(&self, transfer: &str, id: &str) -> Told<Vec<FileStep>> {
        asked!(self, Side::Collect, ledger, [transfer = transfer.to_owned(), id = id.to_owned()]
            ledger.steps(&transfer, &id))
    }
}
