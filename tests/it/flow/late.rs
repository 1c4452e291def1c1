//! A holder that was replaced while an effect of it was under way: it is told so, and not that the volume is broken.

use super::rig::Rig;
use crate::support::term;
use async_trait::async_trait;
use filegen::adapters::layer::hooked::{Change, Hook};
use filegen::core::generate::takeover::{fence, remove};
use filegen::core::generate::{GenerateError, Ports};
use filegen::core::model::run::RunId;
use filegen::core::ports::volume::VolumeError;
use std::sync::Arc;

/// Another holder takes over in the moment before this operation.
struct Replacing {
    before: &'static str,
    ports: Ports,
    run: RunId,
}

#[async_trait]
impl Hook for Replacing {
    async fn before(&self, Change { operation, path, .. }: Change<'_>) -> Result<(), VolumeError> {
        // Once the holder's own folder is made.
        if operation == self.before && path.contains("t00000003/") || operation == "link" {
            let newer = term(9);
            for dead in fence(&self.ports, &self.run, &newer).await.unwrap_or_default() {
                remove(&self.ports, &dead, &newer).await.unwrap();
            }
        }
        Ok(())
    }
}

#[tokio::test]
async fn an_effect_that_finds_a_tombstone_means_that_the_lease_is_lost() {
    for before in ["create", "sync folder", "make read-only", "link"] {
        let rig = Rig::new();
        let hook = Replacing { before, ports: rig.ports.clone(), run: rig.run().clone() };
        let late = term(3);
        let ended = rig.generate_hooked(&late, Arc::new(hook)).await;
        assert!(matches!(ended, Err(GenerateError::TermEnded(_))), "{before}: {ended:?}");
        assert!(late.check().is_err(), "{before}: the term does not come back");
        assert!(rig.published().await.is_empty(), "{before}: nothing became visible");
    }
}
