//! The SQLSTATEs that a writer meets, by what is to be done: wait, mend, set the event aside, or give up. Source: PostgreSQL 18's
//! manual, appendix A.

use crate::adapters::postgres::error::server_words;
use crate::core::model::letter::{LetterError, LetterKind};
use crate::core::ports::sql_sink::SinkError;
use tokio_postgres::error::DbError;

/// What is to be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Class {
    /// It passes: the batch is tried again.
    Passing,
    /// A person mends it.
    Wrong,
    /// The row is at fault.
    Row(LetterKind),
    /// Nobody knows.
    Failed,
}

/// Five letters name one state; two name the rest of a class. A state that no row has is one of a function or trigger of the
/// database's owner.
pub(super) const TABLE: &[(&[&str], Class, &str)] = &[
    (&["08", "57", "72"], Class::Passing, "the connection or the server went, or somebody cancelled the statement"),
    (&["25006"], Class::Passing, "the server is read-only now: a standby, or one whose disk is full"),
    (&["25P02", "25P03", "25P04"], Class::Passing, "the transaction was open for too long"),
    (&["40", "55006", "55P03"], Class::Passing, "a lock or another transaction was in the way"),
    (&["53"], Class::Passing, "the server has no room: disk, memory or connections"),
    (&["23"], Class::Row(LetterKind::Constraint), "a constraint refuses the row"),
    (&["22001"], Class::Row(LetterKind::Length), "a text is too long"),
    (&["22003"], Class::Row(LetterKind::Range), "a number is beyond its column"),
    (&["22007", "22008"], Class::Row(LetterKind::Timestamp), "a time is beyond its column"),
    (&["22", "54000"], Class::Row(LetterKind::Constraint), "a value does not fit its column or an index"),
    (
        &["09", "27", "2F", "38", "39", "44", "P0"],
        Class::Row(LetterKind::Trigger),
        "a trigger or function refuses the row",
    ),
    (&["28", "3D", "0P", "0L"], Class::Wrong, "check user, password and database in the sink's url"),
    (&["42501"], Class::Wrong, "GRANT SELECT, INSERT, UPDATE and DELETE on the tables to this role"),
    (&["0A", "3F", "42"], Class::Wrong, "`filegen ingest schema` shows the tables that are wanted"),
    (&["54", "55", "25", "26", "24", "34", "3B"], Class::Wrong, "check the server, and a pooler on the way to it"),
    (&["58", "F0", "XX"], Class::Failed, "the server itself is at fault: its log says more"),
];

/// The row of a state: its own, else that of its class.
fn known(state: &str) -> Option<&'static (&'static [&'static str], Class, &'static str)> {
    let row = |code: &str| TABLE.iter().find(|(codes, ..)| codes.contains(&code));
    row(state).or_else(|| row(state.get(..2)?))
}

/// What is to be done about a state.
pub(super) fn class(state: &str) -> Class {
    known(state).map_or(Class::Row(LetterKind::Trigger), |(_, class, _)| *class)
}

/// States of rows, and states and classes of everything else: one condition in SQL that is true where the row is not at fault.
pub(super) fn is_no_row(state: &str) -> String {
    let list = |is_row: bool| {
        let codes = TABLE.iter().filter(|(_, class, _)| matches!(class, Class::Row(_)) == is_row);
        let codes: Vec<String> = codes.flat_map(|(codes, ..)| *codes).map(|code| format!("'{code}'")).collect();
        codes.join(", ")
    };
    let (rows, others) = (list(true), list(false));
    format!("{state} NOT IN ({rows}) AND ({state} IN ({others}) OR left({state}, 2) IN ({others}))")
}

/// What the server said of a whole statement.
pub(super) fn sink_error(sink: String, server: &DbError) -> SinkError {
    let state = server.code().code();
    let reason =
        known(state).map_or_else(|| server_words(server), |(.., advice)| format!("{}; {advice}", server_words(server)));
    match class(state) {
        Class::Passing => SinkError::Unreachable { sink, reason },
        Class::Wrong => SinkError::Refused { sink, reason },
        Class::Row(_) | Class::Failed => SinkError::Failed { sink, reason },
    }
}

/// Why a row cannot go in. `None` when it is not the row's fault.
pub(super) fn data_error(state: &str, message: &str, detail: &str) -> Option<LetterError> {
    let Class::Row(kind) = class(state) else { return None };
    let causes = Some(detail.to_owned()).filter(|detail| !detail.is_empty()).into_iter().collect();
    Some(LetterError { causes, ..LetterError::new(kind, format!("{message} (SQLSTATE {state})")) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_has_its_class() {
        use Class::{Failed, Passing, Row, Wrong};
        let all: Vec<&str> = TABLE.iter().flat_map(|(codes, ..)| *codes).copied().collect();
        for (at, code) in all.iter().enumerate() {
            assert!(!all[..at].contains(code), "{code} comes twice");
        }
        for (state, expected) in [
            ("08006", Passing),
            ("57P01", Passing),
            ("57014", Passing),
            ("25006", Passing),
            ("40001", Passing),
            ("40P01", Passing),
            ("55P03", Passing),
            ("53100", Passing),
            ("23505", Row(LetterKind::Constraint)),
            ("23514", Row(LetterKind::Constraint)),
            ("22001", Row(LetterKind::Length)),
            ("22003", Row(LetterKind::Range)),
            ("22008", Row(LetterKind::Timestamp)),
            ("22P02", Row(LetterKind::Constraint)),
            ("54000", Row(LetterKind::Constraint)),
            ("P0001", Row(LetterKind::Trigger)),
            ("ORDER", Row(LetterKind::Trigger)),
            ("28P01", Wrong),
            ("3D000", Wrong),
            ("42501", Wrong),
            ("42P01", Wrong),
            ("42703", Wrong),
            ("54001", Wrong),
            ("25001", Wrong),
            ("58030", Failed),
            ("XX001", Failed),
        ] {
            assert_eq!(class(state), expected, "{state}");
            assert_eq!(data_error(state, "", "").is_some(), matches!(expected, Row(_)), "{state}");
        }
    }
}
