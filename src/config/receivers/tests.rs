//! The table agrees with the grammar and with the document.

use super::*;
use crate::config::grammar::Shape;
use crate::config::grammar::generate::{FILE, TRANSLATORS};

#[test]
fn the_table_speaks_of_fields_that_there_are() {
    assert_eq!(NAMES.to_vec(), RECEIVERS.iter().map(|receiver| receiver.name).collect::<Vec<_>>());
    for receiver in RECEIVERS {
        let (_, options) = TRANSLATORS.iter().find(|(name, _)| *name == receiver.translator).unwrap();
        for (section, setting) in
            receiver.file.iter().map(|setting| (&FILE, setting)).chain(receiver.options.iter().map(|s| (*options, s)))
        {
            let field = section.field(setting.name).unwrap_or_else(|| panic!("{}: {}", receiver.name, setting.name));
            if let (Some(value), Shape::Choice(choices)) = (setting.value, field.shape) {
                assert!(choices.contains(&value), "{}: {}", receiver.name, setting.name);
            }
            if let (Some(value), Others::Only(values, _)) = (setting.value, setting.others) {
                assert!(values.contains(&value), "{}: {}", receiver.name, setting.name);
            }
        }
    }
}

#[test]
fn the_document_is_written_from_the_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/receivers.md");
    let page = document();
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        std::fs::write(path, &page).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(written == page, "docs/receivers.md is stale; INSTA_UPDATE=always writes it");
}
