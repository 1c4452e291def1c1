#!/usr/bin/env bash
# minijinja 3.0.5 (Rust): a macro that only slices a variable of its template does not see it, and writes `[]` instead.
#
# One would expect: behind `{% set word = … %}` a macro reads `word`: `{{ word }}`, `{{ word | upper }}` and
#   `{{ word[:4] }}` in it are all of the same value.
# What happens: the search for the variables that a macro takes with it looks at a slice's bounds, and not at what is
#   sliced. If `word` stands nowhere else in the macro it is undefined there, and a slice of nothing is an empty list: the
#   output is `[]`, without an error. Add any other use of `word` to the macro, and the slice is right as well.
#   `undeclared_variables` has the same gap: it reports no variable for `{{ name[:4] }}`.
# Why it matters: a program that asks which variables a template needs, and gives it just those, leaves this one out; a
#   letter or a record says `[]` where the first four characters of a name should be.
# Safely: choose UndefinedBehavior::Strict, which makes it an error; slice outside of the macro and hand the part in as an
#   argument; do not rely on `undeclared_variables` for templates with slices.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir src
cat > Cargo.toml <<'TOML'
[package]
name = "sliced"
version = "0.1.0"
edition = "2021"

[dependencies]
minijinja = "=3.0.5"
TOML
cat > src/main.rs <<'RUST'
use minijinja::{context, Environment, UndefinedBehavior};

fn main() {
    let of_macro = |body: &str| format!("{{% set word = name %}}{{% macro short() %}}{body}{{% endmacro %}}<{{{{ short() }}}}>");
    let environment = Environment::new();
    let show = |template: &str| {
        let made = environment.render_str(template, context! { name => "Anna Berg" }).unwrap();
        println!("{template}\n  {made}");
        made
    };
    assert_eq!(show("<{{ name[:4] }}>"), "<Anna>");
    assert_eq!(show(&of_macro("{{ word | upper }}")), "<ANNA BERG>");
    assert_eq!(show(&of_macro("{{ word[:4] }}")), "<[]>", "the macro sees it now");
    assert_eq!(show(&of_macro("{% if word %}{{ word[:4] }}{% endif %}")), "<Anna>");

    let needs = |template: &str| {
        let names = environment.template_from_str(template).unwrap().undeclared_variables(false);
        println!("{template}\n  needs {names:?}");
        names
    };
    assert!(needs("{{ name | upper }}").contains("name"));
    assert!(needs("{{ name[:4] }}").is_empty(), "it is reported now");
    assert!(needs("{{ name[:length] }}").contains("length"), "the bounds are looked at");

    let mut strict = Environment::new();
    strict.set_undefined_behavior(UndefinedBehavior::Strict);
    let refused = strict.render_str(&of_macro("{{ word[:4] }}"), context! { name => "Anna Berg" }).unwrap_err();
    println!("strict: {refused}");
    println!("seen: a variable that is only sliced is not found");
}
RUST
CARGO_PROFILE_DEV_DEBUG=0 cargo run -q
