//! A bucket of an object store that files are delivered to.
//!
//! A key shows a whole file or nothing, and is given once: by a request that the store refuses where the key is taken. Small files go in
//! one request. Large ones go in pieces that nobody sees until they are put together; the ledger knows the upload before a piece is sent,
//! and a later try sends what the store does not have.

mod address;
mod api;
mod condition;
mod credentials;
mod fault;
mod keys;
mod part;
mod process;
mod profile;
mod sign;
#[cfg(test)]
mod tests;
mod trial;
mod xml;

pub use address::{look, refused};

use crate::core::model::finding::Finding;
use crate::core::model::s3::S3Spec;
use crate::core::model::transfer::Upload;
use crate::core::ports::file_target::{Arrived, FileTarget, Naming, PartName, Room, TargetError, TargetPart};
use address::Address;
use api::Api;
use async_trait::async_trait;
use fault::Fault;
use part::{BUDGET, PIECE_MIN, Part, goes_in_pieces};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::{Mutex, Semaphore};

/// A store that answered within this time is not asked whether it is there.
const ANSWERED: Duration = Duration::from_secs(5);

/// What a probe writes.
const PROBE: &[u8] = b"probe";

/// A bucket of an object store. Clones share connections and keys.
#[derive(Clone)]
pub struct S3Target(Arc<Shared>);

struct Shared {
    api: Api,
    shown: String,
    /// What pieces on their way may take, in KiB.
    budget: Arc<Semaphore>,
    /// A name was seen to be given once, by the request of small files and by that of large ones.
    is_put_once: AtomicBool,
    is_completed_once: AtomicBool,
    trial: Mutex<()>,
    /// Buffers of pieces that were sent: an allocator that gets them back in turn keeps more than was ever asked for.
    spare: std::sync::Mutex<Vec<Vec<u8>>>,
}

impl S3Target {
    /// The bucket that an address names. Nothing is asked yet.
    ///
    /// # Errors
    /// What is wrong with the address, without any part of it.
    pub fn new(spec: &S3Spec) -> Result<Self, String> {
        if let Some((_, why)) = refused(spec) {
            return Err(why);
        }
        let address = Address::parse(spec.url.reveal())?;
        let shown = address.shown();
        let budget = Arc::new(Semaphore::new(usize::try_from(BUDGET).unwrap_or(Semaphore::MAX_PERMITS)));
        let api = Api::new(spec.clone(), address);
        let (is_put_once, is_completed_once) = (AtomicBool::new(false), AtomicBool::new(false));
        let (trial, spare) = (Mutex::default(), std::sync::Mutex::default());
        Ok(Self(Arc::new(Shared { api, shown, budget, is_put_once, is_completed_once, trial, spare })))
    }
}

impl Shared {
    fn told(&self, path: &str, fault: &Fault) -> TargetError {
        fault.told(&self.shown, path)
    }

    /// What is said of the bucket itself, or of a file of our own that is written to try it, is no word about any file.
    fn unusable(&self, fault: &Fault) -> TargetError {
        match self.told(".", fault) {
            TargetError::Refused { reason, .. } | TargetError::Name { reason, .. } => self.wants_rights(reason),
            TargetError::Failed { reason, .. } if fault.is_denied() => self.wants_rights(reason),
            told => told,
        }
    }

    fn wants_rights(&self, reason: String) -> TargetError {
        let reason =
            reason + "; the keys must be let list the bucket, and get, put and delete what is below the prefix";
        TargetError::Unusable { target: self.shown.clone(), reason }
    }

    /// A buffer that takes so much.
    fn spare(&self, bytes: usize) -> Option<Vec<u8>> {
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        spare.pop_if(|buffer| buffer.capacity() >= bytes)
    }

    fn keep_spare(&self, mut buffer: Vec<u8>) {
        /// As many as are on their way.
        const SPARE_MOST: usize = 4;
        buffer.clear();
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        if spare.len() < SPARE_MOST && buffer.capacity() as u64 == PIECE_MIN {
            spare.push(buffer);
        }
    }

    async fn has(&self, path: &str) -> Result<bool, TargetError> {
        let tag = self.api.tag(path).await.map_err(|fault| self.told(path, &fault))?;
        Ok(tag.is_some())
    }

    async fn abandon(&self, upload: &Upload) -> Result<(), TargetError> {
        let Upload { path, id } = upload;
        self.api.give_up(path, id).await.map_err(|fault| self.told(path, &fault))
    }

    /// Begins with a file that goes in pieces, or goes on with it.
    async fn begun(&self, name: PartName<'_>) -> Result<(Option<Upload>, BTreeMap<u32, api::Piece>), TargetError> {
        let Some(whole) = name.whole.filter(|whole| goes_in_pieces(Some(*whole))) else {
            return Ok((name.upload.cloned(), BTreeMap::new()));
        };
        let told = |fault: Fault| self.told(whole.path, &fault);
        if let Some(upload) = name.upload {
            if upload.path != whole.path {
                self.abandon(upload).await?;
            } else if let Some(pieces) = self.api.pieces(&upload.path, &upload.id).await.map_err(told)? {
                return Ok((Some(upload.clone()), pieces));
            }
        }
        let id = self.api.begin(whole.path, whole.sha256).await.map_err(told)?;
        Ok((Some(Upload { path: whole.path.to_owned(), id }), BTreeMap::new()))
    }
}

#[async_trait]
impl FileTarget for S3Target {
    fn describe(&self) -> String {
        self.0.shown.clone()
    }

    async fn probe(&self, name: &str) -> Result<(), TargetError> {
        let path = format!(".filegen-{name}.probe");
        let tried = self.probed(name, &path).await;
        trial::removed(&self.0, &path).await?;
        tried
    }

    async fn room(&self) -> Result<Option<Room>, TargetError> {
        if !self.0.api.has_answered_within(ANSWERED) {
            self.0.api.look().await.map_err(|fault| self.0.unusable(&fault))?;
        }
        Ok(None)
    }

    async fn part(&self, _: &str, name: PartName<'_>, _: u64) -> Result<(Box<dyn TargetPart>, u64), TargetError> {
        // A killed one may have left its trial.
        for former in name.former {
            trial::removed(&self.0, &trial::trial_name(&format!("{}-{former}", name.id))).await?;
        }
        let begun = self.0.begun(name).await?;
        let own = format!("{}-{}", name.id, name.writer);
        Ok((Box::new(Part::new(&self.0, own, name.whole, begun)), 0))
    }

    fn is_far(&self) -> bool {
        true
    }

    fn is_bound_to_a_path(&self) -> bool {
        true
    }

    async fn abandon(&self, upload: &Upload) -> Result<(), TargetError> {
        self.0.abandon(upload).await
    }

    async fn ways(&self, name: &str) -> Result<Vec<Finding>, TargetError> {
        let path = format!(".filegen-{name}.ways");
        let found = trial::ways(&self.0, &path).await.map_err(|fault| self.0.unusable(&fault));
        trial::removed(&self.0, &path).await?;
        found
    }

    async fn remove(&self, path: &str) -> Result<(), TargetError> {
        self.0.api.remove(path).await.map_err(|fault| self.0.told(path, &fault))
    }

    async fn find(&self, path: &str, size: u64) -> Result<Option<Arrived>, TargetError> {
        let told = |fault: Fault| self.0.told(path, &fault);
        let Some(mut answer) = self.0.api.get(path).await.map_err(told)? else { return Ok(None) };
        let there = answer.header("content-length").and_then(|text| text.parse::<u64>().ok());
        if let Some(there) = there.filter(|there| *there != size) {
            return Ok(Some(Arrived { size: there, sha256: None }));
        }
        let (mut digest, mut size) = (Sha256::new(), 0);
        while let Some(piece) = answer.next().await.map_err(|fault| told(fault.into()))? {
            digest.update(&piece);
            size += piece.len() as u64;
        }
        Ok(Some(Arrived { size, sha256: Some(hex::encode(digest.finalize())) }))
    }
}

impl S3Target {
    async fn probed(&self, name: &str, path: &str) -> Result<(), TargetError> {
        let own = PartName { id: name, writer: "probe", former: &[], whole: None, upload: None };
        let (mut part, _) = self.part("", own, 0).await?;
        part.append(PROBE.to_vec()).await?;
        part.publish(path, Naming::New).await?;
        let found = self.find(path, PROBE.len() as u64).await?;
        if !found.is_some_and(|found| found.is(PROBE.len() as u64, &hex::encode(Sha256::digest(PROBE)))) {
            let reason = "read back, it is not what was written".to_owned();
            return Err(TargetError::Failed { path: path.to_owned(), reason });
        }
        trial::put_once(&self.0, path).await?;
        trial::completed_once(&self.0, path).await
    }
}
