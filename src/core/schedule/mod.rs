//! The flow schedule: when something is due, and what becomes of each due time. [`cron`] reads expressions and finds the times that they
//! name; a [`timetable`] leaves out the days without business; [`decide`](decide::decide) says what becomes of the due times that have
//! come; the [`service`] leads, writes each one down and lets its [`action`](action::Action) run.

pub mod action;
pub mod cron;
pub mod deadline;
pub mod decide;
pub mod event;
pub mod pattern;
pub mod plan;
pub mod record;
pub mod roots;
pub mod service;
pub mod spec;
pub mod steer;
pub mod sync;
pub mod timetable;
