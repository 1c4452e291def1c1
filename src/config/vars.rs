//! The environment, and `${NAME}` in values. A variable that is a secret may be given as a file: `NAME_FILE` says which.

use super::redact::looks_secret;
use crate::core::model::peer::MASK;
use crate::core::model::shown;
use crate::files;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

/// Parts of the names of variables that hold secrets. Such a variable may stand where secrets stand, and nowhere else.
const SECRET_VARIABLES: [&str; 26] = [
    "CONNECTION_STRING",
    "CONNSTR",
    "DATABASE_URL",
    "DSN",
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "PWD_",
    "SECRET",
    "TOKEN",
    "CREDENTIAL",
    "API_KEY",
    "PRIVATE_KEY",
    "APIKEY",
    "ACCESS_KEY",
    "ACCOUNT_KEY",
    "STORAGE_KEY",
    "SESSION_KEY",
    "SIGNING_KEY",
    "ENCRYPTION_KEY",
    "PGPASS",
    "NKEY",
    "JWT",
    "BEARER",
    "COOKIE",
    "SEED",
];

/// Last words of such names. An address may have a login in it.
const SECRET_ENDINGS: [&str; 8] = ["_PWD", "_PW", "_PASS", "_PAT", "_PIN", "_URI", "_URL", "_CONN"];

/// Those that stand in for secret fields, or are read by themselves, and are not known by their words.
const OF_FIELDS: [&str; 5] = [
    "SQL_CONNECTION",
    "REDIS_CONNECTION",
    "REDIS_ADDR",
    "OTEL_EXPORTER_OTLP_HEADERS",
    "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
];

/// Whether a variable holds a secret, by its name, or as one that stands in for a secret field: `SQL_CONNECTION_STRING`,
/// `KAFKA_PASSWORD`, `LOANS_URL`.
pub(super) fn is_secret_variable(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    SECRET_VARIABLES.iter().any(|part| upper.contains(part))
        || SECRET_ENDINGS.iter().any(|end| upper.ends_with(end))
        || OF_FIELDS.contains(&name)
}

/// Longest secret in a file, in bytes.
const SECRET_MAX: u64 = 64 << 10;

/// Where `${NAME}` and the fields' fallbacks come from.
pub trait Vars {
    /// The variable's value. `None` when it is not set.
    fn get(&self, name: &str) -> Option<OsString>;
}

/// The variables of this process.
#[derive(Clone, Copy, Debug, Default)]
pub struct Environment;

impl Vars for Environment {
    fn get(&self, name: &str) -> Option<OsString> {
        std::env::var_os(name)
    }
}

/// Given variables, for tests and tools.
impl Vars for BTreeMap<String, String> {
    fn get(&self, name: &str) -> Option<OsString> {
        self.get(name).map(OsString::from)
    }
}

/// No variable is set.
impl Vars for () {
    fn get(&self, _: &str) -> Option<OsString> {
        None
    }
}

/// Why a reference has no value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum VarFault {
    /// The variable is not set, and the reference has no default.
    Missing(String),
    /// The variable's value is not UTF-8.
    NotText(String),
    /// The file that holds the variable's value cannot be used: the variable that names it, and why.
    File(String, String),
    /// What stands between the braces is not a name, or they are not closed.
    Malformed,
}

/// A value with its references filled in.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Expanded {
    /// What the value is.
    pub(super) text: String,
    /// The variables that went into it.
    pub(super) variables: Vec<String>,
    /// References without a value.
    pub(super) faults: Vec<VarFault>,
}

/// Fills in `${NAME}` and `${NAME:-default}`; `$${` stands for `${`. As in a shell, the default also stands in for an
/// empty variable. `${{` is left alone: it is a dollar sign before a template's expression.
pub(super) fn expand(text: &str, vars: &dyn Vars) -> Expanded {
    let mut done = Expanded::default();
    let mut rest = text;
    while let Some(dollar) = rest.find('$') {
        let (before, from) = rest.split_at(dollar);
        done.text.push_str(before);
        if let Some(after) = from.strip_prefix("$${") {
            done.text.push_str("${");
            rest = after;
        } else if let Some(inner) = from.strip_prefix("${").filter(|inner| !inner.starts_with('{')) {
            let Some((reference, after)) = inner.split_once('}') else {
                done.faults.push(VarFault::Malformed);
                return done;
            };
            fill(reference, vars, &mut done);
            rest = after;
        } else {
            done.text.push('$');
            rest = &from[1..];
        }
    }
    done.text.push_str(rest);
    done
}

fn fill(reference: &str, vars: &dyn Vars, done: &mut Expanded) {
    let (name, default) = match reference.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (reference, None),
    };
    if !is_name(name) {
        done.faults.push(VarFault::Malformed);
        return;
    }
    let value = match value(name, vars) {
        Ok(value) => value.filter(|value| default.is_none() || !value.is_empty()),
        Err(fault) => return done.faults.push(fault),
    };
    match (value.map(OsString::into_string), default) {
        (Some(Ok(value)), _) => {
            done.text.push_str(&value);
            done.variables.push(name.to_owned());
        }
        (Some(Err(_)), _) => done.faults.push(VarFault::NotText(name.to_owned())),
        (None, Some(default)) => done.text.push_str(default),
        (None, None) => done.faults.push(VarFault::Missing(name.to_owned())),
    }
}

/// A variable of AWS's tools whose file is read anew each time, as AWS's agents renew it.
const RENEWED: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN";

/// A variable's value: its own, or that in the file which `NAME_FILE` names, if the variable is a secret. The file is read
/// once, when the worker file is; a line end behind the value is none of it.
pub(super) fn value(name: &str, vars: &dyn Vars) -> Result<Option<OsString>, VarFault> {
    let own = vars.get(name);
    if !is_secret_variable(name) || name == RENEWED {
        return Ok(own);
    }
    let file_variable = format!("{name}_FILE");
    let Some(path) = vars.get(&file_variable).filter(|path| !path.is_empty()) else { return Ok(own) };
    if own.is_some_and(|value| !value.is_empty()) {
        return Err(VarFault::File(file_variable, format!("{name} is set too; set one of them")));
    }
    match read_secret(Path::new(&path)) {
        Ok(text) => Ok(Some(text.into())),
        Err(why) => {
            let path = path.to_string_lossy();
            // It may be the secret itself.
            let path = if looks_secret(&path) { MASK.to_owned() } else { shown::name(&path) };
            Err(VarFault::File(file_variable, format!("{path}: {why}")))
        }
    }
}

/// The text of a file without the line end behind it.
fn read_secret(path: &Path) -> Result<String, String> {
    let bytes = files::read(path, SECRET_MAX).map_err(|error| error.to_string())?;
    let mut text = String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    let end = text.strip_suffix('\n').map_or(text.len(), |line| line.strip_suffix('\r').unwrap_or(line).len());
    text.truncate(end);
    if text.is_empty() { Err("it is empty".to_owned()) } else { Ok(text) }
}

/// A text without its references.
pub fn without_references(text: &str) -> String {
    let mut rest = text;
    let mut out = String::with_capacity(text.len());
    while let Some(dollar) = rest.find('$') {
        out.push_str(&rest[..dollar]);
        let from = &rest[dollar..];
        if let Some(after) = from.strip_prefix("$${") {
            out.push_str("${");
            rest = after;
        } else if let Some((_, after)) = from.strip_prefix("${").and_then(|inner| inner.split_once('}')) {
            rest = after;
        } else {
            out.push('$');
            rest = &from[1..];
        }
    }
    out.push_str(rest);
    out
}

fn is_name(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vars() -> BTreeMap<String, String> {
        BTreeMap::from([("A".to_owned(), "x: [${B}".to_owned()), ("E".to_owned(), String::new())])
    }

    #[test]
    fn a_secret_is_known_by_its_name() {
        for name in [
            "SQL_CONNECTION_STRING",
            "Redis_Password",
            "PGPASSFILE",
            "AZURE_STORAGE_KEY",
            "AWS_SESSION_KEY",
            "APIKEY",
            "DB_PW",
            "DB_PASS",
            "NATS_NKEY",
            "JWT",
            "GITHUB_PAT",
            "AUTH_BEARER",
            "COOKIE",
            "SEED",
            "MONGO_URI",
            "SAS_URL",
            "CARD_PIN",
            "REDIS_ADDR",
            "SQL_CONNECTION",
        ] {
            assert!(is_secret_variable(name), "{name}");
        }
        for name in ["PARTITION_KEY", "KAFKA_BROKERS", "PWDIR", "REGION", "NATS_USER", "PATTERN", "COMPASS"] {
            assert!(!is_secret_variable(name), "{name}");
        }
    }

    #[test]
    fn references_are_filled_in_once() {
        for (text, value) in [
            ("${A}", "x: [${B}"),
            ("-${A}-${A}", "-x: [${B}-x: [${B}"),
            ("${N:-d:-e}", "d:-e"),
            ("${N:-}", ""),
            ("${E}", ""),
            ("${E:-d}", "d"),
            ("$${A}", "${A}"),
            ("$$A $1 $", "$$A $1 $"),
            ("${{ amount }}", "${{ amount }}"),
        ] {
            let expanded = expand(text, &vars());
            assert_eq!((expanded.text.as_str(), expanded.faults), (value, vec![]), "{text}");
        }
    }

    #[test]
    fn a_secret_may_stand_in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let read = |name: &str, more: &[(&str, &str)]| {
            let mut vars = BTreeMap::from([("DB_PASSWORD_FILE".to_owned(), path(name))]);
            vars.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
            let done = expand("-${DB_PASSWORD}-", &vars);
            if done.faults.is_empty() { Ok(done.text) } else { Err(format!("{:?}", done.faults)) }
        };
        for (content, text) in [("s3cret", "-s3cret-"), ("s3cret\r\n", "-s3cret-"), ("a\nb\n\n", "-a\nb\n-")] {
            std::fs::write(path("s"), content).unwrap();
            assert_eq!(read("s", &[]).as_deref(), Ok(text));
        }
        std::fs::write(path("empty"), "").unwrap();
        std::fs::write(path("large"), "x".repeat(70_000)).unwrap();
        std::fs::write(path("binary"), [255, 0]).unwrap();
        for (name, more, why) in [
            ("none", &[][..], "No such file"),
            ("empty", &[], "empty"),
            ("large", &[], "larger"),
            ("binary", &[], "UTF-8"),
            (".", &[], "folder"),
            ("s", &[("DB_PASSWORD", "x")], "set one of them"),
        ] {
            let told = read(name, more).unwrap_err();
            assert!(told.contains("DB_PASSWORD_FILE") && told.contains(why), "{told}");
        }
        let told = read("Server=h;Password=s3cret", &[]).unwrap_err();
        assert!(told.contains("***: No such file") && !told.contains("s3cret"), "{told}");
        // Only secrets are read from files.
        let vars = BTreeMap::from([("HOST_FILE".to_owned(), path("s"))]);
        assert_eq!(expand("${HOST}", &vars).faults, [VarFault::Missing("HOST".to_owned())]);
    }

    #[test]
    fn every_reference_without_a_value_is_named() {
        let expanded = expand("${N}${M:-x}${1}${O}${open", &vars());
        assert_eq!(
            expanded.faults,
            [
                VarFault::Missing("N".to_owned()),
                VarFault::Malformed,
                VarFault::Missing("O".to_owned()),
                VarFault::Malformed,
            ]
        );
    }
}
