//! Holds what a file says against what its receiver takes.

use super::date_format;
use crate::config::cursor::Cursor;
use crate::config::receivers::{Others, Receiver, Setting};
use crate::config::separators;
use crate::config::suggest::listed;
use crate::config::values;
use crate::core::generate::translate::is_of_booleans;

/// Notes values that the receiver cannot take, and a translator that it is not for.
pub(in crate::config) fn report_refused(receiver: &Receiver, file: &Cursor<'_>) {
    let translator = file.section("translator");
    let Some(options) = translator.field(receiver.translator) else {
        if let [(name, node)] = translator.entries() {
            translator.below(name, node).report(
                "receiver",
                format!("`receiver: {}` is for `{}` files", receiver.name, receiver.translator),
                "remove `receiver`, or choose that translator",
            );
        }
        return;
    };
    for (at, setting, given) in given(receiver, file, &options) {
        let (why, hint) = match setting.others {
            Others::Only(allowed, why) if !allowed.contains(&given.as_str()) => {
                let hint = match allowed {
                    [] => "remove it".to_owned(),
                    [one] => format!("remove it, or write `{one}`"),
                    more => format!("remove it; it may be one of {}", listed(more.iter().copied())),
                };
                (why, hint)
            }
            Others::OneByte(_) if separators::delimiter(&given).is_ok_and(|mark| mark.len() > 1) => {
                ("it takes one byte", "choose one, as `,`, `;`, `|` or `tab`".to_owned())
            }
            Others::Known(known, _) if is_turned(&given, known) => {
                ("it reads true as false, and false as true", "write the words in the other order".to_owned())
            }
            _ => continue,
        };
        let message = format!("`{}` is {}, which {} does not take: {why}", at.name(), at.shown(), receiver.title);
        at.report("receiver", message, hint);
    }
}

/// Notes values with which the receiver needs other settings than those in its documents.
pub(in crate::config) fn warn(receiver: &Receiver, file: &Cursor<'_>) {
    let options = file.section("translator").section(receiver.translator);
    for (at, setting, given) in given(receiver, file, &options) {
        if setting.value.is_some_and(|value| value == given) {
            continue;
        }
        let (message, how) = match setting.others {
            Others::Told(how) | Others::OneByte(Some(how)) => {
                (format!("and `receiver: {}` is for another value", receiver.name), how)
            }
            Others::Known(known, how) if !is_known(&given, known) => {
                (format!("which {} does not read as it is", receiver.title), how)
            }
            _ => continue,
        };
        at.report("receiver", format!("`{}` is {}, {message}", at.name(), at.shown()), how);
    }
}

/// Whether a value is one of these.
fn is_known(given: &str, known: &[&[&str]]) -> bool {
    // Words in any case. Of formats, `%m` and `%M` differ.
    let same = |value: &&str| if value.contains('%') { **value == *given } else { value.eq_ignore_ascii_case(given) };
    known.iter().copied().flatten().any(same)
}

/// Whether both words are known the other way round.
fn is_turned(given: &str, known: &[&[&str]]) -> bool {
    given.split_once('/').is_some_and(|(yes, no)| !yes.contains('%') && is_known(&format!("{no}/{yes}"), known))
}

/// The fields that the file and its columns give and the receiver speaks of, each with its value as the table writes it.
fn given<'a>(
    receiver: &Receiver,
    file: &Cursor<'a>,
    options: &Cursor<'a>,
) -> Vec<(Cursor<'a>, &'static Setting, String)> {
    let fields = |at: &Cursor<'a>, settings: &'static [Setting]| {
        let given = |setting: &'static Setting| {
            let field = at.field(setting.name)?;
            let text = canonical(setting.name, field.text()?);
            Some((field, setting, text))
        };
        settings.iter().filter_map(given).collect::<Vec<_>>()
    };
    let mut all = fields(file, receiver.file);
    all.extend(fields(options, receiver.options));
    for setting in receiver.file {
        all.extend(of_columns(setting, file, options).map(|(at, text)| (at, setting, text)));
    }
    all
}

/// The values that columns set for themselves in place of the file's. One that is the file's own too is looked at there.
fn of_columns<'a>(
    setting: &'static Setting,
    file: &Cursor<'a>,
    options: &Cursor<'a>,
) -> impl Iterator<Item = (Cursor<'a>, String)> {
    let of_file = file.field(setting.name).and_then(|at| at.text()).or(setting.value).unwrap_or_default();
    let given = move |column: Cursor<'a>| {
        let at = match setting.name {
            "null" => column.field("null")?,
            "booleans" => column.field("format").filter(|at| at.text().is_some_and(is_of_booleans))?,
            // A time of the day reads the same everywhere.
            "timestamps" => column.field("format").filter(|at| at.text().is_some_and(date_format::has_date))?,
            _ => return None,
        };
        let text = canonical(setting.name, at.text()?);
        (text != of_file).then_some((at, text))
    };
    options.section("columns").items().into_iter().filter_map(given)
}

/// A value in the one spelling that the table uses.
fn canonical(name: &str, text: &str) -> String {
    let written = |mark: Result<String, String>| mark.map(|mark| separators::write(&mark)).ok();
    match name {
        "newline" => written(separators::line_end(text)),
        "delimiter" => written(separators::delimiter(text)),
        "timestamps" => Some(date_format::canonical(text)),
        "encoding" => values::encoding(text).map(|encoding| values::encoding_name(encoding).to_owned()),
        _ => values::flag(text).map(|flag| flag.to_string()),
    }
    .unwrap_or_else(|| text.to_owned())
}
