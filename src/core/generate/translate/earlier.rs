//! What earlier builds wrote in another way under the same settings. Their runs are continued only where no such difference can show
//! in the bytes.

use super::control;
use super::number_format::NumberFormat;
use super::totals::Wanted;
use crate::core::generate::spec::{
    Align, ColumnSpec, DecimalSign, DelimitedSpec, Encoding, FileSpec, FixedWidthSpec, From, Quote, TranslatorSpec,
    WidthIn,
};
use crate::core::model::column::{Column, Kind};
use crate::core::model::decimal::is_plain_number;
use minijinja::machinery::ast::{CallArg, Expr, Stmt};
use minijinja::machinery::parse;

/// A difference between this build and earlier ones.
#[derive(Clone, Debug)]
pub struct Change {
    /// Its name in digests, which never changes.
    pub mark: String,
    /// Its description, for people.
    pub what: String,
    /// The first way of writing that has it; see [`Begin::writes`](crate::core::generate::model::journal::Begin::writes).
    pub since: u32,
    /// When it can show in the bytes.
    shows: Shows,
}

#[derive(Clone, Debug)]
enum Shows {
    /// Whatever the columns are.
    Always,
    /// When one of these columns holds free text.
    InText(Vec<String>),
    /// When the total of a column differs from the source's own, because its values are written like this.
    InTotal(Wanted),
}

impl Change {
    /// Whether it may change the bytes of a file of these columns.
    pub fn shows(&self, columns: &[Column]) -> bool {
        let kind = |name: &String| columns.iter().find(|column| column.name == *name).map(|column| column.kind);
        match &self.shows {
            Shows::Always => true,
            Shows::InText(names) => names.iter().any(|name| kind(name).is_none_or(may_be_any_text)),
            Shows::InTotal(wanted) => kind(&wanted.column).is_none_or(|kind| !is_source_sum(wanted, kind)),
        }
    }
}

/// All differences in how this build writes the file.
pub(super) fn changes(spec: &FileSpec, summed: &[Wanted]) -> Vec<Change> {
    let mut found = Vec::new();
    match &spec.translator {
        TranslatorSpec::Delimited(delimited) => {
            found.extend(quoting(delimited));
            found.extend(signs(&delimited.columns));
        }
        TranslatorSpec::FixedWidth(fixed) => {
            found.extend(widths(fixed).filter(|_| spec.encoding == Encoding::Utf8));
            found.extend(signs(&fixed.columns));
        }
        TranslatorSpec::Template(template) => found.extend(templates(&template.record)),
        _ => {}
    }
    for (which, template) in [("first_record", &spec.first_record), ("last_record", &spec.last_record)] {
        if template.as_ref().is_some_and(|template| !is_plain(template, &CONTROL_FILTERS)) {
            let what = format!("`{which}` computes and compares exactly");
            found.push(Change { mark: which.to_owned(), what, since: 1, shows: Shows::Always });
        }
        if template.is_some() && spec.forms.decimal == DecimalSign::Comma {
            let what = format!("`{which}` writes numbers with a comma, as the file does");
            found.push(Change { mark: format!("{which}.decimal"), what, since: 3, shows: Shows::Always });
        }
    }
    for wanted in summed.iter().filter(|wanted| is_formed(wanted)) {
        let what = format!(
            "`{}.{}` adds up the values as the file writes them, which were the source's own before",
            control::SUM,
            wanted.column
        );
        let mark = format!("sum.{}", wanted.column);
        found.push(Change { mark, what, since: 1, shows: Shows::InTotal(wanted.clone()) });
        if wanted.written.null_is_grouped {
            let what = format!("`{}.{}` adds up the number that stands for NULL", control::SUM, wanted.column);
            found.push(Change { mark: format!("null.{}", wanted.column), what, since: 2, shows: Shows::Always });
        }
    }
    found
}

fn templates(record: &str) -> Vec<Change> {
    let mut found = Vec::new();
    if !is_plain(record, &RECORD_FILTERS) {
        let what = "its template computes exactly, compares numbers as numbers, and pads a text as a text".to_owned();
        found.push(Change { mark: "record".to_owned(), what, since: 1, shows: Shows::Always });
    }
    if !is_plain(record, &FILTERS_OF_NULL) {
        let what = "its template takes NULL as the empty text, and a boolean as `true` or `false`".to_owned();
        found.push(Change { mark: "record.null".to_owned(), what, since: 2, shows: Shows::Always });
    }
    found
}

fn quoting(spec: &DelimitedSpec) -> Option<Change> {
    let may_mislead = |column: &&ColumnSpec| column.width.is_none() && !is_number_format(column);
    if spec.quote != Quote::Minimal {
        return None;
    }
    let what = "`quote: minimal` quotes more values (with blanks around them, `NULL`, a leading `#` or `'`)".to_owned();
    // Padded values have blanks around them, whatever their column is.
    let padded = spec.columns.iter().any(|column| column.width.is_some());
    let formed = spec.columns.iter().filter(may_mislead).any(|column| column.format.is_some());
    let texts = spec.columns.iter().filter(may_mislead).filter_map(name).collect();
    let mark = "quote".to_owned();
    Some(Change { mark, what, since: 1, shows: if padded || formed { Shows::Always } else { Shows::InText(texts) } })
}

fn widths(spec: &FixedWidthSpec) -> Option<Change> {
    if spec.width_in != WidthIn::Bytes {
        return None;
    }
    let what =
        "`width_in: bytes` counts bytes, and widths counted characters before (`width_in: characters`)".to_owned();
    let wide = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_ascii());
    let always = spec.columns.iter().any(|column| {
        let literal = matches!(&column.from, From::Literal(text) if !text.is_ascii());
        literal || wide(&column.null) || wide(&column.format) || column.pad.is_some_and(|pad| !pad.is_ascii())
    });
    let texts = spec.columns.iter().filter(|column| !is_number_format(column)).filter_map(name).collect();
    let mark = "width_in".to_owned();
    Some(Change { mark, what, since: 1, shows: if always { Shows::Always } else { Shows::InText(texts) } })
}

/// Signs of numbers that stand for NULL in fields that are filled with zeros.
fn signs(columns: &[ColumnSpec]) -> Option<Change> {
    let is_signed = |null: &String| null.starts_with(['+', '-']) && is_plain_number(null);
    let moves = |column: &ColumnSpec| {
        column.pad == Some('0') && column.align == Align::Right && column.null.as_ref().is_some_and(is_signed)
    };
    let what = "the sign of a number that stands for NULL goes before the zeros of its field".to_owned();
    let change = Change { mark: "null.sign".to_owned(), what, since: 2, shows: Shows::Always };
    columns.iter().any(moves).then_some(change)
}

fn name(column: &ColumnSpec) -> Option<String> {
    match &column.from {
        From::Column(name) => Some(name.clone()),
        From::Literal(_) => None,
    }
}

fn is_number_format(column: &ColumnSpec) -> bool {
    column.format.as_deref().is_some_and(NumberFormat::is_one)
}

/// Whether a value may hold blanks, quotes, or characters beyond ASCII.
fn may_be_any_text(kind: Kind) -> bool {
    matches!(kind, Kind::Text | Kind::Json | Kind::TimestampText)
}

/// Whether the written values may have another sum than the source's own.
fn is_formed(wanted: &Wanted) -> bool {
    wanted.written.format.is_some() || wanted.written.null.is_some_and(|null| null != (0, 0))
}

/// Whether the written values have the sum of the source's own, at the same scale.
fn is_source_sum(wanted: &Wanted, kind: Kind) -> bool {
    let scale = match kind {
        Kind::Int => 0,
        Kind::Decimal { scale, .. } => u32::try_from(scale).unwrap_or_default(),
        // True values were not added up before.
        Kind::Bool => return true,
        _ => return false,
    };
    let rounds = wanted.written.format.as_ref().is_some_and(|format| !format.keeps(scale));
    let null_adds = wanted.written.null.is_some_and(|(value, of_null)| value != 0 || of_null > scale);
    !rounds && !null_adds
}

/// Filters that give the same text as in earlier builds.
const RECORD_FILTERS: [&str; 6] = ["number", "strftime", "upper", "lower", "trim", "replace"];

/// Filters that pass NULL on, as they always did.
const FILTERS_OF_NULL: [&str; 3] = ["number", "strftime", "pad"];

/// The same as [`RECORD_FILTERS`] for control records. Their padded values are numbers, or never look like a number.
const CONTROL_FILTERS: [&str; 7] = ["number", "strftime", "upper", "lower", "trim", "replace", "pad"];

/// Whether a template only writes values, bare or through one of these filters.
fn is_plain(template: &str, filters: &[&str]) -> bool {
    let Ok(Stmt::Template(root)) = parse(template, "record", <_>::default()) else { return false };
    root.children.iter().all(|statement| match statement {
        Stmt::EmitRaw(_) => true,
        Stmt::EmitExpr(emit) => is_value(&emit.expr, filters),
        _ => false,
    })
}

fn is_value(expression: &Expr<'_>, filters: &[&str]) -> bool {
    match expression {
        Expr::Var(_) => true,
        Expr::GetAttr(get) => is_value(&get.expr, &[]),
        Expr::GetItem(get) => is_value(&get.expr, &[]) && get.subscript_expr.as_const().is_some(),
        Expr::Filter(filter) => {
            let is_const = |argument: &CallArg<'_>| match argument {
                CallArg::Pos(value) | CallArg::Kwarg(_, value) => value.as_const().is_some(),
                CallArg::PosSplat(_) | CallArg::KwargSplat(_) => false,
            };
            filters.contains(&filter.name)
                && filter.args.iter().all(is_const)
                && filter.expr.as_ref().is_some_and(|inner| is_value(inner, filters))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_that_only_write_values_are_what_they_were() {
        for plain in [
            "T{{ rows }};{{ sum.Amount }}",
            "{{ sum['Loan Total'] | number('0.00') | pad(12, '0') }}",
            "H{{ date | replace('-', '') }}",
        ] {
            assert!(is_plain(plain, &CONTROL_FILTERS), "{plain}");
        }
        for computed in
            ["{{ rows + 1 }}", "{{ sum.Amount | float }}", "{% if rows %}x{% endif %}", "{{ Id | pad(9, '0') }}"]
        {
            assert!(!is_plain(computed, &RECORD_FILTERS), "{computed}");
        }
    }

    #[test]
    fn a_total_is_the_sources_own_where_no_digit_is_rounded_away() {
        let amount = |format: &str, null: Option<(i128, u32)>| Wanted {
            name: "Amount".to_owned(),
            column: "Amount".to_owned(),
            written: super::super::written::Written {
                format: Some(NumberFormat::parse(format).unwrap()),
                null,
                ..Default::default()
            },
        };
        let cents = Kind::Decimal { precision: 12, scale: 2 };
        for format in ["0.00", "000000000V99", "#,##0.00", "0.00##"] {
            assert!(is_source_sum(&amount(format, None), cents), "{format}");
        }
        for format in ["0.0", "0", "0.##", "0.000"] {
            assert!(!is_source_sum(&amount(format, None), cents), "{format}");
        }
        assert!(is_source_sum(&amount("0.00", Some((0, 2))), cents));
        assert!(!is_source_sum(&amount("0.00", Some((1, 0))), cents));
        assert!(!is_source_sum(&amount("0.00", None), Kind::Float64));
    }
}
