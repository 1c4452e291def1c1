//! The real processes, ended between any two steps: nothing is lost, and nothing is delivered twice.

use super::rig::{NAMES, Rig, end};
use crate::support::filegen::Filegen;
use crate::support::running::until;

/// Points that the daemon passes, in the order of the steps.
const POINTS: [&str; 12] = [
    "deliver.giving",
    "deliver.given",
    "deliver.handed",
    "transfer.seen",
    "transfer.sent",
    "transfer.published",
    "transfer.delivered",
    "transfer.receipt",
    "transfer.archived",
    "transfer.settled_source",
    "deliver.arrived",
    "deliver.delivered",
];

#[test]
fn killed_at_each_point_each_file_arrives_once_and_the_manifest_last() {
    for (point, passes) in POINTS.into_iter().flat_map(|point| [(point, 0), (point, 2)]) {
        let rig = Rig::new();
        rig.run();
        let mut killed = rig.daemon_with(&format!("{point}={passes}*off->return"));
        until(point, || killed.running.has_ended().then_some(()));
        // What is visible meanwhile is in order too.
        if rig.target().contains(&NAMES[2].to_owned()) {
            rig.is_as_published(&NAMES);
        }
        let daemon = rig.daemon();
        rig.arrives();
        rig.stand(&["delivered"; 3]);
        rig.delivered_once();
        assert_eq!(rig.order().last().map(String::as_str), Some(NAMES[2]), "{point} after {passes}");
        assert!(rig.names("error").is_empty() && rig.names("handover").is_empty(), "{point} after {passes}");
        end(daemon);
    }
}

#[test]
fn a_run_that_is_killed_while_it_is_recorded_is_delivered_all_the_same() {
    for point in ["publish.manifest", "record.due", "record.file", "record.run"] {
        let rig = Rig::new();
        let mut command = rig.filegen.command("run -c worker.yaml --date 2026-11-21");
        let killed = Filegen::finish(command.env("FAILPOINTS", format!("{point}=return")));
        assert_eq!(killed.code, None, "{point}");
        let daemon = rig.daemon();
        rig.arrives();
        rig.stand(&["delivered"; 3]);
        rig.delivered_once();
        end(daemon);
    }
}

#[test]
fn what_is_gone_from_the_folder_before_anybody_took_it_is_handed_over_again() {
    // Nothing is taken: a pattern of another process's transfer keeps it lying there.
    let rig = Rig::with(&[("stable_for: 0s", "stable_for: 1h")]);
    rig.run();
    let daemon = rig.daemon();
    rig.stand(&["handed-over", "handed-over", "due"]);
    end(daemon);
    std::fs::remove_dir_all(rig.filegen.path("handover")).unwrap();
    rig.change(&[]);
    let daemon = rig.daemon();
    rig.arrives();
    rig.stand(&["delivered"; 3]);
    end(daemon);
}
