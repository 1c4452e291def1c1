//! The columns of a view, from the server's own answer to a statement that selects all columns and no row.

use super::address::Address;
use super::run_params::run_parameters;
use super::tds::{self, Connection, Described, Error, Record};
use crate::adapters::sql::{self, Dialect, Render, unchanged, unknown_column, unknown_view};
use crate::core::model::column::{Column, Kind};
use crate::core::model::sql::Relation;
use crate::core::ports::source::{Query, SourceError};
use encoding_rs::Encoding;

/// Asks for what that answer does not hold: the names of collations, and which texts are JSON. Only asked where it matters. A server
/// may not have it.
fn describe(params: &str) -> String {
    format!(
        "SELECT name, system_type_name, collation_name FROM sys.dm_exec_describe_first_result_set(@P1, {params}, 0) \
         ORDER BY column_ordinal"
    )
}

/// Number of the error that there is no such view.
const UNKNOWN_OBJECT: u32 = 208;

/// One column of a view, as the server has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Seen {
    /// As the view spells it. A column that was asked for has the asker's spelling.
    pub name: String,
    /// `decimal(15,2)`.
    pub type_name: String,
    /// The type's name alone: `decimal`; empty for a type whose values cannot be carried.
    pub base: String,
    /// What the values are.
    pub kind: Kind,
    /// The collation of a text, where it is known.
    pub collation: Option<String>,
    /// How a text that is not Unicode is read here, where that is known.
    pub encoding: Option<&'static Encoding>,
    /// Whether it is stored as UTF-8.
    pub is_utf8: bool,
}

impl Seen {
    fn new(described: &Described) -> Self {
        let Described { name, type_name, encoding, is_utf8 } = described.clone();
        let seen = Self { name, type_name, base: String::new(), kind: Kind::Text, collation: None, encoding, is_utf8 };
        seen.of_type()
    }

    /// A column by its type's name. A column that nobody reads may have any type; the error comes when it is asked for.
    fn of_type(self) -> Self {
        match kind(&self.type_name) {
            Some(kind) => Self { kind, base: self.type_name.split('(').next().unwrap_or_default().to_owned(), ..self },
            None => Self { kind: Kind::Text, base: String::new(), ..self },
        }
    }

    /// Whether it has this name. The server decides how names match; many databases ignore case.
    fn is_called(&self, name: &str) -> bool {
        self.name == name || self.name.to_lowercase() == name.to_lowercase()
    }

    /// Whether its collation's name is needed, or it may be JSON, which comes as text.
    fn needs_more(&self, key: &[String]) -> bool {
        (self.is_utf8 && self.type_name == "varchar(max)")
            || (self.is_code_page_text() && key.iter().any(|name| self.is_called(name)))
    }

    /// For the port.
    pub(super) fn column(&self) -> Column {
        Column { name: self.name.clone(), kind: self.kind }
    }

    /// Whether this is text that is stored in its collation's code page.
    pub(super) fn is_code_page_text(&self) -> bool {
        matches!(self.base.as_str(), "char" | "varchar" | "text")
    }
}

impl Address {
    /// All columns of the view; those of the key with their collations.
    pub(super) async fn seen(
        &self,
        client: &mut Connection,
        view: &Relation,
        key: &[String],
    ) -> Result<Vec<Seen>, SourceError> {
        let no_rows = sql::no_rows(&Dialect::SQL_SERVER, view)?;
        if let Err(said) = self.ask(client, &no_rows.sql, run_parameters(&no_rows.params)).await? {
            if said.number == UNKNOWN_OBJECT && matches!(view, Relation::View(_)) {
                let views = self.views(client).await?;
                // Else it is something that the view needs.
                if !views.iter().any(|there| there.eq_ignore_ascii_case(&view.to_string())) {
                    return Err(unknown_view(view, views));
                }
            }
            return Err(self.error(&Error::Server(said)));
        }
        let mut seen: Vec<Seen> = client.described().iter().map(Seen::new).collect();
        if seen.iter().any(|seen| seen.needs_more(key)) {
            self.learn_more(client, view, &mut seen).await?;
        }
        Ok(seen)
    }

    /// Collations and JSON, from a server that can tell.
    async fn learn_more(&self, client: &mut Connection, view: &Relation, all: &mut [Seen]) -> Result<(), SourceError> {
        let statement = sql::all_rows(&Dialect::SQL_SERVER, view)?;
        let declared = tds::declared(run_parameters(&statement.params));
        let mut params = vec![tds::text(&statement.sql)];
        let question = if declared.is_empty() { describe("NULL") } else { describe("@P2") };
        params.extend((!declared.is_empty()).then(|| tds::text(&declared)));
        let Ok(rows) = self.ask(client, &question, params).await? else { return Ok(()) };
        for (seen, row) in all.iter_mut().zip(&rows) {
            if row.text(0).as_ref() != Some(&seen.name) {
                continue;
            }
            seen.collation = row.text(2);
            if row.text(1).as_deref() == Some("json") {
                *seen = Seen { type_name: "json".to_owned(), ..seen.clone() }.of_type();
            }
        }
        Ok(())
    }

    /// Names of all views and tables that this login may see.
    async fn views(&self, client: &mut Connection) -> Result<Vec<String>, SourceError> {
        let sql = "SELECT TABLE_SCHEMA, TABLE_NAME FROM INFORMATION_SCHEMA.TABLES ORDER BY TABLE_SCHEMA, TABLE_NAME";
        let rows = self.all(client, sql, Vec::new()).await?;
        let part = |row: &Record, index: usize| {
            let name = row.text(index).unwrap_or_default();
            if name.contains(['.', '[', ']']) { Dialect::SQL_SERVER.name(&name) } else { name }
        };
        Ok((rows.iter())
            .map(|row| match (part(row, 0), part(row, 1)) {
                (schema, name) if schema == "dbo" => name,
                (schema, name) => format!("{schema}.{name}"),
            })
            .collect())
    }
}

/// A query's names against a view's columns.
#[derive(Clone, Debug)]
pub(super) struct ReadPlan {
    /// The wanted columns, in order.
    pub wanted: Vec<Seen>,
    /// The key columns, in order.
    pub key: Vec<Seen>,
    /// All columns, for names in control totals.
    pub all: Vec<Seen>,
}

impl ReadPlan {
    /// Finds every column that the query names.
    ///
    /// # Errors
    /// [`SourceError::Refused`] for a column that is not there or whose type cannot be carried, [`SourceError::Changed`]
    /// when the kinds are not those of an earlier term.
    pub(super) fn new(query: &Query, all: Vec<Seen>) -> Result<Self, SourceError> {
        let plan = Self {
            wanted: query.columns.iter().map(|name| find(&query.view, &all, name)).collect::<Result<_, _>>()?,
            key: query.key.iter().map(|name| find(&query.view, &all, name)).collect::<Result<_, _>>()?,
            all,
        };
        if let Some(kinds) = &query.kinds {
            let now: Vec<Column> = plan.columns();
            unchanged(kinds, &now)?;
        }
        let mut bindings = sql::Bindings::new(&Dialect::SQL_SERVER);
        for predicate in &query.predicates {
            bindings.predicate(predicate)?;
        }
        Ok(plan)
    }

    /// Passes when an answer's columns, as the server describes them, have the kinds that they had when they were asked for. The
    /// view may have been changed since.
    ///
    /// # Errors
    /// [`SourceError::Changed`] names the first one that has not.
    pub(super) fn still_holds(&self, described: &[Described]) -> Result<(), SourceError> {
        let (mut before, mut now) = (Vec::new(), Vec::new());
        for (seen, described) in self.wanted.iter().zip(described) {
            // What is cast is of the type that it is cast to.
            if self.column(&seen.name, "").is_empty() {
                before.push(seen.column());
                now.push(Column { name: seen.name.clone(), kind: Seen::new(described).kind });
            }
        }
        unchanged(&before, &now)
    }

    /// The wanted columns for the port.
    pub(super) fn columns(&self) -> Vec<Column> {
        self.wanted.iter().map(Seen::column).collect()
    }

    /// A column by its name.
    pub(super) fn named(&self, name: &str) -> Option<&Seen> {
        named(&self.all, name)
    }
}

/// The column of just this name, or the only one that differs from it in case.
fn named<'a>(all: &'a [Seen], name: &str) -> Option<&'a Seen> {
    let exact = all.iter().find(|seen| seen.name == name);
    let mut alike = all.iter().filter(|seen| seen.is_called(name));
    exact.or_else(|| alike.next().filter(|_| alike.next().is_none()))
}

/// A column by the name that it is asked for, of a type that can be carried.
fn find(view: &Relation, all: &[Seen], name: &str) -> Result<Seen, SourceError> {
    let seen = named(all, name);
    let seen = seen.ok_or_else(|| unknown_column(view, name, all.iter().map(|seen| seen.name.clone())))?;
    readable(view, seen)?;
    Ok(Seen { name: name.to_owned(), ..seen.clone() })
}

/// Refuses a column whose type cannot be carried.
pub(super) fn readable(view: &Relation, seen: &Seen) -> Result<(), SourceError> {
    if !seen.base.is_empty() {
        return Ok(());
    }
    let reason = format!(
        "column `{}` of view `{view}` is of type {}, whose values have no one text; CAST it in the view, as in \
         CAST([{}] AS nvarchar(4000))",
        seen.name, seen.type_name, seen.name
    );
    Err(SourceError::Refused { reason })
}

/// The kind of a type: `decimal(15,2)` as the catalogue writes it. `None` for types whose values cannot be carried.
pub(super) fn kind(type_name: &str) -> Option<Kind> {
    let (base, args) = type_name.split_once('(').unwrap_or((type_name, ""));
    let mut args = args.trim_end_matches(')').split(',').map(|text| text.trim().parse::<u8>());
    let mut digits = |default| args.next().and_then(Result::ok).unwrap_or(default);
    Some(match base {
        "bit" => Kind::Bool,
        "tinyint" | "smallint" | "int" | "bigint" => Kind::Int,
        "real" => Kind::Float32,
        "float" => Kind::Float64,
        "decimal" | "numeric" => {
            let (precision, scale) = (digits(18), digits(0));
            Kind::Decimal { precision, scale: i8::try_from(scale).ok()? }
        }
        "money" => Kind::Decimal { precision: 19, scale: 4 },
        "smallmoney" => Kind::Decimal { precision: 10, scale: 4 },
        "uniqueidentifier" => Kind::Uuid,
        "date" => Kind::Date,
        "time" => Kind::Time { digits: digits(7) },
        "smalldatetime" => Kind::Timestamp { digits: 0, utc: false },
        "datetime" => Kind::Timestamp { digits: 3, utc: false },
        "datetime2" => match digits(7) {
            // Arrow's microseconds hold six digits.
            digits @ 0..=6 => Kind::Timestamp { digits, utc: false },
            _ => Kind::TimestampText,
        },
        "datetimeoffset" => Kind::TimestampText,
        "char" | "varchar" | "nchar" | "nvarchar" | "text" | "ntext" | "xml" => Kind::Text,
        "json" => Kind::Json,
        "binary" | "varbinary" | "image" | "timestamp" | "rowversion" => Kind::Bytes,
        _ => return None,
    })
}
