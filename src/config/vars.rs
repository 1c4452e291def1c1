//! The environment, and `${NAME}` in values.

use std::collections::BTreeMap;
use std::ffi::OsString;

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
    /// What stands between the braces is not a name, or they are not closed.
    Malformed(String),
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
                done.faults.push(VarFault::Malformed(inner.to_owned()));
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
        done.faults.push(VarFault::Malformed(reference.to_owned()));
        return;
    }
    let value = vars.get(name).filter(|value| default.is_none() || !value.is_empty());
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
    fn every_reference_without_a_value_is_named() {
        let expanded = expand("${N}${M:-x}${1}${O}${open", &vars());
        assert_eq!(
            expanded.faults,
            [
                VarFault::Missing("N".to_owned()),
                VarFault::Malformed("1".to_owned()),
                VarFault::Missing("O".to_owned()),
                VarFault::Malformed("open".to_owned()),
            ]
        );
    }
}
