//! The flow **transfer**: files from a folder to where they belong, each version once, whole and checked.
//!
//! In the order a file moves: [`ready`] and [`collect`] say which files may be sent, `send` hashes and sends them, [`envelope`] is what
//! makes a file exist for the other side, [`deliver`] writes it at the target (`receive` brings its bytes) in the [`place`] that its [`naming`] gives, `make` puts it through the
//! `filter`s of the file, `publish` gives it that name, `refuse` is what it does with what it will never take, `told` is what traces are made of, `sweep` and `vanished` give up what nobody goes on with, [`settle`] archives
//! the source or sets it aside, once the other side has answered. [`service`] runs both sides. [`status`], [`redrive`], [`verify`] and [`doctor`]
//! are the questions of the on-call engineer; [`arrivals`] answers whoever brought a file.
//!
//! Nothing here names a broker, a store or a file system: those are ports.

pub mod arrivals;
pub mod collect;
mod companions;
pub mod deliver;
pub mod doctor;
pub mod envelope;
pub mod error;
pub mod event;
mod filter;
pub mod health;
pub mod list;
mod make;
pub mod naming;
pub mod place;
mod publish;
pub mod ready;
mod receive;
pub mod redrive;
mod refuse;
mod send;
pub mod service;
pub mod settle;
pub mod spec;
pub mod status;
pub mod steps;
mod sweep;
#[cfg(test)]
mod tests;
mod told;
mod vanished;
pub mod verify;
