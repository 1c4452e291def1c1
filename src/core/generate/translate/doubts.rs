//! What makes no file wrong, and yet may not be meant.

use super::file_forms::with_forms;
use super::form::Form;
use crate::core::generate::spec::{FileSpec, From, Quote, TranslatorSpec};

/// What is worth a second look in a file: NULL that is written as a truth value is, where no quotes tell them apart.
pub fn doubts(spec: &FileSpec) -> Vec<String> {
    if matches!(&spec.translator, TranslatorSpec::Delimited(delimited) if delimited.quote != Quote::Never) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let alike = |null: &str, words: &str| match Form::parse(words, None) {
        Ok(Form::Bool(yes, _)) if yes.trim() == null.trim() => Some("true"),
        Ok(Form::Bool(_, no)) if no.trim() == null.trim() => Some("false"),
        _ => None,
    };
    if let (Some(null), Some(words)) = (&spec.null, &spec.forms.booleans)
        && let Some(which) = alike(null, words)
    {
        found.push(format!("`null` is `{null}`, which `booleans` writes for {which}"));
    }
    with_forms(spec).each_column(&mut |column| {
        if let (From::Column(name), Some(null), Some(words)) = (&column.from, &column.null, &column.format)
            && let Some(which) = alike(null, words)
        {
            found.push(format!("column `{name}` writes NULL as `{null}`, as it writes {which}"));
        }
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::generate::spec::{ColumnSpec, Forms};
    use crate::core::generate::translate::fixtures::{delimited, file, formatted};

    #[test]
    fn null_that_is_written_as_a_truth_value_is_doubted_where_no_quotes_tell() {
        let columns = || vec![ColumnSpec { null: Some("N".to_owned()), ..formatted("flag", "Y/N") }];
        let spec = |quote| file(TranslatorSpec::Delimited(delimited("|", quote, columns())));
        assert_eq!(doubts(&spec(Quote::Never)), ["column `flag` writes NULL as `N`, as it writes false"]);
        assert!(doubts(&spec(Quote::Minimal)).is_empty());
        let forms = Forms { booleans: Some("J/N".to_owned()), ..Forms::default() };
        let whole = FileSpec { forms, null: Some("J".to_owned()), ..spec(Quote::Never) };
        assert_eq!(doubts(&whole)[0], "`null` is `J`, which `booleans` writes for true");
    }
}
