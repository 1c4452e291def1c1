//! What a view's columns are: asked of the server before a row is read.

use super::address::Address;
use super::tds::{self, Connection, Record};
use crate::adapters::sql::{self, Dialect, unchanged, unknown_column, unknown_view};
use crate::core::model::column::{Column, Kind};
use crate::core::model::names::ViewName;
use crate::core::ports::source::{Query, SourceError};

/// Names, types and collations of a statement's columns, without running it (SQL Server 2012 and later, Azure SQL).
const DESCRIBE: &str = "SELECT name, system_type_name, user_type_name, collation_name, \
    CAST(COLLATIONPROPERTY(collation_name, 'CodePage') AS int) AS code_page, error_number, error_message \
    FROM sys.dm_exec_describe_first_result_set(@P1, NULL, 0) ORDER BY column_ordinal";

/// Number of the error that there is no such view.
const UNKNOWN_OBJECT: i64 = 208;

/// One column of a view, as the server has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Seen {
    /// As the view spells it.
    pub name: String,
    /// `decimal(15,2)`.
    pub type_name: String,
    /// The type's name alone: `decimal`; empty for a type whose values cannot be carried.
    pub base: String,
    /// What the values are.
    pub kind: Kind,
    /// Of text: its collation.
    pub collation: Option<String>,
    /// Of text that is not Unicode: its code page's number.
    pub code_page: Option<i32>,
}

impl Seen {
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
    /// All columns of the view.
    pub(super) async fn seen(&self, client: &mut Connection, view: &ViewName) -> Result<Vec<Seen>, SourceError> {
        let statement = format!("SELECT t.* FROM {} t", Dialect::SQL_SERVER.view(view));
        let rows = self.all(client, DESCRIBE, vec![tds::text(&statement)]).await?;
        if rows.iter().any(|row| row.int(5) == Some(UNKNOWN_OBJECT)) {
            return Err(unknown_view(view, self.views(client).await?));
        }
        if rows.iter().any(|row| row.text(6).is_some()) {
            // Running it says more than describing it does.
            self.all(client, &sql::no_rows(&Dialect::SQL_SERVER, view), Vec::new()).await?;
        }
        rows.iter().map(|row| self.read(view, row)).collect()
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

    fn read(&self, view: &ViewName, row: &Record) -> Result<Seen, SourceError> {
        if let Some(message) = row.text(6) {
            let number = row.int(5).unwrap_or_default();
            return Err(self.failed(format!("view `{view}` cannot be read: error {number}: {message}")));
        }
        let name = row.text(0).unwrap_or_default();
        let type_name = row.text(1).or_else(|| row.text(2)).unwrap_or_default();
        let base = type_name.split('(').next().unwrap_or_default().to_owned();
        // A column that nobody reads may be of any type: the complaint waits until it is asked for.
        let (kind, base) = kind(&type_name).map_or((Kind::Text, String::new()), |kind| (kind, base));
        let code_page = row.int(4).and_then(|number| i32::try_from(number).ok());
        Ok(Seen { name, type_name, base, kind, collation: row.text(3), code_page })
    }
}

/// A query's names against a view's columns.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// The wanted columns, in order.
    pub wanted: Vec<Seen>,
    /// The key columns, in order.
    pub key: Vec<Seen>,
    /// All columns, for names in control totals.
    pub all: Vec<Seen>,
}

impl Plan {
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
        for predicate in &query.predicates {
            sql::check_predicate(&Dialect::SQL_SERVER, predicate)?;
        }
        Ok(plan)
    }

    /// The wanted columns for the port.
    pub(super) fn columns(&self) -> Vec<Column> {
        self.wanted.iter().map(Seen::column).collect()
    }

    /// A column by its name.
    pub(super) fn named(&self, name: &str) -> Option<&Seen> {
        self.all.iter().find(|seen| seen.name == name)
    }
}

/// A column by its exact name, of a type that can be carried.
fn find(view: &ViewName, all: &[Seen], name: &str) -> Result<Seen, SourceError> {
    let seen = all.iter().find(|seen| seen.name == name);
    let seen = seen.ok_or_else(|| unknown_column(view, name, all.iter().map(|seen| seen.name.clone())))?;
    readable(view, seen)?;
    Ok(seen.clone())
}

/// Passes for a column whose type can be carried.
pub(super) fn readable(view: &ViewName, seen: &Seen) -> Result<(), SourceError> {
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

/// The kind of a type: `decimal(15,2)` as the catalogue writes it. None for types whose values cannot be carried.
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
