//! What a session does with statements that write.

use super::fault::{Action, Fault};
use super::reply::{Done, MORE, Message, Reply};
use super::request::Request;
use super::rows::bind;
use super::session::{End, State};
use super::tsql::Statement;
use super::writes::Merge;
use super::{bulk, database, lock, merge};
use rusqlite::types::Value;
use std::io;

/// The errors that end a transaction, whatever the session has set.
const ENDS: [u32; 2] = [1205, 3960];

impl State<'_> {
    /// A change, or nothing of it.
    pub fn whole<T>(&self, change: impl FnOnce() -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        self.db.execute_batch("SAVEPOINT ts_statement")?;
        let done = change();
        // A trigger may have ended the whole transaction, and the savepoint with it.
        if self.db.is_autocommit() {
            return done;
        }
        let end = if done.is_ok() { "RELEASE ts_statement" } else { "ROLLBACK TO ts_statement; RELEASE ts_statement" };
        self.db.execute_batch(end)?;
        done
    }

    pub fn change(&mut self, sql: &str, command: u16, request: &Request) -> rusqlite::Result<End> {
        let mut statement = self.db.prepare(sql)?;
        bind(&mut statement, &request.params)?;
        let rows = statement.raw_execute()?;
        drop(statement);
        if command >= 0xc6 {
            return Ok(End::Done(command, None));
        }
        self.row_count = rows as i64;
        Ok(End::Done(command, Some(rows as u64)))
    }

    pub fn merge(&mut self, merge: &Merge, request: &Request, reply: &mut Reply<'_>) -> io::Result<End> {
        const COMMAND: u16 = 0x117;
        if !merge.output.is_empty()
            && let Some(message) = self.denied(&merge.target)
        {
            return Ok(End::Error(message));
        }
        let done = self.whole(|| merge::run(&self.db, merge, &request.params));
        let count = match done {
            Ok(count) => count,
            Err(error) => return Ok(End::Error(database::message(&error))),
        };
        self.row_count = count as i64;
        if merge.output.is_empty() {
            return Ok(End::Done(COMMAND, Some(count)));
        }
        match self.rows(&merge::output(merge), &[], 0, request, reply) {
            Ok(end) => Ok(match end? {
                End::Done(_, rows) => End::Done(COMMAND, rows),
                other => other,
            }),
            Err(error) => Ok(End::Error(database::message(&error))),
        }
    }

    /// Rows that a change says it made or took away.
    pub fn output(
        &mut self,
        (sql, command, table): (&str, u16, &str),
        request: &Request,
        reply: &mut Reply<'_>,
    ) -> io::Result<End> {
        if let Some(message) = self.denied(table) {
            return Ok(End::Error(message));
        }
        match self.rows(sql, &[], 0, request, reply) {
            Ok(end) => Ok(match end? {
                End::Done(_, rows) => {
                    self.row_count = rows.unwrap_or(0) as i64;
                    End::Done(command, rows)
                }
                other => other,
            }),
            Err(error) => Ok(End::Error(database::message(&error))),
        }
    }

    /// OUTPUT gives no rows of a table that has triggers.
    fn denied(&self, table: &str) -> Option<Message> {
        let text = format!(
            "The target table '{}' of the DML statement cannot have any enabled triggers if the statement contains an OUTPUT \
             clause without INTO clause.",
            table.trim_matches('"')
        );
        merge::has_trigger(&self.db, table).unwrap_or(false).then(|| Message::new(334, 16, text))
    }

    /// The rows of a bulk load.
    pub fn load(&mut self, payload: &[u8], mut reply: Reply<'_>) -> io::Result<()> {
        let Some((table, columns)) = self.bulk.take() else {
            return super::session::fail(
                reply,
                Done::Batch,
                &Message::new(4002, 16, "The incoming tabular data stream is incorrect."),
            );
        };
        let rows = bulk::rows(payload).ok_or_else(|| io::Error::other("a bulk load that cannot be read"))?;
        if rows.iter().any(|row| row.len() != columns.len()) {
            let text = "The bulk load failed. The column count does not fit.";
            return super::session::fail(reply, Done::Batch, &Message::new(4816, 16, text));
        }
        let places: Vec<&str> = columns.iter().map(|_| "?").collect();
        let sql = format!("INSERT INTO {table} ({}) VALUES ({})", columns.join(", "), places.join(", "));
        let loaded = self.whole(|| {
            let mut statement = self.db.prepare(&sql)?;
            for row in &rows {
                statement.execute(rusqlite::params_from_iter(row))?;
            }
            Ok(())
        });
        match loaded {
            Ok(()) => {
                self.row_count = rows.len() as i64;
                reply.done(Done::Batch, 0, 0xf0, Some(rows.len() as u64));
                reply.finish()
            }
            Err(error) => {
                let message = database::message(&error);
                self.failed(&message, &mut reply);
                super::session::fail(reply, Done::Batch, &message)
            }
        }
    }

    /// What an IF decides for.
    pub fn decide(
        &mut self,
        condition: &str,
        (then, otherwise): (Vec<Statement>, Vec<Statement>),
        request: &Request,
        done: Done,
        reply: &mut Reply<'_>,
    ) -> io::Result<End> {
        let asked =
            self.db.prepare(&format!("SELECT CASE WHEN ({condition}) THEN 1 ELSE 0 END")).and_then(|mut asked| {
                bind(&mut asked, &request.params)?;
                let mut rows = asked.raw_query();
                rows.next()?.map_or(Ok(0), |row| row.get::<_, i64>(0))
            });
        let chosen = match asked {
            Ok(1) => then,
            Ok(_) => otherwise,
            Err(error) => return Ok(End::Error(database::message(&error))),
        };
        let mut end = End::Done(0, None);
        for statement in chosen {
            if let End::Done(command, rows) = end
                && command > 0
            {
                reply.done(done, MORE, command, rows);
            }
            end = self.statement(statement, request, done, reply)?;
            if !matches!(end, End::Done(..)) {
                return Ok(end);
            }
        }
        Ok(end)
    }

    /// What the server knows of itself, for the statement that comes.
    pub fn own(&self) -> [(String, Value); 3] {
        let open = i64::from(self.transaction.is_some());
        let own = |name: &str, value| (format!("@__{name}"), Value::Integer(value));
        [own("ROWCOUNT", self.row_count), own("TRANCOUNT", open), own("XACT_STATE", open)]
    }

    /// What an error does to the transaction.
    pub fn failed(&mut self, message: &Message, reply: &mut Reply<'_>) {
        let is_ended = self.db.is_autocommit();
        if self.transaction.is_some() && (is_ended || self.aborts || ENDS.contains(&message.number)) {
            if !is_ended {
                // One that cannot be undone is gone with its connection.
                drop(self.db.execute_batch("ROLLBACK"));
            }
            let number = self.transaction.take().unwrap_or_default();
            reply.env_bytes(10, &[], &number.to_le_bytes());
        }
    }

    /// A fault in a statement that writes: before it is done, or behind.
    pub fn write_fault(&self, sql: &str, row: u64) -> Option<End> {
        let mut faults = lock(&self.shared.faults);
        let strikes = |fault: &Fault| fault.row == row && !fault.statement.is_empty() && sql.contains(&fault.statement);
        let at = faults.iter().position(strikes)?;
        Some(match faults.remove(at).action {
            Action::Error(number, class, text) => End::Error(Message::new(number, class, text)),
            Action::Stall => End::Stall,
            Action::Unended => End::Unended,
            Action::Drop | Action::Garble | Action::Lose => End::Cut,
        })
    }
}
