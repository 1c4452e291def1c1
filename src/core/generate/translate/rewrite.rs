//! Rewrites a template so that its operators are exact. Each `+`, `<` or `in` becomes a call of one of our own functions, because the
//! engine's operators know integers and floats only.

use super::budget::KEPT;
use minijinja::machinery::ast::{BinOpKind, CallArg, CompareOpKind, Expr, Macro, Stmt, UnaryOpKind};
use minijinja::machinery::parse;
use std::fmt::Write as _;

mod constants;
mod parts;

pub(super) use parts::parts;

/// Computes: `__compute("+", a, b)`.
pub(super) const COMPUTE: &str = "__compute";
/// Compares: `__compare("<", a, b)`.
pub(super) const COMPARE: &str = "__compare";
/// Whether something is in something: `__contains(list, item)`.
pub(super) const CONTAINS: &str = "__contains";
/// A decimal literal: `__decimal("0.5")`.
pub(super) const DECIMAL: &str = "__decimal";
/// Two texts behind each other: `__concat(a, b)`.
pub(super) const CONCAT: &str = "__concat";
/// Part of a text or a list: `__slice(a, 0, 4, false)`. A bound that is left out is `false`.
pub(super) const SLICE: &str = "__slice";

/// Longest text that a loop writes without being asked whether the record has room for it.
const RAW_MAX: usize = 64;

/// The template with exact operators.
///
/// # Errors
/// When it uses something that no record's template needs. An invalid template is returned unchanged, so that the engine reports
/// it.
pub(super) fn exact(source: &str) -> Result<String, String> {
    let Ok(root) = parse(source, "record", <_>::default()) else { return Ok(source.to_owned()) };
    let mut text = Text(String::with_capacity(source.len() * 2), 0);
    text.statement(&root)?;
    Ok(text.0)
}

/// The text so far, and how many loops and macros it stands in.
struct Text(String, usize);

type Written = Result<(), String>;

impl Text {
    fn put(&mut self, text: &str) {
        self.0.push_str(text);
    }

    fn body(&mut self, statements: &[Stmt<'_>]) -> Written {
        statements.iter().try_for_each(|statement| self.statement(statement))
    }

    /// The body of a loop or a macro.
    fn repeated(&mut self, statements: &[Stmt<'_>]) -> Written {
        self.1 += 1;
        let written = self.body(statements);
        self.1 -= 1;
        written
    }

    fn statement(&mut self, statement: &Stmt<'_>) -> Written {
        match statement {
            Stmt::Template(template) => self.body(&template.children),
            Stmt::EmitRaw(raw) if self.1 > 0 && raw.raw.len() > RAW_MAX => {
                self.put("{{ ");
                self.quoted(raw.raw);
                self.put(" }}");
                Ok(())
            }
            // Raw whatever it holds, so that nothing in it is read again.
            Stmt::EmitRaw(raw) => {
                let _ = write!(self.0, "{{% raw %}}{}{{% endraw %}}", raw.raw);
                Ok(())
            }
            Stmt::EmitExpr(emit) => self.between("{{ ", &emit.expr, " }}"),
            Stmt::IfCond(branch) => {
                self.between("{% if ", &branch.expr, " %}")?;
                self.body(&branch.true_body)?;
                if !branch.false_body.is_empty() {
                    self.put("{% else %}");
                    self.body(&branch.false_body)?;
                }
                self.put("{% endif %}");
                Ok(())
            }
            Stmt::ForLoop(each) => {
                self.put("{% for ");
                self.target(&each.target)?;
                self.between(" in ", &each.iter, "")?;
                if let Some(filter) = &each.filter_expr {
                    self.between(" if ", filter, "")?;
                }
                self.put(if each.recursive { " recursive %}" } else { " %}" });
                self.repeated(&each.body)?;
                if !each.else_body.is_empty() {
                    self.put("{% else %}");
                    self.body(&each.else_body)?;
                }
                self.put("{% endfor %}");
                Ok(())
            }
            other => self.rarer(other),
        }
    }

    fn rarer(&mut self, statement: &Stmt<'_>) -> Written {
        match statement {
            Stmt::WithBlock(with) => {
                self.put("{% with ");
                for (at, (target, value)) in with.assignments.iter().enumerate() {
                    self.put(if at > 0 { ", " } else { "" });
                    self.target(target)?;
                    self.between(" = ", value, "")?;
                }
                self.put(" %}");
                self.body(&with.body)?;
                self.put("{% endwith %}");
            }
            Stmt::Set(set) => {
                self.put("{% set ");
                self.target(&set.target)?;
                match set.target {
                    // A name of a namespace outlives the turn of a loop.
                    Expr::GetAttr(_) => {
                        self.put(" = ");
                        self.put(KEPT);
                        self.between("(", &set.expr, ") %}")?;
                    }
                    _ => self.between(" = ", &set.expr, " %}")?,
                }
            }
            Stmt::SetBlock(set) => {
                self.put("{% set ");
                self.target(&set.target)?;
                if let Some(filter) = &set.filter {
                    self.put(" | ");
                    self.filters(filter)?;
                }
                self.put(" %}");
                self.body(&set.body)?;
                self.put("{% endset %}");
            }
            Stmt::FilterBlock(block) => {
                self.put("{% filter ");
                self.filters(&block.filter)?;
                self.put(" %}");
                self.body(&block.body)?;
                self.put("{% endfilter %}");
            }
            Stmt::Macro(own) => self.own_macro(own)?,
            _ => {
                return Err(
                    "a record's template stands alone: no `block`, `extends`, `include`, `import`, `call`, `do` or \
                             `autoescape`"
                        .to_owned(),
                );
            }
        }
        Ok(())
    }

    fn own_macro(&mut self, own: &Macro<'_>) -> Written {
        let _ = write!(self.0, "{{% macro {}(", own.name);
        let without = own.args.len().saturating_sub(own.defaults.len());
        for (at, argument) in own.args.iter().enumerate() {
            self.put(if at > 0 { ", " } else { "" });
            self.target(argument)?;
            if let Some(default) = at.checked_sub(without).and_then(|at| own.defaults.get(at)) {
                self.between("=", default, "")?;
            }
        }
        self.put(") %}");
        self.repeated(&own.body)?;
        self.put("{% endmacro %}");
        Ok(())
    }

    /// The target of an assignment: names, without parentheses.
    fn target(&mut self, target: &Expr<'_>) -> Written {
        let items = match target {
            Expr::Tuple(tuple) => &tuple.items,
            Expr::List(list) => &list.items,
            name => return self.expression(name),
        };
        for (at, item) in items.iter().enumerate() {
            self.put(if at > 0 { ", " } else { "" });
            self.target(item)?;
        }
        Ok(())
    }

    /// Filters, without the value that they apply to.
    fn filters(&mut self, expression: &Expr<'_>) -> Written {
        let Expr::Filter(filter) = expression else { return Err("a block's filter is no filter".to_owned()) };
        if let Some(inner) = &filter.expr {
            self.filters(inner)?;
            self.put(" | ");
        }
        self.put(filter.name);
        self.arguments(&filter.args)
    }

    fn between(&mut self, before: &str, expression: &Expr<'_>, behind: &str) -> Written {
        self.put(before);
        self.expression(expression)?;
        self.put(behind);
        Ok(())
    }

    /// An expression, in parentheses where its parts could be read in another way.
    fn expression(&mut self, expression: &Expr<'_>) -> Written {
        match expression {
            Expr::Var(var) => self.put(var.id),
            Expr::Const(constant) => self.constant(&constant.value),
            Expr::UnaryOp(unary) => match unary.op {
                UnaryOpKind::Not => self.between("(not ", &unary.expr, ")")?,
                UnaryOpKind::Neg => self.call(COMPUTE, "-", None, &unary.expr)?,
            },
            Expr::BinOp(binary) => self.binary(binary.op, &binary.left, &binary.right)?,
            Expr::Compare(chain) => {
                let mut left = &chain.expr;
                self.put("(");
                for (at, step) in chain.ops.iter().enumerate() {
                    self.put(if at > 0 { " and " } else { "" });
                    self.comparison(step.op, left, &step.expr)?;
                    left = &step.expr;
                }
                self.put(")");
            }
            Expr::IfExpr(choice) => {
                self.between("(", &choice.true_expr, "")?;
                self.between(" if ", &choice.test_expr, "")?;
                if let Some(other) = &choice.false_expr {
                    self.between(" else ", other, "")?;
                }
                self.put(")");
            }
            Expr::Filter(filter) => {
                let Some(inner) = &filter.expr else { return self.filters(expression) };
                self.between("(", inner, " | ")?;
                self.put(filter.name);
                self.arguments(&filter.args)?;
                self.put(")");
            }
            Expr::Test(test) => {
                self.between("(", &test.expr, " is ")?;
                self.put(test.name);
                self.arguments(&test.args)?;
                self.put(")");
            }
            other => self.part(other)?,
        }
        Ok(())
    }

    /// Attributes, items, calls, lists and maps.
    fn part(&mut self, expression: &Expr<'_>) -> Written {
        match expression {
            Expr::GetAttr(get) => {
                self.expression(&get.expr)?;
                let _ = write!(self.0, ".{}", get.name);
            }
            Expr::GetItem(get) => {
                self.expression(&get.expr)?;
                self.between("[", &get.subscript_expr, "]")?;
            }
            Expr::Slice(slice) => {
                self.put(SLICE);
                self.between("(", &slice.expr, "")?;
                for bound in [&slice.start, &slice.stop, &slice.step] {
                    self.put(", ");
                    match bound {
                        Some(bound) => self.expression(bound)?,
                        None => self.put("false"),
                    }
                }
                self.put(")");
            }
            Expr::Call(call) => {
                self.expression(&call.expr)?;
                self.put("(");
                self.list(&call.args)?;
                self.put(")");
            }
            Expr::List(list) => self.items("[", &list.items, "]")?,
            Expr::Tuple(tuple) => self.items("(", &tuple.items, ",)")?,
            Expr::Map(map) => {
                self.put("{");
                for (key, value) in map.keys.iter().zip(&map.values) {
                    self.between("", key, ": ")?;
                    self.between("", value, ", ")?;
                }
                self.put("}");
            }
            _ => return Err("this form of expression is not known".to_owned()),
        }
        Ok(())
    }

    fn binary(&mut self, operator: BinOpKind, left: &Expr<'_>, right: &Expr<'_>) -> Written {
        use CompareOpKind as Compare;
        let plain = match operator {
            BinOpKind::ScAnd => " and ",
            BinOpKind::ScOr => " or ",
            BinOpKind::Concat => {
                self.put(CONCAT);
                self.between("(", left, ", ")?;
                return self.between("", right, ")");
            }
            BinOpKind::Add => return self.call(COMPUTE, "+", Some(left), right),
            BinOpKind::Sub => return self.call(COMPUTE, "-", Some(left), right),
            BinOpKind::Mul => return self.call(COMPUTE, "*", Some(left), right),
            BinOpKind::Div => return self.call(COMPUTE, "/", Some(left), right),
            BinOpKind::FloorDiv => return self.call(COMPUTE, "//", Some(left), right),
            BinOpKind::Rem => return self.call(COMPUTE, "%", Some(left), right),
            BinOpKind::Pow => return self.call(COMPUTE, "**", Some(left), right),
            BinOpKind::Eq => return self.comparison(Compare::Eq, left, right),
            BinOpKind::Ne => return self.comparison(Compare::Ne, left, right),
            BinOpKind::Lt => return self.comparison(Compare::Lt, left, right),
            BinOpKind::Lte => return self.comparison(Compare::Lte, left, right),
            BinOpKind::Gt => return self.comparison(Compare::Gt, left, right),
            BinOpKind::Gte => return self.comparison(Compare::Gte, left, right),
            BinOpKind::In => return self.comparison(Compare::In, left, right),
        };
        self.between("(", left, plain)?;
        self.between("", right, ")")
    }

    fn comparison(&mut self, operator: CompareOpKind, left: &Expr<'_>, right: &Expr<'_>) -> Written {
        let sign = match operator {
            CompareOpKind::Eq => "==",
            CompareOpKind::Ne => "!=",
            CompareOpKind::Lt => "<",
            CompareOpKind::Lte => "<=",
            CompareOpKind::Gt => ">",
            CompareOpKind::Gte => ">=",
            CompareOpKind::In | CompareOpKind::NotIn => {
                self.put(if matches!(operator, CompareOpKind::NotIn) { "(not " } else { "(" });
                self.put(CONTAINS);
                self.between("(", right, ", ")?;
                return self.between("", left, "))");
            }
        };
        self.call(COMPARE, sign, Some(left), right)
    }

    /// A call of one of our functions. A missing left value is zero.
    fn call(&mut self, function: &str, sign: &str, left: Option<&Expr<'_>>, right: &Expr<'_>) -> Written {
        let _ = write!(self.0, "{function}(\"{sign}\", ");
        match left {
            Some(left) => self.expression(left)?,
            None => self.put("0"),
        }
        self.between(", ", right, ")")
    }

    fn items(&mut self, before: &str, items: &[Expr<'_>], behind: &str) -> Written {
        self.put(before);
        for (at, item) in items.iter().enumerate() {
            self.between(if at > 0 { ", " } else { "" }, item, "")?;
        }
        self.put(behind);
        Ok(())
    }

    fn arguments(&mut self, arguments: &[CallArg<'_>]) -> Written {
        if arguments.is_empty() {
            return Ok(());
        }
        self.put("(");
        self.list(arguments)?;
        self.put(")");
        Ok(())
    }

    fn list(&mut self, arguments: &[CallArg<'_>]) -> Written {
        for (at, argument) in arguments.iter().enumerate() {
            self.put(if at > 0 { ", " } else { "" });
            match argument {
                CallArg::Pos(value) => self.expression(value)?,
                CallArg::Kwarg(name, value) => self.between(&format!("{name}="), value, "")?,
                CallArg::PosSplat(value) => self.between("*", value, "")?,
                CallArg::KwargSplat(value) => self.between("**", value, "")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
