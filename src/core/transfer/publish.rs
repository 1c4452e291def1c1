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
            let path = way.place.numbered(number).path();
            way.record.place = Some(path.clone());
            self.advance(&mut way.record, FileState::Writing, true).await?;
            crash_point!("transfer.writing");
            let naming = match self.deliver.on_exists {
                OnExists::Replace => Naming::Replace,
                OnExists::Error | OnExists::Suffix => Naming::New,
            };
            if part.publish(&path, naming).await? {
                crash_point!("transfer.published");
                return self.delivered(way).await;
            }
            let there = self.ports.target.find(&path).await?;
            let is_same = there
                .as_ref()
                .is_some_and(|there| there.size == way.envelope.size && there.sha256 == way.envelope.sha256);
            if is_same {
                part.discard().await?;
                return self.delivered(way).await;
            }
            match (there, self.deliver.on_exists) {
                // It went away meanwhile: tried again under the next number is no answer for a name that is free.
                (None, OnExists::Error) => {
                    let reason = "the name came and went while it was to be given".to_owned();
                    return Err(Fault::Passing(TargetError::Failed { path, reason }.into()));
                }
                (Some(there), OnExists::Error) => {
                    let reason = format!(
                        "`{path}` is there with other content ({} bytes, digest {}); move it away, or choose another `on_exists`",
                        there.size, there.sha256
                    );
                    return Err(Fault::Lasting(FailureKind::Conflict, reason));
                }
                (_, OnExists::Suffix | OnExists::Replace) => {}
            }
        }
        Err(Fault::Lasting(FailureKind::Conflict, format!("{NUMBERS} names like `{}` are taken", way.place.path())))
    }

    async fn delivered(&self, way: &mut Way<'_>) -> Result<(), Fault> {
        way.record.failure = None;
        self.advance(&mut way.record, FileState::Delivered, false).await?;
        crash_point!("transfer.delivered");
        Ok(())
    }
}
