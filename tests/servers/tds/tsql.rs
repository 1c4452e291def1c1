//! T-SQL into SQLite's SQL: as much of it as the product, its fixtures and FreeTDS send.

use super::types::{ColumnType, SqlType};
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
}

/// One piece of text, or what stands between parentheses.
#[derive(Clone, PartialEq, Debug)]
enum Node {
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
    fn is(&self, word: &str) -> bool {
        matches!(self, Self::Word(text) if text.eq_ignore_ascii_case(word))
    }

    fn is_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(word))
    }
}

/// Takes a batch apart into statements; an error is what stands where nothing can be made of it.
pub fn statements(sql: &str) -> Result<Vec<Statement>, String> {
    let mut chars = sql.chars().collect::<Vec<_>>().into_iter().peekable();
    let nodes = read(&mut chars, false)?;
    let mut statements = Vec::new();
    let mut rest = nodes.as_slice();
    while let Some(first) = rest.first() {
        if *first == Node::Symbol(';') {
            rest = &rest[1..];
            continue;
        }
        let length = if first.is("SET") {
            set_length(rest)
        } else {
            let ends = |node: &Node| *node == Node::Symbol(';') || (node.is("SET") && !first.is("UPDATE"));
            rest.iter().skip(1).position(ends).map_or(rest.len(), |at| at + 1)
        };
        let (statement, after) = rest.split_at(length.min(rest.len()));
        statements.push(translate(statement)?);
        rest = after;
    }
    Ok(statements)
}

fn set_length(nodes: &[Node]) -> usize {
    if nodes.get(1).is_some_and(|node| node.is("TRANSACTION")) {
        return if nodes.get(4).is_some_and(|node| node.is_any(&["READ", "REPEATABLE"])) { 6 } else { 5 };
    }
    3
}

fn translate(nodes: &[Node]) -> Result<Statement, String> {
    let first = &nodes[0];
    let sql = render(nodes);
    Ok(match first {
        node if node.is("SET") => Statement::Set(sql.to_uppercase()),
        node if node.is("BEGIN") => Statement::Begin,
        node if node.is("COMMIT") => Statement::Commit,
        node if node.is("ROLLBACK") => Statement::Rollback,
        node if node.is("USE") => Statement::Use(nodes.get(1).map(render_one).unwrap_or_default()),
        node if node.is_any(&["SELECT", "WITH"]) => {
            let order = nodes.windows(2).position(|pair| pair[0].is("ORDER") && pair[1].is("BY"));
            let ordered = order.map_or(0, |at| nodes[at..].iter().filter(|n| **n == Node::Symbol(',')).count() + 1);
            Statement::Select { sql, types: item_types(nodes), ordered }
        }
        node if node.is("INSERT") => Statement::Change { sql, command: 0xc3 },
        node if node.is("DELETE") => Statement::Change { sql, command: 0xc4 },
        node if node.is("UPDATE") => Statement::Change { sql, command: 0xc5 },
        node if node.is("CREATE") && nodes.get(1).is_some_and(|node| node.is("TABLE")) => {
            Statement::Change { sql: create_table(nodes)?, command: 0xc6 }
        }
        // A schema is a part of its tables' names here.
        node if node.is("CREATE") && nodes.get(1).is_some_and(|node| node.is("SCHEMA")) => Statement::Set(sql),
        node if node.is_any(&["CREATE", "DROP", "ALTER"]) => Statement::Change { sql, command: 0xc7 },
        other => return Err(render_one(other)),
    })
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
            '@' => Node::Param(run("@".to_owned(), |c| c.is_alphanumeric() || c == '_')),
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

fn render_one(node: &Node) -> String {
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
fn render(nodes: &[Node]) -> String {
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
        if node.is_any(&["FROM", "JOIN", "INTO", "TABLE", "VIEW", "UPDATE"]) {
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
fn table_name(nodes: &[Node]) -> (String, usize) {
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
            [Node::Word(word), ..] if word.eq_ignore_ascii_case("CASE") => Some(SqlType::Int),
            [Node::Number(number), ..] if !number.contains('.') => Some(SqlType::Int),
            _ => None,
        })
        .collect()
}

/// Column definitions get types that keep SQLite from changing values, and SQL Server's orders.
fn create_table(nodes: &[Node]) -> Result<String, String> {
    let Some((Node::Group(inner), head)) = nodes.split_last() else { return Err("TABLE".to_owned()) };
    let mut definitions = Vec::new();
    for definition in inner.split(|node| *node == Node::Symbol(',')) {
        definitions.push(match definition {
            [first, ..] if first.is_any(&["PRIMARY", "UNIQUE", "CONSTRAINT", "FOREIGN", "CHECK"]) => render(definition),
            [name, kind, rest @ ..] => column(name, kind, rest)?,
            _ => return Err(",".to_owned()),
        });
    }
    Ok(format!("{} ({})", render(head), definitions.join(", ")))
}

fn column(name: &Node, kind: &Node, rest: &[Node]) -> Result<String, String> {
    let mut text = render_one(kind).trim_matches('"').to_owned();
    let mut rest = rest;
    if let Some((Node::Group(args), after)) = rest.split_first() {
        let _ = write!(text, "({})", render(args));
        rest = after;
    }
    let kind = SqlType::parse(&text).ok_or(text)?;
    let mut column = ColumnType::plain(kind);
    if let Some(at) = rest.iter().position(|node| node.is("COLLATE")) {
        let named = rest.get(at + 1).map(|node| render_one(node).trim_matches('"').to_owned()).unwrap_or_default();
        column.collation = super::types::Collation::named(&named).ok_or(named)?;
    }
    let fixed = rest.windows(2).any(|pair| pair[0].is("NOT") && pair[1].is("NULL"));
    let mut sql = render_one(name);
    sql.push_str(if fixed { " FIXED_" } else { "" });
    sql.push_str(if kind.is_text() { " TEXT_" } else { "" });
    if column.collation_name().is_some() {
        let _ = write!(sql, " C_{}", column.collation.name);
    }
    // SQLite takes only numbers between a type's parentheses.
    let _ = write!(sql, " {}", kind.name().replace("(max)", "(-1)"));
    if let Some(order) = kind.order(column.collation) {
        let _ = write!(sql, " COLLATE {order}");
    }
    let constraints = render(rest);
    Ok(format!("{sql} {constraints}"))
}
