//! Receivers: what a program that loads files takes whole, as defaults of a file and its translator.
//!
//! One table says what each receiver sets, which other values it cannot take, and which commands of its own fit. The grammar's
//! choices, the checks, the warnings and `docs/receivers.md` follow from it.

mod databases;
mod document;
mod frames;
mod people;
mod settings;
mod table;

pub use document::document;
pub(super) use table::{NAMES, RECEIVERS};

/// A program that loads files.
#[derive(Debug)]
pub(super) struct Receiver {
    /// As `receiver:` names it.
    pub(super) name: &'static str,
    /// As people call it.
    pub(super) title: &'static str,
    /// The translator that it is for.
    pub(super) translator: &'static str,
    /// What it says of the file's own fields.
    pub(super) file: &'static [Setting],
    /// What it says of the translator's options.
    pub(super) options: &'static [Setting],
    /// The language of the example, for Markdown.
    pub(super) language: &'static str,
    /// What the reader is told, with a file `loan1_20261121.csv`.
    pub(super) example: &'static str,
    /// What to know besides.
    pub(super) notes: &'static [&'static str],
    /// The version that the tests load a file with. `None`: nothing of it was run.
    pub(super) tried: Option<&'static str>,
}

/// What a receiver says of one field.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting {
    pub(super) name: &'static str,
    /// What stands in for the field where the file leaves it out. `None`: the field's own default.
    pub(super) value: Option<&'static str>,
    pub(super) others: Others,
}

/// What other values the receiver takes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Others {
    /// Any.
    Free,
    /// Any, if its own settings follow. The text says which.
    Told(&'static str),
    /// These as they are, and any other if its own settings follow. Of booleans in any case.
    Known(&'static [&'static [&'static str]], &'static str),
    /// Any of one byte. The text says which of its own settings follows, if one does.
    OneByte(Option<&'static str>),
    /// These only. The text says why.
    Only(&'static [&'static str], &'static str),
}

impl Receiver {
    /// The receiver of this name.
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        RECEIVERS.iter().find(|receiver| receiver.name == name)
    }
}

#[cfg(test)]
mod tests;
