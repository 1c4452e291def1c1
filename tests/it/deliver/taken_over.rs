//! Two daemons on one store and volume: the one that leads is killed in the middle of handing over, and the other one goes on.

use super::rig::{NAMES, Rig, end};
use super::told::{announcing, check, events, on_mongo};
use crate::support::kafka::Topic;
use crate::support::mongo::Database;
use crate::support::running::until;
use rustix::process::Signal;

/// Where the leader stands still, in which pass, and how far each delivery is then.
const POINTS: [(&str, u32, [&str; 3]); 6] = [
    ("deliver.giving", 0, ["due", "due", "due"]),
    ("deliver.given", 1, ["handed-over", "due", "due"]),
    ("deliver.handed", 1, ["handed-over", "handed-over", "due"]),
    ("deliver.arrived", 1, ["delivered", "handed-over", "due"]),
    ("deliver.given", 2, ["delivered", "delivered", "due"]),
    ("deliver.delivered", 2, ["delivered", "delivered", "delivered"]),
];

/// Whether the leader has given as many files away as it does before it stands still, wherever they are by now.
fn given(rig: &Rig, point: &str, passes: u32) -> bool {
    let (waiting, arrived) = (rig.names("handover").len(), rig.target().len());
    point != "deliver.given" || waiting + arrived > usize::try_from(passes).unwrap()
}

async fn taken_over(is_mongo: bool, (point, passes, states): (&str, u32, [&str; 3])) {
    let (rig, topic) = (Rig::new(), Topic::create(1).await);
    announcing(&rig, &topic);
    let database = is_mongo.then(Database::new);
    if let Some(database) = &database {
        on_mongo(&rig, database);
    }
    let leader = rig.daemon_with(&format!("{point}={passes}*off->sleep(600000)"));
    until("leading", || leader.get("/").1.contains("leads with token").then_some(()));
    let other = rig.daemon();
    rig.run();
    rig.stand(&states);
    until("what is given", || given(&rig, point, passes).then_some(()));
    leader.running.signal(Signal::KILL);
    assert_eq!(leader.running.finish().code, None);
    until("the other one to lead", || other.get("/").1.contains("leads with token").then_some(()));
    rig.arrives();
    rig.stand(&["delivered"; 3]);
    rig.delivered_once();
    let context = format!("{point} after {passes}, MongoDB: {is_mongo}");
    assert_eq!(rig.order().last().map(String::as_str), Some(NAMES[2]), "{context}");
    assert!(rig.names("error").is_empty() && rig.names("handover").is_empty(), "{context}");
    let all = events(&rig, &topic).await;
    check(&rig, &all, &context);
    end(other);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_killed_in_the_middle_of_handing_over_is_followed_with_the_state_in_a_file() {
    for point in POINTS {
        taken_over(false, point).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_killed_in_the_middle_of_handing_over_is_followed_with_the_state_in_mongodb() {
    for point in POINTS {
        taken_over(true, point).await;
    }
}
