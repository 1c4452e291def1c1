//! The real process, ended at every named point of takeover, commit and publish; then run again.

mod damage;
mod kill;
mod rig;
mod stop;
