//! A SQL view as a stream of pages.

use crate::core::kind::{FailureKind, HasKind};
use crate::core::model::column::Column;
use crate::core::model::finding::Finding;
use crate::core::model::key::Key;
use crate::core::model::page::Page;
use crate::core::model::param::Params;
use crate::core::model::query::{Fetch, Isolation};
use crate::core::model::shown;
use crate::core::model::sql::{Relation, Sql};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::num::NonZeroU32;

/// What a run asks of a view. The same for every page, so that a resumed run asks what the first one asked.
#[derive(Clone, PartialEq, Debug)]
pub struct Query {
    /// The view, or what stands for one: a function's answer, a query.
    pub view: Relation,
    /// Key columns, in order. Empty only with [`Fetch::Offset`].
    pub key: Vec<String>,
    /// Columns wanted, in order, no name twice, key columns among them only where a translator uses them.
    pub columns: Vec<String>,
    /// SQL predicates; each gives one mask column behind the wanted ones.
    pub predicates: Vec<Sql>,
    /// Rows of a full page.
    pub page_size: NonZeroU32,
    /// A page ends early when its values reach this many bytes; at least one row is in it.
    pub page_bytes: u64,
    /// A value of more bytes (a text's in UTF-8) is [`SourceError::Value`]. The source sees that before it has the whole value in
    /// memory.
    pub value_bytes: u64,
    /// How pages are asked for.
    pub fetch: Fetch,
    /// What one read sees of concurrent changes.
    pub isolation: Isolation,
    /// Kinds fixed by an earlier term: the source gives exactly these or fails with [`SourceError::Changed`].
    pub kinds: Option<Vec<Column>>,
}

impl Query {
    /// Whether both ask for the same rows, whatever kinds an earlier term has fixed.
    pub fn asks_as(&self, other: &Self) -> bool {
        let rows = |query: &Self| Self { kinds: None, ..query.clone() };
        rows(self) == rows(other)
    }

    /// All parameters that its SQL names.
    pub fn params(&self) -> Params {
        let mut params = Params::new();
        self.view.sql().into_iter().chain(&self.predicates).for_each(|sql| sql.gather(&mut params));
        params
    }

    /// Whether the view was counted as empty: by key, there is no row to read up to. By number, a view with rows may well
    /// have no range.
    pub fn finds_nothing(&self, until: Option<&Key>) -> bool {
        until.is_none() && !self.key.is_empty() && self.fetch != Fetch::Offset
    }
}

/// What a view holds at one moment, within a query's predicates.
#[derive(Clone, PartialEq, Debug)]
pub struct Extent {
    /// All rows of the view.
    pub rows: u64,
    /// Rows of each predicate, in the query's order.
    pub matching: Vec<u64>,
    /// First and last key. `None` when there are no rows, or without a key. With [`Fetch::Offset`] it may be `None` for a view with rows.
    pub range: Option<(Key, Key)>,
}

/// What a view holds behind a run's last page.
#[derive(Clone, PartialEq, Debug)]
pub struct After {
    /// All of it.
    pub extent: Extent,
    /// Rows up to and with the last key of the run's range: those that the run was to read.
    pub within: u64,
}

/// Where a read starts: behind what is already durable.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Position {
    /// Last key that is durable. `None` starts at the beginning.
    pub after: Option<Key>,
    /// Rows that are durable, for [`Fetch::Offset`].
    pub rows: u64,
}

/// A view that can be counted and read in key order.
///
/// Values are exact: no decimal or 64-bit integer passes through a float. The source alone compares keys.
#[async_trait]
pub trait PageSource: Send + Sync {
    /// Name of the source's kind, and where it is, without secrets: `sqlite:/data/loans.db`.
    fn describe(&self) -> String;

    /// All columns of the view, in its order, as far as the source can tell without reading rows.
    async fn columns(&self, view: &Relation) -> Result<Vec<Column>, SourceError>;

    /// The most characters that each text column of the view may hold, as far as the source declares it: 20 for `char(20)`. By name.
    async fn lengths(&self, view: &Relation) -> Result<BTreeMap<String, u32>, SourceError> {
        let _ = view;
        Ok(BTreeMap::new())
    }

    /// The wanted columns of a query, each with its kind, as far as the source can tell without reading rows. A source that has just
    /// counted the query answers without asking again, and one that is asked may keep its connection for the read. It may give other
    /// columns too.
    async fn kinds(&self, query: &Query) -> Result<Vec<Column>, SourceError> {
        self.columns(&query.view).await
    }

    /// Whether names that differ in case only may be one column to the source.
    fn folds_names(&self) -> bool {
        false
    }

    /// Counts and finds the key range in one query. A NULL in a key column of any row is [`SourceError::Key`].
    async fn extent(&self, query: &Query) -> Result<Extent, SourceError>;

    /// What the view holds behind a run's last page, and how many of its rows have a key up to and with `until`. With `None`,
    /// and where the source cannot tell, that is all rows.
    ///
    /// A source may know that nothing was written since its last [`PageSource::extent`] of the same query. It then gives that
    /// answer again without counting, once: the next call counts.
    async fn extent_after(&self, query: &Query, until: Option<&Key>) -> Result<After, SourceError> {
        let _ = until;
        let extent = self.extent(query).await?;
        Ok(After { within: extent.rows, extent })
    }

    /// Opens a read behind `from`, up to and with key `until`. `None` reads to the end.
    ///
    /// A read that is dropped half-way never leaves its connection in use by others.
    async fn open(
        &self,
        query: &Query,
        from: &Position,
        until: Option<&Key>,
    ) -> Result<Box<dyn PageStream>, SourceError>;

    /// Says that no further question follows now: a connection that waits for one is closed. Without it, that takes a while.
    async fn rest(&self) {}

    /// The query that a run sends first, for people to read. `None` for a source that has no query language.
    ///
    /// # Errors
    /// When no query can be written for what is asked.
    fn query_text(&self, query: &Query) -> Result<Option<String>, SourceError> {
        let _ = query;
        Ok(None)
    }

    /// Looks for what a run would trip over: NULL and duplicate keys, an order without an index. For `doctor`;
    /// may read the whole view.
    async fn examine(&self, query: &Query) -> Result<Vec<Finding>, SourceError>;

    /// What a person should know of the wanted columns' values that no error of a run will tell: digits that the source has
    /// lost. For `doctor` and `config check`; may read the whole view.
    async fn doubts(&self, query: &Query) -> Result<Vec<Finding>, SourceError> {
        let _ = query;
        Ok(Vec::new())
    }
}

/// One open read. Memory stays within a few pages whatever the view holds.
#[async_trait]
pub trait PageStream: Send {
    /// The wanted columns and their kinds; known once the first page has arrived (or the end).
    fn columns(&self) -> Option<Vec<Column>>;

    /// The next page. `None` at the end. Pages hold `page_size` rows but for the last, or fewer by `page_bytes`;
    /// keys grow strictly within and across pages. After an error the stream is done.
    async fn next(&mut self) -> Result<Option<Page>, SourceError>;
}

/// Why a source did not deliver.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SourceError {
    /// Not reachable, or the connection was lost: worth another try.
    #[error("cannot reach {source_name}: {}", shown::text(reason))]
    Unreachable {
        /// [`PageSource::describe`].
        source_name: String,
        /// The client's own words, without secrets.
        reason: String,
    },
    /// There is nothing at the source's address; asking again soon would not help.
    #[error("cannot reach {source_name}: {}", shown::text(reason))]
    Absent {
        /// [`PageSource::describe`].
        source_name: String,
        /// What is not there, and what to do.
        reason: String,
    },
    /// The login, the database or a right is refused; asking again would not help, and may lock the account.
    #[error("{source_name} refuses: {}", shown::text(reason))]
    Denied {
        /// [`PageSource::describe`].
        source_name: String,
        /// The server's words, and what to do.
        reason: String,
    },
    /// The view, a column or a predicate is not as the worker file says.
    #[error("{}", shown::text(reason))]
    Refused {
        /// What does not fit, and what there is instead.
        reason: String,
    },
    /// The view's columns are no longer those the run began with.
    #[error("the view has changed since the run began: {}", shown::text(reason))]
    Changed {
        /// Which column, from what to what.
        reason: String,
    },
    /// The key is NULL or not unique somewhere.
    #[error("{}", shown::text(reason))]
    Key {
        /// Which row.
        reason: String,
    },
    /// A value cannot be carried exactly.
    #[error("column `{}` of the row with key {}: {}", shown::name(column), shown::name(key), shown::text(reason))]
    Value {
        /// Which column.
        column: String,
        /// Which row.
        key: String,
        /// What is wrong with the value and what to do.
        reason: String,
    },
    /// Anything else the source said no to.
    #[error("{source_name} failed: {}", shown::text(reason))]
    Failed {
        /// [`PageSource::describe`].
        source_name: String,
        /// The client's own words, without secrets.
        reason: String,
    },
}

impl HasKind for SourceError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Unreachable { .. } => FailureKind::Unreachable,
            Self::Absent { .. } => FailureKind::Absent,
            Self::Denied { .. } | Self::Refused { .. } => FailureKind::Config,
            Self::Changed { .. } => FailureKind::Conflict,
            Self::Key { .. } | Self::Value { .. } => FailureKind::Data,
            Self::Failed { .. } => FailureKind::Refused,
        }
    }
}

impl SourceError {
    /// Whether the same call may succeed a moment later.
    pub fn is_transient(&self) -> bool {
        self.kind().is_transient()
    }

    /// Whether the source did not answer at all.
    pub fn is_away(&self) -> bool {
        self.kind().is_away()
    }
}
