//! Commands that change something ask on the terminal, and do nothing on a no.

use crate::support::filegen::{Done, Filegen};
use crate::support::kafka::Topic;
use crate::support::mongo::Database;
use crate::support::running::PATIENCE;
use mongodb::bson::{Document, doc};

/// Runs the command on a terminal of its own, and answers its question.
fn answered(filegen: &Filegen, args: &str, answer: &str) -> Done {
    let plain = filegen.command(args);
    let words: Vec<&str> = std::iter::once(plain.get_program())
        .chain(plain.get_args())
        .map(|word| word.to_str().expect("UTF-8, and nothing that a shell would cut"))
        .collect();
    let mut terminal = assert_cmd::Command::new("script");
    terminal.args(["--quiet", "--return", "--command", &words.join(" "), "/dev/null"]);
    terminal.current_dir(filegen.path("")).env_clear().env("PATH", "/usr/bin:/bin").env("TZ", "UTC");
    let output = terminal.write_stdin(format!("{answer}\n")).timeout(PATIENCE).output().expect("util-linux is there");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Done { code: output.status.code(), stdout: text, stderr: String::new() }
}

/// The command changes something only on a yes: `kept` counts what is on record.
fn asks(filegen: &Filegen, args: &str, question: &str, kept: &dyn Fn() -> usize) {
    let before = kept();
    for no in ["n", "", "perhaps"] {
        let done = answered(filegen, args, no).exits(1);
        assert!(done.stdout.contains(question) && done.stdout.contains("[y/N]"), "{args}: {}", done.stdout);
        assert_eq!(kept(), before, "{args}: `{no}` is no yes");
    }
    answered(filegen, args, "y").exits(0);
    assert_eq!(kept(), before + 1, "{args}: who did it is kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_that_changes_something_does_it_on_a_yes_alone() {
    let topic = Topic::create(1).await;
    let filegen = Filegen::with_loans(30);
    let completion =
        format!("completion: {{ kafka: {{ brokers: \"{}\", topic: {} }} }}\nfiles:", topic.brokers, topic.name);
    filegen.edit("files:", &completion);
    filegen.sql("UPDATE loans SET Customer = 'a|b' WHERE LoanId = 23");
    filegen.run("run -c worker.yaml --date 2026-11-21").exits(7);
    filegen.sql("UPDATE loans SET Customer = 'a b' WHERE LoanId = 23");
    let kept = || filegen.audits().len();
    asks(&filegen, "resume --from-page 2 -c worker.yaml --date 2026-11-21", "Throw away pages from 2 on", &kept);
    let sent = topic.length().await;
    asks(&filegen, "publish-completion -c worker.yaml --date 2026-11-21", "Send 2 event(s)", &kept);
    assert_eq!(topic.length().await, sent + 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_and_indexes_are_touched_on_a_yes_alone() {
    let database = Database::new();
    let filegen = Filegen::with_loans(5);
    filegen.edit("files:", &format!("state: {{ url: \"{}\" }}\nfiles:", database.url()));
    filegen.publish();
    let client = database.client().await;
    client.collection::<Document>("runs").drop_index("by_date").await.unwrap();
    // As a holder that was killed leaves it.
    let held = doc! { "$unset": { "releasedAt": "", "releaseReason": "" } };
    client.collection::<Document>("worker_leases").update_one(doc! { "_id": "LoanWorker" }, held).await.unwrap();
    let runtime = tokio::runtime::Handle::current();
    let audit = client.collection::<Document>("audit");
    let kept = || {
        let count = tokio::task::block_in_place(|| runtime.block_on(async { audit.count_documents(doc! {}).await }));
        usize::try_from(count.unwrap()).unwrap()
    };
    asks(&filegen, "doctor --fix -c worker.yaml", "Make in", &kept);
    client.collection::<Document>("runs").drop_index("by_date").await.unwrap();
    let release = "lease release --force --reason x -c worker.yaml";
    answered(&filegen, release, "n").exits(1);
    let indexes = client.collection::<Document>("runs").list_index_names().await.unwrap();
    assert!(!indexes.contains(&"by_date".to_owned()), "not even an index is made: {indexes:?}");
    asks(&filegen, release, "Release the lease of LoanWorker", &kept);
}
