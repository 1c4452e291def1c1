//! Passwords of all printable characters, in every form of an address: no three characters of one come out again.

use crate::config::{self, ConfigError, Flow};
use crate::core::generate::translate::Registry;
use crate::core::model::secret::Secret;
use crate::wiring;
use miette::{GraphicalReportHandler, GraphicalTheme};
use proptest::prelude::*;
use std::fmt::{Debug, Display};
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

/// What an adapter says of itself, or why there is none.
fn described<T>(made: Result<T, impl Display + Debug>, describe: impl FnOnce(T) -> String) -> String {
    made.map_or_else(|error| format!("{error} {error:?}"), describe)
}

/// What the adapters of a file say of themselves.
fn adapters(flow: &Flow) -> String {
    match flow {
        Flow::Generate(worker) => {
            let producer = wiring::producer(worker).err().map(|error| format!("{error} {error:?}"));
            described(wiring::source_at(&worker.source.url), |source| source.describe()) + &producer.unwrap_or_default()
        }
        Flow::Ingest(ingest) => {
            described(wiring::sql_sink(ingest), |sink| sink.describe())
                + &described(wiring::letter_queue(ingest), |queue| queue.describe())
        }
        Flow::Transfer(transfer) => {
            let shown = transfer.deliver.as_ref().map(|deliver| wiring::target_shown(&deliver.to));
            let target = described(wiring::file_target(transfer), |target| {
                target.map_or_else(String::new, |target| target.describe())
            });
            wiring::file_sender(transfer).describe() + &target + &shown.unwrap_or_default()
        }
        Flow::Schedule(_) => String::new(),
    }
}

/// All that is told of a file without connecting to anything.
fn told(file: &str) -> String {
    let loaded = match config::parse(file, Path::new("/etc/filegen/worker.yaml"), &(), &Registry::default()) {
        Ok(loaded) => loaded,
        Err(error) => return rendered(&error),
    };
    let resolved = loaded.resolved(&wiring::address_shown);
    let mut told = vec![resolved.to_yaml(), serde_json::to_string(&resolved).unwrap(), format!("{loaded:?}")];
    let insecure = wiring::insecure_in(&loaded.flow);
    told.push(format!("{insecure:?}"));
    let unreadable = wiring::unreadable_in(&loaded.flow);
    told.push(format!("{unreadable:?}"));
    told.extend(loaded.unreadable(&unreadable).as_ref().map(rendered));
    told.extend(loaded.warnings(&config::Notes { insecure, ..config::Notes::default() }).as_ref().map(rendered));
    told.push(adapters(&loaded.flow));
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
        "``'00A",
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
fn the_files_of_each_kind_are_read() {
    // A password that needs no care: what is refused then is a mistake of the files, and shows nothing.
    let read = |kind: &str| {
        let files = files("Qw7-Zx9-Vb3").into_iter().filter(|file| file.starts_with(kind));
        files.filter(|file| config::parse(file, Path::new("/x.yaml"), &(), &Registry::default()).is_ok()).count()
    };
    let counts = ["worker", "transfer", "ingest", "scheduler"].map(read);
    assert!(counts.iter().all(|count| *count > 2), "{counts:?}");
}

#[test]
fn a_server_of_nats_without_a_scheme_is_told_as_any_other() {
    for (url, is_weak) in [("nats.bank", true), ("ann:s3cret@nats.bank:4222", true), ("localhost:4222", false)] {
        let file = format!("transfer: sales\ncollect: {{ directory: in }}\nbroker: {{ nats: {{ url: '{url}' }} }}\n");
        let loaded = config::parse(&file, Path::new("/x.yaml"), &(), &Registry::default()).unwrap();
        let weak = wiring::insecure_in(&loaded.flow);
        assert_eq!(weak.len(), usize::from(is_weak), "{url}: {weak:?}");
        let shown = loaded.resolved(&wiring::address_shown).to_yaml();
        assert!(shown.contains("nats://") && !shown.contains("s3cret"), "{shown}");
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
