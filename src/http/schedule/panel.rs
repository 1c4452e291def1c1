//! A scheduler on the daemon's status page.

use crate::core::health::Dependencies;
use crate::core::model::amount::counted;
use crate::core::model::names::LeaseKey;
use crate::core::model::shown;
use crate::core::ports::clock::Clock;
use crate::core::schedule::plan::Settings;
use crate::core::schedule::status::{Overview, Stores, Trouble, status};
use crate::http::panel::{Panel, PanelView};
use crate::telemetry::schedule::SchedulerStatus;
use async_trait::async_trait;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// Longest wait for the store.
const PATIENCE: Duration = Duration::from_secs(2);

/// Schedules that a trouble names, at most.
const NAMED: usize = 3;

/// What a person is to mend; a pause is somebody's will.
const TROUBLES: [Trouble; 4] = [Trouble::Overdue, Trouble::Unusable, Trouble::DeadlineMissed, Trouble::LastFailed];

/// One scheduler of this process.
pub struct SchedulerPanel {
    /// Its name.
    pub name: String,
    /// Whose lease.
    pub key: LeaseKey,
    /// Where its page is.
    pub page_port: u16,
    /// What it is doing.
    pub clockwork: Arc<SchedulerStatus>,
    /// What it needs.
    pub dependencies: Arc<Dependencies>,
    /// What it does without for a while. `None`: it has no topic.
    pub broker: Option<Arc<Dependencies>>,
    /// What it keeps.
    pub stores: Stores,
    /// What holds for all its schedules.
    pub settings: Settings,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

#[async_trait]
impl Panel for SchedulerPanel {
    fn name(&self) -> &str {
        &self.name
    }

    async fn look(&self) -> PanelView {
        let looking = status(&self.key, &self.stores, &self.settings, self.clock.now());
        let overview = match tokio::time::timeout(PATIENCE, looking).await {
            Ok(Ok(overview)) => Some(overview),
            _ => None,
        };
        let mut answers = self.dependencies.answers();
        answers.extend(self.broker.iter().flat_map(|broker| broker.answers()));
        let mut troubles = Vec::new();
        for (name, answer) in answers.iter().filter(|(_, answer)| answer.state == "down") {
            let why = answer.last_error.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
            troubles.push(format!("{name} is down{why}"));
        }
        troubles.extend(overview.iter().flat_map(of_schedules));
        let body = json!({
            "scheduler": self.name,
            "state": if self.clockwork.token().is_some() { "leading" } else { "standby" },
            "pagePort": self.page_port,
            "overview": overview,
            "dependencies": answers,
        });
        PanelView { troubles, body }
    }
}

/// What is wrong with schedules, the worst first: a line for each kind.
fn of_schedules(overview: &Overview) -> Vec<String> {
    let line = |trouble: Trouble| {
        let names: Vec<String> =
            overview.attention.iter().filter(|it| it.what == trouble).map(|it| shown::name(&it.name)).collect();
        if names.is_empty() {
            return None;
        }
        let more = if names.len() > NAMED { ", …" } else { "" };
        let named = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
        Some(format!("{} {}: {named}{more}", counted(names.len() as u64, "schedule"), trouble.words()))
    };
    TROUBLES.into_iter().filter_map(line).collect()
}
