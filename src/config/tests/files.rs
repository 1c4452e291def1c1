//! Worker files that cannot be read, and where relative paths start.

use super::*;
use std::fs;

fn refused(path: &Path) -> Problem {
    let mut error = load(path, &(), &Registry::default()).unwrap_err();
    assert_eq!(error.problems.len(), 1, "{error}");
    error.problems.remove(0)
}

#[test]
fn each_file_that_is_no_worker_file_has_its_own_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("worker.yaml");
    assert_eq!(refused(&path).code, "missing-file");
    assert_eq!(refused(folder.path()).code, "directory");
    assert_eq!(refused(&path.join("below")).code, "missing-file");
    for (bytes, code, place) in [
        (&b""[..], "empty-file", None),
        (b"# nothing but a comment\n", "empty-file", None),
        (b"\xEF\xBB\xBF", "empty-file", None),
        (b"~", "empty-file", None),
        (b"worker: a\n  caf\xE9: b", "not-utf8", Some((2, 6))),
        (b"\xFF\xFEw\0", "not-utf8", Some((1, 1))),
        (b"worker: a\n---\nworker: b\n", "several-documents", Some((2, 1))),
        (b"worker: [a\nb: c\n", "yaml", Some((2, 2))),
        (b"- worker: a\n", "wrong-type", Some((1, 3))),
        (b"worker", "impossible-value", Some((1, 1))),
    ] {
        fs::write(&path, bytes).unwrap();
        let problem = refused(&path);
        let at = problem.place.map(|place| (place.line, place.column));
        assert_eq!((problem.code, at), (code, place), "{problem:?}");
    }
    fs::write(&path, vec![b'#'; 9 << 20]).unwrap();
    assert_eq!(refused(&path).code, "too-large");
}

#[test]
fn a_name_that_stands_twice_is_told_with_both_lines() {
    let text = DESIGN.replace("  view: v_LoanData", "  view: v_LoanData\n  \"view\": v_Other");
    let error = parsed(&text, &[]).unwrap_err();
    let [problem] = error.problems.as_slice() else { panic!("{error}") };
    assert_eq!((problem.code, problem.place.unwrap().line), ("duplicate-field", 5));
    assert!(problem.message.contains("line 4"), "{problem:?}");
}

#[test]
fn paths_start_in_the_worker_files_folder_wherever_the_command_runs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("worker.yaml");
    fs::write(&path, DESIGN).unwrap();
    let loaded = load(&path, &(), &Registry::default()).unwrap();
    assert_eq!(loaded.flow.worker().unwrap().output.root, folder.path().join("out"));
    let url = format!("sqlite:{}/loans.db", folder.path().display());
    assert_eq!(loaded.flow.worker().unwrap().source.url.reveal(), url);
    // A path without a folder is the current folder's.
    let here = parse(DESIGN, Path::new("worker.yaml"), &(), &Registry::default()).unwrap();
    assert_eq!(here.flow.worker().unwrap().output.root, std::env::current_dir().unwrap().join("out"));
}

#[test]
fn the_environment_stands_in_for_fields_that_are_left_out() {
    let text = DESIGN
        .lines()
        .filter(|line| {
            !["  url:", "output:", "  root:", "state:", "trigger:", "completion:"]
                .iter()
                .any(|start| line.starts_with(start))
        })
        .collect::<Vec<_>>()
        .join("\n");
    let error = parsed(&text, &[]).unwrap_err().to_string();
    assert!(error.contains("SQL_CONNECTION_STRING") && error.contains("OUTPUT_ROOT_PATH"), "{error}");
    let all = [
        ("SQL_CONNECTION_STRING", "Server=db;Database=x"),
        ("OUTPUT_ROOT_PATH", "data"),
        ("MONGO_CONNECTION_STRING", "mongodb://m/filegen"),
        ("KAFKA_BROKERS", "k:9092"),
        ("HEALTH_PORT", "8080"),
    ];
    let loaded = parsed(&text, &all).unwrap();
    assert_eq!(loaded.flow.worker().unwrap().source.url.reveal(), "Server=db;Database=x");
    assert_eq!(loaded.flow.worker().unwrap().output.root, Path::new("/etc/filegen/data"));
    assert_eq!(loaded.flow.worker().unwrap().state.reveal(), "mongodb://m/filegen");
    assert_eq!(loaded.flow.worker().unwrap().trigger.as_ref().unwrap().kafka.brokers, "k:9092");
    assert_eq!(loaded.flow.worker().unwrap().completion.as_ref().unwrap().topic, "file-events");
    assert_eq!(loaded.health_port, Some(8080));
    // What the file says wins; an empty variable is as good as none.
    let loaded = parsed(DESIGN, &[all[0], all[1], all[2], ("KAFKA_BROKERS", "")]).unwrap();
    assert_eq!(loaded.flow.worker().unwrap().source.url.reveal(), "sqlite:/etc/filegen/loans.db");
    assert_eq!(loaded.flow.worker().unwrap().state.reveal(), "sqlite:/etc/filegen/out/.filegen/state.db");
    assert_eq!(loaded.flow.worker().unwrap().trigger.as_ref().unwrap().kafka.brokers, "localhost:9092");
    // Without a topic in the file or a broker in the environment, there is no topic.
    assert_eq!(parsed(&text, &all[..3]).unwrap().into_worker().unwrap().trigger, None);
    let error = parsed(DESIGN, &[("HEALTH_PORT", "high")]).unwrap_err().to_string();
    assert!(error.contains("HEALTH_PORT"), "{error}");
}
