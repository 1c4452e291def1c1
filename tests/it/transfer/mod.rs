//! Files from here to there, with the real binary.

mod crash;
mod files;
mod refused;
mod rig;
mod run;
