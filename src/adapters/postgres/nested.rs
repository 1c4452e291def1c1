//! The parts of arrays, composites, ranges and hstores, from the server's own description of their types.

use super::kinds::{HSTORE, Wire, wire};
use tokio_postgres::types::{Kind as Made, Type};

/// What a value is made of.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Nested {
    /// One value.
    Leaf(Wire),
    /// `{1,NULL,3}`, of any number of dimensions.
    Array {
        /// What each element is.
        of: Box<Nested>,
        /// What stands between two elements.
        delimiter: char,
    },
    /// `(1,"a b",)`: each field's name as a JSON string, and what it is.
    Composite(Vec<(String, Nested)>),
    /// `[1,5)`.
    Range(Box<Nested>),
    /// `{[1,5),[7,9)}`.
    Multirange(Box<Nested>),
    /// `"a"=>"1", "b"=>NULL`.
    Hstore,
}

impl Nested {
    /// The parts of a type's values. `None` when a part has a type whose text form is not known.
    pub(super) fn of(of_type: &Type, modifier: i32) -> Option<Self> {
        let part = |of_type: &Type| Self::of(of_type, -1).map(Box::new);
        Some(match wire(of_type, modifier) {
            Wire::Unknown => return None,
            Wire::Nested => match of_type.kind() {
                Made::Array(of) => Self::Array {
                    // The array's own modifier is that of its elements.
                    of: Box::new(Self::of(of, modifier)?),
                    delimiter: if *of == Type::BOX { ';' } else { ',' },
                },
                Made::Composite(fields) => {
                    let field = |field: &tokio_postgres::types::Field| {
                        // A text always has a JSON form.
                        let name = serde_json::to_string(field.name()).unwrap_or_default();
                        Some((name, Self::of(field.type_(), -1)?))
                    };
                    Self::Composite(fields.iter().map(field).collect::<Option<_>>()?)
                }
                Made::Range(of) => Self::Range(part(of)?),
                Made::Multirange(of) => Self::Multirange(part(of)?),
                Made::Domain(of) => return Self::of(of, modifier),
                Made::Simple if of_type.name() == HSTORE => Self::Hstore,
                _ => return None,
            },
            leaf => Self::Leaf(leaf),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio_postgres::types::Field;

    #[test]
    fn a_type_without_a_known_text_form_is_unknown_as_a_part_too() {
        let simple = |name: &str| Type::new(name.to_owned(), 90_000, Made::Simple, "public".to_owned());
        assert_eq!(wire(&simple("geometry"), -1), Wire::Unknown);
        assert_eq!(wire(&simple("citext"), -1), Wire::Cast);
        for of_type in [Type::REGCLASS, Type::RECORD, Type::VOID] {
            assert_eq!(wire(&of_type, -1), Wire::Unknown, "{of_type}");
        }
        assert!(Nested::of(&Type::REGCLASS_ARRAY, -1).is_none());
        let pair = vec![Field::new("a".to_owned(), Type::INT4), Field::new("b".to_owned(), simple("geometry"))];
        assert!(Nested::of(&Type::new("pair".to_owned(), 90_001, Made::Composite(pair), String::new()), -1).is_none());
    }
}
