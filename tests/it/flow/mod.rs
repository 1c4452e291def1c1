//! The flow upon ports in memory.

mod fence;
mod late;
mod translate_golden;
