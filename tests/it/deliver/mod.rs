//! Published files handed to a transfer: each once, the manifest last, from crash to crash, and told of.

mod config;
mod corrected;
mod crash;
mod order;
mod refused;
mod rig;
mod shown;
mod taken_over;
mod told;
