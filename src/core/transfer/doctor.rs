//! Whether a transfer would work: its folders, its target, what carries the files, and its ledger.

use super::spec::{After, Collect, Transfer};
use super::status::{OPEN, odd_records};
use crate::core::doctor::permissions::{self, Kept};
use crate::core::doctor::report::{Area, CheckResult, Report};
use crate::core::doctor::state;
use crate::core::kind::FailureKind;
use crate::core::model::amount::counted;
use crate::core::model::filters::ToolFinding;
use crate::core::model::finding::{CheckVerdict, Finding};
use crate::core::model::pattern::Pattern;
use crate::core::model::peer::Insecure;
use crate::core::ports::admin::StoreAdmin;
use crate::core::ports::clock::Clock;
use crate::core::ports::file_broker::FileSender;
use crate::core::ports::file_target::{FileTarget, Room, TargetError};
use crate::core::ports::inbox::{Inbox, Shelf};
use crate::core::ports::store::{OddRecord, StoreError};
use crate::core::ports::transfer_ledger::TransferLedger;

/// What is looked at, and with what.
pub struct DoctorInput<'a> {
    /// The file.
    pub transfer: &'a Transfer,
    /// The folder that files are collected from, where the file has one.
    pub inbox: Option<&'a dyn Inbox>,
    /// What carries them.
    pub sender: &'a dyn FileSender,
    /// Where files go, where the file says so.
    pub target: Option<&'a dyn FileTarget>,
    /// The folder for what filters make.
    pub work: Option<&'a dyn FileTarget>,
    /// Other transfers that take its files, as a sentence each.
    pub namesakes: &'a [String],
    /// What is to be said of the files that its filters are made of.
    pub filters: &'a [ToolFinding],
    /// The ledger, or why it cannot be opened.
    pub ledger: Result<&'a dyn TransferLedger, StoreError>,
    /// The ledger's server, where it has one.
    pub admin: Option<&'a dyn StoreAdmin>,
    /// What is kept on this host.
    pub kept: &'a [(Area, Vec<Kept>)],
    /// Time.
    pub clock: &'a dyn Clock,
    /// A text that nobody else has, for the names of what is tried.
    pub nonce: &'a str,
    /// Connections that are weaker than they should be.
    pub insecure: &'a [Insecure],
    /// Told of each finding.
    pub found: &'a (dyn Fn(&CheckResult) + Send + Sync),
}

/// Looks at everything. Small files are written and taken away again; folders that a run would make are made.
pub async fn examine(input: DoctorInput<'_>) -> Vec<CheckResult> {
    let mut report = Report::new(input.found);
    let mut largest = 0;
    for namesake in input.namesakes {
        report.add(Area::Source, "other transfers", CheckVerdict::Warn, namesake.as_str());
    }
    if let (Some(collect), Some(inbox)) = (&input.transfer.collect, input.inbox) {
        largest = folder(collect, inbox, input.clock, &mut report).await;
        shelves(collect, inbox, input.nonce, &mut report).await;
    }
    let sent = input.sender.probe(&format!("doctor-{}", input.nonce)).await;
    let sent = sent.as_ref().map(|()| format!("{} takes messages", input.sender.describe()));
    let takes = sent.is_ok();
    report.answered(Area::Broker, "writable", None, sent);
    if takes {
        match input.sender.settings().await {
            Ok(findings) => {
                for finding in findings {
                    report.push(CheckResult::new(Area::Broker, finding, FailureKind::Config));
                }
            }
            Err(error) => report.fail(Area::Broker, "settings", &error),
        }
    }
    for Insecure { field, what, instead, .. } in input.insecure {
        let detail = format!("`{field}`: {what}; {instead}");
        let area = match field.split('.').next() {
            Some("deliver") => Area::Output,
            Some("state") => Area::State,
            _ => Area::Broker,
        };
        report.add(area, "is encrypted and verified", CheckVerdict::Warn, detail);
    }
    if let Some(target) = input.target {
        if place(target, "writable", "a name is given once, and replaces nothing", input.nonce, &mut report).await {
            ways(target, input.nonce, &mut report).await;
        }
        room(target, "space", largest, &mut report).await;
    }
    if let Some(work) = input.work.filter(|_| input.transfer.deliver.as_ref().is_some_and(|it| !it.filters.is_empty()))
    {
        place(work, "work folder", "filters may write there", input.nonce, &mut report).await;
        room(work, "work space", largest, &mut report).await;
    }
    for ToolFinding { field, finding } in input.filters {
        let detail = format!("`{field}`: {}", finding.detail);
        report.push(CheckResult::new(Area::Output, Finding { detail, ..finding.clone() }, FailureKind::Config));
    }
    ledger(&input, &mut report).await;
    for (area, kept) in input.kept {
        permissions::of_kept(*area, kept, None, &mut report);
    }
    report.found
}

/// The folder and what is in it. The size of the largest file that waits.
async fn folder(collect: &Collect, inbox: &dyn Inbox, clock: &dyn Clock, report: &mut Report<'_>) -> u64 {
    // It was parsed when the file was read.
    let Ok(pattern) = Pattern::parse(&collect.pattern) else { return 0 };
    let asked = clock.elapsed();
    let listed = inbox.list(pattern.has_folders()).await;
    let took = clock.elapsed().saturating_sub(asked);
    let fitting = listed.as_ref().map_or(&[][..], |listing| &listing.files);
    let fitting: Vec<u64> = fitting.iter().filter(|file| pattern.fits(&file.path)).map(|file| file.size).collect();
    let too_large = fitting.iter().filter(|size| **size > collect.max_size).count();
    if too_large > 0 {
        let (count, most) = (counted(too_large as u64, "file"), counted(collect.max_size, "byte"));
        let detail = format!("{count} of more than {most}, `max_size`, would be set aside unread");
        report.add(Area::Source, "max_size", CheckVerdict::Warn, detail);
    }
    let detail = listed.as_ref().map(|listing| {
        let (all, fit) = (counted(listing.files.len() as u64, "file"), fitting.len());
        format!("{}: {all}, {fit} of them fit `{}`", inbox.describe(), collect.pattern)
    });
    report.answered(Area::Source, "folder", Some(took), detail);
    if let Ok(listing) = &listed
        && let Some(odd) = listing.odd.first()
    {
        let count = listing.odd.len();
        let detail = format!("{}: {}; {count} such in all, and none of them is ever sent", odd.shown(), odd.what);
        report.add(Area::Source, "odd entries", CheckVerdict::Warn, detail);
    }
    fitting.into_iter().filter(|size| *size <= collect.max_size).max().unwrap_or(0)
}

/// Where files are moved once they have come to their end.
async fn shelves(collect: &Collect, inbox: &dyn Inbox, nonce: &str, report: &mut Report<'_>) {
    let (name, moves) = (format!("doctor-{nonce}"), collect.after != After::Keep);
    let archive = (collect.after == After::Archive).then_some(("archive", Shelf::Archive, &collect.archive));
    for (check, shelf, path) in archive.into_iter().chain([("error folder", Shelf::Error, &collect.error)]) {
        let path = path.display();
        match inbox.probe(shelf, &name, moves).await {
            Ok(true) => {
                report.add(Area::Source, check, CheckVerdict::Pass, format!("{path}: files move there by their name"));
            }
            Ok(false) => {
                let detail =
                    format!("{path} is on another file system: each file is copied there, checked, and removed");
                report.add(Area::Source, check, CheckVerdict::Warn, detail);
            }
            Err(error) => report.fail(Area::Source, check, &error),
        }
    }
}

/// Whether a place takes files.
async fn place(target: &dyn FileTarget, check: &str, promise: &str, nonce: &str, report: &mut Report<'_>) -> bool {
    let tried = target.probe(&format!("doctor-{nonce}")).await;
    let takes = tried.is_ok();
    report.answered(Area::Output, check, None, tried.as_ref().map(|()| format!("{}: {promise}", target.describe())));
    takes
}

/// What else the target keeps.
async fn ways(target: &dyn FileTarget, nonce: &str, report: &mut Report<'_>) {
    match target.ways(&format!("doctor-{nonce}")).await {
        Ok(findings) => {
            for finding in findings {
                report.push(CheckResult::new(Area::Output, finding, FailureKind::Config));
            }
        }
        Err(error) => report.fail(Area::Output, "ways", &error),
    }
}

/// Whether what waits fits there.
async fn room(target: &dyn FileTarget, check: &str, largest: u64, report: &mut Report<'_>) {
    let needed = largest.saturating_mul(2);
    match target.room().await {
        Ok(Some(Room { free, .. })) if free < needed => {
            let (free, needed) = (counted(free, "byte"), counted(needed, "byte"));
            let reason = format!("{free} are free, and the largest file that waits wants {needed}: twice its size");
            report.fail(Area::Output, check, &TargetError::Full { reason });
        }
        Ok(Some(Room { free, .. })) => {
            report.add(Area::Output, check, CheckVerdict::Pass, format!("{} are free", counted(free, "byte")));
        }
        Ok(None) => report.add(Area::Output, check, CheckVerdict::Pass, "nobody tells how much is free"),
        Err(error) => report.fail(Area::Output, check, &error),
    }
}

async fn ledger(input: &DoctorInput<'_>, report: &mut Report<'_>) {
    let asked = input.clock.elapsed();
    let counts = match &input.ledger {
        Ok(ledger) => ledger.counts(input.transfer.id.as_str()).await,
        Err(error) => Err(error.clone()),
    };
    let took = input.clock.elapsed().saturating_sub(asked);
    let detail = counts.as_ref().map(|counts| {
        let all: u64 = counts.iter().map(|count| count.files).sum();
        let open: u64 = counts.iter().filter(|count| !count.state.is_final()).map(|count| count.files).sum();
        match all {
            0 => "answers; no file was seen yet".to_owned(),
            _ => format!("answers; {} of both sides, {open} not at their end", counted(all, "record")),
        }
    });
    let answers = detail.is_ok();
    report.answered(Area::State, "ledger", Some(took), detail);
    if let Some(admin) = input.admin.filter(|_| answers) {
        state::clock(admin, input.clock, report).await;
        state::indexes(admin, report).await;
    }
    let odd = match &input.ledger {
        Ok(ledger) => odd_records(*ledger, input.transfer.id.as_str(), OPEN).await.unwrap_or_default(),
        Err(_) => Vec::new(),
    };
    if let Some(OddRecord { id, reason }) = odd.first() {
        let detail = format!("{id} cannot be read: {reason}; {} such in all, and nobody works on them", odd.len());
        report.add(Area::State, "records", CheckVerdict::Warn, detail);
    }
}
