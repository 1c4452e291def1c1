//! Workers that hand what they publish to transfers, held against the transfers' files.

use super::kind::Flow;
use super::suggest::{listed, nearest};
use super::together::{InFile, settled};
use crate::core::generate::model::file_name::{days_to_compare, manifest_name, with_version};
use crate::core::generate::spec::{Corrections, Worker};
use crate::core::model::event::FILE_DELIVERED;
use crate::core::model::pattern::Pattern;
use crate::core::model::run::{BusinessDate, RunId};
use crate::core::transfer::spec::{After, Collect, OnExists, Transfer, is_mark};
use std::path::Path;
use std::sync::Arc;

/// No manifest is smaller, in bytes.
const MANIFEST_MIN: u64 = 512;

/// Something that does not fit together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Misfit {
    /// What is wrong.
    pub what: String,
    /// What to write instead.
    pub hint: String,
}

/// What is found of files that are given together.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Misfits {
    /// What cannot work.
    pub wrong: Vec<Misfit>,
    /// What works until a day comes.
    pub doubts: Vec<Misfit>,
}

impl Misfits {
    fn wrong(&mut self, what: String, hint: impl Into<String>) {
        self.wrong.push(Misfit { what, hint: hint.into() });
    }

    fn doubt(&mut self, what: String, hint: impl Into<String>) {
        self.doubts.push(Misfit { what, hint: hint.into() });
    }
}

/// Holds each worker with `deliver` against the transfer that it names. With `is_all`, no file that is not given is served beside these.
pub fn misfits(files: &[InFile<'_>], is_all: bool) -> Misfits {
    let mut found = Misfits::default();
    let transfers: Vec<&Transfer> = files.iter().filter_map(|(_, flow)| flow.transfer()).map(Arc::as_ref).collect();
    for worker in files.iter().filter_map(|(_, flow): &(&Path, &Flow)| flow.worker()) {
        let Some(name) = &worker.deliver else { continue };
        match transfers.iter().find(|transfer| transfer.id.as_str() == name) {
            Some(transfer) => of_pair(worker, transfer, &mut found),
            None => unknown(worker, name, &transfers, is_all, &mut found),
        }
    }
    found
}

fn unknown(worker: &Worker, name: &str, transfers: &[&Transfer], is_all: bool, found: &mut Misfits) {
    let there: Vec<&str> = transfers.iter().map(|transfer| transfer.id.as_str()).collect();
    let what = format!("worker {} delivers to {name}, and no file here declares that transfer", worker.id);
    if there.is_empty() {
        let hint = format!("name the file with `transfer: {name}` too, with one more `-c FILE`");
        if is_all {
            found.wrong(what, hint);
        } else {
            found.doubt(what, hint);
        }
        return;
    }
    let meant = nearest(name, there.iter().copied()).map(|meant| format!("; did you mean `{meant}`?"));
    found.wrong(what, format!("there is {}{}", listed(there.iter().copied()), meant.unwrap_or_default()));
}

fn of_pair(worker: &Worker, transfer: &Transfer, found: &mut Misfits) {
    let (id, name) = (&worker.id, &transfer.id);
    let Some(collect) = &transfer.collect else {
        let what = format!("worker {id} delivers to {name}, and that transfer's file collects nothing");
        return found.wrong(what, format!("add `collect: {{ directory: … }}` to the file of transfer {name}"));
    };
    if !collect.receipt {
        let what =
            format!("worker {id} delivers to {name}, which waits for no receipt: nobody would know what has arrived");
        found.wrong(what, format!("leave `receipt: false` out of the file of transfer {name}"));
    }
    names(worker, name.as_str(), collect, found);
    folders(worker, name.as_str(), collect, found);
    if collect.max_size < MANIFEST_MIN {
        let what =
            format!("worker {id} delivers to {name}, whose `max_size` of {} bytes takes no manifest", collect.max_size);
        found.wrong(what, "raise `max_size`: a larger file is set aside unread");
    }
    if let Some(done) = &collect.done_file {
        let what = format!(
            "worker {id} delivers to {name}, which waits for `{done}` beside each file, and nobody writes that"
        );
        found
            .wrong(what, format!("leave `done_file` out of the file of transfer {name}: what is handed over is whole"));
    }
    if let Some(file) = worker.files.iter().find(|file| file.event_type.as_deref() == Some(FILE_DELIVERED)) {
        let what =
            format!("file {} of worker {id} has the event type {FILE_DELIVERED}, which tells of arrivals", file.id);
        found.wrong(what, "give the file another `event_type`");
    }
    if worker.output.corrections == Corrections::Suffix {
        return;
    }
    let suffix = "`output: { corrections: suffix }` in the worker's file";
    if collect.after == After::Keep {
        let what = format!(
            "worker {id} delivers to {name}, which keeps what has arrived (`after: keep`): a correction finds its name taken for ever"
        );
        found.wrong(what, format!("write `after: archive` in the file of transfer {name}, or {suffix}"));
    }
    if transfer.deliver.as_ref().is_some_and(|deliver| deliver.on_exists == OnExists::Error) {
        let what =
            format!("worker {id} delivers to {name}, which refuses a correction at the target (`on_exists: error`)");
        found.doubt(what, format!("write `on_exists: replace` in the file of transfer {name}, or {suffix}"));
    }
}

/// Whether the transfer takes all names that the worker gives.
fn names(worker: &Worker, transfer: &str, collect: &Collect, found: &mut Misfits) {
    // It was parsed when the file was read.
    let Ok(pattern) = Pattern::parse(&collect.pattern) else { return };
    let is_suffixed = worker.output.corrections == Corrections::Suffix;
    for day in days_to_compare(worker.files.iter().map(|file| &file.name)) {
        let run = RunId { worker: worker.id.clone(), date: BusinessDate(day) };
        let files: Vec<String> = worker.files.iter().map(|file| file.name.render(&run, &file.id)).collect();
        let later = files.iter().filter(|_| is_suffixed).map(|name| with_version(name, 2)).collect::<Vec<_>>();
        let manifests = [1, 2].into_iter().filter(|version| *version == 1 || is_suffixed);
        let manifests = manifests.map(|version| manifest_name(&run, version));
        for name in files.iter().cloned().chain(later).chain(manifests) {
            if !pattern.fits(&name) || is_mark(&name) {
                let what = format!(
                    "worker {} delivers to {transfer}, whose `pattern: \"{}\"` does not take `{name}`",
                    worker.id, collect.pattern
                );
                let marked = "a name that ends so is taken for one that is being written: give the file another";
                let hint =
                    format!("write `pattern: \"**\"` in the file of transfer {transfer}: it takes files and manifests");
                return found.wrong(what, if is_mark(&name) { marked.to_owned() } else { hint });
            }
        }
    }
}

/// Whether the transfer would take the published files themselves.
fn folders(worker: &Worker, transfer: &str, collect: &Collect, found: &mut Misfits) {
    let (root, taken) = (settled(&worker.output.root), settled(&collect.directory));
    let id = &worker.id;
    if root.starts_with(&taken) {
        let what = format!(
            "worker {id} delivers to {transfer}, which collects from {}: the worker's own output folder lies in it, and its published \
             files would be moved away",
            collect.directory.display()
        );
        let hint =
            format!("give `collect.directory` of transfer {transfer} a folder of its own, such as `data/handover`");
        return found.wrong(what, hint);
    }
    for (field, shelf) in [("archive", &collect.archive), ("error", &collect.error)] {
        if settled(shelf) == root {
            let what = format!("`collect.{field}` of transfer {transfer} is the output folder of worker {id}");
            found.wrong(what, "name another folder");
        }
    }
}
