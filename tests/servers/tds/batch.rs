//! A batch into its statements: where one ends, and what an IF decides over.

use super::tsql::{Node, Statement, render, translate};

/// The words that a statement begins with, as far as one may follow an IF or stand in its block.
const VERBS: [&str; 14] = [
    "ALTER", "BEGIN", "COMMIT", "CREATE", "DELETE", "DROP", "INSERT", "MERGE", "ROLLBACK", "SELECT", "SET", "THROW",
    "TRUNCATE", "UPDATE",
];

/// Each statement.
pub fn sequence(nodes: &[Node]) -> Result<Vec<Statement>, String> {
    let mut statements = Vec::new();
    let mut rest = nodes;
    while let Some(first) = rest.first() {
        if *first == Node::Symbol(';') {
            rest = &rest[1..];
            continue;
        }
        if first.is("IF") {
            let (statement, after) = condition(rest)?;
            statements.push(statement);
            rest = after;
            continue;
        }
        let length = length(rest);
        let (statement, after) = rest.split_at(length.min(rest.len()));
        if first.is("MERGE") && after.first() != Some(&Node::Symbol(';')) {
            return Err("10713 A MERGE statement must be terminated by a semi-colon (;).".to_owned());
        }
        statements.push(translate(statement)?);
        rest = after;
    }
    Ok(statements)
}

/// Nodes of the first statement.
fn length(nodes: &[Node]) -> usize {
    let first = &nodes[0];
    if first.is("SET") {
        return set_length(nodes);
    }
    let keeps_set = first.is_any(&["UPDATE", "MERGE"]);
    let ends = |node: &Node| *node == Node::Symbol(';') || node.is("SET") && !keeps_set;
    nodes.iter().skip(1).position(ends).map_or(nodes.len(), |at| at + 1)
}

/// Where an IF's ELSE stands: one within a CASE is that one's.
fn otherwise(nodes: &[Node]) -> Option<usize> {
    let mut cases = 0;
    nodes.iter().position(|node| {
        if node.is("CASE") {
            cases += 1;
        } else if node.is("END") && cases > 0 {
            cases -= 1;
        }
        node.is("ELSE") && cases == 0
    })
}

/// `IF … statement [ELSE statement]`, and what follows.
fn condition(nodes: &[Node]) -> Result<(Statement, &[Node]), String> {
    let at = nodes.iter().position(|node| node.is_any(&VERBS)).ok_or("IF")?;
    let condition = render(&nodes[1..at]);
    let (then, mut rest) = branch(&nodes[at..])?;
    let mut otherwise = Vec::new();
    let mark = rest.iter().take_while(|node| **node == Node::Symbol(';')).count();
    if rest.get(mark).is_some_and(|node| node.is("ELSE")) {
        (otherwise, rest) = branch(&rest[mark + 1..])?;
    }
    Ok((Statement::If { condition, then, otherwise }, rest))
}

/// One statement, or a block of them.
fn branch(nodes: &[Node]) -> Result<(Vec<Statement>, &[Node]), String> {
    let is_block = nodes[0].is("BEGIN") && !nodes.get(1).is_some_and(|node| node.is_any(&["TRAN", "TRANSACTION"]));
    if is_block {
        let end = nodes.iter().position(|node| node.is("END")).ok_or("BEGIN")?;
        return Ok((sequence(&nodes[1..end])?, &nodes[end + 1..]));
    }
    let length = length(nodes).min(otherwise(nodes).unwrap_or(nodes.len()));
    // A MERGE within an IF has its semicolon too.
    let with_end = length + usize::from(nodes.get(length) == Some(&Node::Symbol(';')));
    Ok((sequence(&nodes[..with_end])?, &nodes[with_end..]))
}

fn set_length(nodes: &[Node]) -> usize {
    if nodes.get(1).is_some_and(|node| node.is("TRANSACTION")) {
        return if nodes.get(4).is_some_and(|node| node.is_any(&["READ", "REPEATABLE"])) { 6 } else { 5 };
    }
    3
}
