//! Passwords of all printable characters, in every form of an address: no three characters of one come out again.

use crate::config::{self, ConfigError};
use crate::core::generate::translate::Registry;
use crate::core::model::secret::Secret;
use crate::wiring;
use miette::{GraphicalReportHandler, GraphicalTheme};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use std::path::Path;

/// A worker file around an address of a source and of a state store, and a property of its topic's client.
const FILE: &str = "worker: LoanWorker
source:
  url: URL
  view: v_Loans
  key: [LoanId]
output: { root: out }
state:
  url: STATE
completion:
  kafka:
    brokers: kafka.bank:9093
    topic: file-events
    properties: { PROPERTY: VALUE }
files:
  - id: Loan0
    name: \"loan0_{date}.txt\"
    translator: { delimited: { delimiter: \"|\", columns: [LoanId] } }
";

const SOURCE: &str = "sqlite:loans.db";
const STATE: &str = "sqlite:state.db";

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// Addresses of a source with a password, as people write them, right and wrong.
fn sources(password: &str) -> Vec<String> {
    let (percent, doubled) = (encoded(password), password.replace('"', "\"\""));
    let escaped = password.replace('\\', "\\\\").replace('\'', "\\'");
    vec![
        format!("postgres://ann:{percent}@db.bank:5432/loans?sslmode=verify-full"),
        format!("postgres://ann:{password}@db.bank/loans"),
        format!("postgres:/ann:{password}@db.bank/loans"),
        format!("postgres://db.bank/loans?user=ann&pass%77ord={percent}"),
        format!("postgres://db.bank/loans?user=ann&password={password}"),
        format!("postgres://ann:{password}@db.bank:port/loans"),
        format!("host=db.bank user=ann password='{escaped}' dbname=loans"),
        format!("host=db.bank user=ann password={password} dbname=loans"),
        format!("sqlserver://ann:{percent}@db.bank:1433/loans?encrypt=true"),
        format!("sqlserver://ann:{password}@db.bank/loans"),
        format!("sqlserver://db.bank/loans?user=ann&password={percent}"),
        format!("Server=db.bank;Database=loans;User Id=ann;Password=\"{doubled}\""),
        format!("Server=db.bank;Database=loans;User Id=ann;Pass_word='{}'", password.replace('\'', "''")),
        format!("Server=db.bank;User Id=ann;PWD={{{}}};Encrypt=off", password.replace('}', "}}")),
        format!("Server=db.bank;User Id=ann;Password={password};Encrypt=true"),
        format!("mysql://ann:{password}@db.bank/loans"),
    ]
}

/// Addresses of a state store.
fn states(password: &str) -> Vec<String> {
    let percent = encoded(password);
    vec![
        format!("mongodb://ann:{percent}@mongo.bank:27017/filegen?tls=true"),
        format!("mongodb://ann:{password}@mongo.bank/filegen"),
        format!(
            "mongodb://key:{percent}@mongo.bank/?authMechanism=MONGODB-AWS&authSource=$external&authMechanismProperties=AWS_SESSION_TOKEN:{percent}"
        ),
        format!("mongodb://mongo.bank/?authMechanismProperties=AWS_SESSION_TOKEN:{password}"),
        format!("mongodb://mongo.bank/filegen?tlsCertificateKeyFilePassword={password}"),
    ]
}

const PROPERTIES: [&str; 7] = [
    "sasl.password",
    "ssl.key.password",
    "ssl.key.pem",
    "ssl.keystore.password",
    "sasl.oauthbearer.config",
    "sasl.oauthbearer.client.secret",
    "sasl.username",
];

/// A text in YAML's double quotes. A reference's marks are written as what they are.
fn quoted(text: &str) -> String {
    serde_json::to_string(&text.replace("${", "$${")).unwrap()
}

/// Worker files with the password in them: fit for use, with a mistake beside it, and without the quotes that it needs.
fn files(password: &str) -> Vec<String> {
    let with = |url: &str, state: &str, property: &str, value: &str| {
        let file = FILE.replacen("URL", url, 1).replacen("STATE", state, 1);
        file.replacen("PROPERTY", property, 1).replacen("VALUE", value, 1)
    };
    let mut files = Vec::new();
    for url in sources(password) {
        for url in [quoted(&url), url] {
            files.push(with(&url, STATE, "client.id", "filegen"));
        }
    }
    for url in states(password) {
        for url in [quoted(&url), url] {
            files.push(with(SOURCE, &url, "client.id", "filegen"));
        }
    }
    for property in PROPERTIES {
        for value in [quoted(password), password.to_owned()] {
            files.push(with(SOURCE, STATE, property, &value));
        }
    }
    let mistaken: Vec<String> =
        files.iter().map(|file| file.replace("  view:", "  page_size: lots\n  view:")).collect();
    files.extend(mistaken);
    // The address stands where none belongs, and in a comment.
    for text in [sources(password), states(password)].concat() {
        files.push(FILE.replacen("v_Loans", &quoted(&text), 1));
        files.push(format!("# {text}\nwrker: x\n{FILE}"));
    }
    files
}

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
    let worker = loaded.worker().unwrap();
    let insecure = wiring::insecure(worker);
    told.push(format!("{insecure:?}"));
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
    let passwords = ["Q7", "@", "?", "'", "\"", ";", "%", "#", ": ", "{", "=", " "];
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
