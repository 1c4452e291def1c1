//! What a file may hold, kind by kind: the one table behind checks, suggestions, defaults, the JSON Schema and its help texts.

pub(super) mod clock;
pub(super) mod common;
pub(super) mod generate;
pub(super) mod ingest;
pub(super) mod schedule;
pub(super) mod transfer;
mod translators;

/// The environment variable that stands in for no field of a worker file.
pub(super) const HEALTH_PORT: &str = "HEALTH_PORT";

/// Named values.
#[derive(Debug)]
pub(super) struct Section {
    /// What the section is for.
    pub(super) doc: &'static str,
    /// In the order in which people write them.
    pub(super) fields: &'static [Field],
}

/// A named value.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    /// Shown by editors.
    pub(super) doc: &'static str,
    pub(super) shape: Shape,
    pub(super) presence: Presence,
    /// Its value, or each of its values, is an address or a secret: it is shown nowhere as it is.
    pub(super) is_secret: bool,
}

/// What becomes of a field that the file leaves out.
#[derive(Clone, Copy, Debug)]
pub(super) enum Presence {
    /// An error.
    Required,
    /// An error, unless the whole section is left out.
    RequiredInSection,
    /// An error, unless this other field is there.
    RequiredUnless(&'static str),
    /// Nothing stands in for it.
    Optional,
    /// This stands in for it.
    Default(&'static str),
    /// An environment variable stands in for it, then a default, if there is one.
    Environment(&'static str, Option<&'static str>),
    /// The first of these environment variables that is set stands in for it, then a default, if there is one.
    EnvironmentAny(&'static [&'static str], Option<&'static str>),
    /// The first of these environment variables that is set stands in for it; else there is a default that depends on other fields.
    EnvironmentOrComputed(&'static [&'static str]),
}

/// What a value may be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// Any text; may be empty.
    Text,
    /// Text of at least one character.
    Words,
    /// One character.
    Character,
    /// What stands between values.
    Delimiter,
    /// What ends a record.
    LineEnd,
    /// A whole number within limits.
    Whole(u64, u64),
    /// A number of at least this.
    AtLeast(f64),
    /// `true` or `false`.
    Flag,
    /// A time with its unit.
    Duration,
    /// Whole days.
    Days,
    /// Bytes, within limits.
    Size(u64, u64),
    /// One of these.
    Choice(&'static [&'static str]),
    /// An encoding by any of its names.
    Encoding,
    /// One of two, or the second with a `max`.
    Policy([&'static str; 2]),
    /// A number, or a share as `1%`.
    Limit,
    /// Named values.
    Section(&'static Section),
    /// At least one of these.
    List(&'static Shape),
    /// One, or a list of at least one.
    OneOrMore(&'static Shape),
    /// Any names, each with one of these.
    Names(&'static Shape),
    /// Names of another program, each with one of these. A name without a value may be the end of a password that stands in front of
    /// it without quotes, so it is shown nowhere.
    Foreign(&'static Shape),
    /// What only one kind of file has: one of its own shapes, by name.
    Own(&'static str),
}

impl Presence {
    /// The environment's variables that stand in for the field, the first that is set.
    #[cfg(test)]
    pub(super) fn variables(&self) -> &[&'static str] {
        match self {
            Self::Environment(variable, _) => std::slice::from_ref(variable),
            Self::EnvironmentAny(variables, _) | Self::EnvironmentOrComputed(variables) => variables,
            _ => &[],
        }
    }
}

impl Section {
    /// The field of this name.
    pub(super) fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

impl Field {
    const fn new(name: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self { name, doc, shape, presence: Presence::Optional, is_secret: false }
    }

    const fn secret(mut self) -> Self {
        self.is_secret = true;
        self
    }

    const fn required(mut self) -> Self {
        self.presence = Presence::Required;
        self
    }

    const fn required_in_section(self) -> Self {
        self.presence(Presence::RequiredInSection)
    }

    const fn default(mut self, value: &'static str) -> Self {
        self.presence = Presence::Default(value);
        self
    }

    const fn presence(mut self, presence: Presence) -> Self {
        self.presence = presence;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::kinds::KINDS;
    use crate::config::{separators, values};

    fn check(section: &Section) {
        assert!(section.doc.ends_with('.'), "{}", section.doc);
        for field in section.fields {
            assert!(field.doc.ends_with('.') && !field.doc.contains('\n'), "{}: {}", field.name, field.doc);
            let (Presence::Default(default)
            | Presence::Environment(_, Some(default))
            | Presence::EnvironmentAny(_, Some(default))) = field.presence
            else {
                match field.shape {
                    Shape::Section(inner) | Shape::List(&Shape::Section(inner)) => check(inner),
                    _ => {}
                }
                continue;
            };
            let fits = match field.shape {
                Shape::Text | Shape::Words | Shape::OneOrMore(&Shape::Words) => true,
                Shape::Character => default.chars().count() == 1,
                Shape::Whole(least, most) => {
                    values::whole(default).is_some_and(|value| (least..=most).contains(&value))
                }
                Shape::AtLeast(least) => default.parse::<f64>().is_ok_and(|value| value >= least),
                Shape::Flag => values::flag(default).is_some(),
                Shape::Duration => values::duration(default).is_some(),
                Shape::Days => values::days(default).is_some(),
                Shape::Size(least, most) => values::size(default).is_some_and(|value| (least..=most).contains(&value)),
                Shape::Choice(options) => options.contains(&default),
                Shape::Policy(options) => options.contains(&default),
                Shape::Encoding => values::encoding(default).is_some(),
                Shape::LineEnd => separators::line_end(default).is_ok(),
                _ => false,
            };
            assert!(fits, "the default of {} does not fit its shape", field.name);
        }
    }

    #[test]
    fn every_default_fits_its_own_shape() {
        for kind in &KINDS {
            check(kind.section);
        }
        for section in [&generate::COLUMN].into_iter().chain(generate::TRANSLATORS.map(|(_, section)| section)) {
            check(section);
        }
    }
}
