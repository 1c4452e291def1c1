//! Passwords of all printable characters, in every form of an address: no three characters of one come out again.

use crate::config::{self, ConfigError};
use crate::core::generate::translate::Registry;
use crate::core::model::secret::Secret;
use crate::wiring;
use miette::{GraphicalReportHandler, GraphicalTheme};
use proptest::prelude::*;
use std::path::Path;

#[path = "../../../fuzz/passwords.rs"]
mod passwords;
use passwords::files;

fn rendered(error: &ConfigError) -> String {
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(100);
    let mut text = format!("{error}\n{error:?}\n{}\n", error.to_json());
    handler.render_report(&mut text, error.report().as_ref()).unwrap();
    text
}

/// All that is told of a worker file without connecting to anything.
fn told(file: &str) -> String {
    let loaded = match config::parse(file, Path::new("/etc/filegen/worker.yaml"), &(), &Registry::default()) {
        Ok(loaded) => loaded,
        Err(error) => return rendered(&error),
    };
    let resolved = loaded.resolved(&wiring::address_shown);
    let mut told = vec![resolved.to_yaml(), serde_json::to_string(&resolved).unwrap(), format!("{loaded:?}")];
    let worker = loaded.flow.worker().unwrap();
    let insecure = wiring::insecure(worker);
    told.push(format!("{insecure:?}"));
    let unreadable = wiring::unreadable_in(&loaded.flow);
    told.push(format!("{unreadable:?}"));
    told.extend(loaded.unreadable(&unreadable).as_ref().map(rendered));
    told.extend(loaded.warnings(&config::Notes { insecure, ..config::Notes::default() }).as_ref().map(rendered));
    told.push(match wiring::source_at(&worker.source.url) {
        Ok(source) => source.describe(),
        Err(error) => format!("{error} {error:?}"),
    });
    told.extend(wiring::producer(worker).err().map(|error| format!("{error} {error:?}")));
    told.join("\n")
}

/// Three characters of the password in what is told of a file, which are not there with other passwords.
fn leak(password: &str, told: &str, others: &[String]) -> Option<String> {
    let characters: Vec<char> = password.chars().collect();
    let mut pieces = characters.windows(3).map(|piece| piece.iter().collect::<String>());
    pieces.find(|piece| told.contains(piece.as_str()) && !others.iter().any(|other| other.contains(piece.as_str())))
}

/// What is told with other passwords, of all kinds: pieces that come by chance.
fn others() -> Vec<String> {
    let passwords = ["Q7", "@", "?", "'", "\"", ";", "a;b", "a;Driver=b", "%", "#", ": ", "{", "=", " ", "${0a", "$"];
    passwords.iter().flat_map(|password| files(password).into_iter().map(|file| told(&file))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]
    #[test]
    fn no_three_characters_of_a_password_are_told(passwords in prop::collection::vec("[ -~]{6,20}|[!-~ä€漢]{6,12}", 3)) {
        static OTHERS: std::sync::LazyLock<Vec<String>> = std::sync::LazyLock::new(others);
        for password in passwords {
            for file in files(&password) {
                let told = told(&file);
                let found = leak(&password, &told, &OTHERS);
                prop_assert!(found.is_none(), "{:?} of {password:?} in\n{file}\n{told}", found);
            }
        }
    }
}

#[test]
fn passwords_that_end_a_value_early_are_not_told() {
    let others = others();
    for password in [
        "abc\"def ghi",
        "abc'def ghi",
        "abc;def=ghi",
        "abc@def@ghi",
        "abc?def=ghi",
        "abc?def=ghi&jkl=@mno",
        "abc/def",
        "abc#def",
        "abc%def",
        "abc def=ghi",
        "abc`def",
        "a`bc`def.ghi",
        ".[?`at",
        "a.[?`b c",
        "abc:def: ghi",
        "{abc}def",
        "abc}def;ghi=jkl",
        "12?application_name=xyzw",
        "\\abc\\'def",
        "*abc",
        "&abc",
        "&AA>'>",
        "&AA]}:",
        "!abc def",
        "- abc",
        "abc\tdef",
    ] {
        for file in files(password) {
            let told = told(&file);
            assert_eq!(leak(password, &told, &others), None, "{password:?} in\n{file}\n{told}");
        }
    }
}

#[test]
fn an_address_is_shown_by_its_harmless_parts() {
    for (url, shown) in [
        ("sqlite:/data/loans.db", "sqlite:/data/loans.db"),
        (
            "postgres://ann:s3cret@db.bank/loans?sslmode=require",
            "postgres://ann:***@db.bank:5432/loans?sslmode=require",
        ),
        ("postgres://ann:s3@cret@db.bank/loans", "***"),
        ("Server=tcp:db.bank,1444;Uid=ann;Pwd=\"s3\"\"cret\"", "sqlserver://ann:***@db.bank:1444/"),
        ("mongodb://ann:s3cret@a,b/filegen", "mongodb://***@a,b/filegen"),
        ("no address", "***"),
    ] {
        assert_eq!(wiring::address_shown(&Secret::new(url)), shown);
    }
}
