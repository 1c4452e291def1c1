//! Days with and without business: by a rule, by a list of dates, or by both.

use super::calendar::Calendar;
use jiff::civil::Date;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Days without business in a row that are passed over when the next or previous day with business is looked for.
const CLOSED_MAX: usize = 400;

/// A calendar by its name. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BusinessDays {
    name: Arc<str>,
    rule: Option<Calendar>,
    closed: Arc<BTreeSet<Date>>,
}

impl From<Calendar> for BusinessDays {
    fn from(rule: Calendar) -> Self {
        Self { name: rule.as_str().into(), rule: Some(rule), closed: Arc::default() }
    }
}

impl BusinessDays {
    /// All days but these, and but those that `rule` closes.
    pub fn without(name: &str, rule: Option<Calendar>, closed: BTreeSet<Date>) -> Self {
        Self { name: name.into(), rule, closed: Arc::new(closed) }
    }

    /// What people call it: the rule's word, or its file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many dates it lists by themselves.
    pub fn dates(&self) -> usize {
        self.closed.len()
    }

    /// Whether there is business on this day.
    pub fn is_open(&self, day: Date) -> bool {
        self.rule.is_none_or(|rule| rule.is_open(day)) && !self.closed.contains(&day)
    }

    /// The last day with business before this one. `None` when there is none within a year.
    pub fn previous(&self, day: Date) -> Option<Date> {
        self.first_open(day, Date::yesterday)
    }

    /// The first day with business behind this one. `None` when there is none within a year.
    pub fn next(&self, day: Date) -> Option<Date> {
        self.first_open(day, Date::tomorrow)
    }

    /// The first of the days without business that end right before this one; itself when the day before has business.
    pub fn closed_since(&self, day: Date) -> Date {
        let mut first = day;
        for _ in 0..CLOSED_MAX {
            match first.yesterday() {
                Ok(before) if !self.is_open(before) => first = before,
                _ => break,
            }
        }
        first
    }

    fn first_open(&self, day: Date, step: impl Fn(Date) -> Result<Date, jiff::Error>) -> Option<Date> {
        std::iter::successors(step(day).ok(), |day| step(*day).ok()).take(CLOSED_MAX).find(|day| self.is_open(*day))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn a_list_of_dates_closes_them_alone_or_beside_a_rule() {
        let closed: BTreeSet<Date> = ["2026-12-24", "2026-12-28"].map(day).into();
        let alone = BusinessDays::without("house.yaml", None, closed.clone());
        assert!(alone.is_open(day("2026-12-26")) && !alone.is_open(day("2026-12-24")));
        let both = BusinessDays::without("house.yaml", Some(Calendar::Target), closed);
        assert_eq!(both.next(day("2026-12-24")), Some(day("2026-12-29")), "Christmas, a weekend, a day of the house");
        assert_eq!(both.previous(day("2026-12-29")), Some(day("2026-12-23")));
        assert_eq!(both.closed_since(day("2026-12-29")), day("2026-12-24"));
        assert_eq!(both.closed_since(day("2026-12-23")), day("2026-12-23"));
    }

    #[test]
    fn a_year_without_business_ends_the_search() {
        let from = day("2026-01-01");
        let all = from.series(jiff::Span::new().days(1)).take(800).collect();
        let never = BusinessDays::without("never", None, all);
        assert_eq!((never.next(from), never.previous(from)), (None, Some(day("2025-12-31"))));
    }
}
