//! The flow upon ports in memory.

mod due;
mod faults;
mod fence;
mod forged;
mod growing;
mod late;
mod marker;
mod miscounted;
mod moved;
pub mod rig;
mod translate_golden;
