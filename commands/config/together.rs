//! Files that are given together, held against each other.

use crate::commands::context::Context;
use crate::commands::exit::Code;
use crate::commands::failure::Failure;
use crate::config::{self, InFile, Misfit, Misfits};

/// What to do about files that stand in each other's way.
const TOGETHER: &str = "give each worker an id, and each file a name, of its own; `{worker}` in a name does it";

/// Refuses files that stand in each other's way, and tells of what works until a day comes.
pub(super) fn check(context: &Context, files: &[InFile<'_>]) -> Result<(), Failure> {
    refuse_collisions(files)?;
    let misfits = config::misfits(files, false);
    if !context.ui.is_json() {
        for Misfit { what, hint } in &misfits.doubts {
            context.ui.status(&format!("{} {what}; {hint}", context.ui.paint_warning("warning:")));
        }
    }
    refuse(&misfits)
}

/// Refuses files that one process cannot serve together.
pub(crate) fn refuse_misfits(files: &[InFile<'_>]) -> Result<(), Failure> {
    refuse_collisions(files)?;
    refuse(&config::misfits(files, true))
}

fn refuse_collisions(files: &[InFile<'_>]) -> Result<(), Failure> {
    match config::collisions(files).as_slice() {
        [] => Ok(()),
        found => Err(Failure::new(Code::Config, found.join("; ")).hint(TOGETHER)),
    }
}

/// Refuses workers that cannot deliver as another file says.
fn refuse(misfits: &Misfits) -> Result<(), Failure> {
    let told = |part: fn(&Misfit) -> &str| misfits.wrong.iter().map(part).collect::<Vec<_>>().join("; ");
    if misfits.wrong.is_empty() {
        return Ok(());
    }
    Err(Failure::new(Code::Config, told(|misfit| &misfit.what)).hint(told(|misfit| &misfit.hint)))
}
