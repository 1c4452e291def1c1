//! The flow schedule: when something is due. [`cron`] reads expressions and finds the times that they name; a
//! [`timetable`](timetable::Timetable) leaves out the days without business.

pub mod cron;
pub mod timetable;
