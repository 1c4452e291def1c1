//! What is asked each second costs what has changed, not what is there.

use super::super::{data_sources, schedules};
use rusqlite::Connection;
use rusqlite::types::Null;

/// The steps by which SQLite answers a question.
fn plan(db: &Connection, question: &str) -> String {
    let mut asked = db.prepare(&format!("EXPLAIN QUERY PLAN {question}")).unwrap();
    let parameters = vec![Null; asked.parameter_count()];
    let steps = asked.query_map(rusqlite::params_from_iter(parameters), |row| row.get::<_, String>("detail")).unwrap();
    steps.collect::<Result<Vec<_>, _>>().unwrap().join("; ")
}

#[test]
fn what_is_asked_each_second_is_answered_by_an_index() {
    let db = Connection::open_in_memory().unwrap();
    db.execute_batch(schedules::TABLES).unwrap();
    db.execute_batch(data_sources::TABLES).unwrap();
    for (question, index) in [
        (schedules::CHANGED, "COVERING INDEX ScheduledDataSource_since (changedAt>?)"),
        (schedules::OPEN, "INDEX ScheduleExecution_open"),
        (data_sources::PENDING, "INDEX outbox_unsent (owner=?)"),
    ] {
        let plan = plan(&db, question);
        assert!(plan.contains(index), "{question}: {plan}");
    }
}
