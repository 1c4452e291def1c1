//! What must be true of every image.

use super::play::{FILES, PAGE_SIZE, PAGES, Told};
use crate::data;
use crate::disk::{Disk, Id, ROOT};
use filegen::core::generate::layout::{JOURNAL, Name, parse_name, run_dir};
use filegen::core::generate::model::file_name::manifest_name;
use filegen::core::generate::model::header::{HEADER_BYTES, Header};
use filegen::core::generate::model::journal::Journal;
use filegen::core::generate::model::manifest::Manifest;
use filegen::core::model::term::Token;
use std::collections::HashMap;
use std::sync::Arc;

/// The bytes that an undisturbed run leaves.
pub struct Golden {
    files: Vec<Vec<u8>>,
    /// The disk at the end: its journals, by inode.
    end: Disk,
}

/// A holder's folder in an image.
struct Folder {
    id: Id,
    token: Token,
    /// Whether it was taken from its holder, and may be half emptied.
    is_dead: bool,
    journal: Arc<Journal>,
}

/// Journals by their text: thousands of images have the same one.
#[derive(Default)]
pub struct Journals(HashMap<Vec<u8>, Arc<Journal>>);

impl Journals {
    fn parse(&mut self, text: Vec<u8>) -> Arc<Journal> {
        let known = self.0.entry(text);
        Arc::clone(known.or_insert_with_key(|text| Arc::new(Journal::parse(text))))
    }
}

fn bytes(disk: &Disk, folder: Id, name: &str) -> Option<Vec<u8>> {
    let id = *disk.dir(folder).ok()?.names.get(name)?;
    disk.file(id).ok().map(|file| file.stable.clone())
}

fn published_name(index: usize) -> String {
    format!("f{index}_{}.txt", data::run(1).date.compact())
}

impl Golden {
    pub fn new(end: Disk) -> Self {
        let rows = i64::try_from(PAGES).unwrap_or(0) * i64::from(PAGE_SIZE);
        let ids: Vec<i64> = (0..rows).map(data::stable_id).collect();
        Self { files: (0..FILES).map(|index| data::bytes_of(index, &ids, PAGES)).collect(), end }
    }

    /// The first thing that is wrong with an image; `torn` when a header's own sector is.
    pub fn look(&self, image: &Disk, told: Told, torn: bool, journals: &mut Journals) -> Option<String> {
        self.visible(image, told.published).or_else(|| self.staged(image, told, torn, journals))
    }

    /// Whole files or none, and a manifest only beside all of them; with it when the run was called published.
    pub fn visible(&self, image: &Disk, published: bool) -> Option<String> {
        let mut there = 0;
        for (index, golden) in self.files.iter().enumerate() {
            match bytes(image, ROOT, &published_name(index)) {
                Some(found) if found == *golden => there += 1,
                Some(_) => return Some(format!("published file {index} is not whole")),
                None => {}
            }
        }
        let Some(manifest) = bytes(image, ROOT, &manifest_name(&data::run(1), 1)) else {
            return published.then(|| "the run was called published, and its manifest is not there".to_owned());
        };
        if serde_json::from_slice::<Manifest>(&manifest).is_err() {
            return Some("the manifest is not whole".to_owned());
        }
        (there < FILES).then(|| format!("the manifest is there beside {there} of {FILES} files"))
    }

    /// Journals are prefixes, headers behind them, and the bytes below the newest journal are the right ones.
    fn staged(&self, image: &Disk, told: Told, torn: bool, journals: &mut Journals) -> Option<String> {
        let mut folders = Vec::new();
        if let Some(dir) = image.resolve(&run_dir(&data::run(1))).ok().and_then(|id| image.dir(id).ok()) {
            for (name, &id) in &dir.names {
                let (token, is_dead) = match parse_name(name) {
                    Some(Name::Token(token)) => (token, false),
                    Some(Name::Fenced(token)) => (token, true),
                    None => continue,
                };
                let Ok(inside) = image.dir(id) else { continue };
                let text = bytes(image, id, JOURNAL).unwrap_or_default();
                let journal = journals.parse(text.clone());
                let length = usize::try_from(journal.bytes).unwrap_or(usize::MAX);
                if length > 0 && !self.journal(inside.names[JOURNAL]).starts_with(&text[..length]) {
                    return Some(format!("the journal of token {token} is no prefix of what was written"));
                }
                folders.push(Folder { id, token, is_dead, journal });
            }
        }
        folders.sort_by_key(|folder| std::cmp::Reverse(folder.token));
        let used = folders.iter().find(|folder| folder.journal.was_opened_by(folder.token.0));
        let page = used.map_or(0, |folder| page_of(&folder.journal));
        if let Some(wrong) = folders.iter().find_map(|folder| header_ahead(image, folder, page).filter(|_| !torn)) {
            return Some(wrong);
        }
        if bytes(image, ROOT, &manifest_name(&data::run(1), 1)).is_some() {
            return None;
        }
        if page < told.page {
            return Some(format!("page {} was called committed, and {page} is left", told.page));
        }
        used.and_then(|folder| self.bodies(image, folder))
    }

    fn journal(&self, id: Id) -> &[u8] {
        self.end.file(id).map_or(&[], |file| &file.seen)
    }

    fn bodies(&self, image: &Disk, folder: &Folder) -> Option<String> {
        let last = folder.journal.last_page()?;
        for (index, golden) in self.files.iter().enumerate() {
            let end = match folder.journal.complete() {
                Some(complete) => complete.files[index].bytes,
                None => last.files[index].bytes,
            };
            let end = usize::try_from(end).unwrap_or(usize::MAX);
            let found = bytes(image, folder.id, &format!("F{index}")).unwrap_or_default();
            let same = found.len() >= end && found.get(HEADER_BYTES..end) == golden.get(HEADER_BYTES..end);
            if !same {
                return Some(format!("file {index} does not have the bytes of page {}, which is committed", last.page));
            }
        }
        None
    }
}

fn page_of(journal: &Journal) -> u64 {
    journal.last_page().map_or(0, |last| last.page)
}

/// A folder's headers claim what its own journal has; while it is being emptied, what the run's newest journal has.
fn header_ahead(image: &Disk, folder: &Folder, newest: u64) -> Option<String> {
    let own = page_of(&folder.journal);
    let durable = if folder.is_dead { own.max(newest) } else { own };
    (0..FILES).find_map(|index| {
        let found = bytes(image, folder.id, &format!("F{index}"))?;
        let header = Header::parse(&found).ok()?;
        (header.page > durable)
            .then(|| format!("the header of file {index} says page {}, the journal {durable}", header.page))
    })
}
