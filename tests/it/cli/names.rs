//! Names without a date, records without line ends, and marks as people write them.

use crate::support::filegen::Filegen;

fn world(file: &str) -> Filegen {
    let filegen = Filegen::empty();
    filegen.sql(
        "create table t(id integer primary key, amt decimal(10,2), s text);
         insert into t values(1,150.5,'ab'),(2,-2.25,'é');
         create view v as select * from t;",
    );
    filegen.write(
        "worker.yaml",
        &format!(
            "worker: W\nsource: {{ url: \"sqlite:loans.db\", view: v, key: id }}\noutput: {{ root: out }}\nfiles:\n  - id: A\n    \
             progress_header: false\n{file}"
        ),
    );
    filegen
}

const DELIMITED: &str = "    translator: { delimited: { delimiter: MARK, columns: [id, amt] } }\n";

#[test]
fn marks_mean_what_people_mean() {
    for (newline, delimiter, text) in [
        ("\\r\\n", "'\\t'", "1\t150.50\r\n2\t-2.25\r\n"),
        ("CR", "tab", "1\t150.50\r2\t-2.25\r"),
        ("crlf", "U+001F", "1\u{1f}150.50\r\n2\u{1f}-2.25\r\n"),
        ("\"\\\\n\"", "\"\\\\x1f\"", "1\u{1f}150.50\n2\u{1f}-2.25\n"),
    ] {
        let file = DELIMITED.replace("MARK", delimiter);
        let filegen = world(&format!("    name: \"a_{{date}}.txt\"\n    newline: {newline}\n{file}"));
        filegen.publish();
        assert_eq!(filegen.read("out/a_20261121.txt"), text, "{newline} {delimiter}");
        filegen.run("verify -c worker.yaml --date 2026-11-21 --full").exits(0);
    }
    let filegen =
        world(&format!("    name: \"a_{{date}}.txt\"\n    newline: EOL\n{}", DELIMITED.replace("MARK", "\\q")));
    let done = filegen.run("config check -c worker.yaml").exits(3);
    assert!(done.stderr.contains("`lf`, `crlf`") && done.stderr.contains("`\\q` is no escape"), "{}", done.stderr);
}

#[test]
fn records_without_line_ends_are_told_apart_by_their_length() {
    let fixed = "    translator: { fixed_width: { columns: [{ column: id, width: 3, align: right, pad: \"0\" }, { column: s, width: 4 }, \
                 { literal: \"|\" }] } }\n";
    let filegen = world(&format!(
        "    name: \"a_{{date}}.txt\"\n    newline: none\n    last_record: \"T{{{{ rows | pad(7, '0') }}}}\"\n{fixed}"
    ));
    filegen.publish();
    assert_eq!(filegen.read("out/a_20261121.txt"), "001ab  |002é  |T0000002");
    let json = filegen.run("verify -c worker.yaml --date 2026-11-21 --full --output json").exits(0).json();
    assert_eq!(json["files"][0]["records"], 2);
    filegen.edit("pad(7", "pad(6");
    let done = filegen.run("run -c worker.yaml --date 2026-11-22").exits(7);
    assert!(done.stderr.contains("7 bytes where each record has 8"), "{}", done.stderr);
    let file = DELIMITED.replace("MARK", "\"|\"");
    let done = world(&format!("    name: \"a_{{date}}.txt\"\n    newline: none\n{file}"))
        .run("config check -c worker.yaml")
        .exits(3);
    assert!(done.stderr.contains("fixed width"), "{}", done.stderr);
}

#[test]
fn a_name_without_a_date_waits_for_its_receiver() {
    let file = DELIMITED.replace("MARK", "\"|\"");
    let filegen = world(&format!("    name: LOANS.DAT\n{file}"));
    filegen.publish();
    filegen.publish();
    let done = filegen.run("run -c worker.yaml --date 2026-11-22").exits(1);
    assert!(done.stderr.contains("LOANS.DAT") && done.stderr.contains("daily_folder"), "{}", done.stderr);
    assert!(!filegen.has("out/W_20261122.manifest.json"));
    std::fs::rename(filegen.path("out/LOANS.DAT"), filegen.path("taken")).unwrap();
    filegen.run("run -c worker.yaml --date 2026-11-22").exits(0);
    assert_eq!(filegen.read("out/LOANS.DAT"), filegen.read("taken"));
    filegen.edit("name: LOANS.DAT", "name: LOANS.DAT\n    overwrite: daily_folder");
    for date in ["2026-11-23", "2026-11-24"] {
        filegen.run(&format!("run -c worker.yaml --date {date}")).exits(0);
        filegen.run(&format!("verify -c worker.yaml --date {date} --full")).exits(0);
    }
    assert_eq!(filegen.read("out/20261123/LOANS.DAT"), filegen.read("out/20261124/LOANS.DAT"));
}
