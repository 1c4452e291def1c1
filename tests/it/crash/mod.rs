//! The real process, ended at every named point of takeover, commit and publish; then run again.

mod before;
mod calls;
mod correct;
mod damage;
mod kill;
mod manifest;
pub mod rig;
mod stop;
