//! A data source that is pointed to other folders: what lies there is told, and nothing that was told before, also where an earlier
//! build told it or the roots were changed.

use super::intake::{Intake, SCHEDULER, SOURCES};
use crate::support::daemon::stop;
use crate::support::filegen::Filegen;
use crate::support::running::until;
use serde_json::{Value, json};

fn with_roots(filegen: &Filegen, roots: &str) {
    let stored = SCHEDULER.replace("api: {", "state: { url: \"sqlite:intake.db\" }\napi: {");
    filegen.write("intake.yaml", &stored.replace("roots: [data]", &format!("roots: {roots}")));
}

fn rig() -> Filegen {
    let filegen = Filegen::empty();
    with_roots(&filegen, "[data]");
    for path in ["data/in/a.csv", "data/in/b.csv", "data/out/a.csv", "data/out/b.csv"] {
        std::fs::create_dir_all(filegen.path(path).parent().unwrap()).unwrap();
        filegen.write(path, "the same");
    }
    filegen
}

impl Intake {
    /// Points the data source to a folder, looks, and says how many files were told.
    fn looks_in(&self, id: &str, path: &str) -> u64 {
        let mut source = self.api.get(&format!("{SOURCES}/{id}")).json();
        if source["path"] != path {
            source["path"] = json!(path);
            let saved = self.put(id, Some("*"), &source);
            assert_eq!(saved.code, 200, "{path}: {}", saved.body);
        }
        let version = self.api.get(&format!("{SOURCES}/{id}")).json()["version"].clone();
        let one = format!("/api/v1/schedule/{id}");
        until("the leader knows of it", || {
            let schedule = self.api.get(&one);
            (schedule.code == 200 && schedule.json()["version"] == version).then_some(())
        });
        let asked = self.api.post(&format!("{one}/run"), "application/json", "{}").json();
        let execution = asked["id"].as_str().unwrap().to_owned();
        let is_ended = |it: &Value| it["id"] == execution.as_str() && it["endedAt"].is_string();
        let ended = until("it has looked", || self.history(id).into_iter().find(is_ended));
        assert_eq!(ended["outcome"], "Succeeded", "{path}: {ended}");
        ended["filesNew"].as_u64().unwrap()
    }
}

#[test]
fn files_of_another_folder_are_told_once_in_whatever_words_and_under_whichever_roots() {
    let intake = Intake::over(rig());
    let given = json!({ "name": "Loans", "path": "in", "pattern": "**/*.csv", "cronExpression": "0 0 4 1 1 ?" });
    let id = intake.post(&given).json()["id"].as_str().unwrap().to_owned();
    let absolute = intake.filegen.path("data/out").display().to_string();
    for (path, told) in [("in", 2), ("out", 2), ("data/in", 0), ("data/out", 0), (&absolute, 0), ("data", 0)] {
        assert_eq!(intake.looks_in(&id, path), told, "{path}");
    }
    assert_eq!(intake.looks_in(&id, "in"), 0);
    let Intake { filegen, daemon, .. } = intake;
    stop([daemon]);
    // With a second root, `in` lies in none by itself.
    std::fs::create_dir(filegen.path("more")).unwrap();
    with_roots(&filegen, "[data, more]");
    let intake = Intake::over(filegen);
    for path in ["data/in", "data/out"] {
        assert_eq!(intake.looks_in(&id, path), 0, "{path}");
    }
    let Intake { filegen, daemon, .. } = intake;
    stop([daemon]);
    // The root is mounted elsewhere.
    std::fs::rename(filegen.path("data"), filegen.path("moved")).unwrap();
    with_roots(&filegen, "[moved, more]");
    let intake = Intake::over(filegen);
    for path in ["moved/out", "moved/in"] {
        assert_eq!(intake.looks_in(&id, path), 0, "{path}");
    }
    stop([intake.daemon]);
}

#[test]
fn what_an_earlier_build_told_is_of_the_folder_before_the_first_edit() {
    let intake = Intake::over(rig());
    let given = json!({ "name": "Loans", "path": "data/in", "pattern": "*.csv", "cronExpression": "0 0 4 1 1 ?" });
    let id = intake.post(&given).json()["id"].as_str().unwrap().to_owned();
    assert_eq!(intake.looks_in(&id, "data/in"), 2);
    let Intake { filegen, daemon, .. } = intake;
    stop([daemon]);
    // Such a build kept no first folder.
    rusqlite::Connection::open(filegen.path("intake.db")).unwrap().execute_batch("DROP TABLE DiscoveredHome").unwrap();
    let intake = Intake::over(filegen);
    for (path, told) in [("data/out", 2), ("data/in", 0), ("data/out", 0)] {
        assert_eq!(intake.looks_in(&id, path), told, "{path}");
    }
    stop([intake.daemon]);
}
