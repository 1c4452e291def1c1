//! Kafka, against a real server: what goes beyond the ports' promises, and what happens when it is away.

mod away;
mod probe;
mod rights;
mod security;
mod sink;
