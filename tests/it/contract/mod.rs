//! One suite per port, over every adapter.

mod source;
mod volume;
