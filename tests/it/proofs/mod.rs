//! Claims that hold for any schedule, each tried many times over.

mod moving;
mod rounds;
mod soak;
mod stale;
mod tokens;
