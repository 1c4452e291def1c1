//! An open file: written at explicit offsets, never in append mode (which NFS may corrupt, open(2)).

use super::error::failed;
use super::off_thread;
use crate::core::model::term::Term;
use crate::core::ports::volume::{VolumeError, VolumeFile};
use async_trait::async_trait;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// A file that stays open, whatever becomes of its name.
#[derive(Clone, Debug)]
pub struct DiskFile {
    file: Arc<File>,
    path: Arc<str>,
}

impl DiskFile {
    pub(super) fn new(file: File, path: String) -> Self {
        Self { file: Arc::new(file), path: path.into() }
    }

    async fn call<T: Send + 'static>(
        &self,
        term: Option<&Term>,
        operation: &'static str,
        run: impl FnOnce(&File) -> io::Result<T> + Send + 'static,
    ) -> Result<T, VolumeError> {
        let this = self.clone();
        let term = term.cloned();
        off_thread(move || {
            if let Some(term) = term {
                term.check()?;
            }
            run(&this.file).map_err(|error| failed(operation, &this.path, &error))
        })
        .await
    }
}

#[async_trait]
impl VolumeFile for DiskFile {
    async fn write_at(&self, term: &Term, offset: u64, buffer: Vec<u8>) -> (Vec<u8>, Result<(), VolumeError>) {
        let this = self.clone();
        let term = term.clone();
        off_thread(move || {
            let result = term.check().map_err(VolumeError::from).and_then(|()| {
                this.file.write_all_at(&buffer, offset).map_err(|error| failed("write", &this.path, &error))
            });
            (buffer, result)
        })
        .await
    }

    async fn sync_data(&self, term: &Term) -> Result<(), VolumeError> {
        self.call(Some(term), "sync", File::sync_data).await
    }

    async fn read_at(&self, offset: u64, len: usize) -> Result<Vec<u8>, VolumeError> {
        self.call(None, "read", move |file| {
            let mut buffer = vec![0; len];
            let mut filled = 0;
            while filled < len {
                match file.read_at(&mut buffer[filled..], offset + filled as u64) {
                    Ok(0) => break,
                    Ok(count) => filled += count,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            buffer.truncate(filled);
            Ok(buffer)
        })
        .await
    }

    async fn size(&self) -> Result<u64, VolumeError> {
        self.call(None, "look at", |file| Ok(file.metadata()?.len())).await
    }

    async fn set_size(&self, term: &Term, bytes: u64) -> Result<(), VolumeError> {
        self.call(Some(term), "cut", move |file| file.set_len(bytes)).await
    }
}
