//! What other people's tools find in MongoDB: the documents of a scheduler, field by field, as `docs/mongodb.md` has them.

use super::intake::{Intake, SCHEDULER};
use crate::support::daemon::stop;
use crate::support::filegen::Filegen;
use crate::support::mongo::Database;
use crate::support::running::{PATIENCE, until};
use mongodb::bson::spec::ElementType;
use mongodb::bson::{Document, doc};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

const DOCS: &str = include_str!("../../../docs/mongodb.md");

/// The words of types in a collection's documents, by field.
pub(crate) type Fields = BTreeMap<String, BTreeSet<String>>;

/// The rows of a collection's table.
pub(crate) fn told(collection: &str) -> Fields {
    let part = DOCS.split("\n## ").find(|part| part.starts_with(&format!("`{collection}`"))).unwrap();
    let row = |line: &str| {
        let mut cells = line.split('|').map(str::trim).skip(1);
        let name = cells.next()?.strip_prefix('`')?.strip_suffix('`')?.to_owned();
        Some((name, cells.next()?.split(", ").map(str::to_owned).collect()))
    };
    part.lines().filter_map(row).collect()
}

/// What stands there.
pub(crate) fn found(documents: &[Document]) -> Fields {
    let mut fields = Fields::new();
    for (name, value) in documents.iter().flatten() {
        let word = match value.element_type() {
            ElementType::String => "string",
            ElementType::Boolean => "bool",
            ElementType::DateTime => "date",
            ElementType::Int64 => "long",
            ElementType::EmbeddedDocument => "object",
            ElementType::Array => "array",
            ElementType::Null => "null",
            other => panic!("{name} is {other:?}"),
        };
        fields.entry(name.clone()).or_default().insert(word.to_owned());
    }
    fields
}

async fn documents(database: &Database, collection: &str) -> Vec<Document> {
    let mut cursor = database.client().await.collection::<Document>(collection).find(doc! {}).await.unwrap();
    let mut all = Vec::new();
    while cursor.advance().await.unwrap() {
        all.push(cursor.deserialize_current().unwrap());
    }
    all
}

impl Intake {
    fn made(&self, given: &Value) -> String {
        let made = self.post(given);
        assert_eq!(made.code, 201, "{}", made.body);
        made.json()["id"].as_str().unwrap().to_owned()
    }

    fn asked(&self, id: &str, what: &str) {
        let path = format!("/api/v1/schedule/{id}/{what}");
        let done = || self.api.post(&path, "application/json", "{\"reason\": \"month end\"}").code;
        until("it is scheduled", || (done() < 300).then_some(()));
    }

    fn ended(&self, id: &str, outcome: &str) {
        until(outcome, || self.history(id).iter().any(|one| one["outcome"] == outcome).then_some(()));
    }
}

/// A scheduler whose events nobody takes, with all that can be said of a data source.
fn used(database: &Database) -> (Intake, [String; 3]) {
    let filegen = Filegen::empty();
    std::fs::create_dir_all(filegen.path("data/in")).unwrap();
    std::fs::create_dir_all(filegen.path("data/gone")).unwrap();
    filegen.write("data/in/a.csv", "a");
    let state = format!("state: {{ url: \"{}\" }}\n", database.url());
    let topic = "discovered: { kafka: { brokers: \"127.0.0.1:1\", topic: found } }\n";
    filegen.write("intake.yaml", &format!("{SCHEDULER}{state}{topic}"));
    let intake = Intake::over(filegen);
    let loans = intake.made(&json!({
        "name": "Loans", "description": "of the day", "path": "data/in", "pattern": "*.csv", "recursive": true,
        "cronExpression": "0 30 2 ? * MON-FRI", "zone": "Europe/Berlin", "calendar": "target", "overlap": "queue",
        "misfire": "fire_all", "action": { "discover": { "stableFor": "100ms" } }, "dst": "both", "closedDay": "next",
        "deadline": { "time": "06:30" }, "pauseAfterFailures": 3,
    }));
    let yearly = |name: &str, path: &str| json!({ "name": name, "path": path, "cronExpression": "0 0 4 1 1 ?" });
    let (gone, plain) = (intake.made(&yearly("Gone", "data/gone")), intake.made(&yearly("Plain", "data/in")));
    std::fs::remove_dir(intake.filegen.path("data/gone")).unwrap();
    intake.asked(&loans, "run");
    intake.ended(&loans, "Succeeded");
    intake.asked(&gone, "run");
    intake.ended(&gone, "Failed");
    intake.asked(&loans, "pause");
    (intake, [loans, gone, plain])
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_in_mongodb_have_the_fields_and_types_that_are_told_and_no_other() {
    let (database, intake, [loans, _, plain]) = tokio::task::spawn_blocking(|| {
        let database = Database::new();
        let (intake, ids) = used(&database);
        (database, intake, ids)
    })
    .await
    .unwrap();
    let was = intake.delete(&plain, Some("*"));
    assert_eq!(was.code, 204, "{}", was.body);
    // Its event is applied: the schedule stays behind its data source, marked.
    let until = Instant::now() + PATIENCE;
    loop {
        let left = database.document("ScheduledDataSource", &plain).await;
        let source = database.document("DataSource", &plain).await;
        if source.is_none() && left.as_ref().is_some_and(|left| left.get_bool("isDeleted").unwrap()) {
            break;
        }
        assert!(Instant::now() < until, "{left:?} {source:?}");
    }
    let execution = &documents(&database, "ScheduleExecution").await[0];
    assert_eq!(execution.get_str("_id").unwrap().split_once(':').unwrap().0, execution.get_str("scheduleId").unwrap());
    let file = &documents(&database, "DiscoveredFile").await[0];
    assert_eq!((file.get_str("path").unwrap(), file.get_i64("size").unwrap()), ("a.csv", 1));
    let filegen = intake.filegen;
    stop([intake.daemon]);
    // Deleted while nobody sends events.
    filegen.run(&format!("datasource delete -c intake.yaml {loans} --yes")).exits(0);
    for collection in ["DataSource", "ScheduledDataSource", "ScheduleExecution", "DiscoveredFile"] {
        let (told, found) = (told(collection), found(&documents(&database, collection).await));
        let names = |fields: &Fields| fields.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&told), names(&found), "{collection}");
        for (name, types) in found {
            assert!(types.is_subset(&told[&name]), "{collection}.{name} is {types:?}");
            let unseen: Vec<&String> = told[&name].difference(&types).filter(|word| *word != "null").collect();
            // Nobody waits here until a deadline has passed.
            assert!(unseen.is_empty() || name == "deadlineMissed", "{collection}.{name} is never {unseen:?}");
        }
    }
}
