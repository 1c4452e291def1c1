//! A scheduler beside a file system that does not answer: a real one, of which this process is the server.

use super::intake::{Intake, SCHEDULER};
use crate::support::daemon::stop;
use crate::support::filegen::Filegen;
use crate::support::hung::{Hangs, HungShare};
use crate::support::running::until;
use serde_json::{Value, json};

/// More than there are places.
const HUNG: usize = 6;

/// A scheduler over `data`, whose folder `share` is mounted, with a data source in `data/good` that is looked at each second, and these
/// on the share. `None` where nothing can be mounted.
fn beside_a_share(defaults: &str) -> Option<(Intake, HungShare, String, Vec<String>)> {
    let filegen = Filegen::empty();
    filegen.write("intake.yaml", &SCHEDULER.replace("stable_for: 100ms", defaults));
    for folder in ["data/share", "data/good"] {
        std::fs::create_dir_all(filegen.path(folder)).unwrap();
    }
    let share = HungShare::mount(&filegen.path("data/share"))?;
    let intake = Intake::over(filegen);
    let make = |name: &str, path: &str| {
        let given = json!({ "name": name, "path": path, "pattern": "*", "cronExpression": "* * * * * ?" });
        let made = intake.post(&given);
        assert_eq!(made.code, 201, "{}", made.body);
        made.json()["id"].as_str().unwrap().to_owned()
    };
    let hung = (0..HUNG).map(|number| make(&format!("hung {number}"), &format!("data/share/hangs{number}"))).collect();
    let good = make("good", "data/good");
    Some((intake, share, good, hung))
}

fn with_outcome(history: &[Value], outcome: &str) -> Vec<Value> {
    history.iter().filter(|it| it["outcome"] == outcome).cloned().collect()
}

/// Waits until it has succeeded so many times more.
fn goes_on(intake: &Intake, id: &str) {
    let due = |intake: &Intake| {
        let latest = with_outcome(&intake.history(id), "Succeeded").first().map(|it| it["dueTime"].clone());
        latest.and_then(|at| at.as_str().map(str::to_owned)).unwrap_or_default()
    };
    for _ in 0..3 {
        let before = due(intake);
        until("the next look at the good folder", || (due(intake) > before).then_some(()));
    }
}

fn folders(intake: &Intake) -> Value {
    let ready: Value = serde_json::from_str(&intake.daemon.get("/health/ready").1).unwrap();
    ready["workers"]["schedule:intake"]["folders"].clone()
}

#[test]
fn looks_that_hang_take_no_others_place_are_told_and_end_when_the_disk_answers() {
    let Some((intake, share, good, hung)) = beside_a_share("stable_for: 100ms") else { return };
    goes_on(&intake, &good);
    share.hang(Hangs::Unanswered);
    until("one look at each folder that hangs, and no second one", || (share.waiting() == HUNG).then_some(()));
    goes_on(&intake, &good);
    let told = until("health tells it", || {
        let folders = folders(&intake);
        (folders["state"] == "down").then_some(folders)
    });
    assert!(told["lastError"].as_str().unwrap().contains("has not answered for"), "{told}");
    until("a metric counts them", || {
        intake.daemon.get("/metrics").1.contains("schedule_looks_hanging{scheduler=\"intake\"} 6").then_some(())
    });
    // Whoever describes one more of such a folder has an answer.
    let more = intake.post(&json!({ "name": "more", "path": "data/share/hangs0", "cronExpression": "0 0 0 1 1 ?" }));
    assert!(more.code == 201 && more.body.contains("has not answered"), "{} {}", more.code, more.body);
    goes_on(&intake, &good);
    assert_eq!(share.waiting(), HUNG, "no look joins one that hangs");
    share.let_go();
    for id in &hung {
        goes_on(&intake, id);
    }
    until("all is well again", || (folders(&intake)["state"] == "up").then_some(()));
    let shown = stop([intake.daemon]).join("\n");
    assert!(shown.contains("a look at a folder does not answer") && shown.contains("a look that hung has answered"));
}

#[test]
fn looks_that_take_too_long_are_given_up_and_not_begun_again_while_they_hang() {
    let Some((intake, share, good, hung)) = beside_a_share("stable_for: 100ms, look_within: 1s") else { return };
    share.hang(Hangs::Unanswered);
    for id in &hung {
        until("looks that failed, one behind the other", || {
            let failed = with_outcome(&intake.history(id), "Failed");
            let refused = |it: &Value| it["error"].as_str().unwrap().contains("is not looked at again");
            (failed.iter().filter(|it| refused(it)).count() > 2).then_some(())
        });
    }
    goes_on(&intake, &good);
    assert_eq!(share.waiting(), HUNG, "each folder keeps one thread");
    share.let_go();
    for id in &hung {
        goes_on(&intake, id);
    }
    stop([intake.daemon]);
}

#[test]
fn a_process_ends_while_a_look_hangs_that_the_kernel_lets_end() {
    let Some((intake, share, good, _)) = beside_a_share("stable_for: 100ms") else { return };
    goes_on(&intake, &good);
    share.hang(Hangs::Untaken);
    until("a disk that takes no look any more", || share.takes_none().then_some(()));
    let doctor = intake.filegen.run("doctor -c intake.yaml").exits(1);
    assert!(doctor.stdout.contains("no answer within"), "{}", doctor.stdout);
    stop([intake.daemon]);
}
