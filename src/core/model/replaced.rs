//! What policies changed in a file instead of ending the run.

use super::amount::counted;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What policies changed instead of ending the run.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Replaced {
    /// Characters that the encoding does not have.
    pub unmappable: u64,
    /// Values wider than their field.
    pub overflow: u64,
    /// The columns that they stood in, as far as that can be told.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub columns: BTreeMap<String, ReplacedIn>,
}

/// What was changed in one column.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReplacedIn {
    /// Characters that the encoding does not have.
    pub unmappable: u64,
    /// Values wider than their field.
    pub overflow: u64,
    /// Key of the first such row.
    pub first_key: String,
}

impl Replaced {
    /// Whether nothing was changed.
    pub fn is_nothing(&self) -> bool {
        self.unmappable == 0 && self.overflow == 0
    }

    /// Adds what was changed in later rows.
    pub fn add(&mut self, later: &Self) {
        self.unmappable += later.unmappable;
        self.overflow += later.overflow;
        for (column, changed) in &later.columns {
            let own = self
                .columns
                .entry(column.clone())
                .or_insert_with(|| ReplacedIn { first_key: changed.first_key.clone(), ..ReplacedIn::default() });
            own.unmappable += changed.unmappable;
            own.overflow += changed.overflow;
        }
    }

    /// For people: `47 values cut, 3 characters replaced (Name: 47 cut, first in the row with key 12)`. `None` when nothing was.
    pub fn describe(&self) -> Option<String> {
        if self.is_nothing() {
            return None;
        }
        let column = |(name, changed): (&String, &ReplacedIn)| {
            format!(
                "{name}: {}, first in the row with key {}",
                counts(changed.overflow, changed.unmappable),
                changed.first_key
            )
        };
        let columns: Vec<String> = self.columns.iter().map(column).collect();
        let all = match (self.overflow, self.unmappable) {
            (cut, 0) => format!("{} cut", counted(cut, "value")),
            (0, replaced) => format!("{} replaced", counted(replaced, "character")),
            (cut, replaced) => format!("{} cut, {} replaced", counted(cut, "value"), counted(replaced, "character")),
        };
        Some(if columns.is_empty() { all } else { format!("{all} ({})", columns.join("; ")) })
    }
}

fn counts(cut: u64, replaced: u64) -> String {
    match (cut, replaced) {
        (cut, 0) => format!("{cut} cut"),
        (0, replaced) => format!("{replaced} replaced"),
        (cut, replaced) => format!("{cut} cut and {replaced} replaced"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_changed_adds_up_and_keeps_its_first_row() {
        let in_row = |key: &str, overflow, unmappable| Replaced {
            unmappable,
            overflow,
            columns: BTreeMap::from([(
                "Name".to_owned(),
                ReplacedIn { unmappable, overflow, first_key: key.to_owned() },
            )]),
        };
        let mut all = in_row("12", 1, 0);
        all.add(&in_row("20", 2, 3));
        all.add(&Replaced { overflow: 1, ..Replaced::default() });
        assert_eq!(
            all.describe().as_deref(),
            Some("4 values cut, 3 characters replaced (Name: 3 cut and 3 replaced, first in the row with key 12)")
        );
        assert_eq!(Replaced::default().describe(), None);
    }
}
