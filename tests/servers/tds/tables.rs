//! CREATE TABLE: columns with types that keep SQLite from changing values, SQL Server's orders, and its lengths and ranges as checks.

use super::tsql::{Node, render, render_one, table_name};
use super::types::{Collation, ColumnType, SqlType};
use std::fmt::Write as _;

/// `CREATE TABLE`; one whose name begins with `#` is the session's own.
pub fn create_table(nodes: &[Node]) -> Result<String, String> {
    let Some((Node::Group(inner), head)) = nodes.split_last() else { return Err("TABLE".to_owned()) };
    let (name, _) = table_name(head.get(2..).unwrap_or_default());
    let own = if name.starts_with("\"#") { "TEMP " } else { "" };
    let parts: Vec<&[Node]> = inner.split(|node| *node == Node::Symbol(',')).collect();
    let identity = parts.iter().find(|part| part.iter().any(|node| node.is("IDENTITY"))).and_then(|part| part.first());
    let mut definitions = Vec::new();
    for definition in parts {
        definitions.push(match definition {
            // SQLite's own number of a row says that by itself.
            [.., key, Node::Group(columns)]
                if key.is_any(&["KEY", "CLUSTERED"])
                    && Some(columns.as_slice()) == identity.map(std::slice::from_ref) =>
            {
                continue;
            }
            [first, ..] if first.is_any(&["PRIMARY", "UNIQUE", "CONSTRAINT", "FOREIGN", "CHECK"]) => {
                render(&plain(definition))
            }
            [name, ..] if Some(name) == identity => format!("{} INTEGER PRIMARY KEY AUTOINCREMENT", render_one(name)),
            [name, kind, rest @ ..] => column(name, kind, rest)?,
            _ => return Err(",".to_owned()),
        });
    }
    Ok(format!("CREATE {own}TABLE {name} ({})", definitions.join(", ")))
}

/// `CREATE [UNIQUE] [NONCLUSTERED] INDEX name ON table (columns) [WHERE …]`.
pub fn create_index(nodes: &[Node]) -> Result<String, String> {
    let at = nodes.iter().position(|node| node.is("INDEX")).ok_or("INDEX")?;
    let on = nodes.iter().position(|node| node.is("ON")).ok_or("ON")?;
    let unique = if nodes[..at].iter().any(|node| node.is("UNIQUE")) { "UNIQUE " } else { "" };
    let name = nodes.get(at + 1).map(render_one).unwrap_or_default();
    let (table, length) = table_name(&nodes[on + 1..]);
    // Columns that only lie beside the key are none of it.
    let rest = &nodes[on + 1 + length..];
    let end = rest.iter().position(|node| node.is("INCLUDE")).unwrap_or(rest.len());
    Ok(format!("CREATE {unique}INDEX {name} ON {table} {}", render(&rest[..end])))
}

/// Without the words for how an index is kept; a default that calls something in parentheses.
fn plain(nodes: &[Node]) -> Vec<Node> {
    let mut kept: Vec<Node> = Vec::new();
    for node in nodes.iter().filter(|node| !node.is_any(&["CLUSTERED", "NONCLUSTERED"])) {
        match (node, kept.as_slice()) {
            (Node::Group(_), [.., before, called]) if before.is("DEFAULT") => {
                let call = Node::Group(vec![called.clone(), node.clone()]);
                kept.pop();
                kept.push(call);
            }
            _ => kept.push(node.clone()),
        }
    }
    kept
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
        column.collation = Collation::named(&named).ok_or(named)?;
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
    let constraints = render(&plain(rest));
    // SQLite holds no column to its type: what does not fit is refused by a check.
    let (name, kind) = (render_one(name), kind.name());
    let called = name.trim_matches('"').replace('\'', "''");
    Ok(format!("{sql} {constraints} CHECK (ts_fits({name}, '{kind}', '{called}'))"))
}
