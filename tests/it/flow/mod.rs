//! The flow upon ports in memory.

mod faults;
mod fence;
mod growing;
mod late;
mod miscounted;
pub mod rig;
mod translate_golden;
