//! A scheduler file's values as the core takes them.

use super::door::{hosts, tls, token};
use super::kafka::kafka;
use super::policies::lease_times_fit;
use super::{check_cron, check_zone, path_at, state};
use crate::config::address;
use crate::config::cursor::{Cursor, Fields};
use crate::config::grammar::Section;
use crate::config::grammar::schedule::{
    API, CHANGES_KAFKA, DEFAULTS, DISCOVERED_KAFKA, PAGE, POLICIES, SCHEDULER, STATE,
};
use crate::core::model::data_source::{ClockChange, Misfire, Overlap, Words};
use crate::core::model::kafka::KafkaSpec;
use crate::core::model::names::SchedulerId;
use crate::core::model::policy::Policies;
use crate::core::model::secret::Secret;
use crate::core::schedule::roots::Roots;
use crate::core::schedule::spec::{Defaults, DoorSpec, Limits, Scheduler};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf, absolute};
use std::time::Duration;

/// Executions are kept for a day at least: what ran last night is looked at in the morning.
const HISTORY_MIN: Duration = Duration::from_hours(24);

/// The whole scheduler. `None` when anything is wrong; that is noted then.
pub(in crate::config) fn scheduler(root: &Cursor<'_>) -> Option<Scheduler> {
    let fields = root.read(&SCHEDULER);
    let id = fields.text("scheduler").and_then(|text| match SchedulerId::new(text) {
        Ok(id) => Some(id),
        Err(error) => {
            fields.place("scheduler").report("impossible-value", error.to_string(), "for example `intake`");
            None
        }
    });
    let state = store(&root.section("state"), id.as_ref());
    let changes = topic(root, "changes", &CHANGES_KAFKA);
    let discovered = topic(root, "discovered", &DISCOVERED_KAFKA);
    let roots = roots(&fields);
    let sources = fields.text("sources").map(|path| path_at(&fields.place("sources"), &path));
    let calendars = calendars(&root.section("calendars"));
    let (api, page) = (door(&root.section("api"), &API), door(&root.section("page"), &PAGE));
    if let (Some(api), Some(page)) = (&api, &page)
        && api.port == page.port
        && api.port != 0
    {
        let message = format!("`api` and `page` both have port {}", api.port);
        root.section("page").report("impossible-value", message, "give each a port of its own");
    }
    let defaults = defaults(&root.section("defaults"));
    let (policies, limits) = policies(&root.section("policies"))?;
    Some(Scheduler {
        id: id?,
        state: state?,
        changes: changes?,
        discovered: discovered?,
        roots: roots?,
        sources: if let Some(path) = sources { Some(path?) } else { None },
        calendars,
        api: api?,
        page: page?,
        defaults: defaults?,
        policies,
        limits,
    })
}

/// The state store: the file's, the environment's, or a file of its own beside the scheduler file.
fn store(at: &Cursor<'_>, id: Option<&SchedulerId>) -> Option<Secret> {
    let fields = at.read(&STATE);
    let url = match fields.text("url") {
        Some(url) => url,
        // A value that does not fit is no reason to take another.
        None if at.field("url").is_some() => return None,
        None => Cow::Owned(format!("sqlite:{}.db", id?)),
    };
    Some(Secret::new(state::refused_at(&fields, address::state(&url, at.context.folder))?))
}

/// A topic. `Some(None)` when the file leaves it out: the environment's brokers alone make none. `None` when something is wrong.
#[expect(clippy::option_option, reason = "the outer none is a noted problem, the inner one is no topic")]
fn topic(root: &Cursor<'_>, name: &str, section: &'static Section) -> Option<Option<KafkaSpec>> {
    let at = root.section(name);
    if at.value().is_none() {
        return Some(None);
    }
    let Some((mut spec, fields)) = kafka(root, &at, section)? else { return Some(None) };
    if section.field("group").is_some() {
        spec.group = Some(fields.owned("group")?);
    }
    Some(Some(spec))
}

fn roots(fields: &Fields<'_>) -> Option<Roots> {
    let at = fields.place("roots");
    let texts: Vec<(Cursor<'_>, String)> = match at.items() {
        items if items.is_empty() => vec![(at.clone(), fields.owned("roots")?)],
        items => items.into_iter().filter_map(|item| Some((item.clone(), item.text()?.to_owned()))).collect(),
    };
    let mut roots = Vec::new();
    for (place, text) in texts {
        let root = path_at(&place, &text)?;
        if roots.contains(&root) {
            place.report("impossible-value", format!("the root {} stands here twice", place.shown()), "remove one");
        }
        roots.push(root);
    }
    // A file without a folder before its name lies in the current one, and `absolute` takes no empty path.
    let base = absolute(Path::new(".").join(at.context.folder)).ok()?;
    Some(Roots { base, roots })
}

fn calendars(at: &Cursor<'_>) -> BTreeMap<String, PathBuf> {
    let mut all = BTreeMap::new();
    for (name, node) in at.entries() {
        let place = at.below(name, node);
        let ending = |path: &str| Path::new(path).extension().and_then(|end| end.to_str()).map(str::to_ascii_lowercase);
        let Some(text) = place.text() else { continue };
        if !matches!(ending(text).as_deref(), Some("yaml" | "yml" | "ics")) {
            let message = format!("{} is no file of dates", place.shown());
            place.report("impossible-value", message, "name a `.yaml` or an `.ics` file");
        }
        if let Some(path) = path_at(&place, text) {
            all.insert(name.text.clone(), path);
        }
    }
    all
}

fn door(at: &Cursor<'_>, section: &'static Section) -> Option<DoorSpec> {
    let fields = at.read(section);
    let text = fields.text("listen");
    let listen = text.as_ref().and_then(|text| text.trim().parse::<IpAddr>().ok());
    if text.is_some() && listen.is_none() {
        let place = fields.place("listen");
        let message = format!("{} is no IP address", place.shown());
        place.report("impossible-value", message, "write one of this host's, such as `127.0.0.1` or `::1`");
    }
    let mut cors = Vec::new();
    for origin in at.section("cors").items() {
        let Some(text) = origin.text() else { continue };
        if is_origin(text) {
            cors.push(text.to_owned());
        } else {
            let message = format!("{} is no origin", origin.shown());
            origin.report("impossible-value", message, "write scheme, host and port alone: `http://localhost:8080`");
        }
    }
    let hosts = hosts(&at.section("hosts"));
    let token = section.field("token").and_then(|_| token(&fields));
    let tls = tls(&fields);
    Some(DoorSpec { port: u16::try_from(fields.whole("port")?).ok()?, listen, hosts, cors, token, tls })
}

/// `scheme://host[:port]` as a browser sends it, or `*`.
fn is_origin(text: &str) -> bool {
    let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    let fits = |host: &str| {
        !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte))
    };
    text == "*" || host.is_some_and(fits)
}

fn defaults(at: &Cursor<'_>) -> Option<Defaults> {
    let fields = at.read(&DEFAULTS);
    let zone = fields.owned("zone")?;
    check_zone(&fields.place("zone"), &zone);
    let cron = fields.owned("cron")?;
    check_cron(&fields.place("cron"), &cron);
    let pause_after = u32::try_from(fields.whole("pause_after_failures")?).ok()?;
    Some(Defaults {
        cron,
        zone,
        misfire: Misfire::parse(&fields.text("misfire")?)?,
        overlap: Overlap::parse(&fields.text("overlap")?)?,
        dst: ClockChange::parse(&fields.text("dst")?)?,
        grace: fields.duration("grace")?,
        jitter: fields.duration("jitter")?,
        stable_for: fields.duration("stable_for")?,
        max_size: fields.size("max_size")?,
        look_within: fields.duration("look_within")?,
        pause_after_failures: (pause_after > 0).then_some(pause_after),
    })
}

fn policies(at: &Cursor<'_>) -> Option<(Policies, Limits)> {
    let fields = at.read(&POLICIES);
    lease_times_fit(&fields);
    let history = fields.duration("history")?;
    if history < HISTORY_MIN {
        fields.place("history").report("impossible-value", "`history` must be at least 1d", "90d suits most");
    }
    let policies = Policies {
        lease_ttl: fields.duration("lease_ttl")?,
        lease_heartbeat_interval: fields.duration("lease_heartbeat_interval")?,
        takeover_polling_interval: fields.duration("takeover_polling_interval")?,
        ..Policies::default()
    };
    let limits = Limits {
        history,
        concurrency: u16::try_from(fields.whole("concurrency")?).ok()?,
        catch_up: u16::try_from(fields.whole("catch_up")?).ok()?,
        max_sources: fields.whole("max_sources")?,
        least_interval: fields.duration("least_interval")?,
    };
    Some((policies, limits))
}
