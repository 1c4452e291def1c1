//! One suite per port, over every adapter.

mod leases;
mod runs;
mod source;
mod volume;
