//! What each error of the library ends a command with: its kind, its exit code, and the first words of its hint.

use super::*;
use crate::core::election::ElectionError;
use crate::core::election::release::ReleaseError;
use crate::core::generate::GenerateError;
use crate::core::generate::drill::DrillError;
use crate::core::generate::run::RunError;
use crate::core::kind::FailureKind;
use crate::core::model::names::{InstanceId, LeaseKey};
use crate::core::model::schedule::ScheduleId;
use crate::core::model::term::{TermEnded, Token};
use crate::core::outbox::OutboxError;
use crate::core::ports::broker::BrokerError;
use crate::core::ports::drill::DrillRunnerError;
use crate::core::ports::leases::LeaseRecord;
use crate::core::ports::source::SourceError;
use crate::core::ports::store::{OddRecord, StoreError};
use crate::core::ports::volume::VolumeError;
use crate::core::schedule::plan::PlanFault;
use crate::core::schedule::steer::SteerError;
use crate::wiring::WiringError;
use jiff::{SignedDuration, Timestamp};

const ENDED: TermEnded = TermEnded { token: Token(7) };

fn key() -> LeaseKey {
    LeaseKey::new("LoanWorker").unwrap()
}

fn text() -> String {
    "why".to_owned()
}

#[track_caller]
fn check(error: impl HasKind + Hint, kind: FailureKind, code: Code, hint: &str) {
    assert_eq!(error.kind(), kind, "{error:?}");
    let words = error.to_string();
    let failure = Failure::from(error);
    assert_eq!((failure.code, &failure.messages), (code, &vec![words.clone()]), "{words}");
    let told = failure.hint.unwrap_or_default();
    assert!(told.starts_with(hint) && told.is_empty() == hint.is_empty(), "{words}: {told}");
}

#[test]
fn errors_of_a_source() {
    let (source_name, reason) = (text(), text());
    let doctor = "`filegen doctor{c}` shows";
    let away = SourceError::Unreachable { source_name: text(), reason: text() };
    assert!(away.is_transient() && away.is_away());
    check(away, FailureKind::Unreachable, Code::Unreachable, doctor);
    let absent = SourceError::Absent { source_name: text(), reason: text() };
    assert!(!absent.is_transient() && absent.is_away());
    check(absent, FailureKind::Absent, Code::Config, "check `source.url`");
    let denied = SourceError::Denied { source_name: text(), reason: text() };
    assert!(!denied.is_transient() && !denied.is_away());
    check(denied, FailureKind::Config, Code::Config, "check user, password");
    check(SourceError::Refused { reason: text() }, FailureKind::Config, Code::Config, "`filegen doctor{c}` compares");
    check(SourceError::Changed { reason: text() }, FailureKind::Conflict, Code::Failed, "put the view back");
    check(SourceError::Key { reason: text() }, FailureKind::Data, Code::Data, "`source.key` must name");
    let value = SourceError::Value { column: text(), key: text(), reason: text() };
    check(value, FailureKind::Data, Code::Data, "");
    let failed = SourceError::Failed { source_name, reason };
    assert!(!failed.is_transient() && !failed.is_away());
    check(failed, FailureKind::Refused, Code::Failed, "`filegen doctor{c}` asks the source");
}

#[test]
fn errors_of_a_volume() {
    let path = text;
    check(VolumeError::Exists { path: path() }, FailureKind::Failed, Code::Failed, "");
    check(VolumeError::NotFound { path: path() }, FailureKind::Failed, Code::Failed, "");
    check(VolumeError::NotEmpty { path: path() }, FailureKind::Failed, Code::Failed, "");
    check(VolumeError::TermEnded(ENDED), FailureKind::Lease, Code::Lease, "`filegen lease show{c}`");
    check(VolumeError::Full { path: path(), reason: text() }, FailureKind::Failed, Code::Failed, "make room");
    let denied = VolumeError::Denied { operation: "write", path: path(), reason: text() };
    check(denied, FailureKind::Config, Code::Config, "`filegen doctor{c}` checks the output folder");
    let broken = VolumeError::Io { operation: "sync", path: path(), reason: text() };
    check(broken, FailureKind::Failed, Code::Failed, "`filegen doctor{c}` tries");
}

#[test]
fn errors_of_a_state_store_and_a_broker() {
    let lease = "`filegen lease show{c}`";
    check(ENDED, FailureKind::Lease, Code::Lease, lease);
    let away = || StoreError::Unreachable { store: text(), reason: text() };
    check(away(), FailureKind::Unreachable, Code::Unreachable, "`filegen doctor{c}` shows");
    check(StoreError::Stale { token: Token(7) }, FailureKind::Lease, Code::Lease, lease);
    check(StoreError::TermEnded(ENDED), FailureKind::Lease, Code::Lease, lease);
    let state = "`filegen doctor{c}` checks the state store";
    check(StoreError::Failed { store: text(), reason: text() }, FailureKind::Failed, Code::Failed, state);
    check(StoreError::Denied { store: text(), reason: text() }, FailureKind::Config, Code::Config, state);
    let broker = || BrokerError::Unreachable { topic: text(), reason: text() };
    check(broker(), FailureKind::Unreachable, Code::Unreachable, "nothing is lost");
    let refused = || BrokerError::Refused { topic: text(), reason: text() };
    check(refused(), FailureKind::Config, Code::Config, "`filegen doctor{c}` shows the topics");
    let large = BrokerError::TooLarge { topic: text(), reason: text() };
    let damaged = BrokerError::Damaged { topic: text(), reason: text() };
    check(damaged, FailureKind::Data, Code::Data, "");
    check(large, FailureKind::Config, Code::Config, "the words above name the limit");
    check(OutboxError::Broker(broker()), FailureKind::Unreachable, Code::Unreachable, "nothing is lost");
    check(OutboxError::Store(away()), FailureKind::Unreachable, Code::Unreachable, "`filegen doctor{c}` shows");
    check(WiringError::Broker(refused()), FailureKind::Config, Code::Config, "`filegen doctor{c}` shows the topics");
    check(WiringError::Store(away()), FailureKind::Unreachable, Code::Unreachable, "`filegen doctor{c}` shows");
    let source = SourceError::Refused { reason: text() };
    check(WiringError::Source(source), FailureKind::Config, Code::Config, "`filegen doctor{c}` compares");
}

#[test]
fn errors_of_an_election_and_a_release() {
    let lease = "`filegen lease show{c}`";
    let record = LeaseRecord {
        key: key(),
        instance: InstanceId::new("host:1"),
        token: Token(7),
        seq: 1,
        acquired_at: Timestamp::UNIX_EPOCH,
        renewed_at: Timestamp::UNIX_EPOCH,
        expires_at: Timestamp::UNIX_EPOCH,
        released: None,
    };
    check(ElectionError::HeldByOther { record: Box::new(record) }, FailureKind::Lease, Code::Lease, lease);
    let odd = || OddRecord { id: text(), reason: text() };
    check(ElectionError::Odd { record: odd() }, FailureKind::Lease, Code::Lease, lease);
    check(ReleaseError::Odd { record: odd() }, FailureKind::Conflict, Code::Failed, "");
    check(ElectionError::Stopped { key: key() }, FailureKind::Stopped, Code::Interrupted, "");
    check(ElectionError::NoTokenLeft { key: key() }, FailureKind::Conflict, Code::Failed, "");
    let stale = || StoreError::Stale { token: Token(7) };
    check(ElectionError::Store(stale()), FailureKind::Lease, Code::Lease, lease);
    check(ReleaseError::NoLease { key: key() }, FailureKind::Conflict, Code::Failed, "");
    check(ReleaseError::AlreadyFree { key: key(), reason: text() }, FailureKind::Conflict, Code::Failed, "");
    let alive = ReleaseError::Alive { holder: text(), token: 7, age: SignedDuration::ZERO };
    check(alive, FailureKind::Lease, Code::Lease, "stop that process");
    check(ReleaseError::Changed, FailureKind::Lease, Code::Lease, lease);
    check(ReleaseError::Store(stale()), FailureKind::Lease, Code::Lease, lease);
}

#[test]
fn errors_of_a_run_and_a_drill() {
    let lease = "`filegen lease show{c}`";
    let source = SourceError::Key { reason: text() };
    check(GenerateError::Source(source), FailureKind::Data, Code::Data, "`source.key` must name");
    let full = || VolumeError::Full { path: text(), reason: text() };
    check(GenerateError::Volume(full()), FailureKind::Failed, Code::Failed, "make room");
    check(GenerateError::Store(StoreError::Stale { token: Token(7) }), FailureKind::Lease, Code::Lease, lease);
    check(GenerateError::TermEnded(ENDED), FailureKind::Lease, Code::Lease, lease);
    let data = GenerateError::Data { file: text(), row: None, reason: text() };
    check(RunError::Generate(data), FailureKind::Data, Code::Data, "");
    let conflict = GenerateError::Conflict { path: text(), reason: text() };
    check(conflict, FailureKind::Conflict, Code::Failed, "published files are never replaced");
    let unproved = GenerateError::Unproved { path: text(), run: text(), reason: text() };
    check(unproved, FailureKind::Difference, Code::Difference, "put back what is missing");
    let taken = |version| GenerateError::Taken { run: text(), version };
    check(taken(1), FailureKind::Difference, Code::Difference, "ask who takes the files");
    check(taken(2), FailureKind::Difference, Code::Difference, "ask who takes the files");
    check(GenerateError::Panicked { reason: text() }, FailureKind::Failed, Code::Failed, "");
    check(RunError::Outside { reason: text() }, FailureKind::Config, Code::Config, "");
    let staged = GenerateError::Staged { reason: text() };
    check(DrillError::Run(staged.into()), FailureKind::Conflict, Code::Failed, "");
    let stopped = ElectionError::Stopped { key: key() };
    check(RunError::Election(stopped), FailureKind::Stopped, Code::Interrupted, "");
    check(DrillError::Volume(full()), FailureKind::Failed, Code::Failed, "make room");
    let elsewhere = RunError::Elsewhere { instance: None, reason: text(), kind: FailureKind::Data, next_try_at: None };
    check(elsewhere, FailureKind::Data, Code::Data, "mend what it says");
    check(DrillError::Runner(DrillRunnerError { reason: text() }), FailureKind::Failed, Code::Failed, "");
    check(
        DrillError::Moved { reason: text() },
        FailureKind::Conflict,
        Code::Failed,
        "drill when the view stands still",
    );
}

#[test]
fn errors_of_steering_a_schedule() {
    let id = || ScheduleId::new("a1");
    check(
        SteerError::Unknown { id: text(), unreadable: Vec::new() },
        FailureKind::Refused,
        Code::Failed,
        "`filegen schedule list{c}`",
    );
    let ambiguous = SteerError::Ambiguous { name: text(), count: 2 };
    check(ambiguous, FailureKind::Conflict, Code::Failed, "name it by its id");
    let already = SteerError::Already { id: id(), status: "Paused" };
    check(already, FailureKind::Conflict, Code::Failed, "`filegen schedule show ID{c}`");
    let fault = PlanFault { field: "zone", message: text(), hint: text() };
    check(SteerError::Unusable { id: id(), fault }, FailureKind::Config, Code::Config, "mend the data source");
    check(SteerError::TooMany, FailureKind::Conflict, Code::Failed, "choose two times");
    let stale = StoreError::Stale { token: Token(7) };
    check(SteerError::Store(stale), FailureKind::Lease, Code::Lease, "`filegen lease show{c}`");
}
