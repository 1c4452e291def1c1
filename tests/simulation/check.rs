//! What must be true at the end.

use crate::data;
use crate::handover;
use crate::sim::locked;
use crate::world::World;
use filegen::core::generate::layout::kept_dir;
use filegen::core::generate::model::file_name::manifest_name;
use filegen::core::generate::model::manifest::{Manifest, ManifestFile};
use filegen::core::model::run::RunId;
use filegen::core::ports::deliveries::Deliveries;
use filegen::core::ports::outbox::Outbox;
use filegen::core::ports::runs::{FileState, FileStatus, RunStore};
use futures_util::FutureExt;
use std::collections::BTreeSet;

impl World {
    /// The runs that events asked for.
    fn runs(&self) -> Vec<RunId> {
        (1..=self.sim.mix.dates).map(data::run).collect()
    }

    /// The version that a run must end with.
    fn version(&self, run: &RunId) -> u32 {
        locked(&self.sim.book).wanted.get(run).copied().unwrap_or(1)
    }

    fn events_sent(&self, run: &RunId) -> usize {
        let version = self.version(run);
        let book = locked(&self.sim.book);
        book.events.keys().filter(|(date, _, of)| *date == run.date.to_string() && *of == version).count()
    }

    /// Whether every run is published and recorded, and every event sent and marked.
    pub fn is_done(&self) -> bool {
        let state = &self.sim.state;
        let waiting = state.pending(&data::lease_key()).now_or_never().and_then(Result::ok);
        let published = |run: &RunId| {
            let record = state.run(run).now_or_never().and_then(Result::ok).flatten();
            record.is_some_and(|record| record.version() == self.version(run))
        };
        waiting.is_some_and(|waiting| waiting.records.is_empty())
            && self.runs().iter().all(|run| published(run) && self.events_sent(run) == self.sim.mix.files)
            && self.undelivered().is_empty()
    }

    pub fn undone(&self) -> String {
        let state = &self.sim.state;
        let told = |run: RunId| {
            let record = state.run(&run).now_or_never().and_then(Result::ok).flatten();
            let (status, error) = record.map_or((None, None), |record| (Some(record.status), record.error));
            let (sent, files) = (self.events_sent(&run), self.sim.mix.files);
            format!("[{run} {status:?} {sent} of {files} events, {error:?}]")
        };
        let runs: Vec<String> = self.runs().into_iter().map(told).collect();
        let waiting = state.pending(&data::lease_key()).now_or_never().and_then(Result::ok).unwrap_or_default();
        format!("{} {} unsent {:?}", runs.join(" "), waiting.records.len(), self.undelivered())
    }

    /// What has not arrived at the transfer of all that a run ended with.
    fn undelivered(&self) -> Vec<String> {
        if self.sim.mix.deliver.is_none() {
            return Vec::new();
        }
        let (disk, mut transfer) = (locked(&self.sim.disk), locked(&self.sim.transfer));
        transfer.remember(&disk, self.sim.manifests());
        let undone = |run: &RunId| {
            let manifest = handover::version(&disk, &manifest_name(run, 1));
            manifest.map_or_else(|| Some(format!("{run} has no manifest")), |it| transfer.undone(run, &it))
        };
        let mut undone: Vec<String> = self.runs().iter().filter_map(undone).collect();
        let dates = self.sim.state.undone(&data::worker_id()).now_or_never().and_then(Result::ok).unwrap_or_default();
        undone.extend(dates.records.iter().map(|date| format!("something of {date} is not done")));
        undone
    }

    /// Every file's record says that it is published and announced.
    pub fn check_records(&self) {
        for run in self.runs() {
            let files = self.sim.state.files(&run).now_or_never().and_then(Result::ok).unwrap_or_default();
            let sent = |status: &FileStatus| status.event.as_ref().is_some_and(|entry| entry.sent_at.is_some());
            let told = files.iter().filter(|status| status.state == FileState::Published && sent(status)).count();
            if told != self.sim.mix.files {
                let all = self.sim.mix.files;
                self.sim.wrong(format!("{run}: {told} of {all} files are recorded as published and announced"));
            }
        }
    }

    /// Published bytes against the oracle.
    pub fn check_files(&self) {
        let mut wrong = Vec::new();
        let disk = locked(&self.sim.disk);
        locked(&self.sim.book).check_published(&disk);
        let versions = locked(&self.sim.book).wanted.clone();
        let version = |run: &RunId| versions.get(run).copied().unwrap_or(1);
        let read = |name: &str| {
            let id = disk.resolve(name).ok()?;
            disk.file(id).ok().map(|file| file.seen.clone())
        };
        for run in self.runs() {
            let manifest =
                read(&manifest_name(&run, 1)).and_then(|text| serde_json::from_slice::<Manifest>(&text).ok());
            let Some(manifest) = manifest else {
                wrong.push(format!("{run} has no manifest"));
                continue;
            };
            if manifest.version != version(&run) {
                wrong.push(format!("{run} ended with version {}", manifest.version));
            }
            for before in 1..manifest.version {
                let dir = kept_dir(&run, before);
                let kept = read(&format!("{dir}/manifest.json"));
                let kept = kept.and_then(|text| serde_json::from_slice::<Manifest>(&text).ok());
                let whole = |file: &ManifestFile| {
                    read(&format!("{dir}/{}", file.id)).is_some_and(|kept| kept.len() as u64 == file.bytes)
                };
                if !kept.is_some_and(|kept| kept.version == before && kept.files.iter().all(whole)) {
                    wrong.push(format!("{run}: version {before} is not kept whole"));
                }
            }
            let files: Vec<Vec<u8>> =
                manifest.files.iter().map(|file| file.name.as_deref().and_then(read).unwrap_or_default()).collect();
            let ids = data::ids_in(files.first().map_or(&[], Vec::as_slice));
            self.check_ids(&run, &ids, &mut wrong);
            let pages = if self.sim.mix.moving {
                manifest.pages
            } else {
                u64::try_from(ids.len()).unwrap_or(0).div_ceil(self.sim.mix.page_size.into())
            };
            for (index, found) in files.iter().enumerate() {
                if *found != data::bytes_of(index, &ids, pages) {
                    wrong.push(format!("{run}: file {index} is not what its rows and {pages} pages make"));
                }
            }
        }
        drop(disk);
        for wrong in wrong {
            self.sim.wrong(wrong);
        }
    }

    /// Every row that stayed is there once, in order; a row that came and went is there once or not at all.
    fn check_ids(&self, run: &RunId, ids: &[i64], wrong: &mut Vec<String>) {
        if ids.windows(2).any(|pair| pair[0] >= pair[1]) {
            wrong.push(format!("{run}: rows are doubled or out of order: {ids:?}"));
        }
        let found: BTreeSet<i64> = ids.iter().copied().collect();
        let stable: BTreeSet<i64> = (0..self.sim.mix.rows).map(data::stable_id).collect();
        if let Some(lost) = stable.difference(&found).next() {
            wrong.push(format!("{run}: row {lost} is lost: {ids:?}"));
        }
        let strange = found.difference(&stable).find(|id| !self.passing.contains(id));
        if let Some(strange) = strange {
            wrong.push(format!("{run}: row {strange} was never there: {ids:?}"));
        }
    }
}
