//! What the core needs of the world, as traits. Their promises stand in their docs, and `tests/it/contract` holds
//! every adapter to them.

pub mod clock;
pub mod events;
pub mod leases;
pub mod observer;
pub mod runs;
pub mod source;
pub mod trial;
pub mod upkeep;
pub mod volume;
