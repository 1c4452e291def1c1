//! What a run would do. Asks source, volume and state store, and changes nothing.

use crate::core::election::report::{LeaseReport, lease_of};
use crate::core::generate::inspect::find;
use crate::core::generate::model::journal::Journal;
use crate::core::generate::plan::{Plan, last_kept, pages_of, rows_of};
use crate::core::generate::spec::Worker;
use crate::core::generate::translate::Registry;
use crate::core::generate::{Edition, GenerateError, Ports, Start, edition, params};
use crate::core::model::param::Params;
use crate::core::model::run::RunId;
use crate::core::model::term::Token;

/// What a run would do.
#[derive(Clone, PartialEq, Debug)]
pub struct Preview {
    /// Which run.
    pub run: RunId,
    /// Whether it is already published: then nothing would be done.
    pub published: bool,
    /// The version that would be made.
    pub version: u32,
    /// Names that the version before would give up.
    pub withdrawn: Vec<String>,
    /// The source, without secrets.
    pub source: String,
    /// The query that would be sent first, where the source has a query language.
    pub query: Option<String>,
    /// The parameters that the query would have.
    pub parameters: Params,
    /// Columns that would be read.
    pub columns: Vec<String>,
    /// Rows of the view now.
    pub rows: u64,
    /// Pages that these make.
    pub pages: u64,
    /// First and last key, where there are any.
    pub keys: Option<(String, String)>,
    /// The last page that would be kept of what is committed; 0 starts from nothing.
    pub keep_page: u64,
    /// Source rows behind that page.
    pub keep_rows: u64,
    /// Whose committed pages these are.
    pub keep_from: Option<Token>,
    /// The output root.
    pub root: String,
    /// One per file.
    pub files: Vec<PreviewFile>,
    /// Who holds the lease now.
    pub lease: LeaseReport,
}

/// What would become of one file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PreviewFile {
    /// Its id.
    pub file: String,
    /// Its final path, relative to the root.
    pub path: String,
    /// Records it would have.
    pub rows: u64,
    /// Whether something has that name already.
    pub exists: bool,
}

/// What is there of a run, unless it was published and its receiver has taken it.
async fn there(ports: &Ports, id: &RunId, start: Start) -> Result<find::Run, GenerateError> {
    let run = find::run(&*ports.volume, id).await?;
    if run.manifest.is_none() {
        let record = ports.state.runs.run(id).await?;
        edition::taken(record.as_ref(), start).map_or(Ok(()), Err)?;
    }
    Ok(run)
}

/// Looks at what a run would do.
///
/// # Errors
/// What the run itself would fail with at its start: a source or store that cannot be reached, a worker file that no
/// longer fits what is staged, a page to start from that nothing leads up to.
pub async fn preview(
    ports: &Ports,
    worker: &Worker,
    registry: &Registry,
    id: &RunId,
    start: Start,
    making: &Edition,
) -> Result<Preview, GenerateError> {
    let worker = &kept(ports, worker, id, start).await?;
    let fresh = params::of(worker, id);
    let known = fresh.clone().unwrap_or_else(|_| params::for_looking(worker, id.date));
    let mut plan = Plan::new(worker, registry, &known)?;
    let run = there(ports, id, start).await?;
    let published = run.manifest.as_ref().is_some_and(|manifest| manifest.version >= making.version());
    if published && matches!(start, Start::FromPage(_)) {
        let reason = format!("run {id} is published, and published files never change");
        return Err(GenerateError::Staged { reason });
    }
    let of_version = run.folders.iter().filter(|folder| folder.version == making.version());
    let is_ours = |journal: &Journal| journal.begin().is_some() && plan.foreign(journal, id, worker).is_none();
    let newest = of_version.clone().find(|folder| is_ours(&folder.journal));
    let journal =
        newest.filter(|_| start != Start::FromStart && !published).map(|folder| (folder.token, &folder.journal));
    if let Some((journal, begin)) = journal.and_then(|(_, journal)| Some((journal, journal.begin()?))) {
        plan.check_fit(journal, begin, id, worker)?;
        params::check_given(worker, id, &begin.params)?;
        plan = Plan::new(worker, registry, &begin.params)?;
    } else if let Some(manifest) = run.manifest.as_ref().filter(|_| published) {
        params::check_given(worker, id, &manifest.parameters)?;
        plan = Plan::new(worker, registry, &manifest.parameters)?;
    } else {
        fresh?;
    }
    let keep_page = last_kept(start, journal.map_or(&Journal::default(), |(_, journal)| journal))?;
    let kept = journal.and_then(|(_, journal)| journal.pages().find(|page| page.page == keep_page));
    let extent = ports.source.extent(&plan.query).await?;
    ports.source.rest().await;
    let mut files = Vec::new();
    for (spec, file) in worker.files.iter().zip(&plan.files).filter(|(spec, _)| making.makes(spec.id.as_str())) {
        let path = making.file_name(id, spec);
        files.push(PreviewFile {
            file: spec.id.to_string(),
            rows: rows_of(file.predicate, &extent),
            exists: ports.volume.stat(&path).await?.is_some(),
            path,
        });
    }
    Ok(Preview {
        run: id.clone(),
        published,
        version: making.version(),
        withdrawn: making.withdrawn().map(str::to_owned).collect(),
        source: ports.source.describe(),
        query: ports.source.query_text(&plan.query)?,
        parameters: plan.params,
        rows: extent.rows,
        pages: pages_of(extent.rows, plan.query.page_size.get()),
        columns: plan.query.columns,
        keys: extent.range.map(|(first, last)| (first.to_string(), last.to_string())),
        keep_page,
        keep_rows: kept.map_or(0, |kept| kept.source_rows),
        keep_from: kept.and(journal).map(|(token, _)| token),
        root: ports.volume.describe(),
        files,
        lease: lease_of(&*ports.state.leases, &(&worker.id).into(), ports.clock.now()).await?,
    })
}

/// The worker as the run would have it: with the values that an earlier call gave for this run.
async fn kept(ports: &Ports, worker: &Worker, id: &RunId, start: Start) -> Result<Worker, GenerateError> {
    let mut worker = worker.clone();
    if start != Start::FromStart
        && let Some(given) = ports.state.runs.run(id).await?.and_then(|record| record.given)
    {
        params::fill(&mut worker, &given);
    }
    Ok(worker)
}
