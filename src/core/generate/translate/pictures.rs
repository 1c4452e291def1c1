//! Reads from a template how it writes a column, so that a control total can be of the written values.

use minijinja::machinery::ast::{CallArg, Expr, Stmt};
use minijinja::machinery::parse;

/// The variable that holds all columns, in templates of records.
const ROW: &str = "row";

/// How the template writes `column`. `None` when it does not write it. Only a value that every record has, bare or with the filters
/// `number` and `pad`, can be known.
///
/// # Errors
/// When the template computes with the column or sometimes leaves it out, and what to write instead.
pub(super) fn form(template: &str, column: &str) -> Result<Option<Form>, String> {
    // A template that is none is refused elsewhere, with its own words.
    let Ok(Stmt::Template(root)) = parse(template, "record", <_>::default()) else { return Ok(None) };
    let mut uses = Uses { column, forms: Vec::new(), computes: false };
    root.children.iter().for_each(|statement| uses.statement(statement, true));
    if uses.computes || uses.forms.windows(2).any(|forms| forms[0] != forms[1]) {
        return Err(format!(
            "is not told by the template, which computes with the column or does not write it in every record; write it \
             once and in every record, as in `{{{{ {column} }}}}` or `{{{{ {column} | number(\"0.00\") }}}}`, or take \
             `source_sum.{column}`, the sum of the source's own values"
        ));
    }
    Ok(uses.forms.into_iter().next())
}

/// How one place writes the column.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Form {
    /// As its kind is written.
    Bare,
    /// By `number` with this format.
    Number(String),
}

/// What a template does with one column.
struct Uses<'a> {
    column: &'a str,
    /// One for each place that writes it.
    forms: Vec<Form>,
    /// Whether it may be written in another form, or not in every record.
    computes: bool,
}

impl Uses<'_> {
    /// Walks a statement. `always` says whether it runs exactly once for every record.
    fn statement(&mut self, statement: &Stmt<'_>, always: bool) {
        match statement {
            Stmt::EmitRaw(_) => {}
            Stmt::EmitExpr(emit) => self.emit(&emit.expr, always),
            Stmt::IfCond(branch) => {
                // What only decides is not written.
                branch.true_body.iter().chain(&branch.false_body).for_each(|inner| self.statement(inner, false));
            }
            Stmt::Set(set) => self.other(&set.expr),
            other => {
                // Rare in records; whether they write the column is not looked into.
                self.computes |= format!("{other:?}").contains(&format!("{:?}", self.column))
                    || format!("{other:?}").contains(&format!("{ROW:?}"));
            }
        }
    }

    fn emit(&mut self, expression: &Expr<'_>, always: bool) {
        match (self.form(expression), expression) {
            (Some(form), _) if always => self.forms.push(form),
            (Some(_), _) => self.computes = true,
            (None, Expr::IfExpr(choice)) => {
                self.emit(&choice.true_expr, false);
                choice.false_expr.iter().for_each(|expression| self.emit(expression, false));
            }
            (None, other) => self.other(other),
        }
    }

    /// The format, if the expression is the column and nothing else. `None` otherwise.
    fn form(&self, expression: &Expr<'_>) -> Option<Form> {
        match expression {
            Expr::Filter(filter) => {
                let inner = self.form(filter.expr.as_ref()?)?;
                match (filter.name, filter.args.as_slice(), &inner) {
                    ("pad", _, _) => Some(inner),
                    ("number", [CallArg::Pos(format)], Form::Bare) => {
                        Some(Form::Number(format.as_const()?.as_str()?.to_owned()))
                    }
                    _ => None,
                }
            }
            bare => self.is_column(bare).then_some(Form::Bare),
        }
    }

    fn is_column(&self, expression: &Expr<'_>) -> bool {
        let is_row = |expression: &Expr<'_>| matches!(expression, Expr::Var(var) if var.id == ROW);
        match expression {
            Expr::Var(var) => var.id == self.column,
            Expr::GetAttr(get) => is_row(&get.expr) && get.name == self.column,
            Expr::GetItem(get) => {
                let key = get.subscript_expr.as_const();
                is_row(&get.expr) && key.is_some_and(|key| key.as_str() == Some(self.column))
            }
            _ => false,
        }
    }

    /// An expression that may write the column in some form.
    fn other(&mut self, expression: &Expr<'_>) {
        let text = format!("{expression:?}");
        let named = |name: &str| text.contains(&format!("{name:?}"));
        self.computes |= named(self.column) || named(ROW) && !self.reads_another(expression);
    }

    /// Whether it reads another column of the row by name.
    fn reads_another(&self, expression: &Expr<'_>) -> bool {
        match expression {
            Expr::Filter(filter) => filter.expr.as_ref().is_some_and(|inner| self.reads_another(inner)),
            Expr::GetAttr(get) => matches!(&get.expr, Expr::Var(_)) && get.name != self.column,
            Expr::GetItem(get) => {
                let key = get.subscript_expr.as_const();
                matches!(&get.expr, Expr::Var(_)) && key.is_some_and(|key| key.as_str() != Some(self.column))
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(template: &str) -> Result<Option<Form>, ()> {
        form(template, "Amount").map_err(drop)
    }

    #[test]
    fn a_column_that_stands_in_every_record_has_a_form() {
        let plain = Ok(Some(Form::Bare));
        let cents = Ok(Some(Form::Number("0.00".to_owned())));
        for template in ["{{ Amount }}", "{{ row.Amount | pad(9) }}", "{{ row['Amount'] }}|{{ row['Loan Id'] }}"] {
            assert_eq!(amount(template), plain, "{template}");
        }
        for template in [
            "{{ Amount | number('0.00') }}",
            "{% if Amount < 0 %}D{% else %}C{% endif %}{{ Amount | number('0.00') | pad(12, '0') }}",
            "{{ 'D' if Amount < 0 else 'C' }}{{ Amount | number('0.00') }}|{{ Other * 2 }}",
        ] {
            assert_eq!(amount(template), cents, "{template}");
        }
        for template in ["{{ Other }}", "{% if Amount > 0 %}+{% endif %}"] {
            assert_eq!(amount(template), Ok(None), "{template}");
        }
    }

    #[test]
    fn what_the_template_computes_has_none() {
        for template in [
            "{{ Amount * 2 }}",
            "{{ Amount | abs }}",
            "{{ Amount }}{{ Amount | number('0.00') }}",
            "{% if Id %}{{ Amount }}{% endif %}",
            "{{ Amount if Id else '' }}",
            "{% set a = Amount %}{{ a }}",
            "{% for name in row %}{{ row[name] }}{% endfor %}",
            "{{ row[Name] }}",
        ] {
            assert_eq!(amount(template), Err(()), "{template}");
        }
    }
}
