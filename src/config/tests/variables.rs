//! Secrets of the environment that stand in files of their own.

use super::*;
use crate::config::grammar::{Section, Shape};
use crate::config::kinds::KINDS;
use crate::config::vars::{is_secret_variable, value};

/// Every variable that stands in for a secret field of a section or of one in it.
fn secrets(section: &'static Section, found: &mut Vec<&'static str>) {
    for field in section.fields {
        if field.is_secret {
            found.extend(field.presence.variables());
        }
        let mut shape = field.shape;
        while let Shape::List(inner) | Shape::OneOrMore(inner) | Shape::Names(inner) | Shape::Foreign(inner) = shape {
            shape = *inner;
        }
        if let Shape::Section(inner) = shape {
            secrets(inner, found);
        }
    }
}

#[test]
fn every_variable_of_a_secret_field_may_be_given_as_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    std::fs::write(&path, "s3cret\n").unwrap();
    let mut found = Vec::new();
    for kind in &KINDS {
        secrets(kind.section, &mut found);
    }
    for known in ["MSSQL_CONN", "SQL_CONNECTION", "REDIS_ADDR", "REDIS_CONNECTION", "NATS_URL", "NATS_NKEY"] {
        assert!(found.contains(&known), "{known} in {found:?}");
    }
    for name in found {
        let vars = vars(&[(&format!("{name}_FILE"), path.to_str().unwrap())]);
        assert_eq!(value(name, &vars), Ok(Some("s3cret".into())), "{name}");
        assert!(is_secret_variable(name), "{name}");
    }
    let ingest = include_str!("../ingest.yaml").replace("  url: sqlite:orders.db\n", "");
    std::fs::write(&path, "sqlite:x.db\n").unwrap();
    let ingest = parsed(&ingest, &[("MSSQL_CONN_FILE", path.to_str().unwrap())]).unwrap().into_ingest().unwrap();
    assert_eq!(ingest.sink.url.reveal(), "sqlite:/etc/filegen/x.db");
}

#[test]
fn what_is_wrong_with_a_secrets_file_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("db_password"), "s3cret").unwrap();
    std::fs::write(path("empty"), "").unwrap();
    std::fs::write(path("large"), "x".repeat(70_000)).unwrap();
    std::fs::write(path("binary"), [255, 0]).unwrap();
    let worker = DESIGN.replacen("sqlite:", "${DB_PASSWORD}", 1);
    assert_ne!(worker, DESIGN);
    let ingest = include_str!("../ingest.yaml").replace("  key: dlq:events", "  url: redis://h\n  key: dlq:events");
    let both = [(&worker, "DB_PASSWORD"), (&ingest, "REDIS_PASSWORD")];
    for (file, why) in [
        ("none", "No such file"),
        ("empty", "it is empty"),
        ("large", "larger"),
        ("binary", "not UTF-8"),
        (".", "folder"),
    ] {
        for (text, name) in both {
            let error = parsed(text, &[(&format!("{name}_FILE"), &path(file))]).unwrap_err();
            let told = error.to_string();
            let begins = format!("the file that {name}_FILE names cannot be used: {}: ", path(file));
            assert!(told.contains(&begins) && told.contains(why), "{told}");
            assert!(!told.contains("***"), "{told}");
        }
    }
    for (text, name) in both {
        let set = [(format!("{name}_FILE"), path("db_password")), (name.to_owned(), "s3cret".to_owned())];
        let set: Vec<(&str, &str)> = set.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let told = parsed(text, &set).unwrap_err().to_string();
        assert!(told.contains(&format!("{name} is set too; set one of them")) && !told.contains("s3cret"), "{told}");
    }
}
