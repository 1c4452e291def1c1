//! T-SQL into SQLite's SQL: as much of it as the product, its fixtures and FreeTDS send.

use super::tables::{create_index, create_table};
use super::types::SqlType;
use super::writes::{self, Merge};
use super::{batch, catalog};
use std::fmt::Write as _;

/// A statement, ready for the session.
#[derive(Debug)]
pub enum Statement {
    /// `SET NAME VALUE`, in upper case.
    Set(String),
    Begin,
    Commit,
    Rollback,
    Use(String),
    /// Rows; the types of the result's columns where the text says them.
    Select {
        sql: String,
        types: Vec<Option<SqlType>>,
        ordered: usize,
    },
    /// No rows; the number that stands for its verb in DONE.
    Change {
        sql: String,
        command: u16,
    },
    /// The rows that a change makes or takes away, of a table.
    Output {
        sql: String,
        command: u16,
        table: String,
    },
    Merge(Box<Merge>),
    /// INSERT BULK: the rows come in a message of their own.
    Bulk {
        table: String,
        columns: Vec<String>,
    },
    /// A savepoint.
    Save(String),
    /// Back to a savepoint.
    Back(String),
    If {
        condition: String,
        then: Vec<Statement>,
        otherwise: Vec<Statement>,
    },
    /// An error of the client's own: number, text.
    Throw(u32, String),
}

/// One piece of text, or what stands between parentheses.
#[derive(Clone, PartialEq, Debug)]
pub enum Node {
    Word(String),
    Name(String),
    Text(String),
    Number(String),
    Hex(String),
    Param(String),
    Symbol(char),
    Group(Vec<Node>),
}

impl Node {
    pub fn is(&self, word: &str) -> bool {
        matches!(self, Self::Word(text) if text.eq_ignore_ascii_case(word))
    }

    pub fn is_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(word))
    }
}

/// Takes a batch apart into statements; an error is what stands where nothing can be made of it.
pub fn statements(sql: &str) -> Result<Vec<Statement>, String> {
    let mut chars = sql.chars().collect::<Vec<_>>().into_iter().peekable();
    batch::sequence(&writes::without_hints(&read(&mut chars, false)?))
}

pub fn translate(nodes: &[Node]) -> Result<Statement, String> {
    let first = &nodes[0];
    let sql = render(nodes);
    Ok(match first {
        node if node.is("SET") => Statement::Set(sql.to_uppercase()),
        node if node.is("BEGIN") => Statement::Begin,
        node if node.is("COMMIT") => Statement::Commit,
        node if node.is("SAVE") => Statement::Save(nodes.get(2).map(render_one).ok_or("SAVE")?),
        node if node.is("ROLLBACK") => match nodes.get(2) {
            Some(name) => Statement::Back(render_one(name)),
            None => Statement::Rollback,
        },
        node if node.is("THROW") => throw(nodes)?,
        node if node.is("MERGE") => writes::merge(nodes)?,
        node if node.is("TRUNCATE") => {
            let (table, _) = table_name(nodes.get(2..).unwrap_or_default());
            Statement::Change { sql: format!("DELETE FROM {table}"), command: 0xc4 }
        }
        node if node.is("USE") => Statement::Use(nodes.get(1).map(render_one).unwrap_or_default()),
        node if node.is_any(&["SELECT", "WITH"]) => {
            let order = nodes.windows(2).position(|pair| pair[0].is("ORDER") && pair[1].is("BY"));
            let ordered = order.map_or(0, |at| nodes[at..].iter().filter(|n| **n == Node::Symbol(',')).count() + 1);
            Statement::Select { sql, types: item_types(nodes), ordered }
        }
        node if node.is("INSERT") => writes::insert(nodes)?,
        node if node.is("DELETE") => writes::delete(nodes)?,
        node if node.is("UPDATE") => writes::update(nodes)?,
        node if node.is("CREATE") && nodes.get(1).is_some_and(|node| node.is("TABLE")) => {
            Statement::Change { sql: create_table(nodes)?, command: 0xc6 }
        }
        node if node.is("CREATE") && nodes.iter().take(5).any(|node| node.is("INDEX")) => {
            Statement::Change { sql: create_index(nodes)?, command: 0xc7 }
        }
        // A schema is a part of its tables' names here.
        node if node.is("CREATE") && nodes.get(1).is_some_and(|node| node.is("SCHEMA")) => Statement::Set(sql),
        node if node.is_any(&["CREATE", "DROP", "ALTER"]) => Statement::Change { sql, command: 0xc7 },
        other => return Err(render_one(other)),
    })
}

/// `THROW 50001, N'why', 1`.
fn throw(nodes: &[Node]) -> Result<Statement, String> {
    match nodes {
        [_, Node::Number(number), _, Node::Text(text), ..] => {
            Ok(Statement::Throw(number.parse().map_err(|_| number.clone())?, text.clone()))
        }
        _ => Err("THROW".to_owned()),
    }
}

/// Reads to the end, or to the parenthesis that closes.
fn read(chars: &mut std::iter::Peekable<std::vec::IntoIter<char>>, inside: bool) -> Result<Vec<Node>, String> {
    let mut nodes = Vec::new();
    while let Some(c) = chars.next() {
        let next = chars.peek().copied();
        let mut run = |start: String, more: fn(char) -> bool| {
            let mut text = start;
            while let Some(c) = chars.next_if(|c| more(*c)) {
                text.push(c);
            }
            text
        };
        nodes.push(match c {
            c if c.is_whitespace() => continue,
            '-' if next == Some('-') => {
                run(String::new(), |c| c != '\n');
                continue;
            }
            '(' => Node::Group(read(chars, true)?),
            ')' if inside => return Ok(nodes),
            'N' | 'n' if next == Some('\'') => {
                chars.next();
                Node::Text(quoted(chars, '\'')?)
            }
            '\'' => Node::Text(quoted(chars, '\'')?),
            '"' => Node::Name(quoted(chars, '"')?),
            '[' => Node::Name(quoted(chars, ']')?),
            '@' => {
                let name = run("@".to_owned(), |c| c.is_alphanumeric() || matches!(c, '_' | '@'));
                // What the server knows of itself: SQLite takes one sign alone.
                Node::Param(name.replace("@@", "@__"))
            }
            '0' if next == Some('x') => {
                chars.next();
                Node::Hex(chars_while(chars, |c| c.is_ascii_hexdigit()))
            }
            c if c.is_ascii_digit() => {
                let mut text = run(c.to_string(), |c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E'));
                if text.ends_with(['e', 'E']) {
                    text.extend(chars.next());
                    text.push_str(&chars_while(chars, |c| c.is_ascii_digit()));
                }
                Node::Number(text)
            }
            c if c.is_alphabetic() || matches!(c, '_' | '#') => {
                Node::Word(run(c.to_string(), |c| c.is_alphanumeric() || matches!(c, '_' | '#' | '$')))
            }
            c => Node::Symbol(c),
        });
    }
    if inside { Err("(".to_owned()) } else { Ok(nodes) }
}

fn chars_while(chars: &mut std::iter::Peekable<std::vec::IntoIter<char>>, more: fn(char) -> bool) -> String {
    let mut text = String::new();
    while let Some(c) = chars.next_if(|c| more(*c)) {
        text.push(c);
    }
    text
}

fn quoted(chars: &mut std::iter::Peekable<std::vec::IntoIter<char>>, mark: char) -> Result<String, String> {
    let mut text = String::new();
    while let Some(c) = chars.next() {
        if c == mark && chars.next_if_eq(&mark).is_none() {
            return Ok(text);
        }
        text.push(c);
    }
    Err(mark.to_string())
}

pub fn render_one(node: &Node) -> String {
    match node {
        Node::Word(text) if text.eq_ignore_ascii_case("COUNT_BIG") => "count".to_owned(),
        Node::Word(text) if text.eq_ignore_ascii_case("ISNULL") => "ifnull".to_owned(),
        // Exact, and compared by the order of the column beside it.
        Node::Number(text) if text.contains('.') && !text.contains(['e', 'E']) => format!("'{text}'"),
        Node::Word(text) | Node::Param(text) | Node::Number(text) => text.clone(),
        Node::Name(text) => format!("\"{}\"", text.replace('"', "\"\"")),
        Node::Text(text) if text.contains('\0') => {
            let hex = text.bytes().fold(String::new(), |mut hex, byte| {
                let _ = write!(hex, "{byte:02x}");
                hex
            });
            format!("CAST(X'{hex}' AS TEXT)")
        }
        Node::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Node::Hex(text) => format!("X'{text}'"),
        Node::Symbol(c) => c.to_string(),
        Node::Group(inner) => format!("({})", render(inner)),
    }
}

/// One statement, or what is inside parentheses.
pub fn render(nodes: &[Node]) -> String {
    let mut sql = String::new();
    let mut limit = None;
    let mut at = 0;
    let mut table_next = false;
    while let Some(node) = nodes.get(at) {
        at += 1;
        let following = nodes.get(at);
        let piece = match (node, following) {
            (node, Some(count @ (Node::Group(_) | Node::Number(_)))) if node.is("TOP") => {
                limit = Some(format!(" LIMIT {}", render_one(count)));
                at += 1;
                continue;
            }
            (node, Some(skip))
                if node.is("OFFSET") && nodes.get(at + 1).is_some_and(|node| node.is_any(&["ROWS", "ROW"])) =>
            {
                let rows = nodes.get(at + 4).map(render_one).unwrap_or_default();
                limit = Some(format!(" LIMIT {rows} OFFSET {}", render_one(skip)));
                at += 7;
                continue;
            }
            (node, Some(_)) if node.is("COLLATE") => {
                at += 1;
                continue;
            }
            (node, Some(Node::Group(inner))) if node.is("XACT_STATE") && inner.is_empty() => {
                at += 1;
                "@__XACT_STATE".to_owned()
            }
            (node, Some(Node::Group(inner))) if node.is("OBJECT_ID") || node.is("COL_LENGTH") => {
                at += 1;
                catalog::lookup(node.is("OBJECT_ID"), inner)
            }
            (node, Some(Node::Group(inner))) if node.is("CAST") || node.is("CONVERT") => {
                at += 1;
                conversion(node.is("CAST"), inner)
            }
            (Node::Word(_) | Node::Name(_), _) if table_next && !node.is_any(&["IF", "EXISTS", "NOT"]) => {
                let (name, length) = table_name(&nodes[at - 1..]);
                at += length - 1;
                table_next = false;
                name
            }
            // What follows a sign belongs to it, or a quoted decimal would stand behind a minus.
            (Node::Symbol('-'), Some(Node::Number(text)))
                if text.contains('.') && starts_value(nodes.get(at.wrapping_sub(2))) =>
            {
                at += 1;
                format!("'-{text}'")
            }
            (node, _) => render_one(node),
        };
        if node.is_any(&["FROM", "JOIN", "INTO", "TABLE", "VIEW", "UPDATE", "REFERENCES"]) {
            table_next = true;
        } else if matches!(node, Node::Group(_)) {
            table_next = false;
        }
        // A list of tables goes on behind a comma, but nothing here joins that way.
        let glued = matches!(node, Node::Symbol('.')) || sql.ends_with('.');
        let pair = matches!(node, Node::Symbol('=' | '>')) && sql.ends_with(['<', '>', '!']);
        if !sql.is_empty() && !glued && !pair {
            sql.push(' ');
        }
        sql.push_str(&piece);
    }
    sql + &limit.unwrap_or_default()
}

/// Whether what stands before a minus makes it a sign.
fn starts_value(before: Option<&Node>) -> bool {
    matches!(before, None | Some(Node::Symbol(',' | '=' | '<' | '>') | Node::Word(_)))
}

/// A table's name, without its database and without `dbo`; other schemas become a part of it. Returns its length in nodes.
pub fn table_name(nodes: &[Node]) -> (String, usize) {
    let mut parts = Vec::new();
    let mut length = 0;
    while let Some(Node::Word(part) | Node::Name(part)) = nodes.get(length) {
        parts.push(part.as_str());
        length += 1;
        if nodes.get(length) != Some(&Node::Symbol('.')) {
            break;
        }
        length += 1;
    }
    if parts.last().is_some_and(|part| part.eq_ignore_ascii_case("dm_exec_describe_first_result_set")) {
        // A table of that name is made before; its arguments go.
        return ("described_result".to_owned(), length + 1);
    }
    let name = match parts.as_slice() {
        [.., schema, name] if schema.eq_ignore_ascii_case("dbo") => (*name).to_owned(),
        [.., schema, name] => format!("{schema}.{name}"),
        [name] => (*name).to_owned(),
        [] => String::new(),
    };
    (format!("\"{}\"", name.replace('"', "\"\"")), length)
}

/// `CAST(e AS t)` or `CONVERT(t, e)`: the expression and the type's text.
fn conversion_parts(cast: bool, inner: &[Node]) -> Option<(&[Node], String)> {
    if cast {
        let at = inner.iter().rposition(|node| node.is("AS"))?;
        Some((&inner[..at], render(&inner[at + 1..])))
    } else {
        let mut parts = inner.splitn(3, |node| *node == Node::Symbol(','));
        let kind = render(parts.next()?);
        Some((parts.next()?, kind))
    }
}

fn conversion(cast: bool, inner: &[Node]) -> String {
    match conversion_parts(cast, inner) {
        Some((expression, kind)) => format!("ts_cast({}, '{kind}')", render(expression)),
        None => format!("ts_cast({})", render(inner)),
    }
}

/// The types of a select list's items, where the text alone says them.
fn item_types(nodes: &[Node]) -> Vec<Option<SqlType>> {
    // Behind a WITH, whose own SELECTs stand in parentheses.
    let start = nodes.iter().position(|node| node.is("SELECT")).map_or(1, |at| at + 1);
    let end = nodes.iter().position(|node| node.is("FROM")).unwrap_or(nodes.len()).max(start);
    let mut list = &nodes[start..end];
    if list.first().is_some_and(|node| node.is("TOP")) {
        list = &list[2..];
    }
    if *list == [Node::Symbol('*')] {
        // All columns of all subqueries, one after the other.
        let selects = nodes.iter().filter_map(|node| match node {
            Node::Group(inner) if inner.first().is_some_and(|node| node.is("SELECT")) => Some(item_types(inner)),
            _ => None,
        });
        return selects.flatten().collect();
    }
    if list.contains(&Node::Symbol('*')) {
        return Vec::new();
    }
    list.split(|node| *node == Node::Symbol(','))
        .map(|item| match item {
            [node, Node::Group(inner), ..] if node.is_any(&["CAST", "CONVERT"]) => {
                SqlType::parse(&conversion_parts(node.is("CAST"), inner)?.1)
            }
            [Node::Word(word), Node::Group(_), ..] if word.eq_ignore_ascii_case("SYSUTCDATETIME") => {
                Some(SqlType::DateTime2(7))
            }
            [Node::Word(word), ..] if word.eq_ignore_ascii_case("CASE") => Some(SqlType::Int),
            [Node::Number(number), ..] if !number.contains('.') => Some(SqlType::Int),
            _ => None,
        })
        .collect()
}
