//! The tables of errors: each adapter has one, from its server's codes to a sort of error and what to do about it.
//!
//! A code that no table has is [`Sort::Failed`]: nothing is known of it, so a person looks.

/// What an error means to whoever made the call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sort {
    /// Passes by itself: the same call may work a moment later.
    Passing,
    /// A login, a database, a file or a right is refused or missing. A person mends address or rights.
    Denied,
    /// The text of the statement brings it about: view, column, predicate. A person mends the worker file or the view.
    Statement,
    /// Anything else. Another call would end the same way.
    Failed,
}

/// Errors of one sort, with the same advice.
#[derive(Clone, Copy, Debug)]
pub struct Known<C: 'static> {
    /// The server's codes.
    pub codes: &'static [C],
    /// What they mean.
    pub sort: Sort,
    /// What to do, as the end of a sentence.
    pub advice: &'static str,
}

impl<C> Known<C> {
    /// One row of a table.
    pub const fn new(codes: &'static [C], sort: Sort, advice: &'static str) -> Self {
        Self { codes, sort, advice }
    }
}

/// The row of a code.
pub fn find<C: PartialEq>(table: &'static [Known<C>], code: &C) -> Option<&'static Known<C>> {
    table.iter().find(|row| row.codes.contains(code))
}

/// Whether a table names each code once, and gives advice in each row. For tests.
#[cfg(test)]
pub fn check<C: PartialEq + std::fmt::Debug>(table: &'static [Known<C>]) {
    let codes: Vec<&C> = table.iter().flat_map(|row| row.codes).collect();
    for (index, code) in codes.iter().enumerate() {
        assert!(!codes[..index].contains(code), "{code:?} comes twice");
    }
    assert!(table.iter().all(|row| !row.codes.is_empty() && !row.advice.is_empty()), "a row without codes or advice");
}
