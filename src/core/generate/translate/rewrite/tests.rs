//! Templates with exact operators say what the engine says of integers.

use super::*;
use crate::core::generate::translate::{calculus, texts};
use minijinja::{Environment, context};

fn render(source: &str) -> String {
    let mut environment = Environment::new();
    calculus::install(&mut environment);
    texts::install(&mut environment);
    environment
        .render_str(source, context! { n => 7, t => "a\"b", rows => [1, 2, 3], o => context! { x => 5 } })
        .unwrap()
}

#[test]
fn a_rewritten_template_says_the_same() {
    for source in [
        "{{ n + 1 * 2 - (3 - 4) }} {{ (n + 1) * 2 }} {{ -n }} {{ 2 ** 3 ** 1 }} {{ not n == 7 or n > 3 }}",
        "{% for r in rows if r != 2 %}{{ loop.index }}:{{ r }}{% if not loop.last %},{% endif %}{% else %}none{% endfor %}",
        "{% set x = n + 1 %}{{ x }}{% set y, z = (1, 2) %}{{ y + z }}{% with a = 1, b = 2 %}{{ a ~ b }}{% endwith %}",
        "{% macro twice(v, by=2) %}{{ v * by }}{% endmacro %}{{ twice(n) }}{{ twice(n, by=3) }}",
        "{% filter upper | replace('A', 'b') %}a{{ n }}{% endfilter %}{% set s | trim %} {{ n }} {% endset %}{{ s }}",
        "{{ t }}{{ 'q\\'\\n\\\\ {{ x }} %} {#' }}{{ \"%} }}\" }}{% raw %}{{ {% # }}{% endraw %}",
        "{{ rows[0] }}{{ rows[1:] | join('-') }}{{ rows[::-1] | first }}{{ o.x }}{{ o['x'] }}{{ {'k': n + 1}.k }}{{ (1, 2)[1] }}",
        "{{ 'yes' if n > 5 else 'no' }}{{ 'x' if n > 9 }}{{ n is odd }}{{ n is not divisibleby 7 }}{{ 2 in rows }}{{ 4 not in rows }}",
        "{{ (n ~ t)[1:] }}{{ range(3) | list | length }}{{ rows | map('string') | join }}{{ n | default(1) }}{{ none is none }}{{ true and false }}",
        "a {%- if n %} b {%- endif %}\n{# gone #}\nc\n",
    ] {
        let exact = exact(source).unwrap();
        assert!(!exact.contains(" + ") || exact.contains(COMPUTE), "{exact}");
        assert_eq!(render(&exact), render(source), "{exact}");
    }
}
