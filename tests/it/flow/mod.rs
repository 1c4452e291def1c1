//! The flow upon ports in memory.

mod fence;
