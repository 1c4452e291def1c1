//! Parts of a template that each record meets, whatever its values are: what fails there for any value fails in each record. A part is a
//! template of its own, of few columns, so that all their kinds can be tried where those of all columns are too many.

use super::{Text, Written};
use minijinja::machinery::ast::{BinOpKind, CallArg, Expr, Stmt};
use minijinja::machinery::parse;
use std::collections::BTreeSet;

/// Filters and tests that take what is not there.
const LENIENT: [&str; 4] = ["default", "d", "defined", "undefined"];

/// The parts of a template, with exact operators, and the names that it gives to something itself: in a part, they may stand for something
/// else.
pub(in crate::core::generate::translate) fn parts(source: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut parts, mut names) = (BTreeSet::new(), BTreeSet::new());
    let Ok(Stmt::Template(root)) = parse(source, "record", <_>::default()) else { return (parts, names) };
    // What a loop keeps in a namespace is made in front of it.
    let keeps = source.contains("namespace");
    for statement in &root.children {
        given(statement, &mut names);
        if !keeps || matches!(statement, Stmt::EmitExpr(_)) {
            parts.extend(text_of(|text| text.statement(statement)));
        }
        for expression in first_of(statement) {
            met(expression, &mut |part| {
                parts.extend(text_of(|text| text.between("{% set __part = ", part, " %}")));
            });
        }
    }
    (parts, names)
}

fn text_of(write: impl FnOnce(&mut Text) -> Written) -> Option<String> {
    let mut text = Text(String::new(), 0);
    write(&mut text).ok().map(|()| text.0)
}

/// The expressions that a statement begins with.
fn first_of<'a>(statement: &'a Stmt<'a>) -> Vec<&'a Expr<'a>> {
    match statement {
        Stmt::EmitExpr(emit) => vec![&emit.expr],
        Stmt::IfCond(branch) => vec![&branch.expr],
        Stmt::ForLoop(each) => vec![&each.iter],
        Stmt::Set(set) => vec![&set.expr],
        _ => Vec::new(),
    }
}

/// The names that a statement and all in it give to something.
fn given(statement: &Stmt<'_>, names: &mut BTreeSet<String>) {
    let mut all = |bodies: &[&[Stmt<'_>]]| bodies.iter().copied().flatten().for_each(|inner| given(inner, names));
    match statement {
        Stmt::IfCond(branch) => all(&[&branch.true_body, &branch.false_body]),
        Stmt::ForLoop(each) => {
            all(&[&each.body, &each.else_body]);
            named(&each.target, names);
        }
        Stmt::WithBlock(with) => {
            all(&[&with.body]);
            with.assignments.iter().for_each(|(target, _)| named(target, names));
        }
        Stmt::Set(set) => named(&set.target, names),
        Stmt::SetBlock(set) => {
            all(&[&set.body]);
            named(&set.target, names);
        }
        Stmt::FilterBlock(block) => all(&[&block.body]),
        Stmt::Macro(own) => {
            all(&[&own.body]);
            names.insert(own.name.to_owned());
            own.args.iter().for_each(|argument| named(argument, names));
        }
        _ => {}
    }
}

fn named(target: &Expr<'_>, names: &mut BTreeSet<String>) {
    match target {
        Expr::Var(var) => {
            names.insert(var.id.to_owned());
        }
        Expr::List(list) => list.items.iter().for_each(|item| named(item, names)),
        Expr::Tuple(tuple) => tuple.items.iter().for_each(|item| named(item, names)),
        Expr::GetAttr(get) => named(&get.expr, names),
        _ => {}
    }
}

/// Tells what of an expression is computed in any case: not what stands behind `and`, `or` or `if`.
fn met<'a>(expression: &'a Expr<'a>, tell: &mut impl FnMut(&'a Expr<'a>)) {
    let inner: Vec<&Expr<'_>> = match expression {
        Expr::Var(_) | Expr::Const(_) => return,
        Expr::UnaryOp(unary) => vec![&unary.expr],
        Expr::BinOp(binary) if matches!(binary.op, BinOpKind::ScAnd | BinOpKind::ScOr) => vec![&binary.left],
        Expr::BinOp(binary) => vec![&binary.left, &binary.right],
        Expr::Compare(chain) => std::iter::once(&chain.expr).chain(chain.ops.first().map(|op| &op.expr)).collect(),
        Expr::IfExpr(choice) => vec![&choice.test_expr],
        Expr::Filter(filter) => {
            let value = filter.expr.as_ref().filter(|_| !LENIENT.contains(&filter.name));
            value.into_iter().chain(arguments(&filter.args)).collect()
        }
        Expr::Test(test) => {
            let value = Some(&test.expr).filter(|_| !LENIENT.contains(&test.name));
            value.into_iter().chain(arguments(&test.args)).collect()
        }
        Expr::GetAttr(get) => vec![&get.expr],
        Expr::GetItem(get) => vec![&get.expr, &get.subscript_expr],
        Expr::Slice(slice) => {
            let bounds = [&slice.start, &slice.stop, &slice.step];
            std::iter::once(&slice.expr).chain(bounds.into_iter().flatten()).collect()
        }
        Expr::Call(call) => std::iter::once(&call.expr).chain(arguments(&call.args)).collect(),
        Expr::List(list) => list.items.iter().collect(),
        Expr::Tuple(tuple) => tuple.items.iter().collect(),
        Expr::Map(map) => map.keys.iter().chain(&map.values).collect(),
    };
    tell(expression);
    for part in inner {
        met(part, tell);
    }
}

fn arguments<'a>(arguments: &'a [CallArg<'a>]) -> impl Iterator<Item = &'a Expr<'a>> {
    arguments.iter().map(|argument| match argument {
        CallArg::Pos(value) | CallArg::Kwarg(_, value) | CallArg::PosSplat(value) | CallArg::KwargSplat(value) => value,
    })
}
