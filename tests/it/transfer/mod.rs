//! Files from here to there, with the real binary.

mod crash;
mod daemon;
mod files;
mod refused;
mod rig;
mod run;
