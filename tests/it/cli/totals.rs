//! Control totals: of the values as the file writes them, in the first record, the last one and the manifest alike.

use crate::support::filegen::Filegen;
use serde_json::Value;

/// One file of a view `v` with the key `id`, of two rows a page.
fn world(sql: &str, file: &str) -> Filegen {
    let filegen = Filegen::empty();
    filegen.sql(sql);
    filegen.write(
        "worker.yaml",
        &format!(
            "worker: W\nsource: {{ url: \"sqlite:loans.db\", view: v, key: id, page_size: 2 }}\noutput: {{ root: out }}\n\
             files:\n  - id: A\n    name: \"a_{{date}}.txt\"\n    progress_header: false\n{file}"
        ),
    );
    filegen
}

/// What the file holds, after a run that `verify` finds nothing wrong with.
#[track_caller]
fn made(filegen: &Filegen) -> String {
    filegen.publish();
    filegen.run("verify -c worker.yaml --date 2026-11-21 --full").exits(0);
    filegen.read("out/a_20261121.txt")
}

fn totals(filegen: &Filegen) -> Value {
    let manifest: Value = serde_json::from_str(&filegen.read("out/W_20261121.manifest.json")).unwrap();
    manifest["files"][0]["controlTotals"].clone()
}

const HALVES: &str = "create table t(id integer primary key, amt decimal(12,3));
    insert into t values (1,0.005),(2,0.010),(3,0.015),(4,0.020),(5,0.025);
    create view v as select * from t;";

const RECORDS: &str =
    "    first_record: \"H|{{ rows }}|{{ sum.amt }}\"\n    last_record: \"T|{{ sum.amt }}|{{ source_sum.amt }}\"\n";

#[test]
fn a_total_is_of_the_rounded_values_in_both_records() {
    for translator in [
        "delimited: { delimiter: \"|\", columns: [id, { column: amt, format: \"0.00\" }] }",
        "template: { record: \"{{ id }}|{{ amt | number('0.00') }}\", columns: [id, amt] }",
    ] {
        let filegen = world(HALVES, &format!("{RECORDS}    translator: {{ {translator} }}\n"));
        let text = "H|5|0.09\n1|0.01\n2|0.01\n3|0.02\n4|0.02\n5|0.03\nT|0.09|0.075\n";
        assert_eq!(made(&filegen), text, "{translator}");
        assert_eq!(totals(&filegen), serde_json::json!({ "amt": "0.09", "source_sum.amt": "0.075" }));
    }
}

#[test]
fn what_stands_for_null_and_an_implied_point_count() {
    let sql = "create table t(id integer primary key, amt decimal(12,2), ok boolean);
        insert into t values (1,12.5,1),(2,null,0),(3,-0.25,1),(4,1,null);
        create view v as select * from t;";
    let file = "    last_record: \"{{ sum.amt | number('000000V99') }} {{ sum.ok | pad(3, '0') }} {{ source_sum.amt }}\"\n    \
                translator: { fixed_width: { columns: [{ column: amt, format: \"00000V99\", null: \"0000150\", width: 8, \
                align: right, pad: \"0\" }, { column: ok, format: \"Y/N\", null: \"Y\", width: 1 }] } }\n";
    let filegen = world(sql, file);
    assert_eq!(made(&filegen), "00001250Y\n00000150N\n-0000025Y\n00000100Y\n00001475 003 13.25\n");
}

#[test]
fn an_empty_views_totals_keep_their_scale() {
    let sql = "create table t(id integer primary key, amt decimal(12,2));
        create view v as select id, amt, amt * 2 as twice from t;";
    let file = "    first_record: \"H|{{ rows }}|{{ sum.amt }}\"\n    last_record: \"T|{{ sum.amt }}|{{ sum.id }}|{{ sum.twice }}\"\n    \
                translator: { delimited: { delimiter: \"|\", columns: [id, { column: twice, format: \"0.000\" }] } }\n";
    let filegen = world(sql, file);
    assert_eq!(made(&filegen), "H|0|0.00\nT|0.00|0|0.000\n");
    assert_eq!(totals(&filegen), serde_json::json!({ "amt": "0.00", "id": "0", "twice": "0.000" }));
    let where_none = filegen.read("worker.yaml").replace("    first_record", "    where: \"id > 9\"\n    first_record");
    filegen.write("worker.yaml", &where_none);
    filegen.sql("insert into t values (1, 5)");
    filegen.run("run -c worker.yaml --date 2026-11-22").exits(0);
    assert_eq!(filegen.read("out/a_20261122.txt"), "H|0|0.00\nT|0.00|0|0.000\n");
    filegen.sql("delete from t");
    filegen.edit("root: out", "root: none, when_empty: skip");
    filegen.run("run -c worker.yaml --date 2026-11-23").exits(0);
    filegen.run("verify -c worker.yaml --date 2026-11-23 --full").exits(0);
}

#[test]
fn what_cannot_be_told_or_added_up_is_refused_before_the_run() {
    let translator = |columns: &str| format!("{RECORDS}    translator: {{ {columns} }}\n");
    for (translator, told) in [
        ("delimited: { delimiter: \"|\", columns: [amt, { column: amt, name: b, format: \"0\" }] }", "two forms"),
        ("template: { record: \"{{ amt * 2 }}\", columns: [amt] }", "`source_sum.amt`"),
    ]
    .map(|(columns, told)| (translator(columns), told))
    {
        let done = world(HALVES, &translator).run("config check -c worker.yaml").exits(3);
        assert!(done.stderr.contains(told) && done.stderr.contains("worker.yaml:8:"), "{}", done.stderr);
    }
    let sql = "create table t(id integer primary key, amt date, at text); create view v as select * from t;";
    let filegen = world(sql, &translator("delimited: { delimiter: \"|\", columns: [id] }"));
    filegen.run("config check -c worker.yaml").exits(0);
    let done = filegen.run("config check -c worker.yaml --source").exits(3);
    assert!(done.stderr.contains("the column is date"), "{}", done.stderr);
}
