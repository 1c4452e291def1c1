//! The flow upon ports in memory.

mod fence;
mod translate_golden;
