//! The SQLSTATEs that a run meets, by what they mean. Source: PostgreSQL 17's manual, appendix A.

use crate::adapters::faults::{Known, Sort};

/// Five letters name one state; two name the rest of a class.
pub const TABLE: &[Known<&str>] = &[
    Known::new(
        &["08", "57P01", "57P02", "57P03", "57P05"],
        Sort::Passing,
        "the connection or the server went; a run tries again by itself",
    ),
    Known::new(
        &["25P03", "25P04", "40001", "40003", "40P01", "55P03", "72000"],
        Sort::Passing,
        "a time limit, a lock or another transaction ended this one; a run tries again by itself",
    ),
    Known::new(
        &["53000", "53200", "53300", "HV00N"],
        Sort::Passing,
        "the server has no room now, or a server behind it is away; a run tries again by itself",
    ),
    Known::new(&["28P01"], Sort::Denied, "check user and password in the source's url"),
    Known::new(&["28", "0P000"], Sort::Denied, "check the user in the source's url, and the server's pg_hba.conf"),
    Known::new(&["3D000", "57P04"], Sort::Denied, "check the database in the source's url"),
    Known::new(
        &["42501"],
        Sort::Denied,
        "GRANT what is missing: CONNECT on the database, USAGE on the schema, SELECT on the view",
    ),
    Known::new(
        &["55000"],
        Sort::Denied,
        "make ready what it names: REFRESH the materialized view, or allow connections to the database",
    ),
    Known::new(
        &["24", "26", "34"],
        Sort::Denied,
        "a pooler gives the session's transactions to several servers; use its session mode, or the server's own address",
    ),
    Known::new(
        &["25006", "2F002", "2F003", "38002", "38003"],
        Sort::Statement,
        "the view calls what writes, and a run only reads: leave that function out of the view",
    ),
    Known::new(&["0A", "3F000", "42", "54"], Sort::Statement, "check the view, and each `where`"),
    Known::new(
        &["21", "22"],
        Sort::Failed,
        "an expression of the view, or of a `where`, does not work for one of the rows: mend the row or the expression",
    ),
    Known::new(
        &["38", "39", "P0", "23", "27", "2F"],
        Sort::Failed,
        "a function or trigger behind the view says so: ask who keeps the view",
    ),
    Known::new(
        &["HV"],
        Sort::Failed,
        "a foreign table behind the view cannot be read: ask who keeps the foreign server's options",
    ),
    Known::new(
        &["57014"],
        Sort::Failed,
        "somebody cancelled the statement, or a `statement_timeout` did: set it to 0 for this role, or give the key an index",
    ),
    Known::new(
        &["53100", "53400"],
        Sort::Failed,
        "the server's disk or its `temp_file_limit` is used up: make room there, or give the key an index so that nothing is sorted",
    ),
    Known::new(&["58", "XX", "F0"], Sort::Failed, "the server itself is at fault: its log says more"),
];

/// The row of a state: its own, else that of its class.
pub fn known(state: &str) -> Option<&'static Known<&'static str>> {
    let row = |code: &str| TABLE.iter().find(|row| row.codes.contains(&code));
    row(state).or_else(|| row(state.get(..2)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_of_its_own_comes_before_its_class() {
        crate::adapters::faults::check(TABLE);
        let sort = |state| known(state).map(|row| row.sort);
        assert_eq!((sort("42501"), sort("42P01")), (Some(Sort::Denied), Some(Sort::Statement)));
        assert_eq!((sort("57014"), sort("57P03")), (Some(Sort::Failed), Some(Sort::Passing)));
        assert_eq!((sort("08006"), sort("28000")), (Some(Sort::Passing), Some(Sort::Denied)));
        assert_eq!((sort("53100"), sort("53300")), (Some(Sort::Failed), Some(Sort::Passing)));
        assert_eq!((sort("01000"), sort("x")), (None, None));
    }
}
