//! Answers from memory: rows by statement and values. A statement that nobody gave rows for is one of a table that is not there.

use crate::core::model::budget::Held;
use crate::core::model::sql::Sql;
use crate::core::ports::table_reader::{AnswerRow, AnswerValue, ReadError, TableReader, take_value};
use async_trait::async_trait;
use std::sync::{Arc, Mutex, PoisonError};

/// What is answered.
#[derive(Debug, Default)]
pub struct MemoryReader {
    answers: Mutex<Vec<(Sql, Vec<AnswerRow>)>>,
    fault: Mutex<Option<ReadError>>,
}

impl MemoryReader {
    /// From now on this statement, with these values, has these rows.
    pub fn answers(&self, sql: &Sql, rows: Vec<AnswerRow>) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.retain(|(known, _)| known != sql);
        answers.push((sql.clone(), rows));
    }

    /// From now on every question fails so, or with `None` no longer.
    pub fn fails(&self, fault: Option<ReadError>) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }
}

#[async_trait]
impl TableReader for MemoryReader {
    fn describe(&self) -> String {
        "memory".to_owned()
    }

    async fn ask(&self, sql: &Sql, most: usize, room: &Arc<Held>) -> Result<Vec<AnswerRow>, ReadError> {
        if let Some(fault) = self.fault.lock().unwrap_or_else(PoisonError::into_inner).clone() {
            return Err(fault);
        }
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        match answers.iter().find(|(known, _)| known == sql) {
            Some((_, rows)) => {
                let rows: Vec<AnswerRow> = rows.iter().take(most).cloned().collect();
                for (name, value) in rows.iter().flatten() {
                    take_value(room, name, length(value))?;
                }
                Ok(rows)
            }
            None => Err(ReadError::Refused { place: self.describe(), reason: format!("no rows for {sql}") }),
        }
    }
}

fn length(value: &AnswerValue) -> usize {
    match value {
        AnswerValue::Null | AnswerValue::Bool(_) => 0,
        AnswerValue::Number(text) | AnswerValue::Text(text) | AnswerValue::Json(text) => text.len(),
    }
}
