//! A session: requests in, answers out.

use super::fault::Action;
use super::form::{Form, Nulls};
use super::login::{self, Session};
use super::reply::{ATTENDED, Done, FAILED, MORE, Message, Reply};
use super::request::{self, Request, Transaction};
use super::tsql::{self, Statement};
use super::types::{ColumnType, SqlType};
use super::wire::{ATTENTION, BATCH, RPC, TRANSACTION};
use super::{Shared, database, lock, values};
use rusqlite::Connection;
use rusqlite::types::{Value, ValueRef};
use std::io;
use std::net::TcpStream;

/// What a session remembers between requests.
struct State<'a> {
    shared: &'a Shared,
    db: Connection,
    database: String,
    transaction: Option<u64>,
    transactions: u64,
    snapshot: bool,
    only_format: bool,
}

/// How a statement ended, as far as the answer goes on.
enum End {
    /// Rows, or none to speak of.
    Done(u16, Option<u64>),
    /// An error has to be sent.
    Error(Message),
    /// The client asked to stop.
    Attention,
    /// A fault: the connection is cut.
    Cut,
    /// A fault: nothing more comes.
    Stall,
    /// A fault: the answer ends without saying so.
    Unended,
}

/// Serves one connection to its end.
pub fn serve(shared: &Shared, socket: TcpStream) -> io::Result<()> {
    let Some(Session { mut wire, packet_size, database }) = login::accept(shared, socket)? else { return Ok(()) };
    let db = database::open(&shared.file).map_err(io::Error::other)?;
    let mut state =
        State { shared, db, database, transaction: None, transactions: 0, snapshot: false, only_format: false };
    loop {
        let (kind, payload) = wire.read_message()?;
        let broken = || io::Error::other("a request that ends early");
        let reply = Reply::new(&mut wire, packet_size, &shared.options.form);
        match kind {
            BATCH => state.run(&request::batch(&payload).ok_or_else(broken)?, Done::Batch, reply)?,
            RPC => match request::rpc(&payload).ok_or_else(broken)? {
                Ok(request) => state.run(&request, Done::InProc, reply)?,
                Err(procedure) => {
                    let text = format!("Could not find stored procedure '{procedure}'.");
                    fail(reply, Done::Proc, &Message::new(2812, 16, text))?;
                }
            },
            TRANSACTION => state.manage(request::transaction(&payload).ok_or_else(broken)?, reply)?,
            ATTENTION => attended(shared, reply)?,
            other => return Err(io::Error::other(format!("a packet of type {other:#x}"))),
        }
    }
}

fn fail(mut reply: Reply<'_>, done: Done, message: &Message) -> io::Result<()> {
    reply.error(message);
    reply.done(done, FAILED, 0, None);
    reply.finish()
}

fn attended(shared: &Shared, mut reply: Reply<'_>) -> io::Result<()> {
    *lock(&shared.attentions) += 1;
    reply.done(Done::Batch, ATTENDED, 0, None);
    reply.finish()
}

impl State<'_> {
    fn run(&mut self, request: &Request, done: Done, mut reply: Reply<'_>) -> io::Result<()> {
        let declared = if request.declared.is_empty() { String::new() } else { format!("({}) ", request.declared) };
        lock(&self.shared.statements).push(format!("{declared}{}", request.sql));
        let last = if done == Done::Batch { Done::Batch } else { Done::Proc };
        if let Some(message) = self.unfit(request.transaction) {
            return fail(reply, last, &message);
        }
        let statements = match tsql::statements(&request.sql) {
            Ok(statements) => statements,
            Err(near) => return fail(reply, last, &Message::new(102, 15, format!("Incorrect syntax near '{near}'."))),
        };
        let count = statements.len();
        for (index, statement) in statements.into_iter().enumerate() {
            let more = if done == Done::InProc || index + 1 < count { MORE } else { 0 };
            let end = self.statement(statement, request, &mut reply);
            match end? {
                End::Done(command, rows) => reply.done(done, more, command, rows),
                End::Error(message) => return fail(reply, last, &message),
                End::Attention => return attended(self.shared, reply),
                End::Cut => return Err(reply.cut()),
                End::Stall => return Err(reply.stall(&self.shared.attentions)),
                End::Unended => return reply.finish(),
            }
        }
        if done == Done::InProc {
            reply.return_status(0);
        }
        if done == Done::InProc || count == 0 {
            reply.done(last, 0, 0, None);
        }
        reply.finish()
    }

    fn statement(&mut self, statement: Statement, request: &Request, reply: &mut Reply<'_>) -> io::Result<End> {
        let result = match statement {
            Statement::Set(text) => {
                self.set(&text);
                Ok(End::Done(0xbe, None))
            }
            Statement::Use(name) => {
                reply.env_text(1, &name, &self.database);
                self.database = name;
                Ok(End::Done(0, None))
            }
            Statement::Begin => self.begin(reply),
            Statement::Commit => self.end(reply, Transaction::Commit),
            Statement::Rollback => self.end(reply, Transaction::Rollback),
            Statement::Change { sql, command } => {
                self.db.execute(&sql, []).map(|rows| End::Done(command, (command < 0xc6).then_some(rows as u64)))
            }
            Statement::Select { sql, types, ordered } => return self.select(&sql, &types, ordered, request, reply),
        };
        Ok(result.unwrap_or_else(|error| End::Error(database::message(&error))))
    }

    fn set(&mut self, text: &str) {
        match text {
            "SET FMTONLY ON" => self.only_format = true,
            "SET FMTONLY OFF" => self.only_format = false,
            text if text.starts_with("SET TRANSACTION ISOLATION LEVEL") => self.snapshot = text.ends_with("SNAPSHOT"),
            _ => {}
        }
    }

    /// What is said of a request that names another transaction than the session's.
    fn unfit(&self, transaction: u64) -> Option<Message> {
        let text = "New request is not allowed to start because it should come with valid transaction descriptor.";
        (transaction != self.transaction.unwrap_or(0)).then(|| Message::new(3989, 16, text))
    }

    fn manage(&mut self, (transaction, what): (u64, Transaction), mut reply: Reply<'_>) -> io::Result<()> {
        if let Some(message) = self.unfit(transaction) {
            return fail(reply, Done::Batch, &message);
        }
        let end = match what {
            Transaction::Begin => self.begin(&mut reply),
            other => self.end(&mut reply, other),
        };
        match end {
            Ok(_) => {
                reply.done(Done::Batch, 0, 0, None);
                reply.finish()
            }
            Err(error) => fail(reply, Done::Batch, &database::message(&error)),
        }
    }

    fn begin(&mut self, reply: &mut Reply<'_>) -> rusqlite::Result<End> {
        self.db.execute_batch("BEGIN")?;
        self.transactions += 1;
        self.transaction = Some(self.transactions);
        reply.env_bytes(8, &self.transactions.to_le_bytes(), &[]);
        Ok(End::Done(0xd4, None))
    }

    fn end(&mut self, reply: &mut Reply<'_>, how: Transaction) -> rusqlite::Result<End> {
        let Some(number) = self.transaction.take() else {
            let text = "The COMMIT TRANSACTION request has no corresponding BEGIN TRANSACTION.";
            return Ok(End::Error(Message::new(3902, 16, text)));
        };
        let (sql, kind) = if how == Transaction::Commit { ("COMMIT", 9) } else { ("ROLLBACK", 10) };
        self.db.execute_batch(sql)?;
        reply.env_bytes(kind, &[], &number.to_le_bytes());
        Ok(End::Done(0xd5, None))
    }

    fn select(
        &mut self,
        sql: &str,
        types: &[Option<SqlType>],
        ordered: usize,
        request: &Request,
        reply: &mut Reply<'_>,
    ) -> io::Result<End> {
        if self.snapshot && self.transaction.is_some() && !self.shared.options.snapshot {
            let text = format!(
                "Snapshot isolation transaction failed accessing database '{}' because snapshot isolation is not allowed \
                 in this database. Use ALTER DATABASE to allow snapshot isolation.",
                self.database
            );
            return Ok(End::Error(Message::new(3952, 16, text)));
        }
        let result = if sql.contains("described_result") { self.describe(request) } else { Ok(()) };
        match result.and_then(|()| self.rows(sql, types, ordered, request, reply)) {
            Ok(end) => end,
            Err(error) => Ok(End::Error(database::message(&error))),
        }
    }

    fn rows(
        &self,
        sql: &str,
        types: &[Option<SqlType>],
        ordered: usize,
        request: &Request,
        reply: &mut Reply<'_>,
    ) -> rusqlite::Result<io::Result<End>> {
        let mut statement = self.db.prepare(sql)?;
        bind(&mut statement, &request.params)?;
        let declared = columns(&statement, types);
        let mut rows = statement.raw_query();
        let mut next = rows.next()?;
        let columns: Vec<(String, ColumnType)> = (declared.into_iter().enumerate())
            .map(|(index, (name, column))| {
                let value = next.and_then(|row| row.get_ref(index).ok());
                // As the description has it, where there is no row to see.
                let guessed = || if next.is_some() { guess(value) } else { SqlType::BigInt };
                (name, column.unwrap_or_else(|| ColumnType::plain(guessed())))
            })
            .collect();
        reply.settings(&self.database);
        metadata(&columns, ordered, reply);
        reply.chatter(0);
        let fault = lock(&self.shared.faults).iter().find(|fault| request.sql.contains(&fault.statement)).cloned();
        let mut count = 0;
        while let Some(row) = next.filter(|_| !self.only_format) {
            if fault.as_ref().is_some_and(|fault| fault.row == count) {
                let mut faults = lock(&self.shared.faults);
                if let Some(at) =
                    faults.iter().position(|fault| fault.row == count && request.sql.contains(&fault.statement))
                {
                    let fault = faults.remove(at);
                    drop(faults);
                    match fault.action {
                        Action::Error(number, class, text) => {
                            return Ok(Ok(End::Error(Message::new(number, class, text))));
                        }
                        Action::Garble => reply.buffer.extend_from_slice(&[0x17; 64]),
                        Action::Drop => {
                            reply.buffer.extend_from_slice(&[0xd1, 1]);
                            return Ok(Ok(End::Cut));
                        }
                        Action::Stall => return Ok(Ok(End::Stall)),
                        Action::Unended => return Ok(Ok(End::Unended)),
                        Action::Lose => {
                            count += 1;
                            next = rows.next()?;
                            continue;
                        }
                    }
                }
            }
            if let Err(message) = write_row(&columns, row, count, &self.shared.options.form, &mut reply.buffer) {
                return Ok(Ok(End::Error(message)));
            }
            reply.chatter(count + 1);
            if let Err(error) = reply.send_full() {
                return Ok(Err(error));
            }
            if reply.attention {
                return Ok(Ok(End::Attention));
            }
            count += 1;
            next = rows.next()?;
        }
        Ok(Ok(End::Done(0xc1, Some(count))))
    }

    /// Fills the table that stands for `sys.dm_exec_describe_first_result_set(@P1, …)`.
    fn describe(&self, request: &Request) -> rusqlite::Result<()> {
        self.db.execute_batch(
            "DROP TABLE IF EXISTS temp.described_result; CREATE TEMP TABLE described_result (column_ordinal int, \
             name C_SQL_Latin1_General_CP1_CI_AS nvarchar(128), is_hidden bit, system_type_name \
             C_SQL_Latin1_General_CP1_CI_AS nvarchar(256), user_type_name C_SQL_Latin1_General_CP1_CI_AS nvarchar(128), \
             collation_name C_SQL_Latin1_General_CP1_CI_AS nvarchar(128), error_number int, error_message \
             C_SQL_Latin1_General_CP1_CI_AS nvarchar(4000))",
        )?;
        let Some((_, Value::Text(text))) = request.params.first() else { return Ok(()) };
        let described = match tsql::statements(text) {
            Ok(statements) => match statements.into_iter().next() {
                Some(Statement::Select { sql, types, .. }) => self
                    .db
                    .prepare(&sql)
                    .map(|statement| columns(&statement, &types))
                    .map_err(|e| database::message(&e)),
                _ => Ok(Vec::new()),
            },
            Err(near) => Err(Message::new(102, 15, format!("Incorrect syntax near '{near}'."))),
        };
        match described {
            Ok(columns) => {
                for (index, (name, column)) in columns.into_iter().enumerate() {
                    let column = column.unwrap_or_else(|| ColumnType::plain(SqlType::BigInt));
                    self.db.execute(
                        "INSERT INTO temp.described_result VALUES (?1, ?2, 0, ?3, NULL, ?4, NULL, NULL)",
                        (index as i64 + 1, name, column.kind.name(), column.collation_name()),
                    )?;
                }
            }
            Err(message) => {
                self.db.execute(
                    "INSERT INTO temp.described_result VALUES (0, NULL, 0, NULL, NULL, NULL, ?1, ?2)",
                    (message.number, message.text),
                )?;
            }
        }
        Ok(())
    }
}

fn bind(statement: &mut rusqlite::Statement<'_>, params: &[(String, Value)]) -> rusqlite::Result<()> {
    for (name, value) in params {
        if let Some(index) = statement.parameter_index(name)? {
            statement.raw_bind_parameter(index, value)?;
        }
    }
    Ok(())
}

/// A result's columns: their names, and their types where the statement or a table declares them.
fn columns(statement: &rusqlite::Statement<'_>, types: &[Option<SqlType>]) -> Vec<(String, Option<ColumnType>)> {
    (statement.columns().enumerate())
        .map(|(index, column)| {
            let said = types.get(index).copied().flatten().map(ColumnType::plain);
            let name = column.name().to_owned();
            let declared = || column.decl_type().and_then(|text| ColumnType::declared(&text.replace("(-1)", "(max)")));
            (name, said.or_else(declared))
        })
        .collect()
}

/// The type of an expression, from the first row's value.
fn guess(value: Option<ValueRef<'_>>) -> SqlType {
    match value {
        Some(ValueRef::Integer(_)) => SqlType::BigInt,
        Some(ValueRef::Real(_)) => SqlType::Float,
        Some(ValueRef::Blob(_)) => SqlType::VarBinary(None),
        Some(ValueRef::Text(bytes)) if bytes.len() > 4000 => SqlType::NVarChar(None),
        _ => SqlType::NVarChar(Some(4000)),
    }
}

fn metadata(columns: &[(String, ColumnType)], ordered: usize, reply: &mut Reply<'_>) {
    reply.buffer.push(0x81);
    reply.buffer.extend_from_slice(&(columns.len() as u16).to_le_bytes());
    for (name, column) in columns {
        column.metadata(name, &mut reply.buffer);
    }
    if ordered > 0 {
        reply.order(ordered);
    }
}

/// One row: as ROW, or as NBCROW with its bit map.
fn write_row(
    columns: &[(String, ColumnType)],
    row: &rusqlite::Row<'_>,
    number: u64,
    form: &Form,
    out: &mut Vec<u8>,
) -> Result<(), Message> {
    let values: Vec<ValueRef<'_>> =
        (0..columns.len()).map(|index| row.get_ref(index).unwrap_or(ValueRef::Null)).collect();
    let bitmap = match form.nulls {
        Nulls::Bitmap => values.contains(&ValueRef::Null),
        Nulls::InPlace => false,
        Nulls::Mixed => number % 2 == 1,
    };
    out.push(if bitmap { 0xd2 } else { 0xd1 });
    if bitmap {
        let bits = |values: &[ValueRef<'_>]| {
            values.iter().rev().fold(0_u8, |byte, value| (byte << 1) | u8::from(*value == ValueRef::Null))
        };
        out.extend(values.chunks(8).map(bits));
    }
    for ((name, column), value) in columns.iter().zip(values) {
        if value == ValueRef::Null {
            if !bitmap {
                values::write_null(column, out);
            }
            continue;
        }
        values::write(column, value, form.plp, out)
            .map_err(|why| Message::new(8115, 16, format!("Arithmetic overflow error in column {name}: {why}.")))?;
    }
    Ok(())
}
