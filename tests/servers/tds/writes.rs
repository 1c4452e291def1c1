//! Statements that write, into SQLite's SQL: where its grammar has another order, no alias, or nothing of the kind.

use super::tsql::{Node, Statement, render, render_one, table_name};

/// MERGE, taken apart.
#[derive(Debug)]
pub struct Merge {
    pub target: String,
    pub alias: String,
    /// A table's name, or a SELECT in parentheses.
    pub source: String,
    pub source_alias: String,
    /// The names of the source's columns, where the statement gives them.
    pub source_columns: Vec<String>,
    pub on: String,
    pub whens: Vec<When>,
    /// What is said of each row; empty when nothing is.
    pub output: String,
}

/// One WHEN of a MERGE.
#[derive(Debug)]
pub struct When {
    pub side: Side,
    pub condition: Option<String>,
    pub action: Action,
}

/// Which rows a WHEN is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    Matched,
    /// The target has none.
    NotByTarget,
    /// The source has none.
    NotBySource,
}

/// What a WHEN does.
#[derive(Debug)]
pub enum Action {
    /// The assignments.
    Update(String),
    Delete,
    /// Columns in parentheses, and their values without.
    Insert(String, String),
}

/// The hints of a table that a reader or writer of this kind gives.
const HINTS: [&str; 18] = [
    "HOLDLOCK",
    "NOEXPAND",
    "NOLOCK",
    "NOWAIT",
    "PAGLOCK",
    "READCOMMITTED",
    "READCOMMITTEDLOCK",
    "READPAST",
    "READUNCOMMITTED",
    "REPEATABLEREAD",
    "ROWLOCK",
    "SERIALIZABLE",
    "SNAPSHOT",
    "TABLOCK",
    "TABLOCKX",
    "UPDLOCK",
    "XLOCK",
    "FORCESEEK",
];

/// Whether these are `WITH (HINT, …)`.
pub fn is_hints(with: &Node, group: Option<&Node>) -> bool {
    let Some(Node::Group(inner)) = group else { return false };
    with.is("WITH") && inner.iter().step_by(2).all(|node| node.is_any(&HINTS))
}

/// Without the hints and the query's options, of which none changes what comes out here.
pub fn without_hints(nodes: &[Node]) -> Vec<Node> {
    let mut kept = Vec::new();
    let mut at = 0;
    while let Some(node) = nodes.get(at) {
        if is_hints(node, nodes.get(at + 1)) || node.is("OPTION") && matches!(nodes.get(at + 1), Some(Node::Group(_))) {
            at += 2;
            continue;
        }
        kept.push(match node {
            Node::Group(inner) => Node::Group(without_hints(inner)),
            other => other.clone(),
        });
        at += 1;
    }
    kept
}

/// The nodes behind one of the words, up to another one of them; none when the word is not there.
fn part<'a>(nodes: &'a [Node], word: &str, ends: &[&str]) -> Option<&'a [Node]> {
    let start = nodes.iter().position(|node| node.is(word))? + 1;
    let end = nodes[start..].iter().position(|node| node.is_any(ends)).map_or(nodes.len(), |at| start + at);
    Some(&nodes[start..end])
}

fn split(nodes: &[Node], mark: char) -> impl Iterator<Item = &[Node]> {
    nodes.split(move |node| *node == Node::Symbol(mark))
}

/// `a = b, t.c += d` as SQLite takes it: no alias in front, sums exact.
fn assignments(nodes: &[Node]) -> Result<String, String> {
    let mut all = Vec::new();
    for item in split(nodes, ',') {
        let at = item.iter().position(|node| *node == Node::Symbol('=')).ok_or("SET")?;
        let (left, right) = (&item[..at], &item[at + 1..]);
        let (left, adds) = match left.split_last() {
            Some((Node::Symbol('+'), left)) => (left, true),
            _ => (left, false),
        };
        let column = left.last().map(render_one).ok_or("=")?;
        let value = if adds { format!("ts_plus({}, {})", render(left), render(right)) } else { sum(right) };
        all.push(format!("{column} = {value}"));
    }
    Ok(all.join(", "))
}

/// An expression; where it adds two values, exactly.
fn sum(nodes: &[Node]) -> String {
    match nodes.iter().position(|node| *node == Node::Symbol('+')) {
        Some(at) if at > 0 => format!("ts_plus({}, {})", render(&nodes[..at]), sum(&nodes[at + 1..])),
        _ => render(nodes),
    }
}

/// A table or a SELECT in parentheses, and its alias with the rest behind it.
fn item(nodes: &[Node]) -> Result<(String, String, &[Node]), String> {
    let (source, length) = match nodes.first() {
        Some(group @ Node::Group(_)) => (render_one(group), 1),
        Some(Node::Word(_) | Node::Name(_)) => table_name(nodes),
        _ => return Err("FROM".to_owned()),
    };
    let rest = &nodes[length..];
    let rest = if rest.first().is_some_and(|node| node.is("AS")) { &rest[1..] } else { rest };
    match rest.first() {
        Some(node @ (Node::Word(_) | Node::Name(_)))
            if !node.is_any(&["ON", "JOIN", "INNER", "USING", "WHEN", "SET", "WHERE"]) =>
        {
            Ok((source, render_one(node), &rest[1..]))
        }
        _ => Ok((source.clone(), source, rest)),
    }
}

/// A table of a FROM, and its alias.
type Item = (String, String);

/// `a AS x JOIN b AS y ON …`: the tables, and all conditions.
fn joined(nodes: &[Node]) -> Result<(Vec<Item>, Vec<String>), String> {
    let (source, alias, mut rest) = item(nodes)?;
    let (mut items, mut conditions) = (vec![(source, alias)], Vec::new());
    while let Some(node) = rest.first() {
        let after = match node {
            node if node.is("JOIN") => &rest[1..],
            node if node.is("INNER") && rest.get(1).is_some_and(|node| node.is("JOIN")) => &rest[2..],
            other => return Err(render_one(other)),
        };
        let (source, alias, after) = item(after)?;
        items.push((source, alias));
        let on = part(after, "ON", &["JOIN", "INNER"]).ok_or("JOIN")?;
        conditions.push(render(on));
        rest = &after[on.len() + 1..];
    }
    Ok((items, conditions))
}

/// Takes the item that is meant by the name of what is changed out of the tables of a FROM.
fn take_target(target: &str, items: &mut Vec<Item>) -> Result<Item, String> {
    let bare = |name: &str| name.trim_matches('"').to_ascii_lowercase();
    let is_it = |(source, alias): &Item| bare(alias) == bare(target) || bare(source) == bare(target);
    let at = items.iter().position(is_it).ok_or_else(|| target.to_owned())?;
    Ok(items.remove(at))
}

fn all(conditions: &[String]) -> String {
    conditions.iter().map(|condition| format!("({condition})")).collect::<Vec<_>>().join(" AND ")
}

fn list(items: &[Item]) -> String {
    items.iter().map(|(source, alias)| format!("{source} AS {alias}")).collect::<Vec<_>>().join(", ")
}

/// What OUTPUT says, behind RETURNING: only what this statement makes, or takes away.
fn returning(output: &[Node], rows: &str) -> Result<String, String> {
    let mut kept = Vec::new();
    let mut at = 0;
    while let Some(node) = output.get(at) {
        if output.get(at + 1) == Some(&Node::Symbol('.')) && matches!(node, Node::Word(_)) {
            if !node.is(rows) {
                return Err(format!("OUTPUT {}", render_one(node)));
            }
            at += 2;
            continue;
        }
        kept.push(node.clone());
        at += 1;
    }
    Ok(format!(" RETURNING {}", render(&kept)))
}

fn changed(sql: String, command: u16, table: String, output: Option<&[Node]>, rows: &str) -> Result<Statement, String> {
    Ok(match output {
        None => Statement::Change { sql, command },
        Some(output) => Statement::Output { sql: sql + &returning(output, rows)?, command, table },
    })
}

pub fn insert(nodes: &[Node]) -> Result<Statement, String> {
    if nodes.get(1).is_some_and(|node| node.is("BULK")) {
        let (table, length) = table_name(&nodes[2..]);
        let Some(Node::Group(columns)) = nodes.get(2 + length) else { return Err("BULK".to_owned()) };
        let names = split(columns, ',').filter_map(|column| column.first().map(render_one));
        return Ok(Statement::Bulk { table, columns: names.collect() });
    }
    let start = if nodes.get(1).is_some_and(|node| node.is("INTO")) { 2 } else { 1 };
    let (table, length) = table_name(&nodes[start..]);
    let rest = &nodes[start + length..];
    let (columns, rest) = match rest.first() {
        Some(group @ Node::Group(_)) => (render_one(group), &rest[1..]),
        _ => (String::new(), rest),
    };
    let output = part(rest, "OUTPUT", &["VALUES", "SELECT", "DEFAULT", "WITH"]);
    let rows = rest.iter().position(|node| node.is_any(&["VALUES", "SELECT", "DEFAULT", "WITH"])).ok_or("INSERT")?;
    let sql = format!("INSERT INTO {table} {columns} {}", render(&rest[rows..]));
    changed(sql, 0xc3, table, output, "inserted")
}

pub fn update(nodes: &[Node]) -> Result<Statement, String> {
    const PARTS: [&str; 4] = ["SET", "OUTPUT", "FROM", "WHERE"];
    let (target, _) = table_name(nodes.get(1..).unwrap_or_default());
    let set = assignments(part(nodes, "SET", &PARTS[1..]).ok_or("UPDATE")?)?;
    let filter = part(nodes, "WHERE", &PARTS).map(render);
    let (mut table, mut sql) = (target.clone(), String::new());
    match part(nodes, "FROM", &PARTS) {
        None => {
            let filter = filter.map_or_else(String::new, |filter| format!(" WHERE {filter}"));
            sql.extend(["UPDATE ", &table, " SET ", &set, &filter]);
        }
        Some(from) => {
            let (mut items, mut conditions) = joined(from)?;
            let (real, alias) = take_target(&target, &mut items)?;
            conditions.extend(filter);
            let from = if items.is_empty() { String::new() } else { format!(" FROM {}", list(&items)) };
            let filter = if conditions.is_empty() { String::new() } else { format!(" WHERE {}", all(&conditions)) };
            sql = format!("UPDATE {real} AS {alias} SET {set}{from}{filter}");
            table = real;
        }
    }
    changed(sql, 0xc5, table, part(nodes, "OUTPUT", &PARTS), "inserted")
}

pub fn delete(nodes: &[Node]) -> Result<Statement, String> {
    const PARTS: [&str; 3] = ["OUTPUT", "FROM", "WHERE"];
    let mut start = 1;
    let top = nodes.get(1).filter(|node| node.is("TOP")).and(nodes.get(2));
    start += if top.is_some() { 2 } else { 0 };
    start += usize::from(nodes.get(start).is_some_and(|node| node.is("FROM")));
    let (target, length) = table_name(&nodes[start..]);
    let rest = &nodes[start + length..];
    let filter = part(rest, "WHERE", &PARTS).map(render);
    let (table, alias, filter) = match part(rest, "FROM", &PARTS) {
        None => (target.clone(), target, filter),
        Some(from) => {
            let (mut items, mut conditions) = joined(from)?;
            let (table, alias) = take_target(&target, &mut items)?;
            conditions.extend(filter);
            let filter = match items.as_slice() {
                [] => all(&conditions),
                items => format!("EXISTS (SELECT 1 FROM {} WHERE {})", list(items), all(&conditions)),
            };
            (table, alias, Some(filter).filter(|filter| !filter.is_empty()))
        }
    };
    let filter = filter.map_or_else(String::new, |filter| format!(" WHERE {filter}"));
    let sql = match top {
        None => format!("DELETE FROM {table} AS {alias}{filter}"),
        Some(top) => {
            let chosen = format!("SELECT {alias}.rowid FROM {table} AS {alias}{filter} LIMIT {}", render_one(top));
            format!("DELETE FROM {table} WHERE rowid IN ({chosen})")
        }
    };
    changed(sql, 0xc4, table, part(rest, "OUTPUT", &PARTS), "deleted")
}

pub fn merge(nodes: &[Node]) -> Result<Statement, String> {
    let start = if nodes.get(1).is_some_and(|node| node.is("INTO")) { 2 } else { 1 };
    let (target, alias, rest) = item(&nodes[start..])?;
    if !rest.first().is_some_and(|node| node.is("USING")) {
        return Err("USING".to_owned());
    }
    let (source, source_alias, rest) = item(&rest[1..])?;
    let (source_columns, rest) = match rest.first() {
        Some(Node::Group(inner)) => (split(inner, ',').map(render).collect(), &rest[1..]),
        _ => (Vec::new(), rest),
    };
    let on = part(rest, "ON", &["WHEN"]).ok_or("ON")?;
    let (mut whens, mut output) = (Vec::new(), String::new());
    let mut rest = &rest[on.len() + 1..];
    while rest.first().is_some_and(|node| node.is("WHEN")) {
        let end = rest[1..].iter().position(|node| node.is_any(&["WHEN", "OUTPUT"])).map_or(rest.len(), |at| at + 1);
        whens.push(when(&rest[1..end])?);
        rest = &rest[end..];
    }
    if let Some((first, items)) = rest.split_first() {
        if !first.is("OUTPUT") {
            return Err(render_one(first));
        }
        output = said(items);
    }
    let on = render(on);
    Ok(Statement::Merge(Box::new(Merge { target, alias, source, source_alias, source_columns, on, whens, output })))
}

/// What follows a WHEN.
fn when(nodes: &[Node]) -> Result<When, String> {
    let then = nodes.iter().position(|node| node.is("THEN")).ok_or("THEN")?;
    let (head, action) = (&nodes[..then], &nodes[then + 1..]);
    let negated = head.first().is_some_and(|node| node.is("NOT"));
    let (side, length) = match (negated, head.get(2), head.get(3)) {
        (false, ..) => (Side::Matched, 1),
        (true, Some(by), Some(whom)) if by.is("BY") => {
            (if whom.is("SOURCE") { Side::NotBySource } else { Side::NotByTarget }, 4)
        }
        (true, ..) => (Side::NotByTarget, 2),
    };
    let condition = match head.get(length) {
        None => None,
        Some(and) if and.is("AND") => Some(render(&head[length + 1..])),
        Some(other) => return Err(render_one(other)),
    };
    let action = match action {
        [update, set, items @ ..] if update.is("UPDATE") && set.is("SET") => Action::Update(assignments(items)?),
        [delete] if delete.is("DELETE") => Action::Delete,
        [insert, columns @ Node::Group(_), values, Node::Group(inner)]
            if insert.is("INSERT") && values.is("VALUES") =>
        {
            Action::Insert(render_one(columns), render(inner))
        }
        _ => return Err("THEN".to_owned()),
    };
    Ok(When { side, condition, action })
}

/// OUTPUT's items, with `$action` as a column of what was done.
fn said(items: &[Node]) -> String {
    let mut kept = Vec::new();
    for node in items {
        match (node, kept.last()) {
            (node, Some(Node::Symbol('$'))) if node.is("action") => {
                kept.pop();
                let name = |text: &str| Node::Name(text.to_owned());
                kept.extend([name("merge_done"), Node::Symbol('.'), name("$action")]);
            }
            (node, _) => kept.push(node.clone()),
        }
    }
    render(&kept)
}
