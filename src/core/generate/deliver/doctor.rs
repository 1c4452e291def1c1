//! Whether what is published could be handed over.

use crate::core::doctor::report::{Area, Report};
use crate::core::generate::doctor::DoctorInput;
use crate::core::model::amount::counted;
use crate::core::model::delivery::DeliveryState;
use crate::core::model::finding::CheckVerdict;
use crate::core::model::run::RunId;

/// Dates that are looked at, the latest of those that are not done.
const DATES: usize = 30;

/// Tries it, if the worker delivers to a transfer.
pub(in crate::core::generate) async fn hand_over(input: &DoctorInput<'_>, report: &mut Report<'_>) {
    let Some(name) = &input.worker.deliver else { return };
    let Some(inlet) = input.inlet else {
        let detail = format!("not tried: name the file of transfer {name} too, with one more `-c FILE`");
        return report.add(Area::Deliver, "hand-over", CheckVerdict::Warn, detail);
    };
    let folder = inlet.folder.describe();
    match inlet.folder.try_out(&input.worker.output.root, input.name).await {
        Ok(true) => {
            report.add(Area::Deliver, "hand-over", CheckVerdict::Pass, format!("files get a second name in {folder}"));
        }
        Ok(false) => {
            let detail = format!(
                "{folder} gives no second names to files of the output folder: they are copied, and need room there"
            );
            report.add(Area::Deliver, "hand-over", CheckVerdict::Pass, detail);
        }
        Err(error) => report.fail(Area::Deliver, "hand-over", &error),
    }
    if let Err(error) = inlet.arrivals.arrival(input.name, 0, "").await {
        report.fail(Area::Deliver, "receipts", &error);
    }
    if input.state_error.is_none() {
        standing(input, report).await;
    }
}

/// What waits, and what was refused.
async fn standing(input: &DoctorInput<'_>, report: &mut Report<'_>) {
    let store = &*input.ports.state.deliveries;
    let dates = match store.undone(&input.worker.id).await {
        Ok(found) => found.records,
        Err(error) => return report.fail(Area::Deliver, "deliveries", &error),
    };
    let (mut waiting, mut refused) = (0, Vec::new());
    for date in dates.iter().rev().take(DATES) {
        let run = RunId { worker: input.worker.id.clone(), date: *date };
        match store.of_run(&run).await {
            Ok(found) => {
                for one in found.records.iter().filter(|one| !one.done) {
                    match one.state {
                        DeliveryState::Failed => {
                            refused.push(format!("{}: {}", one.path, one.reason.as_deref().unwrap_or_default()));
                        }
                        _ => waiting += 1,
                    }
                }
            }
            Err(error) => return report.fail(Area::Deliver, "deliveries", &error),
        }
    }
    let (verdict, detail) = match refused.as_slice() {
        [] => (CheckVerdict::Pass, format!("{} on the way", counted(waiting, "file"))),
        [first, ..] => {
            let count = counted(refused.len() as u64, "file");
            (CheckVerdict::Warn, format!("{count} refused, {waiting} on the way; the latest: {first}"))
        }
    };
    report.add(Area::Deliver, "deliveries", verdict, detail);
}
