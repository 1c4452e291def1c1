//! A whole file at the target gets its final name.

use super::deliver::{Deliverer, Fault, Way};
use super::spec::OnExists;
use crate::core::failpoints::crash::crash_point;
use crate::core::failpoints::planted::planted;
use crate::core::kind::FailureKind;
use crate::core::model::transfer::FileState;
use crate::core::ports::file_broker::Answer;
use crate::core::ports::file_target::{Naming, TargetError, TargetPart};
use sha2::Digest;
use tokio_util::sync::CancellationToken;

/// Most numbers that a name is tried with.
const NUMBERS: u32 = 10_000;

impl Deliverer {
    /// Gives the part file its final name. The ledger has the name first: whoever finds it taken by this very content knows that it
    /// was this version.
    pub(super) async fn publish(
        &self,
        way: &mut Way<'_>,
        part: &mut dyn TargetPart,
        stop: &CancellationToken,
    ) -> Result<(), Fault> {
        if self.deliver.to.is_read_back() && !planted("not read back") {
            self.read_back(way, part, stop).await?;
        }
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
            // Until its own companions are there, nobody else gives them: of two versions of one name, one follows the other.
            let _names = self.names(&path).await;
            if naming == Naming::Replace {
                self.withdraw_companions(way, &path).await?;
            }
            if planted("companions first") {
                self.put_companions(way).await?;
            }
            if part.publish(&path, naming).await? {
                crash_point!("transfer.published");
                return self.finish(way).await;
            }
            let (size, sha256) = (way.record.final_size(), way.record.final_sha256());
            let there = self.ports.target.find(&path, size).await?;
            let is_same = there.as_ref().is_some_and(|there| there.is(size, sha256));
            if is_same && !planted("lost answer taken for a no") {
                self.ports.target.keep_name(&path).await?;
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

    /// The path that a version most likely gets: where numbers are given, the first that is free now.
    pub(super) async fn hoped(&self, way: &Way<'_>) -> Result<String, Fault> {
        if self.deliver.on_exists != OnExists::Suffix || !self.ports.target.is_bound_to_a_path() {
            return Ok(way.place.path());
        }
        let (size, sha256) = (way.record.final_size(), way.record.final_sha256());
        for number in 0..NUMBERS {
            let place = way.place.numbered(number);
            if self.is_companion_taken(way, &place).await? {
                continue;
            }
            let there = self.ports.target.find(&place.path(), size).await?;
            if there.is_none_or(|there| there.is(size, sha256)) {
                return Ok(place.path());
            }
        }
        Ok(way.place.path())
    }

    /// Reads what was written, before it gets its name: lines and servers in between may have spoilt it.
    async fn read_back(
        &self,
        way: &mut Way<'_>,
        part: &mut dyn TargetPart,
        stop: &CancellationToken,
    ) -> Result<(), Fault> {
        let (digest, size) = self.hashed(way, part, u64::MAX, stop).await?;
        let sha256 = hex::encode(digest.finalize());
        if (size, sha256.as_str()) == (way.record.final_size(), way.record.final_sha256()) {
            return Ok(());
        }
        // It is sent again from its begin.
        way.record.durable = 0;
        let path = way.place.path();
        let reason =
            format!("read back, it has {size} bytes with the digest {sha256}, and that is not what was written");
        Err(Fault::Passing(TargetError::Failed { path, reason }.into()))
    }

    /// Brings a version to its end where what an earlier try wrote stands under the name that the ledger has for it. Whether it does.
    pub(super) async fn is_finished(&self, way: &mut Way<'_>) -> Result<bool, Fault> {
        let place = way.record.place.clone().filter(|_| !planted("lost answer taken for a no"));
        let Some(place) = place else { return Ok(false) };
        let _names = self.names(&place).await;
        let (size, sha256) = (way.record.final_size(), way.record.final_sha256());
        if !self.ports.target.find(&place, size).await?.is_some_and(|there| there.is(size, sha256)) {
            return Ok(false);
        }
        self.ports.target.keep_name(&place).await?;
        // What earlier tries left goes.
        self.part(way, 0).await?.0.discard().await?;
        self.finish(way).await?;
        Ok(true)
    }

    /// A version has its name: its companions follow, then the ledger says so.
    pub(super) async fn finish(&self, way: &mut Way<'_>) -> Result<(), Fault> {
        self.put_companions(way).await?;
        (way.record.failure, way.record.tries) = (None, 0);
        way.record.upload = None;
        way.record.writers.clear();
        if planted("acknowledged before the ledger") {
            let sha256 = way.record.sha256.clone();
            self.answer(&way.record.id, &Answer::Delivered { sha256 }).await?;
        }
        self.advance(&mut way.record, FileState::Delivered, false).await?;
        crash_point!("transfer.delivered");
        Ok(())
    }
}
