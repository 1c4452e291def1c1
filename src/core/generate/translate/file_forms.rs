//! The forms that a whole file gives to booleans, timestamps, numbers and bytes, where a column has no form of its own.

use super::TranslateError;
use super::date_format::DateFormat;
use super::form::{Form, Stamp};
use crate::core::generate::spec::{
    BytesForm, Case, DecimalSign, DelimitedSpec, Encoding, FileSpec, Forms, Timestamps, TranslatorSpec,
};
use crate::core::model::column::Kind;

/// UTF-8's byte order mark.
pub(super) const BOM: &[u8] = b"\xEF\xBB\xBF";

/// The file's forms, checked.
#[derive(Clone, Debug)]
pub(super) struct FileForms {
    booleans: Option<Form>,
    timestamps: Option<Form>,
    bytes: Option<Form>,
    pub(super) decimal: DecimalSign,
}

impl FileForms {
    /// Checks the forms.
    ///
    /// # Errors
    /// When one is not what its name says.
    pub(super) fn new(forms: &Forms, case: Option<Case>) -> Result<Self, TranslateError> {
        let booleans = match forms.booleans.as_deref().map(|format| (format, Form::parse(format, case))) {
            None => None,
            Some((_, Ok(form @ Form::Bool(..)))) => Some(form),
            Some((format, Err(why))) if format.matches('/').count() == 1 => {
                return Err(TranslateError::setting(format!("`booleans`: {why}")));
            }
            Some((format, _)) => {
                return Err(TranslateError::setting(format!(
                    "`booleans` is `{format}`; write both words, as in `Y/N` or `1/0`"
                )));
            }
        };
        let timestamps = match &forms.timestamps {
            Timestamps::Iso => None,
            Timestamps::Space => Some(Form::Stamp(Stamp::Offset)),
            Timestamps::Plain => Some(Form::Stamp(Stamp::Plain)),
            Timestamps::Format(format) if DateFormat::is_one(format) => {
                let wrong = |why| TranslateError::setting(format!("`timestamps`: {why}"));
                Some(Form::Date(DateFormat::parse(format).map_err(wrong)?))
            }
            Timestamps::Format(format) => {
                return Err(TranslateError::setting(format!(
                    "`timestamps` is `{format}`; write `iso`, `space`, `plain`, or a strftime format as in `%Y-%m-%d %H:%M:%S`"
                )));
            }
        };
        let bytes = (forms.bytes != BytesForm::Hex).then_some(Form::Bytes(forms.bytes));
        Ok(Self { booleans, timestamps, bytes, decimal: forms.decimal })
    }

    /// The form of a column of `kind` that has none of its own.
    pub(super) fn form(&self, kind: Kind) -> Option<Form> {
        match kind {
            Kind::Bool => self.booleans.clone(),
            Kind::Timestamp { .. } | Kind::TimestampText => self.timestamps.clone(),
            Kind::Bytes => self.bytes.clone(),
            _ => None,
        }
    }
}

/// The file's translator. Each of its columns gets what the file says of all.
pub(super) fn with_forms(file: &FileSpec) -> TranslatorSpec {
    let mut translator = file.translator.clone();
    translator.each_column(&mut |column| {
        column.zone.clone_from(&file.zone);
        column.forms = file.forms.clone();
        if column.null.is_none() {
            column.null.clone_from(&file.null);
        }
    });
    if let TranslatorSpec::Template(template) = &mut translator {
        template.zone.clone_from(&file.zone);
    }
    translator
}

/// Checks that the file's forms go together with its translator.
///
/// # Errors
/// What cannot work, and what to do.
pub(super) fn check(file: &FileSpec) -> Result<(), TranslateError> {
    let refuse = |why: &str| Err(TranslateError::setting(why));
    // Compiled once for all columns, so that a wrong form is told of the file.
    FileForms::new(&file.forms, None)?;
    if file.bom {
        if file.encoding != Encoding::Utf8 {
            return refuse(
                "`bom` marks UTF-8, and the file has another encoding; remove it, or write `encoding: utf-8`",
            );
        }
        if file.progress_header {
            return refuse(
                "`bom` marks the first bytes of a file, and the header line stands there; write `progress_header: false`",
            );
        }
        if file.newline.is_empty() {
            return refuse("`bom` would move the places of records that have no line ends; remove it");
        }
    }
    let comma = file.forms.decimal == DecimalSign::Comma;
    if comma && file.newline.contains([',', '.']) {
        return refuse("`decimal` is a comma, and `newline` holds a comma or a point; choose another one");
    }
    match &file.translator {
        TranslatorSpec::Delimited(DelimitedSpec { delimiter, .. }) if comma && delimiter.contains([',', '.']) => {
            refuse("`decimal` is a comma, and `delimiter` holds a comma or a point; choose another one, `;` is common")
        }
        TranslatorSpec::Json(_) if comma => refuse("`decimal` is a comma, and numbers in JSON have a point; remove it"),
        TranslatorSpec::Json(_) if file.bom => refuse("`bom` stands before no JSON text (RFC 8259); remove it"),
        TranslatorSpec::Template(_) | TranslatorSpec::Custom { .. }
            if file.null.is_some() || file.forms != Forms::default() =>
        {
            refuse(
                "`null`, `booleans`, `timestamps`, `decimal` and `bytes` are for delimited, fixed-width and JSON files; the file's own \
                 translator says how values are written",
            )
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
