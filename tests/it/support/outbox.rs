//! Completion events, and published files whose events wait.

use super::state::{at, file};
use super::term;
use filegen::core::model::event::CompletionEvent;
use filegen::core::model::message::Message;
use filegen::core::model::query::ReadMode;
use filegen::core::model::run::RunId;
use filegen::core::model::term::Token;
use filegen::core::ports::runs::{Announcement, FileState, FileStatus, RunStore};

/// A file's event.
pub fn event(file: &str) -> CompletionEvent {
    CompletionEvent {
        version: 1,
        reason: None,
        replaced: None,
        worker_id: "LoanWorker".to_owned(),
        file_id: file.to_owned(),
        event_type: Some("LoanDataReady".to_owned()),
        completed_at: at(1).to_string(),
        total_rows: 10,
        correlation_id: format!("LoanWorker:{file}:{}", at(1).as_second()),
        path: format!("{file}.txt"),
        bytes: 4711,
        sha256: "ab".repeat(32),
        business_date: "2026-11-21".to_owned(),
        read_mode: ReadMode {
            fetch: "stream".to_owned(),
            isolation: "default".to_owned(),
            terms: vec![1],
            source_moved: Some(false),
            counted: true,
        },
    }
}

/// Puts published files into a store, one behind the other.
pub async fn fill(runs: &dyn RunStore, run: &RunId, files: &[&str]) {
    runs.request(run, "test", at(0)).await.unwrap();
    for (millisecond, name) in (1..).zip(files) {
        let status = FileStatus {
            run: run.clone(),
            file: file(name),
            state: FileState::Published,
            last_page: 1,
            rows: 10,
            started_at: at(0),
            completed_at: Some(at(millisecond)),
            token: Token(1),
            event: Some(Announcement { event: event(name), sent_at: None }),
        };
        runs.save_file(&term(1), &status).await.unwrap();
    }
}

/// A file's event as a message.
pub fn message(file: &str) -> Message {
    Message { key: Some(file.as_bytes().to_vec()), payload: event(file).payload(), ..Message::default() }
}
