//! Parameters: what a run is told, what it keeps, and what is refused.

use crate::support::filegen::Filegen;

const LOANS: &str = "create table loan(id integer primary key, opened date, region text);
    insert into loan values (1,'2026-11-19','EU'),(2,'2026-11-20','EU'),(3,'2026-11-21','US'),(4,'2026-11-22','EU');
    create view v as select * from loan;";

/// Two rows a page; `source` and `file` hold what the test is about.
fn world(source: &str, file: &str) -> Filegen {
    let filegen = Filegen::empty();
    filegen.sql(LOANS);
    let text = format!(
        "worker: W\nparams: {{ region: EU, since: {{ type: date }} }}\n\
         source: {{ url: \"sqlite:loans.db\", {source}, key: id, page_size: 2 }}\noutput: {{ root: out }}\ncommit: {{ pages: 1 }}\n\
         files:\n  - id: A\n    name: \"a_{{date}}.txt\"\n    progress_header: false\n{file}    \
         translator: {{ delimited: {{ delimiter: \"|\", columns: [id] }} }}\n"
    );
    filegen.write("worker.yaml", &text);
    filegen
}

const RUN: &str = "run -c worker.yaml --date 2026-11-21";

fn parameters(filegen: &Filegen) -> serde_json::Value {
    let manifest = filegen.read("out/W_20261121.manifest.json");
    serde_json::from_str::<serde_json::Value>(&manifest).unwrap()["parameters"].clone()
}

#[test]
fn where_and_query_compare_with_the_business_date() {
    for (source, file, ids) in [
        ("view: v", "    where: \"opened <= {date}\"\n", "1\n2\n3\n"),
        ("view: v", "    where: \"opened <= {previous_business_date} AND region = {region}\"\n", "1\n2\n"),
        ("query: \"SELECT id FROM loan WHERE opened <= {date}\"", "", "1\n2\n3\n"),
        ("query: \"WITH e AS (SELECT * FROM loan WHERE region = {region}) SELECT id FROM e\"", "", "1\n2\n4\n"),
    ] {
        let filegen = world(source, file);
        filegen.run(&format!("{RUN} --dry-run")).exits(0);
        filegen.run(RUN).exits(0);
        assert_eq!(filegen.read("out/a_20261121.txt"), ids, "{source} {file}");
        filegen.run("verify -c worker.yaml --date 2026-11-21 --full").exits(0);
        filegen.run("config check -c worker.yaml --source").exits(0);
    }
}

#[test]
fn a_run_keeps_the_parameters_that_it_was_given() {
    let filegen = world("view: v", "    where: \"opened >= {since} AND region = {region}\"\n");
    let missing = filegen.run(RUN).exits(3);
    assert!(missing.stderr.contains("--param since=VALUE"), "{}", missing.stderr);
    filegen.run(&format!("{RUN} --param since=2026-11-20 --param region=EU")).exits(0);
    assert_eq!(filegen.read("out/a_20261121.txt"), "2\n4\n");
    let expected = serde_json::json!({
        "region": { "type": "text", "value": "EU" },
        "since": { "type": "date", "value": "2026-11-20" },
    });
    assert_eq!(parameters(&filegen), expected);
    // The worker file may say otherwise by now: the run's own count.
    filegen.edit("region: EU", "region: US");
    filegen.run("verify -c worker.yaml --date 2026-11-21 --full").exits(0);
    let other = filegen.run(&format!("{RUN} --param since=2026-11-01"));
    assert!(other.stderr.contains("since = 2026-11-20"), "{}", other.stderr);
    assert_eq!(filegen.read("out/a_20261121.txt"), "2\n4\n");
}

#[test]
fn a_run_that_goes_on_has_the_parameters_that_it_began_with() {
    let filegen = world("query: \"SELECT id, region FROM loan WHERE opened >= {since}\"", "");
    filegen.sql("update loan set id = 'x' || id where false; insert into loan values (5, '2026-11-23', 'a|b'), (6, '2026-11-24', 'EU')");
    filegen.edit("columns: [id]", "columns: [id, region]");
    filegen.run(&format!("{RUN} --param since=2026-11-20")).exits(7);
    filegen.sql("update loan set region = 'US' where id = 5");
    filegen.edit("since: { type: date }", "since: { type: date, value: 2026-01-01 }");
    let other = filegen.run(&format!("{RUN} --param since=2026-11-19"));
    assert!(other.stderr.contains("since = 2026-11-20"), "{}", other.stderr);
    filegen.run(RUN).exits(0);
    assert_eq!(filegen.read("out/a_20261121.txt"), "2|EU\n3|US\n4|EU\n5|US\n6|EU\n");
    assert_eq!(parameters(&filegen)["since"]["value"], "2026-11-20");
}

#[test]
fn what_is_no_parameter_is_refused_before_anything_is_read() {
    for (source, file, told) in [
        ("view: v", "    where: \"opened <= '{date}'\"\n", "inside a string"),
        ("view: v", "    where: \"opened <= '{{ date }}'\"\n", "write `{date}`"),
        ("view: v", "    where: \"opened <= {dat}\"\n", "did you mean `{date}`?"),
        ("view: \"v_{date}\"", "", "cannot hold a parameter"),
        ("query: \"SELECT id FROM v;\"", "", "leave the `;` out"),
        ("query: \"SELECT id FROM v; SELECT 1\"", "", "more than one statement"),
        ("query: \"DELETE FROM loan\"", "", "changes data"),
        ("view: v, query: \"SELECT id FROM v\"", "", "from a view or from a query"),
        ("page_bytes: 1MiB", "", "`source.view` is missing"),
    ] {
        let done = world(source, file).run("config check -c worker.yaml").exits(3);
        assert!(done.stderr.contains(told), "{source} {file}: {}", done.stderr);
    }
    let filegen = world("view: v", "    where: \"opened >= {since}\"\n");
    for (param, told) in [
        ("since=yesterday", "a day as 2026-11-21"),
        ("sinc=2026-11-20", "no parameter `sinc`"),
        ("since", "NAME=VALUE"),
        ("since=2026-11-20 --param since=2026-11-20", "given twice"),
    ] {
        let done = filegen.run(&format!("{RUN} --param {param}")).exits(2);
        assert!(done.stderr.contains(told), "{param}: {}", done.stderr);
    }
    assert!(!filegen.has("out"));
}

const OF_A_REGION: &str = "    where: \"region = {region}\"\n";

/// `run` with further arguments, ended as if by SIGKILL at a point.
#[track_caller]
fn killed(filegen: &Filegen, args: &str, point: &str) {
    let died = Filegen::finish(filegen.command(&format!("{RUN} {args}")).env("FAILPOINTS", format!("{point}=return")));
    assert_eq!(died.code, None, "{point}: {}", died.stderr);
}

/// The statuses of all runs in the state store.
fn statuses(filegen: &Filegen) -> Vec<String> {
    let state = rusqlite::Connection::open(filegen.path("out/.filegen/state.db")).unwrap();
    let mut runs = state.prepare("SELECT status FROM runs").unwrap();
    runs.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

#[test]
fn a_value_that_would_change_nothing_is_refused() {
    let filegen = world("view: v", "    where: \"region = 'EU'\"\n");
    let refused = filegen.run(&format!("{RUN} --param region=US")).exits(2);
    assert!(refused.stderr.contains("no SQL of the worker file names `{region}`"), "{}", refused.stderr);
    assert!(!filegen.has("out"));
    filegen.run(RUN).exits(0);
    filegen.edit("region = 'EU'", "region = {region}");
    let other = filegen.run(&format!("{RUN} --param region=US"));
    assert!(other.code != Some(0) && other.stderr.contains("has no parameters"), "{}", other.stderr);
}

#[test]
fn a_code_with_leading_zeros_is_text() {
    for (file, args, ids) in
        [("007", "", "5\n"), ("007", "--param region=012", "6\n"), ("'7'", "--param region=007", "5\n")]
    {
        let filegen = world("view: v", OF_A_REGION);
        filegen.sql("insert into loan values (5, '2026-11-23', '007'), (6, '2026-11-23', '012')");
        filegen.edit("region: EU", &format!("region: {file}"));
        filegen.run(&format!("{RUN} {args}")).exits(0);
        assert_eq!(filegen.read("out/a_20261121.txt"), ids, "{file} {args}");
    }
    let filegen = world("view: v", OF_A_REGION);
    filegen.edit("region: EU", "region: 7");
    let refused = filegen.run(&format!("{RUN} --param region=012")).exits(2);
    assert!(
        refused.stderr.contains("no leading zero") && refused.stderr.contains("`type: text`"),
        "{}",
        refused.stderr
    );
}

#[test]
fn whoever_makes_a_run_makes_it_with_the_values_that_it_was_given() {
    for point in ["params.kept", "staging.created", "staging.durable"] {
        let filegen = world("view: v", OF_A_REGION);
        killed(&filegen, "--param region=US", point);
        if point == "staging.durable" {
            // As a holder leaves it whose pages did not count.
            filegen.write("out/.filegen/W/20261121/t00000001/journal", "");
        }
        filegen.run(RUN).exits(0);
        assert_eq!(filegen.read("out/a_20261121.txt"), "3\n", "{point}");
        assert_eq!(parameters(&filegen)["region"]["value"], "US", "{point}");
    }
    let away = world("view: v", OF_A_REGION);
    std::fs::rename(away.path("loans.db"), away.path("away.db")).unwrap();
    let failed = away.run(&format!("{RUN} --param region=US"));
    assert!(failed.code.is_some_and(|code| code != 0), "{}", failed.stderr);
    std::fs::rename(away.path("away.db"), away.path("loans.db")).unwrap();
    away.run(RUN).exits(0);
    assert_eq!(away.read("out/a_20261121.txt"), "3\n");
}

#[test]
fn a_run_is_not_wanted_before_its_values_are_kept() {
    let filegen = world("view: v", OF_A_REGION);
    killed(&filegen, "--param region=US", "fence.buried");
    assert!(statuses(&filegen).is_empty());
}

#[test]
fn a_restart_with_other_values_stays_one_when_it_is_killed() {
    for point in ["params.kept", "staging.created", "staging.durable"] {
        let filegen = world("view: v", OF_A_REGION);
        killed(&filegen, "", "journal.synced");
        killed(&filegen, "--restart --param region=US", point);
        filegen.run(RUN).exits(0);
        assert_eq!(filegen.read("out/a_20261121.txt"), "3\n", "{point}");
    }
    // And a restart without values has those of the worker file.
    let filegen = world("view: v", OF_A_REGION);
    killed(&filegen, "--param region=US", "journal.synced");
    killed(&filegen, "--restart", "params.kept");
    filegen.run(&format!("{RUN} --restart")).exits(0);
    assert_eq!(filegen.read("out/a_20261121.txt"), "1\n2\n4\n");
}

#[test]
fn a_refused_value_leaves_an_interrupted_run_as_it_is() {
    for given in ["", "--param region=EU"] {
        let filegen = world("view: v", OF_A_REGION);
        killed(&filegen, given, "journal.synced");
        let before = statuses(&filegen);
        let refused = filegen.run(&format!("{RUN} --param region=US"));
        assert!(refused.code.is_some_and(|code| code != 0), "{}", refused.stderr);
        assert!(refused.stderr.contains("region = US was given"), "{}", refused.stderr);
        assert_eq!(statuses(&filegen), before, "{given}");
        filegen.run(RUN).exits(0);
        assert_eq!(filegen.read("out/a_20261121.txt"), "1\n2\n4\n", "{given}");
    }
}

#[test]
fn a_query_with_two_columns_of_one_name_is_refused() {
    for query in ["SELECT id, region, 5 AS Region FROM loan", "SELECT a.*, b.* FROM loan a JOIN loan b ON b.id = a.id"]
    {
        let filegen = world(&format!("query: \"{query}\""), "");
        let done = filegen.run(RUN).exits(3);
        assert!(done.stderr.contains("two columns of the name"), "{query}: {}", done.stderr);
    }
}
