//! `config show`: what is shown, and that it means the same.

use super::*;
use crate::core::model::secret::Secret;
use crate::{Records, Rows, TranslateError, Translator};

/// A translator of one's own.
struct Nothing;

impl Translator for Nothing {
    fn columns(&self) -> Vec<String> {
        Vec::new()
    }

    fn translate(&mut self, _: &Rows<'_>, _: &mut Records) -> Result<(), TranslateError> {
        Ok(())
    }
}

/// As whoever knows the clients shows an address, but for its password.
fn address(url: &Secret) -> String {
    url.reveal().replace("s3cret", "***")
}

/// Secrets come back as they were, so that the two workers can be compared.
fn unmasked(text: &str) -> String {
    text.replace("***", "s3cret")
}

#[test]
fn what_is_shown_is_a_worker_file_that_means_the_same() {
    for text in [DESIGN, FULL, crate::config::init::EXAMPLE] {
        let loaded = parsed(text, &[]).unwrap();
        let shown = loaded.resolved(&address).to_yaml();
        assert!(!shown.contains("s3cret"), "{shown}");
        let again = parse(&unmasked(&shown), Path::new("/elsewhere/worker.yaml"), &(), &Registry::default()).unwrap();
        assert_eq!(again.flow, loaded.flow, "{shown}");
    }
}

#[test]
fn each_value_says_where_it_came_from() {
    let text = DESIGN.replace("  url: sqlite:loans.db", "  #");
    let environment = [
        ("SQL_CONNECTION_STRING", "Server=db;Password=s3cret;Database=x"),
        ("KAFKA_BROKERS", "k:1"),
        ("HEALTH_PORT", "8080"),
    ];
    let loaded = parsed(&text, &environment).unwrap();
    let shown = loaded.resolved(&address);
    insta::assert_snapshot!(shown.to_yaml());
    let json = serde_json::to_value(&shown).unwrap();
    assert_eq!(json["worker"]["source"]["url"], "Server=db;Password=***;Database=x");
    assert_eq!(
        json["origins"]["source.url"],
        serde_json::json!({"from": "environment", "names": ["SQL_CONNECTION_STRING"], "line": null})
    );
    assert_eq!(json["origins"]["source.page_bytes"], serde_json::json!({"from": "default"}));
    assert_eq!(json["origins"]["files[0].id"], serde_json::json!({"from": "file", "line": 10}));
    assert_eq!(json["healthPort"], 8080);
    assert!(!format!("{loaded:?}").contains("s3cret"));
}

#[test]
fn options_of_a_translator_of_ones_own_are_shown_without_secrets() {
    let registry = Registry::default().with("mine", |_| Ok(Box::new(Nothing)));
    let text = DESIGN.replace(
        "json: { fields: { id: LoanId, balance: Balance } }",
        "mine: { api_key: k3y, n: 5, t: \"5\", list: [{ a: \"${A}\" }], url: \"x://u:s3cret@h\" }",
    );
    let vars = vars(&[("A", "s3cret")]);
    let loaded = parse(&text, Path::new("/w.yaml"), &vars, &registry).unwrap();
    let shown = serde_json::to_value(loaded.resolved(&address)).unwrap();
    assert_eq!(
        shown["worker"]["files"][3]["translator"]["mine"],
        serde_json::json!({"api_key": "***", "n": 5, "t": "5", "list": [{"a": "***"}], "url": "***"})
    );
}
