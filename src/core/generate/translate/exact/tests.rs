//! Exact numbers: comparing, rounding, and the laws of arithmetic.

use super::*;
use proptest::prelude::*;

fn number(text: &str) -> Number {
    Number::parse(text).unwrap()
}

#[test]
fn numbers_of_any_size_compare() {
    let ascending = [
        "-99999999999999999999999999999999999999",
        "-1.5",
        "-1.25",
        "0",
        "0.00000000000000000000000000000000000001",
        "1.0",
        "1.00000000000000000000000000000000001",
        "99999999999999999999999999999999999999",
    ];
    for (at, a) in ascending.iter().enumerate() {
        for (other, b) in ascending.iter().enumerate() {
            assert_eq!(number(a).compare(number(b)), at.cmp(&other), "{a} {b}");
        }
    }
    assert!(number("1.50").compare(number("1.5")).is_eq());
}

#[test]
fn rounding_is_away_from_zero_at_the_half() {
    for (text, places, method, rounded) in [
        ("2.5", 0, Rounding::HalfAway, "3"),
        ("-2.5", 0, Rounding::HalfAway, "-3"),
        ("-2.4", 0, Rounding::HalfAway, "-2"),
        ("2.05", 1, Rounding::HalfAway, "2.1"),
        ("-2.05", 1, Rounding::Ceil, "-2.0"),
        ("-2.05", 1, Rounding::Floor, "-2.1"),
        ("2", 3, Rounding::HalfAway, "2"),
    ] {
        assert_eq!(number(text).rounded(places, method).unwrap().to_string(), rounded, "{text}");
    }
    let quotient =
        |a: &str, b: &str, places| number(a).divided_to(number(b), places).map(|(number, _)| number.to_string());
    assert_eq!(quotient("2", "3", 2).as_deref(), Some("0.67"));
    assert_eq!(quotient("-2", "3", 2).as_deref(), Some("-0.67"));
    assert_eq!(quotient("0.5", "1", 0).as_deref(), Some("1"));
    assert_eq!(quotient("1", "-8", 2).as_deref(), Some("-0.13"));
    assert_eq!(quotient("1", "0", 2), None);
}

proptest! {
    #[test]
    fn operators_keep_to_the_laws(a in -10_i128.pow(12)..10_i128.pow(12), b in -10_i128.pow(12)..10_i128.pow(12), s in 0..4_u32, t in 0..4_u32) {
        let (x, y) = (Number::new(a, s).unwrap(), Number::new(b, t).unwrap());
        let sum = x.operate(Operator::Add, y).unwrap();
        prop_assert!(sum.operate(Operator::Sub, y).unwrap().compare(x).is_eq());
        let product = x.operate(Operator::Mul, y).unwrap();
        prop_assert_eq!(product.compare(y.operate(Operator::Mul, x).unwrap()), Ordering::Equal);
        if b != 0 {
            prop_assert!(product.operate(Operator::Div, y).unwrap().compare(x).is_eq());
            let whole = x.operate(Operator::FloorDiv, y).unwrap();
            let rest = x.operate(Operator::Rem, y).unwrap();
            let again = whole.operate(Operator::Mul, y).unwrap().operate(Operator::Add, rest).unwrap();
            prop_assert!(again.compare(x).is_eq());
        }
        prop_assert_eq!(x.compare(y), x.operate(Operator::Sub, y).unwrap().compare(number("0")));
    }
}
