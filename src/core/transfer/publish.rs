//! A whole file at the target gets its final name.

use super::deliver::{Deliverer, Fault, Way};
use super::spec::OnExists;
use crate::core::failpoints::crash::crash_point;
use crate::core::kind::FailureKind;
use crate::core::model::transfer::FileState;
use crate::core::ports::file_target::{Naming, TargetError, TargetPart};

/// Most numbers that a name is tried with.
const NUMBERS: u32 = 10_000;

impl Deliverer {
    /// Gives the part file its final name. The ledger has the name first: whoever finds it taken by this very content knows that it
    /// was this version.
    pub(super) async fn publish(&self, way: &mut Way<'_>, part: &mut dyn TargetPart) -> Result<(), Fault> {
        way.record.durable = way.record.size;
        for number in 0..NUMBERS {
            let place = way.place.numbered(number);
            if self.is_companion_taken(way, &place).await? && self.deliver.on_exists == OnExists::Suffix {
                continue;
            }
            let path = place.path();
            way.record.place = Some(path.clone());
            self.advance(&mut way.record, FileState::Writing, true).await?;
            crash_point!("transfer.writing");
            let naming = match self.deliver.on_exists {
                OnExists::Replace => Naming::Replace,
                OnExists::Error | OnExists::Suffix => Naming::New,
            };
            if part.publish(&path, naming).await? {
                crash_point!("transfer.published");
                return self.finish(way).await;
            }
            let (size, sha256) = (way.record.final_size(), way.record.final_sha256());
            let there = self.ports.target.find(&path, size).await?;
            let is_same = there.as_ref().is_some_and(|there| there.is(size, sha256));
            if is_same {
                part.discard().await?;
                return self.finish(way).await;
            }
            match (there, self.deliver.on_exists) {
                // It went away meanwhile: tried again under the next number is no answer for a name that is free.
                (None, OnExists::Error) => {
                    let reason = "the name came and went while it was to be given".to_owned();
                    return Err(Fault::Passing(TargetError::Failed { path, reason }.into()));
                }
                (Some(there), OnExists::Error) => {
                    let digest = there.sha256.map(|sha256| format!(", digest {sha256}")).unwrap_or_default();
                    let reason = format!(
                        "`{path}` is there with other content ({} bytes{digest}); move it away, or choose another `on_exists`",
                        there.size
                    );
                    return Err(Fault::Lasting(FailureKind::Conflict, reason));
                }
                (_, OnExists::Suffix | OnExists::Replace) => {}
            }
        }
        Err(Fault::Lasting(FailureKind::Conflict, format!("{NUMBERS} names like `{}` are taken", way.place.path())))
    }

    /// A version has its name: its companions follow, then the ledger says so.
    pub(super) async fn finish(&self, way: &mut Way<'_>) -> Result<(), Fault> {
        self.put_companions(way).await?;
        way.record.failure = None;
        self.advance(&mut way.record, FileState::Delivered, false).await?;
        crash_point!("transfer.delivered");
        Ok(())
    }
}
