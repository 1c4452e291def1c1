//! Whether a scheduler would work, and what of its schedules a person should know. Changes nothing.

use super::roots::Roots;
use super::spec::Scheduler;
use super::status::{Overview, Stores, Trouble, status};
use crate::core::doctor::doors::{self, Openness};
use crate::core::doctor::permissions::{self, Kept};
use crate::core::doctor::report::{Area, CheckResult, Report};
use crate::core::doctor::state::{Store, state};
use crate::core::doctor::topics::{Topics, topics};
use crate::core::election::report::LeaseState;
use crate::core::model::amount::counted;
use crate::core::model::door::DoorCertificate;
use crate::core::model::finding::{CheckVerdict, Finding};
use crate::core::model::names::LeaseKey;
use crate::core::model::peer::{Insecure, Peer};
use crate::core::model::schedule::ScheduleId;
use crate::core::model::shown;
use crate::core::ports::admin::StoreAdmin;
use crate::core::ports::clock::Clock;
use crate::core::ports::data_sources::Wanted;
use crate::core::ports::folders::{FolderError, Folders, Pulse};
use crate::core::ports::store::StoreError;
use crate::core::schedule::plan::Settings;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// Time for a look into one folder: one on a share that hangs does not answer.
const FOLDER_WITHIN: Duration = Duration::from_secs(5);

/// Time for all folders of data sources together.
const FOLDERS_WITHIN: Duration = Duration::from_secs(30);

/// Schedules or data sources that one finding names.
const NAMED: usize = 5;

/// Folders that are told to be wrong, one by one.
const WRONG_MAX: usize = 20;

/// What to check.
pub struct DoctorInput<'a> {
    /// The file.
    pub scheduler: &'a Scheduler,
    /// What holds for all its schedules.
    pub settings: &'a Settings,
    /// Its state store, or why that cannot be opened.
    pub stores: Result<Stores, StoreError>,
    /// The store's server. `None` where it has none.
    pub admin: Option<&'a dyn StoreAdmin>,
    /// The store's file and its permissions. `None` where it has none, or not yet.
    pub state_kept: &'a [Kept],
    /// Who may write the store's file. `None` where it has none.
    pub state_rights: Option<Finding>,
    /// Its topics.
    pub topics: &'a Topics,
    /// The folders that data sources may name.
    pub folders: &'a dyn Folders,
    /// Connections that are weaker than they should be.
    pub insecure: &'a [Insecure],
    /// What was found of the doors' certificates.
    pub certificates: &'a [DoorCertificate],
    /// Time.
    pub clock: &'a dyn Clock,
    /// Gets each finding at once.
    pub found: &'a (dyn Fn(&CheckResult) + Send + Sync),
}

/// Checks everything that a scheduler needs. Never fails itself.
pub async fn examine(input: &DoctorInput<'_>) -> Vec<CheckResult> {
    let mut report = Report::new(input.found);
    let key = LeaseKey::from(&input.scheduler.id);
    let store = Store {
        leader_of: &key,
        leases: input.stores.as_ref().map(|stores| &*stores.leases),
        admin: input.admin,
        policies: &input.scheduler.policies,
        clock: input.clock,
    };
    permissions::of_kept(Area::State, input.state_kept, input.state_rights.as_ref(), &mut report);
    let answers = state(&store, &mut report).await;
    if let (true, Ok(stores)) = (answers, &input.stores) {
        writable(stores, &mut report).await;
    }
    topics(input.topics, input.clock, &mut report).await;
    let roots = &input.scheduler.roots;
    for root in &roots.roots {
        folder(input, root, "", ("root", &root.display().to_string()), &mut report).await;
    }
    if let (true, Ok(stores)) = (answers, &input.stores) {
        data_sources(input, stores, roots, &mut report).await;
        match status(&key, stores, input.settings, input.clock.now()).await {
            Ok(status) => schedules(&status, &mut report),
            Err(error) => report.fail(Area::State, "schedules", &error),
        }
    }
    insecure(input.insecure, &mut report);
    let scheduler = input.scheduler;
    let openness = Openness {
        for_any_host: scheduler.doors_for_any_host(),
        for_anybody: scheduler.doors_for_anybody(),
        in_clear: scheduler.doors_in_clear(),
    };
    doors::examine(&openness, input.certificates, &mut report);
    report.found
}

/// A write that changes nothing: no execution is of the schedule without a name.
async fn writable(stores: &Stores, report: &mut Report<'_>) {
    let answer = stores.schedules.forget_executions(&ScheduleId::new(""), Timestamp::UNIX_EPOCH, &[], 1).await;
    match &answer {
        Ok(_) => report.add(Area::State, "writable", CheckVerdict::Pass, "this user may write it"),
        Err(error) => report.fail(Area::State, "writable", error),
    }
}

/// Looks into a folder, and tells what is wrong with it. A root that cannot be looked at keeps all its data sources.
async fn folder(
    input: &DoctorInput<'_>,
    root: &Path,
    below: &str,
    (check, name): (&str, &str),
    report: &mut Report<'_>,
) {
    let asked = input.clock.elapsed();
    let answer = look(input, root, below).await;
    let took = input.clock.elapsed().saturating_sub(asked);
    let answer = answer.as_ref().map(|()| format!("{} can be read", shown::name(name)));
    report.answered(Area::Folders, check, Some(took), answer);
}

async fn look(input: &DoctorInput<'_>, root: &Path, below: &str) -> Result<(), FolderError> {
    let hangs = || {
        let path = root.join(below).display().to_string();
        FolderError::Failed { path, reason: format!("no answer within {} s", FOLDER_WITHIN.as_secs()) }
    };
    let pulse = Pulse::default();
    tokio::select! {
        biased;
        answer = input.folders.check(root, below, &pulse) => answer,
        () = input.clock.sleep(FOLDER_WITHIN) => Err(hangs()),
    }
}

/// The folders of data sources that are looked at, each once.
async fn data_sources(input: &DoctorInput<'_>, stores: &Stores, roots: &Roots, report: &mut Report<'_>) {
    let wanted = Wanted { active: Some(true), most: u32::MAX, ..Wanted::default() };
    let sources = match stores.sources.data_sources(&wanted).await {
        Ok(listed) => listed.sources,
        Err(error) => return report.fail(Area::State, "data sources", &error),
    };
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for source in sources {
        places.entry(source.path).or_default().push(source.name);
    }
    let (began, count) = (input.clock.elapsed(), places.len());
    let (mut looked, mut wrong) = (0, 0);
    for (path, names) in &places {
        if input.clock.elapsed().saturating_sub(began) > FOLDERS_WITHIN {
            let left = counted((count - looked) as u64, "folder");
            report.add(
                Area::Folders,
                "data sources",
                CheckVerdict::Warn,
                format!("{left} more, not looked at: no time left"),
            );
            return;
        }
        looked += 1;
        let fault = match roots.place(path) {
            Ok(place) => look(input, &place.root, &place.below).await.err().map(|error| error.to_string()),
            Err(fault) => Some(format!("{}: {fault}", shown::name(path))),
        };
        let Some(fault) = fault else { continue };
        wrong += 1;
        if wrong <= WRONG_MAX {
            report.add(Area::Folders, "data sources", CheckVerdict::Warn, format!("{}: {fault}", listed(names)));
        }
    }
    if wrong > WRONG_MAX {
        let more = counted((wrong - WRONG_MAX) as u64, "folder");
        report.add(
            Area::Folders,
            "data sources",
            CheckVerdict::Warn,
            format!("{more} more cannot be looked at either"),
        );
    }
    if wrong == 0 {
        let detail = format!("{} of data sources, all can be read", counted(count as u64, "folder"));
        report.add(Area::Folders, "data sources", CheckVerdict::Pass, detail);
    }
}

/// What the store knows of the schedules.
fn schedules(status: &Overview, report: &mut Report<'_>) {
    let leader = &status.leader;
    let (verdict, detail) = match (leader.word, &leader.holder) {
        (LeaseState::Held, Some(holder)) => (CheckVerdict::Pass, format!("{holder} leads")),
        (LeaseState::Odd, _) => {
            (CheckVerdict::Warn, "the lease cannot be read; who wants it takes it over after `lease_ttl`".to_owned())
        }
        (LeaseState::None, _) | (_, None) => {
            (CheckVerdict::Warn, "nobody has ever led: no daemon serves this file".to_owned())
        }
        (_, Some(holder)) => (
            CheckVerdict::Warn,
            format!("nobody leads; the last one was {holder}: due times wait until a daemon serves this file"),
        ),
    };
    report.add(Area::Schedules, "leader", verdict, detail);
    let mut by_trouble: BTreeMap<Trouble, Vec<(&str, &str)>> = BTreeMap::new();
    for it in &status.attention {
        by_trouble.entry(it.what).or_default().push((&it.name, &it.detail));
    }
    for (trouble, found) in &by_trouble {
        let named = found.iter().take(NAMED).map(|(name, detail)| format!("{}: {detail}", shown::name(name)));
        let more = found.len().saturating_sub(NAMED);
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        let detail = format!("{}{more}", named.collect::<Vec<_>>().join("; "));
        report.add(Area::Schedules, trouble.words(), CheckVerdict::Warn, detail);
    }
    if by_trouble.is_empty() {
        let count = status.schedules.values().sum::<usize>();
        report.add(
            Area::Schedules,
            "all",
            CheckVerdict::Pass,
            format!("{}, none needs a look", counted(count as u64, "schedule")),
        );
    }
    let waiting = [("changes", status.changes_waiting, "change"), ("files", status.files_waiting, "new file")];
    for (check, count, what) in waiting.into_iter().filter(|(_, count, _)| *count > 0) {
        let detail = format!("{} not sent yet", counted(count as u64, what));
        report.add(Area::State, &format!("outbox of {check}"), CheckVerdict::Warn, detail);
    }
    if let Some(last) = status.passed_over.first() {
        let detail = format!(
            "the last event that could not be used, {} of {}: {}",
            last.event,
            last.at,
            shown::text(&last.reason)
        );
        report.add(Area::Kafka, "passed over", CheckVerdict::Warn, detail);
    }
    for it in &status.unreadable {
        report.add(
            Area::State,
            "records",
            CheckVerdict::Warn,
            format!("{} cannot be read: {}", it.record, shown::text(&it.reason)),
        );
    }
}

fn insecure(found: &[Insecure], report: &mut Report<'_>) {
    for Insecure { peer, field, what, instead } in found {
        let area = if *peer == Peer::Kafka { Area::Kafka } else { Area::State };
        report.add(area, "is encrypted and verified", CheckVerdict::Warn, format!("`{field}`: {what}; {instead}"));
    }
}

/// The first of some names.
fn listed(names: &[String]) -> String {
    let text = names.iter().take(NAMED).map(|name| shown::name(name)).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => text,
        more => format!("{text} and {more} more"),
    }
}
