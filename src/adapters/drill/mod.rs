//! Runs as processes of their own that stop before each change on the volume, and whoever watches them there.
//!
//! The watcher and the watched are one program. On stdout the watched names the change that it is about to make, one a
//! line, and waits for a byte on stdin.

mod child;
mod parent_hook;

pub use child::Children;
pub use parent_hook::ParentHook;
