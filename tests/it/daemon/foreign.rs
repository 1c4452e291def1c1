//! A daemon of two workers, one of which finds something foreign under its names: that run fails, is told and waits for a person; the
//! other worker is served as ever.

use crate::support::daemon::{Daemon, stop, worker};
use crate::support::foreign::{Thing, take_away};
use crate::support::running::until;

#[test]
fn a_daemon_goes_on_with_its_other_workers() {
    for name in ["loan0_20261121.txt", "LoanWorker_20261121.manifest.json", ".filegen/LoanWorker/20261121"] {
        let filegen = worker(30);
        let other =
            filegen.read("worker.yaml").replace("LoanWorker", "OtherWorker").replace("root: out", "root: other");
        filegen.write("other.yaml", &other);
        Thing::Pipe.put(&filegen.path(&format!("out/{name}")), &filegen.path("loans.db"));
        let mut command = filegen.command("daemon -c worker.yaml -c other.yaml --health-port 0");
        let daemon = Daemon::of(&mut command);
        let wanted = filegen.start("run -c worker.yaml --date 2026-11-21");
        filegen.run("run -c other.yaml --date 2026-11-21").exits(0);
        assert!(filegen.has("other/OtherWorker_20261121.manifest.json"));
        // The one in the foreground ends too, and says what the daemon said, whether the run had begun or not.
        let done = wanted.finish().exits(1);
        assert!(done.stderr.contains(&format!("`{name}")) && done.stderr.contains("pipe"), "{}", done.stderr);
        let status = filegen.run("status -c worker.yaml --output json").exits(0).json();
        assert_eq!(status["workers"][0]["runs"][0]["status"], "failed", "{status}");
        filegen.run("run -c other.yaml --date 2026-11-22").exits(0);
        let (code, body) = daemon.get("/health/live");
        assert_eq!(code, 200, "{body}");
        let logs = stop([daemon]);
        take_away(&filegen.path(&format!("out/{name}")));
        let lease = filegen.run("lease show -c worker.yaml").exits(0).stdout;
        assert!(lease.contains("released") || lease.contains("free"), "{lease}\n{logs:?}");
        filegen.publish();
    }
}

#[test]
fn a_daemon_tells_its_health_to_a_container_without_a_shell() {
    let filegen = worker(30);
    let mut daemon = Daemon::start(&filegen);
    daemon.running.wait_for("leadership acquired");
    let port = daemon.http.port();
    let live = filegen.run(&format!("health --health-port {port}")).exits(0);
    assert_eq!(live.json()["state"], "live");
    until("a ready daemon", || {
        (filegen.run(&format!("health --ready --health-port {port}")).code == Some(0)).then_some(())
    });
    std::fs::rename(filegen.path("loans.db"), filegen.path("away.db")).unwrap();
    until("a daemon whose source is away", || {
        let done = filegen.run(&format!("health --ready --health-port {port}"));
        (done.code == Some(1)).then(|| assert_eq!(done.json()["state"], "notReady"))
    });
    stop([daemon]);
    let gone = filegen.run(&format!("health --health-port {port} --timeout 2")).exits(6);
    assert!(gone.stderr.contains("no daemon answers"), "{}", gone.stderr);
}
