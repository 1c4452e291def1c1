//! A session: requests in, answers out.

use super::login::{self, Session};
use super::reply::{ATTENDED, Done, FAILED, MORE, Message, Reply};
use super::request::{self, Request, Transaction};
use super::rows::columns;
use super::tsql::{self, Statement};
use super::types::{ColumnType, SqlType};
use super::wire::{ATTENTION, BATCH, BULK, RPC, TRANSACTION};
use super::{Shared, database, lock};
use rusqlite::Connection;
use rusqlite::types::Value;
use std::io;
use std::net::TcpStream;

/// What a session remembers between requests.
pub struct State<'a> {
    pub shared: &'a Shared,
    pub db: Connection,
    pub database: String,
    pub transaction: Option<u64>,
    transactions: u64,
    snapshot: bool,
    pub only_format: bool,
    /// XACT_ABORT: any error ends the transaction.
    pub aborts: bool,
    /// Of the last statement.
    pub row_count: i64,
    /// The table and columns of the bulk load that comes.
    pub bulk: Option<(String, Vec<String>)>,
}

/// How a statement ended, as far as the answer goes on.
pub enum End {
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
    let mut state = State {
        shared,
        db,
        database,
        transaction: None,
        transactions: 0,
        snapshot: false,
        only_format: false,
        aborts: false,
        row_count: 0,
        bulk: None,
    };
    loop {
        let (kind, payload) = wire.read_message()?;
        let broken = || io::Error::other("a request that ends early");
        let reply = Reply::new(&mut wire, packet_size, &shared.options.form);
        match kind {
            BATCH => state.run(request::batch(&payload).ok_or_else(broken)?, Done::Batch, reply)?,
            BULK => state.load(&payload, reply)?,
            RPC => match request::rpc(&payload).ok_or_else(broken)? {
                Ok(request) => state.run(request, Done::InProc, reply)?,
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

pub fn fail(mut reply: Reply<'_>, done: Done, message: &Message) -> io::Result<()> {
    reply.error(message);
    reply.done(done, FAILED, 0, None);
    reply.finish()
}

/// What is said of a batch that cannot be read.
fn unread(near: &str) -> Message {
    match near.split_once(' ').and_then(|(number, text)| Some((number.parse().ok()?, text))) {
        Some((number, text)) => Message::new(number, 15, text),
        None => Message::new(102, 15, format!("Incorrect syntax near '{near}'.")),
    }
}

fn attended(shared: &Shared, mut reply: Reply<'_>) -> io::Result<()> {
    *lock(&shared.attentions) += 1;
    reply.done(Done::Batch, ATTENDED, 0, None);
    reply.finish()
}

impl State<'_> {
    fn run(&mut self, mut request: Request, done: Done, mut reply: Reply<'_>) -> io::Result<()> {
        let declared = if request.declared.is_empty() { String::new() } else { format!("({}) ", request.declared) };
        lock(&self.shared.statements).push(format!("{declared}{}", request.sql));
        let last = if done == Done::Batch { Done::Batch } else { Done::Proc };
        if let Some(message) = self.unfit(request.transaction) {
            return fail(reply, last, &message);
        }
        let statements = match tsql::statements(&request.sql) {
            Ok(statements) => statements,
            Err(near) => return fail(reply, last, &unread(&near)),
        };
        let given = request.params.len();
        let count = statements.len();
        for (index, statement) in statements.into_iter().enumerate() {
            let more = if done == Done::InProc || index + 1 < count { MORE } else { 0 };
            request.params.truncate(given);
            request.params.extend(self.own());
            match self.statement(statement, &request, done, &mut reply)? {
                End::Done(command, rows) => reply.done(done, more, command, rows),
                End::Error(message) => {
                    self.failed(&message, &mut reply);
                    return fail(reply, last, &message);
                }
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

    /// Does a statement, unless a fault is in its way; one that writes may have one behind it, too.
    pub fn statement(
        &mut self,
        statement: Statement,
        request: &Request,
        done: Done,
        reply: &mut Reply<'_>,
    ) -> io::Result<End> {
        use Statement::{Bulk, Change, Commit, Merge, Output};
        if !matches!(statement, Bulk { .. } | Change { .. } | Commit | Merge(_) | Output { .. }) {
            return self.act(statement, request, done, reply);
        }
        if let Some(end) = self.write_fault(&request.sql, 0) {
            return Ok(end);
        }
        let end = self.act(statement, request, done, reply)?;
        Ok(self.write_fault(&request.sql, 1).unwrap_or(end))
    }

    fn act(&mut self, statement: Statement, request: &Request, done: Done, reply: &mut Reply<'_>) -> io::Result<End> {
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
            Statement::Save(name) => {
                self.db.execute_batch(&format!("SAVEPOINT {name}")).map(|()| End::Done(0xd6, None))
            }
            Statement::Back(name) => {
                self.db.execute_batch(&format!("ROLLBACK TO {name}")).map(|()| End::Done(0xd5, None))
            }
            Statement::Throw(number, text) => Ok(End::Error(Message::new(number, 16, text))),
            Statement::If { condition, then, otherwise } => {
                return self.decide(&condition, (then, otherwise), request, done, reply);
            }
            Statement::Bulk { table, columns } => {
                self.bulk = Some((table, columns));
                Ok(End::Done(0xf0, None))
            }
            Statement::Change { sql, command } => self.change(&sql, command, request),
            Statement::Merge(merge) => return self.merge(&merge, request, reply),
            Statement::Output { sql, command, table } => return self.output((&sql, command, &table), request, reply),
            Statement::Select { sql, types, ordered } => return self.select(&sql, &types, ordered, request, reply),
        };
        Ok(result.unwrap_or_else(|error| End::Error(database::message(&error))))
    }

    fn set(&mut self, text: &str) {
        match text {
            "SET FMTONLY ON" => self.only_format = true,
            "SET FMTONLY OFF" => self.only_format = false,
            "SET XACT_ABORT ON" => self.aborts = true,
            "SET XACT_ABORT OFF" => self.aborts = false,
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
            Err(near) => Err(unread(&near)),
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
