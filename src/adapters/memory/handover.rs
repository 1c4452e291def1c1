//! A folder that files are brought to, in memory.

use super::folders::MemoryFolders;
use crate::core::ports::folders::{Content, FolderError, Folders, Pulse};
use crate::core::ports::handover::{Given, Handover};
use async_trait::async_trait;
use std::path::{Path, PathBuf};

/// A folder among those in memory. Clones are the same.
#[derive(Clone, Debug)]
pub struct MemoryHandover {
    folders: MemoryFolders,
    directory: PathBuf,
}

impl MemoryHandover {
    /// The folder `directory` of `folders`.
    pub fn new(folders: &MemoryFolders, directory: &Path) -> Self {
        Self { folders: folders.clone(), directory: directory.to_owned() }
    }
}

#[async_trait]
impl Handover for MemoryHandover {
    fn describe(&self) -> String {
        self.directory.display().to_string()
    }

    async fn give(&self, root: &Path, path: &str, content: &Content, name: &str) -> Result<Given, FolderError> {
        if let Ok(there) = self.folders.read(&self.directory, name, &Pulse::default()).await {
            return Ok(if there.sha256 == content.sha256 { Given::There } else { Given::Taken });
        }
        let now = self.folders.read(root, path, &Pulse::default()).await?;
        if now != *content {
            return Ok(Given::Changed);
        }
        self.folders.copy(&root.join(path), self.directory.join(name));
        Ok(Given::There)
    }

    async fn lend(&self, root: &Path, path: &str, (_, sha256): (u64, &str), name: &str) -> Result<Given, FolderError> {
        if let Ok(there) = self.folders.read(&self.directory, name, &Pulse::default()).await {
            return Ok(if there.sha256 == sha256 { Given::There } else { Given::Taken });
        }
        let now = self.folders.read(root, path, &Pulse::default()).await?;
        if now.sha256 != sha256 {
            return Ok(Given::Changed);
        }
        self.folders.copy(&root.join(path), self.directory.join(name));
        Ok(Given::There)
    }

    async fn try_out(&self, _: &Path, _: &str) -> Result<bool, FolderError> {
        Ok(true)
    }
}
