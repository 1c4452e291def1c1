//! The rules of the house, as tests. A rule that fails says the file, the line and what to do.

mod circles;
mod code;
mod planted;
mod ports;
mod source;

use crate::support::containers;
use source::{root, rust_files};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// Longest file, in lines.
const FILE_LINES: usize = 400;

/// Longest function, in lines.
const FUNCTION_LINES: usize = 70;

/// Longest test, in lines: it may hold a table of values.
const TEST_LINES: usize = 100;

/// Outside crates that only some modules may name, and why.
const PLACES: [(&[&str], &[&str], &str); 5] = [
    (
        &["rusqlite", "tokio_postgres", "rdkafka", "mongodb", "tds_protocol", "async_nats", "redis"],
        &["adapters"],
        "client crates are named in src/adapters only: put what you need behind a port",
    ),
    (&["rustix"], &["adapters", "files"], "system calls are made in src/adapters and src/files only"),
    (&["axum"], &["http"], "only src/http knows the web framework: give it values to show"),
    (&["opentelemetry_proto", "prost"], &["adapters"], "OTLP's messages are named in src/adapters only"),
    (&["hyper", "hyper_util"], &["http", "adapters::http", "adapters::s3"], "only these modules speak HTTP"),
];

/// What every flow shares in the core.
const SHARED: &[&str] = &[
    "core::model",
    "core::ports",
    "core::failpoints",
    "core::kind",
    "core::backoff",
    "core::health",
    "core::election",
    "core::outbox",
    "core::inlet",
    "core::doctor",
];

/// Who may import from where, besides itself: the first layer that a file lies in decides. `crate` itself is what `lib.rs`
/// gives to all. A flow names no other flow, and what flows share names none.
const LAYERS: [(&str, &[&str]); 16] = [
    ("files", &[]),
    ("core::model", &["core::kind", "core::failpoints"]),
    ("core::failpoints", &[]),
    ("core::ports", &["core::model", "core::kind", "core::failpoints"]),
    ("core::generate", SHARED),
    ("core::ingest", SHARED),
    ("core::transfer", SHARED),
    ("core::schedule", SHARED),
    ("core", SHARED),
    ("adapters", &["core::model", "core::ports", "core::failpoints", "core::kind", "core::backoff", "files"]),
    (
        "config",
        &[
            "core::model",
            "core::kind",
            "core::generate::model",
            "core::generate::spec",
            "core::generate::translate",
            "core::ingest::spec",
            "core::ingest::convert",
            "core::transfer::naming",
            "core::transfer::spec",
            "core::transfer::steps",
            "core::schedule::cron",
            "core::schedule::roots",
            "core::schedule::spec",
            "Registry",
            "files",
        ],
    ),
    ("telemetry", &["core"]),
    ("http", &["core", "telemetry"]),
    ("wiring", &["core", "adapters", "config", "files"]),
    ("daemon", &["core", "config", "telemetry", "wiring", "http", "Registry"]),
    ("commands", &["core", "config", "telemetry", "wiring", "http", "daemon", "Registry", "files"]),
];

#[test]
fn every_port_has_an_adapter_in_memory() {
    let (ports, there) = (ports::all(), ports::in_memory());
    let without: BTreeSet<String> = ports::WITHOUT.iter().map(|(port, _)| (*port).to_owned()).collect();
    assert!(without.is_subset(&ports) && ports.len() > 10, "the ports are not found: {ports:?}");
    let findings: Vec<_> = ports.difference(&without).filter(|port| !there.contains(*port)).cloned().collect();
    hold("src/adapters/memory has a real adapter of every trait in src/core/ports", &findings);
    let findings: Vec<_> = without.intersection(&there).cloned().collect();
    hold("what tests/it/tidy/ports.rs lists as without one has none", &findings);
}

/// Fails with all findings at once.
fn hold(rule: &str, findings: &[String]) {
    assert!(findings.is_empty(), "{rule}\n  {}\n", findings.join("\n  "));
}

/// Does a path lie in a layer?
fn within(path: &str, layer: &str) -> bool {
    path.strip_prefix(layer).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

#[test]
fn imports_go_one_way() {
    let mut findings = Vec::new();
    for file in rust_files(&["src", "commands"]) {
        let module = file.module();
        let Some((layer, allowed)) = LAYERS.iter().find(|(layer, _)| within(&module, layer)) else { continue };
        for (line, path) in file.imports() {
            if !allowed.iter().chain([layer]).any(|other| within(&path, other)) {
                findings.push(format!("{}:{line}: `{layer}` may not use `crate::{path}`", file.name));
            }
        }
    }
    hold("imports go commands -> core -> ports -> model, adapters -> ports, model; no flow names another", &findings);
}

#[test]
fn imports_go_in_no_circle() {
    let found = circles::circles(&circles::imports(&rust_files(&["src", "commands"])));
    let findings: Vec<_> =
        found.iter().map(|circle| circle.iter().map(String::as_str).collect::<Vec<_>>().join(" <-> ")).collect();
    hold("no modules import each other in a circle: move what both need to a third", &findings);
}

#[test]
fn outside_crates_have_their_place() {
    let mut findings = Vec::new();
    for file in rust_files(&["src", "commands"]) {
        for (line, path) in &file.code.paths {
            let named = path.split("::").next().unwrap_or_default();
            for (_, places, _) in PLACES.iter().filter(|(crates, ..)| crates.contains(&named)) {
                if !places.iter().any(|place| within(&file.module(), place)) {
                    findings.push(format!("{}:{line}: names `{named}`", file.name));
                }
            }
        }
    }
    findings.dedup();
    let rules: Vec<_> = PLACES.iter().map(|(crates, _, rule)| format!("{}: {rule}", crates.join(", "))).collect();
    hold(&rules.join("\n"), &findings);
}

#[test]
fn only_one_place_opens_files() {
    /// An open file is a value that may be handed on.
    const VALUES: [&str; 3] = ["std::fs", "std::fs::File", "std::fs::Metadata"];
    /// What a handle opens, or a path by itself.
    const OPENS: [&str; 8] = [
        "rustix::fs::open",
        "rustix::fs::openat",
        "rustix::fs::openat2",
        "File::open",
        "File::create",
        "File::create_new",
        "File::options",
        "OpenOptions::new",
    ];
    let mut findings = Vec::new();
    for file in rust_files(&["src", "commands"]).into_iter().filter(|file| !within(&file.module(), "files")) {
        for (line, path) in file.outside_tests(&file.code.paths) {
            let system = ["std::fs", "tokio::fs", "fs"].iter().any(|module| within(path, module));
            if (system && !VALUES.contains(&path.as_str())) || OPENS.iter().any(|open| path.ends_with(open)) {
                findings.push(format!("{}:{line}: `{path}`", file.name));
            }
        }
    }
    hold(
        "src/files opens what lies on this host, and nobody else: it waits for no pipe, follows no link below an output root, and \
         reads no more than was agreed on",
        &findings,
    );
}

#[test]
fn every_file_opens_with_what_it_is() {
    let files = rust_files(&source::EVERYWHERE);
    let findings: Vec<_> =
        files.iter().filter(|file| !file.text.starts_with("//! ")).map(|file| file.name.clone()).collect();
    hold("a file's first line is `//! What it is.`", &findings);
}

#[test]
fn files_stay_short() {
    let findings: Vec<_> = rust_files(&source::EVERYWHERE)
        .iter()
        .filter(|file| file.text.lines().count() > FILE_LINES)
        .map(|file| format!("{}: {} lines", file.name, file.text.lines().count()))
        .collect();
    hold(&format!("a file has at most {FILE_LINES} lines: split it by step"), &findings);
}

#[test]
fn functions_stay_short() {
    let mut findings = Vec::new();
    for file in rust_files(&source::EVERYWHERE) {
        let most = if file.is_test() { TEST_LINES } else { FUNCTION_LINES };
        for function in file.code.functions.iter().filter(|function| function.lines > most) {
            findings.push(format!("{}:{}: `{}` has {} lines", file.name, function.line, function.name, function.lines));
        }
    }
    hold(&format!("a function has at most {FUNCTION_LINES} lines, a test {TEST_LINES}: split it by step"), &findings);
}

#[test]
fn nothing_from_outside_can_panic() {
    const PANICS: [&str; 6] = ["unwrap", "expect", "panic!", "unreachable!", "todo!", "unimplemented!"];
    let mut findings = Vec::new();
    for file in rust_files(&["src", "commands"]) {
        for (line, _) in file.outside_tests(&file.code.calls).filter(|(_, call)| PANICS.contains(&call.as_str())) {
            let reason = file.line(line).contains("// ") || file.line(line - 1).trim_start().starts_with("// ");
            if !reason {
                findings.push(format!("{}:{line}: {}", file.name, file.line(line).trim()));
            }
        }
    }
    hold("no unwrap, expect or panic outside tests, unless a comment beside it says why it cannot happen", &findings);
}

#[test]
fn no_test_is_skipped_or_sleeps() {
    /// The system's clock: whether it sleeps is what its test is for.
    const SLEEPS_ITSELF: &str = "src/adapters/system_clock.rs";
    const SLEEPS: [&str; 4] = ["sleep", "sleep_until", "sleep_ms", "park_timeout"];
    let mut findings = Vec::new();
    for file in rust_files(&["src", "commands", "tests"]) {
        let skipped = file.code.marks.iter().filter(|(_, mark)| mark.starts_with("ignore"));
        findings.extend(skipped.map(|(line, _)| format!("{}:{line}: a test is ignored", file.name)));
        // Waiting for a condition is one place's work; and on a clock that stands still, a sleep moves it.
        if file.name.starts_with("tests/it/support/") || file.name == SLEEPS_ITSELF || stands_still(file) {
            continue;
        }
        let calls = file.code.calls.iter().filter(|(line, _)| file.is_test_at(*line));
        for (line, _) in calls.filter(|(_, call)| SLEEPS.contains(&call.as_str())) {
            findings.push(format!("{}:{line}: {}", file.name, file.line(*line).trim()));
        }
    }
    hold(
        "no test is ignored, and none sleeps: wait for a condition with tests/it/support, or move a clock that stands still",
        &findings,
    );
}

/// Do all tests that this one belongs to have a paused clock?
fn stands_still(file: &source::File) -> bool {
    let room = file.name.find("/tests").map_or(file.name.trim_end_matches(".rs"), |end| &file.name[..end]);
    let room = if file.name.starts_with("tests/simulation/") { "tests/simulation/" } else { room };
    let files = rust_files(&["src", "tests"]);
    let files = files.iter().filter(|file| file.name.starts_with(room));
    let runtimes: Vec<bool> = files
        .flat_map(|file| {
            let tests = file.code.marks.iter().filter(|(_, mark)| mark.starts_with("tokio::test"));
            let built = file.code.calls.iter().filter(|(_, call)| call == "start_paused").map(|_| true);
            tests.map(|(_, mark)| mark.contains("start_paused = true")).chain(built)
        })
        .collect();
    !runtimes.is_empty() && runtimes.into_iter().all(|paused| paused)
}

#[test]
fn every_file_is_part_of_the_build() {
    for (start, folders) in [
        ("tests/it/main.rs", &["tests/it"][..]),
        ("tests/simulation/main.rs", &["tests/simulation"]),
        ("src/lib.rs", &["src", "commands"]),
    ] {
        let reached = source::reachable(start);
        let findings: Vec<_> = rust_files(folders)
            .iter()
            .map(|file| file.name.clone())
            .filter(|name| !reached.contains(name) && name != "commands/main.rs")
            .collect();
        hold(&format!("every file is reached by `mod` lines from {start}"), &findings);
    }
}

/// A name of a metric: those with a flow's or the program's own prefix, and those that others' tools know.
fn is_metric(text: &str) -> bool {
    const FIRST: &str = "bytes_written_total datasource_events_total db_latency_seconds dlq_count_total events_produced_total files_completed_total files_discovered_total files_processed_total files_waiting http_latency_seconds \
        http_requests_total lease_renewals_total messages_processed_total pages_per_second rows_per_second time_to_completion_seconds";
    let own = ["filegen_", "ingest_", "transfer_", "schedule_"].iter().any(|prefix| text.starts_with(prefix));
    FIRST.split(' ').any(|name| name == text) || own && text.chars().all(|c| c.is_ascii_lowercase() || c == '_')
}

#[test]
fn each_metric_is_declared_once_and_stands_in_the_docs() {
    let mut said: BTreeMap<&str, usize> = BTreeMap::new();
    for file in rust_files(&["src", "commands"]) {
        for (_, text) in file.outside_tests(&file.code.texts).filter(|(_, text)| is_metric(text)) {
            *said.entry(text).or_default() += 1;
        }
    }
    let docs = ["README.md", "docs/metrics.md", "docs/runbook.md", "docs/guarantees.md"];
    let docs: String = docs.iter().map(|name| fs::read_to_string(root().join(name)).unwrap()).collect();
    let missing = said.keys().filter(|name| !docs.contains(&format!("`{name}`"))).map(|name| (*name).to_owned());
    hold("each metric stands in docs/metrics.md", &missing.collect::<Vec<_>>());
    let again = said.iter().filter(|(_, count)| **count > 1).map(|(name, count)| format!("{name}: {count} texts"));
    hold("a metric's name is a text at one place, where it is declared", &again.collect::<Vec<_>>());
}

#[test]
fn the_readme_lists_the_commands_there_are() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let table = readme.lines().skip_while(|line| !line.starts_with("| command ")).skip(2);
    let listed: BTreeSet<String> = table
        .take_while(|line| line.starts_with('|'))
        .filter_map(|line| line.split('`').nth(1))
        .map(|text| text.split([' ', '[']).next().unwrap_or_default().to_owned())
        .collect();
    let tree = filegen::commands::cli::tree();
    let real: BTreeSet<String> = tree.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    assert_eq!(listed, real, "the command table in README.md and `filegen --help` differ");
}

#[test]
fn every_kind_of_file_is_complete() {
    let schema = filegen::config::schema(&filegen::Registry::default()).to_string();
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let mut findings = Vec::new();
    for (key, example) in filegen::config::kinds() {
        if let Err(error) = filegen::config::parse(example, "example.yaml".as_ref(), &(), &filegen::Registry::default())
        {
            findings.push(format!("`{key}`: its example does not parse: {error}"));
        }
        if !schema.contains(&format!("\"{key}\":")) {
            findings.push(format!("`{key}`: `config schema` does not have it"));
        }
        if !readme.contains(&format!("{key}:")) {
            findings.push(format!("`{key}`: README.md does not show it"));
        }
    }
    hold("each kind of file has a grammar, an example, a schema and a place in the docs", &findings);
}

#[test]
fn tests_and_compose_start_the_same_images() {
    let compose = fs::read_to_string(root().join("deploy/compose.yaml")).unwrap();
    let findings: Vec<_> = [containers::MONGODB, containers::KAFKA, containers::SQLSERVER]
        .map(|(name, tag)| format!("image: {name}:{tag}"))
        .into_iter()
        .filter(|image| !compose.lines().any(|line| line.trim() == image))
        .collect();
    hold("deploy/compose.yaml has the images of tests/it/support/containers.rs", &findings);
}

#[test]
fn every_dependency_says_why_it_is_there() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let mut findings = Vec::new();
    let (mut wanted, mut reason) = (false, false);
    for line in manifest.lines() {
        match line {
            _ if line.starts_with('[') => (wanted, reason) = (line == "[dependencies]", false),
            // One reason covers the lines below it, up to the next.
            _ if line.starts_with('#') => reason = true,
            "" => reason = false,
            _ if wanted && !reason => findings.push(line.to_owned()),
            _ => {}
        }
    }
    hold("a line above each dependency in Cargo.toml gives its reason", &findings);
}

/// The files that write to a stream of this process, each through `core::model::shown`. A parent process reads no text for people.
const OUTLETS: [&str; 6] = [
    "commands/ui/mod.rs",
    "commands/ui/ingest.rs",
    "commands/ui/progress.rs",
    "commands/ui/transfer.rs",
    "commands/report.rs",
    "src/telemetry/log.rs",
];
const TO_A_PARENT: &str = "src/adapters/drill/parent_hook.rs";

#[test]
fn text_goes_out_through_one_function() {
    let mut findings = Vec::new();
    for file in rust_files(&["src", "commands"]) {
        let writes =
            ["stdout()", "stderr()", "print!(", "println!(", "dbg!("].iter().any(|call| file.text.contains(call));
        let is_outlet = OUTLETS.contains(&file.name.as_str());
        // A line that is added by `ui::line` is one line, whatever stands in it.
        let writes = writes || file.name.starts_with("commands/") && file.text.contains("writeln!(text");
        if writes && !is_outlet && file.name != TO_A_PARENT && !file.is_test() {
            findings.push(format!("{}: prints by itself", file.name));
        }
        if is_outlet && !file.text.contains("shown::") && !file.text.contains("json::line") {
            findings.push(format!("{}: prints what did not go through core::model::shown", file.name));
        }
    }
    hold("text from outside is printed by commands/ui and telemetry/log alone, through core::model::shown", &findings);
}
