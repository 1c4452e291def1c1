//! One JSON object a line. Numbers are exact: they go from digits to digits, never through a float.

use super::cell::{Bound, Cell};
use super::field::{Fit, Fitted, fixed_literal, too_wide};
use super::json_text::{self, Shape};
use super::records::Records;
use super::rows::Rows;
use super::scan::Scan;
use super::{Columns, TranslateError, Translator};
use crate::core::generate::spec::{ColumnSpec, From, JsonNode, JsonSpec, OnOverflow};
use crate::core::model::column::Column;
use arrow_array::RecordBatch;

/// Writes JSON lines.
pub(super) struct Json {
    columns: Columns,
    root: Node,
    skip_null: bool,
    on_overflow: OnOverflow,
    /// Where a text is held while it is escaped.
    scratch: Vec<u8>,
}

/// A place in the object; keys and literals are ready bytes.
enum Node {
    Literal(Vec<u8>),
    Value(Cell, Option<Fit>),
    /// Each key with its colon.
    Object(Vec<(Vec<u8>, Node)>),
    Array(Vec<Node>),
}

/// A place with a page's values.
enum PageNode<'a> {
    Literal(&'a [u8]),
    Value {
        bound: Bound<'a>,
        fit: Option<&'a Fit>,
        shape: Shape,
        /// Whether no value of the page needs escaping.
        clean: bool,
    },
    Object(Vec<(&'a [u8], PageNode<'a>)>),
    Array(Vec<PageNode<'a>>),
}

impl Json {
    /// Checks the whole specification.
    ///
    /// # Errors
    /// What cannot work.
    pub(super) fn new(spec: &JsonSpec, newline: &str, on_overflow: OnOverflow) -> Result<Self, TranslateError> {
        if spec.fields.is_empty() {
            return Err(TranslateError::setting("`fields` is empty; name at least one"));
        }
        if !newline.bytes().all(|byte| byte.is_ascii_control()) {
            return Err(TranslateError::setting(format!(
                "`newline` {newline:?} could stand inside a JSON text; use control characters, as in \"\\n\""
            )));
        }
        let mut json = Self {
            columns: Columns::default(),
            root: Node::Array(Vec::new()),
            skip_null: spec.skip_null,
            on_overflow,
            scratch: Vec::new(),
        };
        json.root = json.object(&spec.fields, "")?;
        Ok(json)
    }

    fn object(&mut self, fields: &[(String, JsonNode)], path: &str) -> Result<Node, TranslateError> {
        let mut nodes = Vec::with_capacity(fields.len());
        for (at, (name, node)) in fields.iter().enumerate() {
            let path = format!("{path}/{name}");
            if fields[..at].iter().any(|(earlier, _)| earlier == name) {
                return Err(TranslateError::setting(format!("field `{path}` stands in its object twice")));
            }
            let mut key = json_text::quoted(name);
            key.push(b':');
            nodes.push((key, self.node(node, &path)?));
        }
        Ok(Node::Object(nodes))
    }

    fn node(&mut self, node: &JsonNode, path: &str) -> Result<Node, TranslateError> {
        match node {
            JsonNode::Object(fields) => self.object(fields, path),
            JsonNode::Array(items) => {
                Ok(Node::Array(items.iter().map(|item| self.node(item, path)).collect::<Result<_, _>>()?))
            }
            JsonNode::Value(spec) => self.value(spec, path),
        }
    }

    fn value(&mut self, spec: &ColumnSpec, path: &str) -> Result<Node, TranslateError> {
        let fit =
            Fit::new(spec, self.on_overflow).map_err(|why| TranslateError::setting(format!("field `{path}` {why}")))?;
        Ok(match &spec.from {
            From::Literal(text) => {
                let fitted = fixed_literal(text, fit)?;
                Node::Literal(json_text::quoted(&String::from_utf8_lossy(&fitted)))
            }
            From::Column(name) => Node::Value(Cell::new(spec, name, self.columns.place(name))?, fit),
        })
    }
}

impl Node {
    fn bind(&mut self, columns: &[Column]) -> Result<(), TranslateError> {
        match self {
            Self::Literal(_) => Ok(()),
            Self::Value(cell, _) => cell.bind(columns),
            Self::Object(fields) => fields.iter_mut().try_for_each(|(_, node)| node.bind(columns)),
            Self::Array(items) => items.iter_mut().try_for_each(|node| node.bind(columns)),
        }
    }

    fn with_page<'a>(&'a self, batch: &'a RecordBatch, scan: Scan) -> Result<PageNode<'a>, TranslateError> {
        Ok(match self {
            Self::Literal(bytes) => PageNode::Literal(bytes),
            Self::Value(cell, fit) => {
                let bound = cell.values(batch)?;
                let shape = if fit.is_none() && !cell.is_formatted() { Shape::of(cell.kind()) } else { Shape::String };
                let clean = cell.is_simple() || bound.unchanged_texts().is_some_and(|texts| scan.is_clean(texts));
                PageNode::Value { bound, fit: fit.as_ref(), shape, clean }
            }
            Self::Object(fields) => {
                let page_field = |(key, node): &'a (Vec<u8>, Self)| Ok((key.as_slice(), node.with_page(batch, scan)?));
                PageNode::Object(fields.iter().map(page_field).collect::<Result<_, TranslateError>>()?)
            }
            Self::Array(items) => {
                PageNode::Array(items.iter().map(|node| node.with_page(batch, scan)).collect::<Result<_, _>>()?)
            }
        })
    }
}

/// Where one record is written.
struct Line<'a, 'c> {
    row: usize,
    out: &'a mut Vec<u8>,
    scratch: &'a mut Vec<u8>,
    skip_null: bool,
    /// Columns whose values were cut.
    cut: Vec<&'c str>,
}

impl<'a> PageNode<'a> {
    fn push(&self, line: &mut Line<'_, 'a>) -> Result<(), TranslateError> {
        match self {
            Self::Literal(bytes) => line.out.extend_from_slice(bytes),
            Self::Value { bound, fit, shape, clean } => return push_value(bound, *fit, *shape, *clean, line),
            Self::Object(fields) => {
                line.out.push(b'{');
                let mut separator = false;
                for (key, node) in fields {
                    if line.skip_null && node.is_bare_null(line.row) {
                        continue;
                    }
                    if std::mem::replace(&mut separator, true) {
                        line.out.push(b',');
                    }
                    line.out.extend_from_slice(key);
                    node.push(line)?;
                }
                line.out.push(b'}');
            }
            Self::Array(items) => {
                line.out.push(b'[');
                for (at, node) in items.iter().enumerate() {
                    if at > 0 {
                        line.out.push(b',');
                    }
                    node.push(line)?;
                }
                line.out.push(b']');
            }
        }
        Ok(())
    }

    /// Whether the place is a NULL for which the worker file names no text.
    #[inline]
    fn is_bare_null(&self, row: usize) -> bool {
        matches!(self, Self::Value { bound, .. } if bound.is_null(row) && bound.cell().null().is_none())
    }
}

#[inline]
fn push_value<'a>(
    bound: &Bound<'a>,
    fit: Option<&Fit>,
    shape: Shape,
    clean: bool,
    line: &mut Line<'_, 'a>,
) -> Result<(), TranslateError> {
    let cell = bound.cell();
    let is_null = bound.is_null(line.row);
    match (is_null, cell.null()) {
        (true, None) => {
            line.out.extend_from_slice(b"null");
            return Ok(());
        }
        (false, _) if shape != Shape::String => {
            let start = line.out.len();
            bound.push(line.row, line.out)?;
            return json_text::check(shape, line.out, start, line.scratch).map_err(|why| cell.error(line.row, &why));
        }
        _ => {}
    }
    line.out.push(b'"');
    let start = line.out.len();
    match cell.null() {
        Some(null) if is_null => line.out.extend_from_slice(null.as_bytes()),
        _ => bound.push(line.row, line.out)?,
    }
    if let Some(fit) = fit {
        match fit.apply(line.out, start, !is_null && cell.is_number()) {
            Fitted::Whole => {}
            Fitted::Cut => line.cut.push(cell.name()),
            Fitted::TooWide(chars) => {
                return Err(too_wide(cell, line.row, line.out.get(start..).unwrap_or_default(), chars, fit));
            }
        }
    }
    if !is_null
        && let Some(null) = cell.reserved()
        && is_alike(line.out.get(start..).unwrap_or_default(), null, fit)
    {
        let advice = "leave out `null`, so that NULL is `null`, or choose another text";
        return Err(cell.refuse_null(line.row, line.out.get(start..).unwrap_or_default(), advice));
    }
    if !clean || is_null || fit.is_some() {
        json_text::escape(line.out, start, line.scratch);
    }
    line.out.push(b'"');
    Ok(())
}

/// Whether a text is what NULL is written as.
fn is_alike(text: &[u8], null: &str, fit: Option<&Fit>) -> bool {
    let mut field = null.as_bytes().to_vec();
    if let Some(fit) = fit {
        fit.apply(&mut field, 0, false);
    }
    text == field
}

impl Translator for Json {
    fn columns(&self) -> Vec<String> {
        self.columns.names()
    }

    fn bind(&mut self, columns: &[Column]) -> Result<(), TranslateError> {
        self.root.bind(columns)
    }

    fn translate(&mut self, rows: &Rows<'_>, records: &mut Records) -> Result<(), TranslateError> {
        let root = self.root.with_page(rows.batch, Scan::new([b'"', b'\\', b'"']))?;
        for row in rows.iter() {
            let mut line = Line {
                row,
                out: records.text(),
                scratch: &mut self.scratch,
                skip_null: self.skip_null,
                cut: Vec::new(),
            };
            root.push(&mut line)?;
            let cut = line.cut;
            for column in cut {
                records.count_cut(column, row);
            }
            records.end(row)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
