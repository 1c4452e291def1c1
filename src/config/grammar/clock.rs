//! A worker's own clock.

use super::{Field, Section, Shape};

pub(in crate::config) static CLOCK: Section = Section {
    doc: "Due times that start runs, beside the topic or without one: one run a business date, whoever asks first.",
    fields: &[
        Field::new("cron", Shape::Words, "A cron expression, as Quartz reads it: `0 30 2 ? * MON-FRI`.")
            .required_in_section(),
        Field::new("zone", Shape::Words, "The IANA zone whose clock it reads; that of `business_date` when not given."),
        Field::new(
            "calendar",
            Shape::Words,
            "Days without business: `weekends`, `target`, `us-federal`, or a file of dates (`.yaml`, `.ics`); none when not given.",
        ),
        Field::new(
            "closed_day",
            Shape::Choice(&["skip", "previous", "next"]),
            "Due times on days without business: they are left out, or move to the business day before or behind.",
        )
        .default("skip"),
        Field::new(
            "business_date",
            Shape::Choice(&["today", "previous_business_day", "day_before"]),
            "The business date of a due time, by its day on the zone's clock.",
        )
        .default("today"),
        Field::new(
            "misfire",
            Shape::Choice(&["fire_once", "fire_all", "skip"]),
            "Due times that passed while no instance ran: the latest is made up for, each of the last 24 hours, or none.",
        )
        .default("fire_once"),
        Field::new("grace", Shape::Duration, "A due time that is looked at later than this was missed.").default("60s"),
        Field::new(
            "dst",
            Shape::Choice(&["quartz", "run_missing", "first", "both"]),
            "Local times that a clock change skips or repeats. As Quartz: skipped ones are not due, repeated ones once, in the later \
             pass.",
        )
        .default("quartz"),
    ],
};
