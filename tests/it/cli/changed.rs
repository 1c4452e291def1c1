//! Values that policies change instead of ending the run: seen wherever the run is looked at, and limited on request.

use crate::support::filegen::Filegen;

fn world(policies: &str) -> Filegen {
    let filegen = Filegen::empty();
    filegen.sql(
        "create table t(id integer primary key, name text, town text);
         insert into t values(1,'Ann','Rome'),(2,'Bartholomew','Łódź'),(3,'Constantina','Oslo'),(4,null,'Kraków €');
         create view v as select * from t;",
    );
    filegen.write(
        "worker.yaml",
        &format!(
            "worker: W\nsource: {{ url: \"sqlite:loans.db\", view: v, key: id, page_size: 2 }}\noutput: {{ root: out }}\nfiles:\n  \
             - id: A\n    name: \"a_{{date}}.txt\"\n    encoding: ISO-8859-1\n{policies}    translator: {{ fixed_width: {{ columns: \
             [{{ column: name, width: 5 }}, {{ column: town, width: 10 }}] }} }}\n"
        ),
    );
    filegen
}

const BOTH: &str = "    on_overflow: truncate\n    on_unmappable: replace\n";

#[test]
fn what_was_changed_is_seen_everywhere() {
    let filegen = world(BOTH);
    let done = filegen.publish();
    let told = "2 values cut, 3 characters replaced (name: 2 cut, first in the row with key 2; town: 3 replaced, first in the row with key 2)";
    assert!(done.stderr.contains(told), "a warning: {}", done.stderr);
    assert!(done.stdout.contains(told), "the closing table: {}", done.stdout);
    assert!(filegen.run("status -c worker.yaml").exits(0).stdout.contains(told));
    let manifest: serde_json::Value = serde_json::from_str(&filegen.read("out/W_20261121.manifest.json")).unwrap();
    let replaced = &manifest["files"][0]["replaced"];
    assert_eq!(replaced["columns"]["name"], serde_json::json!({ "unmappable": 0, "overflow": 2, "firstKey": "2" }));
    let args = "publish-completion -c worker.yaml --date 2026-11-21 --dry-run --output json";
    assert_eq!(&filegen.run(args).exits(0).json()["events"][0]["value"]["replaced"], replaced);
    filegen.run("verify -c worker.yaml --date 2026-11-21 --full").exits(0);
}

#[test]
fn beyond_max_the_run_ends() {
    for (policy, code) in [
        ("    on_overflow: { truncate: { max: 2 } }\n    on_unmappable: { replace: { max: 75% } }\n", 0),
        ("    on_overflow: { truncate: { max: 1 } }\n    on_unmappable: replace\n", 7),
        ("    on_overflow: truncate\n    on_unmappable: { replace: { max: 74% } }\n", 7),
    ] {
        let filegen = world(policy);
        let done = filegen.run("run -c worker.yaml --date 2026-11-21").exits(code);
        assert_eq!(filegen.has("out/a_20261121.txt"), code == 0);
        assert!(code == 0 || done.stderr.contains("raise `max`"), "{}", done.stderr);
        let shown = filegen.run("config show -c worker.yaml").exits(0).stdout;
        assert!(shown.contains("max"), "{shown}");
    }
    let done = world("    on_overflow: { truncate: { max: many } }\n").run("config check -c worker.yaml").exits(3);
    assert!(done.stderr.contains("a share of the rows"), "{}", done.stderr);
}
