//! How a file writes the numbers of a column, as far as its control total depends on that. A total is of the written values.

use super::float_text::with_point;
use super::form::Form;
use super::number_format::NumberFormat;
use super::pictures::{self, Form as Picture};
use crate::core::generate::spec::{ColumnSpec, From, JsonNode, TranslatorSpec, Trim};
use crate::core::model::decimal::{Digits, without_commas};
use arrow_array::StringArray;
use std::borrow::Cow;

/// How a file writes the numbers of one column. The default is the source's own number.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Written {
    /// Rounds.
    pub(super) format: Option<NumberFormat>,
    /// The number that is written in place of NULL, at its scale.
    pub(super) null: Option<(i128, u32)>,
    /// Whether commas stand in that number.
    pub(super) null_is_grouped: bool,
    /// Whether NULL is written as true. It counts then.
    pub(super) null_is_true: bool,
    /// Blanks that the file leaves out.
    pub(super) trim: Trim,
}

impl Written {
    /// How the file writes `column`. `None` when the file does not write it, or when only a translator of one's own knows.
    ///
    /// # Errors
    /// Why the total cannot be known, and what to do.
    pub(super) fn of(translator: &TranslatorSpec, column: &str) -> Result<Option<Self>, String> {
        let mut specs = Vec::new();
        match translator {
            TranslatorSpec::Delimited(spec) => specs.extend(&spec.columns),
            TranslatorSpec::FixedWidth(spec) => specs.extend(&spec.columns),
            TranslatorSpec::Json(spec) => spec.fields.iter().for_each(|(_, node)| leaves(node, &mut specs)),
            TranslatorSpec::Template(spec) if spec.columns.iter().any(|name| name == column) => {
                return pictures::form(&spec.record, column)?.map(Self::in_template).transpose();
            }
            TranslatorSpec::Template(_) | TranslatorSpec::Custom { .. } => {}
        }
        let mut found: Option<Self> = None;
        for spec in specs.into_iter().filter(|spec| spec.from == From::Column(column.to_owned())) {
            let written = Self::by(spec)?;
            if found.as_ref().is_some_and(|other| *other != written) {
                return Err(format!(
                    "could be of either of the two forms in which the file writes it; write it in one form, or take \
                     `source_sum.{column}`, the sum of the source's own values"
                ));
            }
            found = Some(written);
        }
        Ok(found)
    }

    fn in_template(picture: Picture) -> Result<Self, String> {
        let format = match picture {
            Picture::Bare => None,
            Picture::Number(format) => Some(NumberFormat::parse(&format)?),
        };
        Ok(Self { format, ..Self::default() })
    }

    fn by(spec: &ColumnSpec) -> Result<Self, String> {
        let mut written = Self { trim: spec.trim, ..Self::default() };
        let mut yes = "true".to_owned();
        match spec.format.as_deref().map(|format| Form::parse(format, spec.case)).transpose()? {
            Some(Form::Number(format)) => written.format = Some(format),
            Some(Form::Bool(text, _)) => yes = text,
            // No number: what cannot be summed is found when the column's kind is known.
            Some(Form::Date(_) | Form::Plain | Form::Stamp(_) | Form::Bytes(_)) | None => {
                if let Some((text, _)) = spec.forms.booleans.as_deref().and_then(|format| format.split_once('/')) {
                    text.clone_into(&mut yes);
                }
            }
        }
        let null = spec.null.as_deref().map(|null| with_point(null, spec.forms.decimal));
        if let Some(null) = null.as_deref() {
            written.null = written.null_value(null)?;
            written.null_is_grouped = written.null.is_some() && null.contains(',');
        }
        written.null_is_true = spec.null.as_deref() == Some(&yes);
        Ok(written)
    }

    /// The number in a text that stands for NULL. `None` when it holds no number, and adds nothing.
    ///
    /// # Errors
    /// When a reader may take it for a number, and which one is not sure.
    fn null_value(&self, null: &str) -> Result<Option<(i128, u32)>, String> {
        let is_grouped = self.format.as_ref().is_some_and(NumberFormat::is_grouped);
        let plain = if is_grouped { without_commas(null.trim()) } else { Cow::Borrowed(null.trim()) };
        match Digits::parse(plain.as_bytes()).and_then(|number| number.scaled()) {
            Some((value, scale)) => match self.format.as_ref().and_then(NumberFormat::implied_scale) {
                Some(implied) if scale == 0 => Ok(Some((value, implied))),
                _ => Ok(Some((value, scale))),
            },
            None if looks_like_number(null) => Err(format!(
                "cannot be exact: `null: {null:?}` looks like a number and is none that can be added up; write it in plain digits, \
                 as in `null: \"1000.50\"`{}, or take `source_sum`, which leaves NULL out",
                if is_grouped { "" } else { " (commas go with a `format` that has them, as in `#,##0.00`)" }
            )),
            None => Ok(None),
        }
    }

    /// The number as it is written.
    pub(super) fn number(&self, number: Digits<'_>) -> Option<(i128, u32)> {
        match &self.format {
            Some(format) => format.rounded(number),
            None => number.scaled(),
        }
    }

    /// An integer at a scale, as it is written.
    pub(super) fn scaled(&self, value: i128, scale: u32) -> Option<(i128, u32)> {
        match &self.format {
            Some(format) => format.rounded_scaled(value, scale),
            None => Some((value, scale)),
        }
    }

    /// A text without the blanks that the file leaves out.
    pub(super) fn text<'a>(&self, array: &'a StringArray, row: usize) -> &'a [u8] {
        let text = array.value(row);
        match self.trim {
            Trim::None => text,
            Trim::Left => text.trim_start(),
            Trim::Right => text.trim_end(),
            Trim::Both => text.trim(),
        }
        .as_bytes()
    }
}

/// Whether a text has digits, and no letter but the `e` of an exponent.
fn looks_like_number(text: &str) -> bool {
    text.contains(char::is_numeric) && !text.contains(|char: char| char.is_alphabetic() && !matches!(char, 'e' | 'E'))
}

/// All columns and literals of a JSON field.
fn leaves<'a>(node: &'a JsonNode, found: &mut Vec<&'a ColumnSpec>) {
    match node {
        JsonNode::Value(spec) => found.push(spec),
        JsonNode::Object(fields) => fields.iter().for_each(|(_, node)| leaves(node, found)),
        JsonNode::Array(nodes) => nodes.iter().for_each(|node| leaves(node, found)),
    }
}
