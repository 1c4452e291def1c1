//! Servers in containers, where an engine answers: started from their makers' images, and removed with this process,
//! however it ends.

use super::again;
use std::collections::HashMap;
use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Stdio};
use std::sync::{LazyLock, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use testcontainers::bollard::models::HostConfig;
use testcontainers::bollard::query_parameters::{ListContainersOptionsBuilder, RemoveContainerOptionsBuilder};
use testcontainers::core::IntoContainerPort;
use testcontainers::core::client::docker_client_instance;
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, ContainerRequest, GenericImage, ImageExt};
use tokio::runtime::Runtime;
use tokio::time::timeout;

/// MongoDB's image: its name and tag, as `deploy/compose.yaml` has them.
pub const MONGODB: (&str, &str) = ("docker.io/library/mongo", "8.0");

/// Kafka's.
pub const KAFKA: (&str, &str) = ("docker.io/apache/kafka", "4.1.0");

/// SQL Server's.
pub const SQLSERVER: (&str, &str) = ("mcr.microsoft.com/mssql/server", "2022-latest");

/// With `off`, no engine is asked.
const SWITCH: &str = "FILEGEN_TEST_CONTAINERS";

/// Marks the containers of one test process.
const LABEL: &str = "filegen.test";

/// Removes the containers with the mark that it is given.
const KEEPER: &str = "support::containers::keeper";

/// This host.
const LOCAL: &str = "127.0.0.1";

/// Whoever is well answers long before.
const ANSWER: Duration = Duration::from_secs(3);

/// An image of a gigabyte over a slow line.
const FETCH: Duration = Duration::from_mins(8);

/// SQL Server takes its time.
const START: Duration = Duration::from_mins(2);

/// Time between two looks at one that starts.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// One for all: an engine's client lives in the runtime that it was made in.
static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap());

/// Starts a server in a container, with one of its ports at one of this host, and asks `ready` again and again until it
/// makes something of it. None where no engine answers, where there is no such image, or where the server does not come
/// up: that is told, and fails nothing.
pub fn start<T>(
    (name, tag): (&str, &str),
    (outside, inside): (u16, u16),
    prepare: impl FnOnce(ContainerRequest<GenericImage>) -> ContainerRequest<GenericImage>,
    mut ready: impl FnMut() -> Option<T>,
) -> Option<T> {
    if !engine_answers() {
        return None;
    }
    let refused = |reason: &str| {
        tell(&format!("{name}:{tag}: {reason}; a server of the tests' own takes its place"));
        None
    };
    let request = GenericImage::new(name, tag).with_mapped_port(outside, inside.tcp()).with_label(LABEL, mark());
    let request = prepare(request.with_host_config_modifier(keep_local));
    let begun = block_on(async { timeout(FETCH, begin(&format!("{name}:{tag}"), request)).await });
    let container = match begun.unwrap_or_else(|_| Err("it takes too long to fetch".to_owned())) {
        Ok(container) => container,
        Err(reason) => return refused(&reason),
    };
    let until = Instant::now() + START;
    loop {
        if let Some(made) = ready() {
            // The keeper removes it: what is static is not dropped when a process ends.
            std::mem::forget(container);
            return Some(made);
        }
        if !block_on(container.is_running()).unwrap_or(false) || Instant::now() > until {
            let _ = block_on(container.rm());
            return refused("it does not come up");
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// Where the ports of containers are: on the engine's host, which is this one unless it is asked over a network.
pub fn host() -> String {
    let engine = std::env::var("DOCKER_HOST").unwrap_or_default();
    let far = engine.split_once("://").filter(|(scheme, _)| *scheme != "unix").map(|(_, place)| place);
    // By its number: IPv6 does not lead to a container everywhere.
    far.map_or(LOCAL, |place| place.rsplit_once(':').map_or(place, |(host, _)| host)).to_owned()
}

/// Others on the network have no business with servers whose passwords are known.
fn keep_local(config: &mut HostConfig) {
    if host() != LOCAL {
        return;
    }
    for binding in config.port_bindings.iter_mut().flatten().flat_map(|(_, bindings)| bindings.iter_mut().flatten()) {
        binding.host_ip = Some(LOCAL.to_owned());
    }
}

/// Has the engine make and start a container; what it says when it does not.
async fn begin(image: &str, request: ContainerRequest<GenericImage>) -> Result<ContainerAsync<GenericImage>, String> {
    let said = |error: &dyn std::error::Error| error.to_string().lines().next().unwrap_or_default().to_owned();
    let engine = docker_client_instance().await.map_err(|error| said(&error))?;
    if engine.inspect_image(image).await.is_err() {
        tell(&format!("fetching {image}"));
    }
    request.start().await.map_err(|error| said(&error))
}

/// Whether there is an engine to ask; decided once.
fn engine_answers() -> bool {
    static ANSWERS: OnceLock<bool> = OnceLock::new();
    *ANSWERS.get_or_init(|| {
        if std::env::var(SWITCH).is_ok_and(|value| value == "off") {
            return false;
        }
        let ping = async { docker_client_instance().await.map_err(|_| ())?.ping().await.map_err(|_| ()) };
        let answers = answer(ping).is_some();
        if !answers {
            tell("no container engine answers: servers of the tests' own take the place of MongoDB's, Kafka's and SQL Server's");
        }
        answers
    })
}

/// What a server answers, if it does so soon: one that comes up takes connections before it answers.
pub fn answer<T: Send, E: Send>(asked: impl Future<Output = Result<T, E>> + Send) -> Option<T> {
    block_on(async { timeout(ANSWER, asked).await }).ok()?.ok()
}

/// Runs this to its end, from wherever it is called.
fn block_on<T: Send>(work: impl Future<Output = T> + Send) -> T {
    std::thread::scope(|scope| scope.spawn(|| RUNTIME.block_on(work)).join().unwrap())
}

/// A line for whoever runs the tests, also when they pass.
fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// The mark of this process's containers. With it begins the keeper: this very binary, which outlives the process by the
/// moment that it takes to remove them.
fn mark() -> &'static str {
    static KEPT: OnceLock<(String, Child)> = OnceLock::new();
    let keep = || {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let mark = format!("{}-{}", std::process::id(), now.as_nanos());
        let mut command = again::command(KEEPER, &mark);
        // Ctrl-C reaches the tests only.
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        (mark, command.spawn().unwrap())
    };
    &KEPT.get_or_init(keep).0
}

/// A part for a process of its own: waits until the one that started it is gone.
#[test]
fn keeper() {
    let Some(mark) = again::given(KEEPER).and_then(|mark| mark.into_string().ok()) else { return };
    // Until the other end is closed, which also happens when the process is killed.
    let _ = std::io::stdin().read(&mut [0]);
    block_on(remove(&mark)).unwrap();
    // One that was being made when the process ended.
    std::thread::sleep(ANSWER);
    block_on(remove(&mark)).unwrap();
}

async fn remove(mark: &str) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let engine = docker_client_instance().await?;
    let marked = HashMap::from([("label".to_owned(), vec![format!("{LABEL}={mark}")])]);
    let which = ListContainersOptionsBuilder::new().all(true).filters(&marked).build();
    for container in engine.list_containers(Some(which)).await? {
        let how = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        engine.remove_container(&container.id.unwrap_or_default(), Some(how)).await?;
    }
    Ok(())
}
