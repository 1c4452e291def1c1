//! Counts and the key range; and what a run would trip over.

use super::address::Address;
use super::describe::ReadPlan;
use super::kept::Kept;
use super::keys::Keys;
use super::render::parameters;
use super::run_params::run_parameters;
use super::tds::{Record, Value};
use crate::adapters::sql::{self, Dialect};
use crate::core::model::finding::{CheckVerdict, Finding};
use crate::core::model::key::Key;
use crate::core::ports::source::{After, Extent, Query, SourceError};
use std::ops::Range;

/// Counts and finds the key range in one statement; counts the rows up to and with `until` apart.
pub(super) async fn extent(kept: &mut Kept, until: Option<&Key>) -> Result<After, SourceError> {
    let plan = kept.plan()?;
    let Kept { address, client, query, .. } = kept;
    let (address, query) = (&*address, &*query);
    let statement = sql::extent(&Dialect::SQL_SERVER, &plan, query, until)?;
    let params = parameters(&plan, query, &statement.params)?;
    let rows = address.all(client, &statement.sql, params).await?;
    let row = rows.first().ok_or_else(|| address.failed("a count gave no row".to_owned()))?;
    let layout = statement.layout;
    let wrong = |what: &str| address.failed(format!("{what}; report this"));
    let count = |index: usize| -> Result<u64, SourceError> {
        match row.row().value(index) {
            Ok(Value::Null) => Ok(0),
            Ok(Value::Int(number)) => u64::try_from(number).map_err(|_| wrong("a count is below zero")),
            _ => Err(wrong("a count is no whole number")),
        }
    };
    let rows = count(0)?;
    let range = if rows == 0 || query.key.is_empty() {
        None
    } else {
        for (index, name) in layout.filled.clone().zip(query.key.iter().skip(1)) {
            if count(index)? < rows {
                return Err(null_key(name));
            }
        }
        Some((key(&plan, row, layout.first)?, key(&plan, row, layout.last)?))
    };
    let within = layout.within.map_or(Ok(rows), count)?;
    let extent = Extent { rows, matching: layout.matching.map(count).collect::<Result<_, _>>()?, range };
    Ok(After { extent, within })
}

fn key(plan: &ReadPlan, row: &Record, places: Range<usize>) -> Result<Key, SourceError> {
    let keys = Keys::new(places, &plan.key);
    keys.of(&row.row()).map_err(|index| null_key(keys.name(index)))
}

fn null_key(name: &str) -> SourceError {
    let reason = format!(
        "key column `{name}` is NULL in some row, or of a type that no key can have; keys must not be NULL: leave such rows out of \
         the view or choose another key"
    );
    SourceError::Key { reason }
}

/// Looks for NULL and duplicate keys.
pub(super) async fn examine(address: &Address, query: &Query) -> Result<Vec<Finding>, SourceError> {
    let mut client = address.connect(query.isolation).await?;
    let plan = ReadPlan::new(query, address.seen(&mut client, &query.view, &query.key).await?)?;
    if plan.key.is_empty() {
        return Ok(Vec::new());
    }
    let names = query.key.join(", ");
    let nulls = sql::null_keys(&Dialect::SQL_SERVER, query)?;
    let rows = address.all(&mut client, &nulls.sql, run_parameters(&nulls.params)).await?;
    let nulls = rows.first().and_then(|row| row.int(0)).unwrap_or_default();
    let not_null = Finding {
        check: "key is not null".to_owned(),
        verdict: if nulls == 0 { CheckVerdict::Pass } else { CheckVerdict::Fail },
        detail: match nulls {
            0 => format!("`{names}` has a value in every row"),
            nulls => format!("{nulls} rows have no `{names}`: leave them out of the view or choose another key"),
        },
    };
    let twice = sql::duplicate_keys(&Dialect::SQL_SERVER, &plan, query)?;
    let twice = address.all(&mut client, &twice.sql, run_parameters(&twice.params)).await?;
    let keys = Keys::new(0..plan.key.len(), &plan.key);
    let found = twice.first().map(|row| match keys.of(&row.row()) {
        Ok(key) => key.to_string(),
        Err(_) => "with a NULL".to_owned(),
    });
    let unique = Finding {
        check: "key is unique".to_owned(),
        verdict: if found.is_none() { CheckVerdict::Pass } else { CheckVerdict::Fail },
        detail: match found {
            None => format!("no two rows have the same `{names}`"),
            Some(key) => format!("key {key} appears more than once: add a column to the key or make the view unique"),
        },
    };
    Ok(vec![not_null, unique])
}
