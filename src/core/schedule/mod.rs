//! The flow schedule: data sources, when they are looked at, and what was found. [`sources`] keeps what people describe, held against
//! [`data_source`]; each [`change`] is an event, and [`hear`] applies it. [`cron`] reads expressions and finds the times that they name;
//! a [`timetable`] leaves out the days without business; [`decide`](decide::decide) says what becomes of the due times that have come;
//! the [`service`] leads, writes each one down and lets its [`action`](action::Action) run, such as [`discover`].
//! A [`board`] has all schedules in short. [`status`] says how all of it stands, and [`doctor`] whether it would work. A worker's [`own`] clock needs
//! none of these: it asks for runs.

pub mod action;
pub mod board;
pub mod bounds;
pub mod change;
pub mod cron;
pub mod data_source;
pub mod deadline;
pub mod decide;
pub mod discover;
pub mod doctor;
pub mod event;
pub mod explain;
pub mod feed;
pub mod hear;
pub mod import;
pub mod looks;
pub mod own;
pub mod page_key;
pub mod plan;
pub mod record;
pub mod roots;
pub mod service;
pub mod sources;
pub mod spec;
pub mod start;
pub mod status;
pub mod steer;
pub mod stretch;
pub mod sync;
pub mod timetable;
pub mod words;
