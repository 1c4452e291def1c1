//! What can be made to go wrong, and where.

/// Strikes once, at one row of the next statement that holds a text.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Strikes in statements that hold this text; every one when empty.
    pub statement: String,
    /// Rows that are sent before it.
    pub row: u64,
    /// What happens.
    pub action: Action,
}

/// What happens.
#[derive(Clone, Debug)]
pub enum Action {
    /// The connection is cut, with part of the next row sent.
    Drop,
    /// Nothing more comes, and the connection stays.
    Stall,
    /// Bytes that mean nothing come in place of the row.
    Garble,
    /// The answer ends here, without the token that says so.
    Unended,
    /// The row gets lost; the count of rows at the end knows of it.
    Lose,
    /// The server ends the statement with an error: number, class, text.
    Error(u32, u8, String),
}

impl Fault {
    /// A fault in the next statement that reads rows in key order.
    pub fn at(row: u64, action: Action) -> Self {
        Self { statement: "ORDER BY".to_owned(), row, action }
    }

    /// SQL Server's error with a number, at a row.
    pub fn error(row: u64, number: u32, class: u8, text: &str) -> Self {
        Self::at(row, Action::Error(number, class, text.to_owned()))
    }
}
