//! The flow upon ports in memory.

mod faults;
mod fence;
mod growing;
mod late;
mod miscounted;
mod moved;
pub mod rig;
mod translate_golden;
