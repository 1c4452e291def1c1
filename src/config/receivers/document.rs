//! `docs/receivers.md`, written from the table.

use super::{Others, RECEIVERS, Receiver, Setting};
use std::fmt::Write;

const HEAD: &str = include_str!("head.md");

/// The whole page.
pub fn document() -> String {
    let mut page = HEAD.to_owned();
    for receiver in RECEIVERS {
        section(receiver, &mut page);
    }
    page
}

fn section(receiver: &Receiver, page: &mut String) {
    // Writing to a string cannot fail.
    let _ = write!(page, "\n## `{}`: {}\n\n", receiver.name, receiver.title);
    let tried = match receiver.tried {
        Some(version) => format!("The tests load a file with {version} and compare each cell."),
        None => "Nothing of this was run: load one file, and compare it cell by cell.".to_owned(),
    };
    let _ = write!(
        page,
        "For `{}`. {tried}\n\n| setting | value | another value |\n| --- | --- | --- |\n",
        receiver.translator
    );
    for setting in receiver.file.iter().chain(receiver.options) {
        let _ = writeln!(page, "| `{}` | {} | {} |", setting.name, value(setting), others(setting));
    }
    let _ = write!(page, "\n```{}\n{}\n```\n", receiver.language, receiver.example.trim());
    if !receiver.notes.is_empty() {
        page.push('\n');
    }
    for note in receiver.notes {
        let _ = writeln!(page, "- {note}");
    }
}

fn value(setting: &Setting) -> String {
    match setting.value {
        None => "as always".to_owned(),
        Some("|") => "`\\|`".to_owned(),
        Some(value) => format!("`{value}`"),
    }
}

fn others(setting: &Setting) -> String {
    match setting.others {
        Others::Free => "as you like".to_owned(),
        Others::Told(how) => how.replace('|', "\\|"),
        Others::Known(values, how) => format!("as it is: {}; any other: {how}", in_ticks(&values.concat())),
        Others::OneByte(how) => format!("of one byte{}", how.map_or_else(String::new, |how| format!(": {how}"))),
        Others::Only(values, why) if values.len() > 1 => {
            format!("only {}: {why}", in_ticks(values))
        }
        Others::Only(_, why) => format!("refused: {why}"),
    }
}

fn in_ticks(values: &[&str]) -> String {
    values.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ")
}
