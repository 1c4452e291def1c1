//! One suite per port, over every adapter.

mod volume;
