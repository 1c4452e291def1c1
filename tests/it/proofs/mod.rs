//! Claims that hold for any schedule, each tried many times over.

mod rounds;
mod stale;
mod tokens;
