//! `filegen status` for a scheduler file.

use crate::commands::context::Context;
use crate::commands::exit::CommandEnd;
use crate::commands::failure::Failure;
use crate::commands::ui::line;
use crate::commands::ui::one_line;
use crate::commands::ui::table::{self, Tone};
use crate::commands::watch;
use crate::core::election::report::LeaseState;
use crate::core::model::moment::moment;
use crate::core::model::names::LeaseKey;
use crate::core::model::shown;
use crate::core::schedule::spec::Scheduler;
use crate::core::schedule::status::{Attention, Overview, Trouble, status};
use crate::wiring::{self, Access};
use std::fmt::Write as _;

/// Shows, with `watch` again and again.
pub(in crate::commands) fn run(context: &Context, scheduler: &Scheduler, watch: bool) -> Result<CommandEnd, Failure> {
    context.block_on(async {
        let settings = wiring::schedule_settings(scheduler)?;
        let clock = wiring::clock();
        let key = LeaseKey::from(&scheduler.id);
        watch::show(watch, &*clock, async || {
            let state = wiring::scheduler_state(scheduler, Access::Look).await?;
            let found = status(&key, &state.stores(), &settings, clock.now()).await?;
            context.ui.result(&found, |found| text(context, found));
            Ok(!context.ui.is_closed())
        })
        .await?;
        Ok(CommandEnd::Done)
    })
}

fn text(context: &Context, found: &Overview) -> String {
    let leader = &found.leader;
    let tone = match leader.word {
        LeaseState::Held => Tone::Good,
        LeaseState::Expired | LeaseState::Odd => Tone::Warn,
        LeaseState::None | LeaseState::Released => Tone::Faint,
    };
    let mut head = format!("{}: lease {}", found.scheduler, context.ui.paint_out(leader.state, tone));
    if let (Some(holder), Some(token)) = (&leader.holder, leader.token) {
        let _ = write!(head, ", token {token} of {}", shown::name(holder));
    }
    let mut text = one_line(format_args!("{head}"));
    let counts: Vec<String> = found
        .schedules
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(word, count)| format!("{count} {word}"))
        .collect();
    let counts = if counts.is_empty() { "none".to_owned() } else { counts.join(", ") };
    line(
        &mut text,
        format_args!(
            "{}; schedules: {counts}; {} running, {} queued",
            table::counted(found.data_sources, "data source"),
            found.running,
            found.queued
        ),
    );
    if let Some(next) = &found.next {
        line(&mut text, format_args!("next: {} at {}", shown::name(&next.name), moment(next.at)));
    }
    for (count, what) in [(found.changes_waiting, "change"), (found.files_waiting, "new file")] {
        if count > 0 {
            let words = format!("{} not sent yet", table::counted(count as u64, what));
            line(&mut text, format_args!("{}", context.ui.paint_out(&words, Tone::Warn)));
        }
    }
    text.push_str(&attention(context, &found.attention));
    for event in &found.passed_over {
        line(
            &mut text,
            format_args!(
                "passed over: {} at {}: {}",
                shown::name(&event.event),
                moment(event.at),
                shown::text(&event.reason)
            ),
        );
    }
    for record in &found.unreadable {
        let words = format!("{} cannot be read: {}", shown::name(&record.record), shown::text(&record.reason));
        line(&mut text, format_args!("{}", context.ui.paint_out(&words, Tone::Bad)));
    }
    text
}

fn attention(context: &Context, found: &[Attention]) -> String {
    if found.is_empty() {
        return String::new();
    }
    let mut shown = context.ui.table(&["look at", "what", "why", "id"]);
    for it in found {
        let tone = match it.what {
            Trouble::Overdue | Trouble::Unusable | Trouble::DeadlineMissed | Trouble::LastFailed => Tone::Bad,
            Trouble::OutOfStep | Trouble::NeverAgain | Trouble::Paused => Tone::Warn,
        };
        shown.row(vec![
            table::text(&it.name),
            table::toned(it.what.words(), tone),
            table::text(&it.detail),
            table::text(&it.id),
        ]);
    }
    shown.text()
}
