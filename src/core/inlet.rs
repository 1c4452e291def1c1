//! A way into a flow that takes files: who may bring which files there.

use crate::core::model::pattern::Pattern;
use crate::core::model::shown;
use crate::core::ports::folders::{Content, FolderError};
use crate::core::ports::handover::{Arrivals, Given, Handover};
use std::path::Path;
use std::sync::Arc;

/// A way in.
#[derive(Clone)]
pub struct Inlet {
    /// What the flow's file calls it.
    pub name: String,
    /// What is taken there.
    pub pattern: Pattern,
    /// Largest file that is taken, in bytes.
    pub max_size: u64,
    /// Where it lies.
    pub folder: Arc<dyn Handover>,
    /// What has become of what went in.
    pub arrivals: Arc<dyn Arrivals>,
}

/// Why a file did not go in. Another try may work.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InletError {
    /// It would lie there, and nobody would take it.
    #[error("{} is not taken by {inlet}: its `pattern` is another one", shown::name(name))]
    Pattern {
        /// The file.
        name: String,
        /// The way in.
        inlet: String,
    },
    /// It is too large.
    #[error("{} has {size} bytes, and {inlet} takes at most {most}, `max_size`", shown::name(name))]
    Large {
        /// The file.
        name: String,
        /// The way in.
        inlet: String,
        /// In bytes.
        size: u64,
        /// In bytes.
        most: u64,
    },
    /// A file of this name is there.
    #[error("{} waits: another file of this name lies in {at}, and is taken first", shown::name(name))]
    Taken {
        /// The file.
        name: String,
        /// The folder.
        at: String,
    },
    /// It changed meanwhile.
    #[error("{} changed while it was copied", shown::name(name))]
    Changed {
        /// The file.
        name: String,
    },
    /// The folder, or the file, cannot be used.
    #[error("{} cannot be brought to {inlet}: {error}", shown::name(name))]
    Folder {
        /// The file.
        name: String,
        /// The way in.
        inlet: String,
        /// Why.
        error: FolderError,
    },
}

impl Inlet {
    /// Brings a version of a file in, under its path below the folder it was found in. May be repeated.
    ///
    /// # Errors
    /// Why it did not go in.
    pub async fn take(&self, root: &Path, path: &str, content: &Content, name: &str) -> Result<(), InletError> {
        self.check(name, content.size)?;
        self.given(name, self.folder.give(root, path, content, name).await)
    }

    /// Lends a file that nobody ever changes, under its path below the root. May be repeated.
    ///
    /// # Errors
    /// Why it did not go in.
    pub async fn lend(&self, root: &Path, path: &str, file: (u64, &str)) -> Result<(), InletError> {
        self.check(path, file.0)?;
        self.given(path, self.folder.lend(root, path, file, path).await)
    }

    fn check(&self, name: &str, size: u64) -> Result<(), InletError> {
        let (name, inlet) = (name.to_owned(), self.name.clone());
        if !self.pattern.fits(&name) {
            return Err(InletError::Pattern { name, inlet });
        }
        if size > self.max_size {
            return Err(InletError::Large { name, inlet, size, most: self.max_size });
        }
        Ok(())
    }

    fn given(&self, name: &str, given: Result<Given, FolderError>) -> Result<(), InletError> {
        let (name, inlet) = (name.to_owned(), self.name.clone());
        match given {
            Ok(Given::There) => Ok(()),
            Ok(Given::Taken) => Err(InletError::Taken { name, at: self.folder.describe() }),
            Ok(Given::Changed) => Err(InletError::Changed { name }),
            Err(error) => Err(InletError::Folder { name, inlet, error }),
        }
    }
}
