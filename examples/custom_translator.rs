//! `filegen` with a translator of its own: each value behind its tag. A worker file uses it as
//! `translator: { tagged: { columns: [LoanId, Balance] } }`.

use filegen::{Records, Registry, Rows, TranslateError, Translator};
use std::process::ExitCode;

fn main() -> ExitCode {
    filegen::commands::main(Registry::default().with("tagged", |options| {
        let columns: Option<Vec<String>> = serde_json::from_value(options["columns"].clone()).ok();
        Ok(Box::new(Tagged(columns.ok_or("needs `columns`, a list of names")?)))
    }))
}

/// Writes `:LoanId:1:Balance:12.50` for each row.
struct Tagged(Vec<String>);

impl Translator for Tagged {
    fn columns(&self) -> Vec<String> {
        self.0.clone()
    }

    fn translate(&mut self, rows: &Rows<'_>, records: &mut Records) -> Result<(), TranslateError> {
        for row in rows.iter() {
            for (at, name) in self.0.iter().enumerate() {
                records.push_str(&format!(":{name}:{}", rows.text(at, row).unwrap_or_default()));
            }
            records.end(row)?;
        }
        Ok(())
    }
}
