//! What must hold at the end.

use super::book::Edit;
use super::people::{IDLE, People, STEADY};
use super::world::World;
use crate::sim::locked;
use filegen::core::model::data_source::Misfire;
use filegen::core::model::schedule::{Cause, Execution, Outcome, Schedule};
use filegen::core::ports::schedules::ScheduleStore;
use filegen::core::schedule::plan::Plan;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// A leader that did not hear of a pause yet may fire for so long: it looks each second, and its calls may be lost.
const UNHEARD: SignedDuration = SignedDuration::from_secs(120);

/// A change may take effect so long after it was asked for: a call that comes late, by an instance that stood still.
const UNDER_WAY: SignedDuration = SignedDuration::from_secs(200);

pub async fn check(world: &World, people: &People) {
    let mut wrong = Vec::new();
    for (name, misfire) in STEADY {
        let id = People::id(name);
        let schedule = world.schedules.schedule(&id).await.ok().flatten();
        let all = world.schedules.history(Some(&id), None, 10_000).await.unwrap_or_default();
        match schedule {
            Some(schedule) => steady(world, people, &schedule, misfire, &all, &mut wrong),
            None => wrong.push(format!("{name} is gone")),
        }
    }
    paused(world, &mut wrong);
    at_once(world, &mut wrong);
    left(world, &mut wrong).await;
    let open = world.schedules.open_executions(1000).await.unwrap_or_default();
    for it in open.iter().filter(|it| it.outcome == Outcome::Running) {
        wrong.push(format!("{} runs for ever", it.id));
    }
    locked(&world.book).wrong.extend(wrong);
}

/// A schedule whose times nobody changed.
fn steady(
    world: &World,
    people: &People,
    schedule: &Schedule,
    misfire: Misfire,
    all: &[Execution],
    wrong: &mut Vec<String>,
) {
    let Ok(plan) = Plan::of(schedule, &world.settings) else {
        return wrong.push(format!("{} cannot be used", schedule.id));
    };
    let mut by_slot: BTreeMap<Timestamp, Vec<&Execution>> = BTreeMap::new();
    for it in all.iter().filter(|it| !it.id.ends_with("~clocks") && it.due_time.subsec_nanosecond() == 0) {
        by_slot.entry(it.due_time).or_default().push(it);
    }
    let decided = locked(&world.book).decided.clone();
    let (mut made_up_for, mut by, mut unnamed) = (0, None, Vec::new());
    for slot in plan.timetable.slots(people.began).take_while(|slot| *slot <= schedule.decided_until) {
        let of_slot = by_slot.remove(&slot).unwrap_or_default();
        let name = format!("{}:{slot}", schedule.id);
        if of_slot.is_empty() {
            unnamed.push(slot);
            continue;
        }
        // The first of many that were missed counts those before it.
        let counted = of_slot.iter().filter_map(|it| others(it)).max().unwrap_or(0);
        for slot in unnamed.drain(..).rev().skip(counted) {
            wrong.push(format!("{}:{slot} is not accounted for", schedule.id));
        }
        let succeeded = of_slot.iter().filter(|it| it.outcome == Outcome::Succeeded).count();
        if succeeded > 1 {
            wrong.push(format!("{name} succeeded {succeeded} times"));
        }
        for it in &of_slot {
            let decided_at = decided.get(&it.id).map(|(_, at)| *at);
            each(people, &plan, misfire, (it, decided_at), wrong);
            let is_last = it.outcome == Outcome::Interrupted && it.attempt < 3;
            let again = of_slot.iter().any(|other| other.attempt == it.attempt + 1);
            if is_last && misfire == Misfire::FireAll && !again {
                wrong.push(format!("{} was interrupted, and not done again", it.id));
            }
        }
        // Whoever leads after one that died in a decision decides by itself.
        let made_up =
            of_slot.iter().find(|it| it.cause == Cause::CatchUp).map(|it| decided.get(&it.id).map(|(token, _)| *token));
        made_up_for = if made_up.is_some() && made_up == by { made_up_for + 1 } else { usize::from(made_up.is_some()) };
        by = made_up;
        let most = match misfire {
            Misfire::FireOnce => 1,
            Misfire::FireAll => world.settings.catch_up,
            Misfire::Skip => 0,
        };
        if made_up_for > most {
            wrong.push(format!("{name} is the {made_up_for}. in a row that was made up for"));
        }
    }
    for slot in unnamed {
        wrong.push(format!("{}:{slot} is not accounted for", schedule.id));
    }
    // A leader whose clock was ahead may have died before it said so.
    let is_due = |slot: Timestamp| plan.next_after(slot - SignedDuration::from_secs(1)) == Some(slot);
    for slot in by_slot.keys().filter(|slot| !is_due(**slot)) {
        wrong.push(format!("{}:{slot} is no due time", schedule.id));
    }
    let is_end = |it: &&Execution| matches!(it.outcome, Outcome::Succeeded | Outcome::Failed | Outcome::Interrupted);
    let ended = all.iter().filter(is_end).count() as u64;
    if schedule.execution_count != ended {
        wrong.push(format!("{} counts {} executions, and there were {ended}", schedule.id, schedule.execution_count));
    }
}

/// How many due times before it a missed one stands for.
fn others(it: &Execution) -> Option<usize> {
    let (before, _) = it.reason.as_deref()?.split_once(" before it were missed too")?;
    before.rsplit(' ').next()?.parse().ok()
}

/// Nothing fires at once because of an edit or a resumption: what is due before it was asked for was undecided before, and is decided by
/// a leader that has not heard of it yet.
fn at_once(world: &World, wrong: &mut Vec<String>) {
    let book = locked(&world.book);
    for Edit { before, after, at } in &book.edits {
        // On one host the leader's clock is that of whoever asked, and may be set right later.
        let asked = if world.ways.clock { after.changed_at.max(*at - UNDER_WAY) } else { after.changed_at };
        let Ok(plan) = Plan::of(before, &world.settings) else { continue };
        let was_due = |due: Timestamp| plan.next_after(due - SignedDuration::from_secs(1)) == Some(due);
        let of_it = |it: &&(Execution, Timestamp)| it.0.schedule_id == after.id;
        for (it, _) in book.ran.values().filter(of_it).filter(|(it, _)| matches!(it.cause, Cause::Due | Cause::CatchUp))
        {
            let Some((_, decided)) = book.decided.get(&it.id).filter(|(_, decided)| decided > at) else { continue };
            let is_unheard = was_due(it.due_time) && it.due_time > before.decided_until && *decided <= *at + UNHEARD;
            if it.due_time <= asked && !is_unheard {
                let what = if before.rule == after.rule { "resumed" } else { "edited" };
                wrong.push(format!(
                    "{} fired at {decided} because it was {what} at {at} as of {}",
                    it.id, after.changed_at
                ));
            }
        }
    }
}

/// What had come when a schedule was changed or paused stands in its history, begun or not.
async fn left(world: &World, wrong: &mut Vec<String>) {
    let (left, deleted) = {
        let book = locked(&world.book);
        (book.left.clone(), book.deleted.clone())
    };
    for (before, after) in left.into_iter().filter(|(before, _)| !deleted.contains_key(&before.id)) {
        let Ok(plan) = Plan::of(&before, &world.settings) else { continue };
        let all = world.schedules.history(Some(&before.id), None, 10_000).await.unwrap_or_default();
        let is_in = |slot: Timestamp| slot > before.decided_until && slot <= after.changed_at;
        // The first of many that were missed counts those before it.
        if all.iter().any(|it| is_in(it.due_time) && others(it).is_some()) {
            continue;
        }
        for slot in plan.timetable.slots(before.decided_until).take_while(|slot| is_in(*slot)) {
            if !all.iter().any(|it| it.due_time == slot) {
                let (id, revision, at) = (&before.id, after.revision, after.changed_at);
                wrong.push(format!("{id}:{slot} is not accounted for, and revision {revision} left it at {at}"));
            }
        }
    }
}

fn each(
    people: &People,
    plan: &Plan,
    misfire: Misfire,
    (it, decided_at): (&Execution, Option<Timestamp>),
    wrong: &mut Vec<String>,
) {
    let decided_after = it.ended_at.map(|ended| ended.duration_since(it.due_time));
    if it.outcome == Outcome::Missed && decided_after.is_some_and(|after| after <= plan.grace + plan.offset) {
        wrong.push(format!("{} was decided within the grace, and counts as missed", it.id));
    }
    // A clock that was ahead had later due times come before the calm.
    let is_calm = people.calm_since.is_some_and(|since| it.due_time > since && decided_at.is_none_or(|at| at > since));
    if is_calm && !matches!(it.outcome, Outcome::Succeeded | Outcome::Failed | Outcome::Skipped) && it.attempt == 1 {
        let stopped = matches!(it.outcome, Outcome::Interrupted | Outcome::Queued);
        if !stopped {
            wrong.push(format!("{} is {} in calm weather", it.id, it.outcome.as_str()));
        }
    }
    if it.cause == Cause::Again && misfire == Misfire::Skip {
        wrong.push(format!("{} was done again, with misfire skip", it.id));
    }
}

/// Nothing that was due in a pause ran, but for what a leader decided before it heard of it. A clock that is ahead has due times of the pause
/// come before it begins, and what was decided may wait: so both the due time and the true time of the decision count.
fn paused(world: &World, wrong: &mut Vec<String>) {
    let book = locked(&world.book);
    for (it, ran_at) in book.ran.values().filter(|(it, _)| it.schedule_id.as_str() == IDLE && it.cause == Cause::Due) {
        let decided_at = book.decided.get(&it.id).map_or(*ran_at, |(_, at)| *at);
        let is_in = |(from, until): &(Timestamp, Option<Timestamp>)| {
            it.due_time.min(decided_at) > *from + UNHEARD && until.is_some_and(|until| it.due_time < until)
        };
        if book.pauses.iter().any(is_in) {
            wrong.push(format!("{} ran while it was paused", it.id));
        }
    }
}
