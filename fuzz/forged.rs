//! What holds for journals and manifests that somebody made who knows how: the checksums are right, and the content is not.
//!
//! An input is a list of changes to the journal and the manifest of a true run, three bytes each: which value, what is done to it,
//! with which number. The run is then taken over as after a crash, and found published as in a restored environment.

use filegen::Registry;
use filegen::adapters::memory::clock::MemoryClock;
use filegen::adapters::memory::source::{Cell, MemorySource};
use filegen::adapters::memory::state::MemoryState;
use filegen::adapters::memory::volume::MemoryVolume;
use filegen::config;
use filegen::core::generate::inspect::find;
use filegen::core::generate::model::file_name::manifest_name;
use filegen::core::generate::model::journal::{Journal, JournalWriter};
use filegen::core::generate::model::manifest::{Manifest, ManifestFile};
use filegen::core::generate::{Edition, GenerateError, Job, Outcome, Ports, Start, generate};
use filegen::core::model::column::{Column, Kind};
use filegen::core::model::names::ViewName;
use filegen::core::model::run::{BusinessDate, RunId};
use filegen::core::model::term::{Term, Token};
use filegen::core::ports::observer::Unobserved;
use filegen::core::ports::state::StateStore;
use filegen::core::ports::volume::VolumeError;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const WORKER: &str = r#"
worker: W
source: { url: "sqlite:w.db", view: v, key: [Id, Name], page_size: 2 }
output: { root: out }
commit: { pages: 1 }
files:
  - id: A
    name: "a_{date}.txt"
    first_record: "{rows} {sum.Id}"
    last_record: "{rows} {sum.Id}"
    translator: { delimited: { delimiter: "|", columns: [Id, Name] } }
  - id: B
    name: "b_{date}.csv"
    where: "Id > 2"
    progress_header: false
    translator: { delimited: { delimiter: ",", columns: [Name] } }
"#;

/// The folder of the holder that died.
const STAGED: &str = ".filegen/W/20261121/t00000007";

/// Numbers at the ends of what one may hold, and beyond.
fn numbers() -> [Value; 10] {
    [
        json!(0),
        json!(1),
        json!(2),
        json!(7),
        json!(-1),
        json!(i64::MAX),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(u64::from(u32::MAX)),
        json!(1.5),
    ]
}

struct Case {
    ports: Ports,
    job: Job,
}

impl Case {
    fn new() -> Self {
        let loaded = config::parse(WORKER, Path::new("/worker.yaml"), &(), &Registry::default()).expect("it is right");
        let worker = loaded.into_worker().expect("it is a worker's");
        let source = MemorySource::default();
        let columns = [("Id", Kind::Int), ("Name", Kind::Text)];
        let columns = columns.map(|(name, kind)| Column { name: name.to_owned(), kind });
        let rows = (1..=6).map(|id| vec![Cell::Int(id), Cell::Text(format!("name {id}"))]);
        source.put(&ViewName::parse("v").expect("a name"), columns.into(), rows.collect());
        let ports = Ports {
            source: Arc::new(source),
            volume: Arc::new(MemoryVolume::default()),
            state: StateStore::of(Arc::new(MemoryState::default())),
            clock: Arc::new(MemoryClock::starting_at(jiff::Timestamp::UNIX_EPOCH)),
        };
        let run = RunId { worker: worker.id.clone(), date: BusinessDate(jiff::civil::date(2026, 11, 21)) };
        let (registry, observer) = (Arc::new(Registry::default()), Arc::new(Unobserved));
        let job = Job {
            worker,
            run,
            registry,
            start: Start::Resume,
            stop: CancellationToken::new(),
            observer,
            edition: Edition::default(),
        };
        Self { ports, job }
    }

    async fn generate(&self, token: u64) -> Result<Outcome, GenerateError> {
        generate(&self.ports, &self.job, &term(token)).await
    }

    async fn read(&self, path: &str) -> Vec<u8> {
        let file = self.ports.volume.open(path).await.expect("it is there");
        file.read_at(0, 1 << 20).await.expect("it can be read")
    }

    async fn put(&self, path: &str, bytes: Vec<u8>) {
        let (volume, term) = (&self.ports.volume, term(99));
        match volume.unlink(&term, path).await {
            Ok(()) | Err(VolumeError::NotFound { .. }) => {}
            Err(error) => panic!("{error}"),
        }
        let file = volume.create(&term, path).await.expect("its name is free");
        file.write_at(&term, 0, bytes).await.1.expect("there is room");
    }

    /// No panic was in it, and what it calls published is what its manifest says.
    async fn check(&self, result: Result<Outcome, GenerateError>, whole: Option<&Manifest>) {
        assert!(!matches!(result, Err(GenerateError::Panicked { .. })), "{result:?}");
        drop(find::run(&*self.ports.volume, &self.job.run).await);
        let Ok(Outcome::Published(manifest) | Outcome::AlreadyPublished(manifest)) = result else { return };
        assert_eq!(manifest.run_id, "W:2026-11-21");
        for file in &manifest.files {
            let bytes = self.read(file.name.as_deref().expect("it has a name")).await;
            assert_eq!(bytes.len() as u64, file.bytes);
        }
        if let Some(whole) = whole {
            let content = |manifest: &Manifest| {
                let files = manifest.files.iter();
                // Without a header line, nothing in a file says how many records it has.
                let rows = |file: &ManifestFile| (file.id == "A").then_some(file.rows);
                // Their order says nothing.
                files
                    .map(|file| (file.name.clone(), rows(file), file.bytes, file.sha256.clone()))
                    .collect::<BTreeSet<_>>()
            };
            assert_eq!(content(&manifest), content(whole));
        }
    }
}

fn term(token: u64) -> Term {
    Term::new(Token(token), Duration::from_hours(1), Arc::new(|| Duration::ZERO))
}

/// All places in a value, as pointers.
fn places(value: &Value, at: &str, all: &mut Vec<String>) {
    all.push(at.to_owned());
    match value {
        Value::Array(list) => {
            for (index, inner) in list.iter().enumerate() {
                places(inner, &format!("{at}/{index}"), all);
            }
        }
        Value::Object(fields) => {
            for (name, inner) in fields {
                places(inner, &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), all);
            }
        }
        _ => {}
    }
}

/// Does to one of the values what the three bytes say.
fn change(values: &mut [Value], bytes: &[u8]) {
    let &[which, how, with] = bytes else { return };
    let mut all = Vec::new();
    for (index, value) in values.iter().enumerate() {
        let mut inner = Vec::new();
        places(value, "", &mut inner);
        all.extend(inner.into_iter().map(|place| (index, place)));
    }
    // Two rounds of 256 reach every value of a run this small.
    let place = usize::from(which) + usize::from(how >> 7) * 256;
    let Some((index, place)) = all.get(place % all.len().max(1)) else { return };
    let Some(found) = values[*index].pointer_mut(place) else { return };
    let with = usize::from(with);
    match how % 7 {
        0 => *found = numbers()[with % 10].clone(),
        1 => *found = [json!(null), json!(""), json!("x"), json!([]), json!({}), json!(true)][with % 6].clone(),
        2 => match found {
            Value::Array(list) => drop(list.pop()),
            Value::Object(fields) => {
                let name = fields.keys().nth(with % fields.len().max(1)).cloned();
                name.map(|name| fields.remove(&name));
            }
            _ => {}
        },
        3 => match found {
            Value::Array(list) => list.extend(list.last().cloned()),
            Value::Number(number) => *found = json!(number.as_u64().unwrap_or_default().wrapping_add(1)),
            Value::String(text) => text.push('x'),
            _ => {}
        },
        4 => {
            if let Value::Array(list) = found {
                list.reverse();
            }
        }
        5 => {
            if let Value::Number(number) = found {
                *found = json!(number.as_u64().unwrap_or_default().saturating_sub(1));
            }
        }
        // A whole line twice, or away.
        _ => {
            let other = with % values.len();
            values.swap(*index, other);
        }
    }
}

/// Any changes to the journal and the manifest of a true run.
pub fn forged(bytes: &[u8]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(async {
        let (case, stop) = (Case::new(), Case::new());
        let Ok(Outcome::Published(whole)) = case.generate(7).await else { panic!("nothing is wrong yet") };

        // The journal of a run that ended behind its last page or behind its end, with the staged files as they were.
        let journal = case.read(&format!("{STAGED}/journal.jsonl")).await;
        let entries = Journal::parse(&journal).entries;
        let mut lines: Vec<Value> =
            entries.iter().map(|entry| serde_json::to_value(entry).expect("it has a form")).collect();
        if bytes.first().is_some_and(|first| first % 2 == 0) {
            lines.pop();
        }
        let (changes, of_manifest) = bytes.split_at(bytes.len() / 2);
        changes.chunks(3).for_each(|three| change(&mut lines, three));
        let (mut writer, mut forged) = (JournalWriter::default(), Vec::new());
        for line in &lines {
            writer.append_text(line.to_string().as_bytes(), &mut forged);
        }
        stop.ports.volume.make_dirs(&term(7), STAGED).await.expect("a folder");
        stop.put(&format!("{STAGED}/journal.jsonl"), forged).await;
        for (id, name) in [("A", "a_20261121.txt"), ("B", "b_20261121.csv")] {
            stop.put(&format!("{STAGED}/{id}"), case.read(name).await).await;
        }
        stop.check(stop.generate(8).await, None).await;

        // A volume that is whole, with a manifest that may not be, and a store that knows nothing.
        let mut manifest = vec![serde_json::to_value(&whole).expect("it has a form")];
        of_manifest.chunks(3).for_each(|three| change(&mut manifest, three));
        case.put(&manifest_name(&case.job.run, 1), manifest[0].to_string().into_bytes()).await;
        let state = StateStore::of(Arc::new(MemoryState::default()));
        let restored = Case { ports: Ports { state, ..case.ports }, job: case.job };
        restored.check(restored.generate(9).await, Some(&whole)).await;
    });
}
