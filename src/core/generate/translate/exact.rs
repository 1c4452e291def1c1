//! Exact numbers in templates. Decimals are kept as digits, never as floats. Integers stay the template engine's own, which are
//! exact up to 128 bits. A float is read by its shortest text, so that 0.1 is one tenth.

use super::budget::{look, spend};
use super::float_text::{with_float_text, with_point};
use crate::core::generate::spec::DecimalSign;
use crate::core::model::decimal::{Digits, push_scaled};
use minijinja::value::{DynObject, Object, ObjectRepr, Value, ValueKind};
use minijinja::{Error, ErrorKind};
use std::cell::Cell;
use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

/// An exact number: `value` times ten to the power of minus `scale`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number {
    value: i128,
    scale: u32,
}

/// Digits that 128 bits always hold.
const SCALE_MAX: u32 = 38;

thread_local! {
    /// Whether this thread's template writes numbers with a comma.
    static HAS_COMMA: Cell<bool> = const { Cell::new(false) };
}

/// Sets what stands before the fraction of a number that becomes a text on this thread.
pub(super) fn set_decimal(decimal: DecimalSign) {
    HAS_COMMA.set(decimal == DecimalSign::Comma);
}

/// What stands there now.
pub(super) fn decimal_sign() -> DecimalSign {
    if HAS_COMMA.get() { DecimalSign::Comma } else { DecimalSign::Point }
}

impl Object for Number {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn is_true(self: &Arc<Self>) -> bool {
        self.value != 0
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        Some(self.compare(*other.downcast_ref::<Self>()?))
    }

    fn render(self: &Arc<Self>, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A comma takes the place of a point as a point that of a comma.
        out.write_str(&with_point(&ToString::to_string(&**self), decimal_sign()))
    }
}

impl fmt::Display for Number {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::new();
        push_scaled(&mut text, self.value, self.scale.try_into().unwrap_or_default());
        out.write_str(&String::from_utf8_lossy(&text))
    }
}

impl Number {
    /// An integer at a scale. `None` when it does not fit into 128 bits.
    pub(super) fn new(value: i128, scale: u32) -> Option<Self> {
        (scale <= SCALE_MAX).then_some(Self { value, scale })
    }

    /// Reads `12`, `-12.50`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (value, scale) = Digits::parse(text.as_bytes())?.scaled()?;
        Self::new(value, scale)
    }

    /// A template's value as a number. `None` when it is no number, and for NaN and infinity.
    pub(super) fn of(value: &Value) -> Option<Self> {
        if let Some(number) = value.downcast_object_ref::<Self>() {
            return Some(*number);
        }
        if value.kind() != ValueKind::Number {
            return None;
        }
        if value.is_integer() {
            return Self::new(i128::try_from(value.clone()).ok()?, 0);
        }
        let float = f64::try_from(value.clone()).ok()?;
        with_float_text(float, |text| Self::parse(std::str::from_utf8(text).ok()?)).flatten()
    }

    /// The number as a template's value. With `whole`, a number without a fraction becomes an integer.
    pub(super) fn to_value(self, whole: bool) -> Value {
        if !whole || self.scale > 0 {
            return Value::from_object(self);
        }
        i64::try_from(self.value).map_or_else(|_| Value::from(self.value), Value::from)
    }

    /// The number without its fraction.
    pub(super) fn truncated(self) -> Self {
        Self { value: self.value / self.unit(), scale: 0 }
    }

    /// The number without its sign.
    pub(super) fn magnitude(self) -> Option<Self> {
        Self::new(self.value.checked_abs()?, self.scale)
    }

    /// The number with so many digits behind the point. Surplus digits are rounded half away from zero, up, or down.
    pub(super) fn rounded(self, places: u32, method: Rounding) -> Option<Self> {
        let Some(surplus) = self.scale.checked_sub(places).filter(|surplus| *surplus > 0) else {
            return Some(self);
        };
        let unit = 10_i128.checked_pow(surplus)?;
        let (floor, rest) = (self.value.div_euclid(unit), self.value.rem_euclid(unit));
        let up = match method {
            Rounding::Floor => false,
            Rounding::Ceil => rest > 0,
            // Half goes up, and away from zero only where up is away.
            Rounding::HalfAway => rest > unit / 2 || rest == unit / 2 && self.value >= 0,
        };
        Self::new(if up { floor.checked_add(1)? } else { floor }, places)
    }

    fn unit(self) -> i128 {
        10_i128.checked_pow(self.scale).unwrap_or(i128::MAX)
    }

    /// Both numbers at the larger scale. `None` when they do not fit into 128 bits.
    fn aligned(self, other: Self) -> Option<(i128, i128, u32)> {
        let scale = self.scale.max(other.scale);
        let at = |number: Self| number.value.checked_mul(10_i128.checked_pow(scale - number.scale)?);
        Some((at(self)?, at(other)?, scale))
    }

    /// Compares exactly, whatever the scales.
    pub(super) fn compare(self, other: Self) -> Ordering {
        if let Some((own, other, _)) = self.aligned(other) {
            return own.cmp(&other);
        }
        // Too large for one scale: the parts before the point differ, or the signs do.
        let parts = |number: Self| (number.value.div_euclid(number.unit()), number.value.rem_euclid(number.unit()));
        let ((own, own_rest), (others, others_rest)) = (parts(self), parts(other));
        let fraction = |rest: i128, scale: u32| rest.saturating_mul(10_i128.saturating_pow(SCALE_MAX - scale));
        own.cmp(&others).then_with(|| fraction(own_rest, self.scale).cmp(&fraction(others_rest, other.scale)))
    }

    /// The result of an operator, or why it has none.
    fn operate(self, operator: Operator, other: Self) -> Result<Self, &'static str> {
        const TOO_LARGE: &str = "has more than 38 digits";
        const BY_ZERO: &str = "divides by zero";
        let result = match operator {
            Operator::Add | Operator::Sub => self.aligned(other).and_then(|(own, other, scale)| {
                let sum = if operator == Operator::Add { own.checked_add(other) } else { own.checked_sub(other) };
                Self::new(sum?, scale)
            }),
            Operator::Mul => {
                self.value.checked_mul(other.value).and_then(|value| Self::new(value, self.scale + other.scale))
            }
            Operator::Div | Operator::FloorDiv | Operator::Rem if other.value == 0 => return Err(BY_ZERO),
            Operator::Div => return self.divided(other),
            Operator::FloorDiv => self.aligned(other).and_then(|(own, other, _)| Self::new(floor_div(own, other)?, 0)),
            Operator::Rem => self.aligned(other).and_then(|(own, other, scale)| {
                Self::new(own.checked_sub(floor_div(own, other)?.checked_mul(other)?)?, scale)
            }),
            Operator::Pow => {
                let exponent = (other.scale == 0).then(|| u32::try_from(other.value).ok()).flatten();
                let Some(exponent) = exponent else { return Err("has an exponent that is no whole number from 0") };
                let scale = self.scale.checked_mul(exponent);
                self.value.checked_pow(exponent).zip(scale).and_then(|(value, scale)| Self::new(value, scale))
            }
        };
        result.ok_or(TOO_LARGE)
    }

    fn divided(self, other: Self) -> Result<Self, &'static str> {
        for places in 0..=SCALE_MAX {
            match self.divided_to(other, places) {
                Some((quotient, true)) => return Ok(quotient),
                Some((_, false)) => {}
                None => break,
            }
        }
        Err(ENDLESS)
    }

    /// The quotient rounded half away from zero, and whether that is exact.
    pub(super) fn divided_to(self, other: Self, places: u32) -> Option<(Self, bool)> {
        let (mut above, mut below, _) = self.aligned(other)?;
        let common = gcd(above.unsigned_abs(), below.unsigned_abs());
        let common = i128::try_from(common).ok().filter(|common| *common > 0)?;
        (above, below) = (above / common, below / common);
        above = above.checked_mul(10_i128.checked_pow(places)?)?;
        let (quotient, rest) = (above.checked_div(below)?, above.checked_rem(below)?);
        let up = rest.unsigned_abs() >= below.unsigned_abs().div_ceil(2);
        let step = if (above < 0) == (below < 0) { 1 } else { -1 };
        let value = if up && rest != 0 { quotient.checked_add(step)? } else { quotient };
        Some((Self::new(value, places)?, rest == 0))
    }
}

fn floor_div(a: i128, b: i128) -> Option<i128> {
    let quotient = a.checked_div(b)?;
    if a.checked_rem(b)? != 0 && (a < 0) != (b < 0) { quotient.checked_sub(1) } else { Some(quotient) }
}

fn gcd(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Which way a number is rounded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Rounding {
    HalfAway,
    Ceil,
    Floor,
}

/// An arithmetic operator.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Operator {
    Add,
    Sub,
    Mul,
    Div,
    FloorDiv,
    Rem,
    Pow,
}

/// A comparison.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Comparison {
    Eq,
    Ne,
    Lt,
    Lte,
    Gt,
    Gte,
}

/// The arithmetic operators, by their signs.
pub(super) const OPERATORS: [(&str, Operator); 7] = [
    ("+", Operator::Add),
    ("-", Operator::Sub),
    ("*", Operator::Mul),
    ("/", Operator::Div),
    ("//", Operator::FloorDiv),
    ("%", Operator::Rem),
    ("**", Operator::Pow),
];

/// The comparisons, by their signs.
pub(super) const COMPARISONS: [(&str, Comparison); 6] = [
    ("==", Comparison::Eq),
    ("!=", Comparison::Ne),
    ("<", Comparison::Lt),
    ("<=", Comparison::Lte),
    (">", Comparison::Gt),
    (">=", Comparison::Gte),
];

/// Widest field, and longest text that a template makes by repeating.
pub(super) const WIDTH_MAX: usize = 1 << 20;

/// What to write where NULL cannot be taken.
pub(super) const NULL_ADVICE: &str = "; ask `is none` first, or say what stands for NULL, as in `| default(0)`";

/// Part of the error about a quotient without an end. Such an error holds for most rows.
pub(super) const ENDLESS: &str = "has no end as a decimal; round it: `a | divide(b, 2)`";

/// Part of every error about wrong types. Such an error holds for every row.
pub(super) const MISFIT: &str = "does not go together";

#[cold]
fn refuse(why: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, why)
}

/// A value as an error shows it.
fn shown(value: &Value) -> String {
    if value.is_none() {
        return "NULL".to_owned();
    }
    let kind = match value.kind() {
        _ if Number::of(value).is_some() => "number",
        ValueKind::Number => "NaN or infinity",
        ValueKind::String => "text",
        ValueKind::Bool => "boolean",
        _ => "list or object",
    };
    format!("{} ({kind})", super::shown(&value.to_string()))
}

/// Applies an arithmetic operator to two values.
pub(super) fn compute(sign: &str, operator: Operator, left: &Value, right: &Value) -> Result<Value, Error> {
    if let (Some(a), Some(b)) = (Number::of(left), Number::of(right)) {
        let whole = left.is_integer() && right.is_integer();
        return match a.operate(operator, b) {
            Ok(number) => Ok(number.to_value(whole)),
            Err(why) => Err(refuse(format!("{left} {sign} {right} {why}"))),
        };
    }
    match (operator, left.as_str(), right.as_str()) {
        (Operator::Add, Some(left), Some(right)) => {
            spend(left.len().saturating_add(right.len()))?;
            return Ok(Value::from([left, right].concat()));
        }
        (Operator::Mul, Some(text), None) if right.is_integer() => {
            let times =
                usize::try_from(right.clone()).ok().filter(|times| text.len().saturating_mul(*times) <= WIDTH_MAX);
            let times = times.ok_or_else(|| refuse(format!("{} cannot be repeated {right} times", shown(left))))?;
            spend(text.len().saturating_mul(times))?;
            return Ok(Value::from(text.repeat(times)));
        }
        _ => {}
    }
    let advice = if left.is_none() || right.is_none() {
        NULL_ADVICE
    } else if left.as_str().is_some() || right.as_str().is_some() {
        "; make the text a number with `| decimal`, or cast the column in the view"
    } else {
        ""
    };
    Err(refuse(format!("{} {sign} {} {MISFIT}{advice}", shown(left), shown(right))))
}

/// Compares two values. NULL is neither less nor more than anything, as in SQL.
pub(super) fn compare(sign: &str, comparison: Comparison, left: &Value, right: &Value) -> Result<bool, Error> {
    use Comparison::{Eq, Gt, Gte, Lt, Lte, Ne};
    let order = match (Number::of(left), Number::of(right)) {
        (Some(a), Some(b)) => Some(a.compare(b)),
        _ => match (left.as_str(), right.as_str()) {
            (Some(a), Some(b)) => {
                spend(a.len().min(b.len()))?;
                Some(a.cmp(b))
            }
            _ if left.kind() == ValueKind::Bool && right.kind() == ValueKind::Bool => {
                Some(left.is_true().cmp(&right.is_true()))
            }
            _ => None,
        },
    };
    if let Some(order) = order {
        return Ok(match comparison {
            Eq => order.is_eq(),
            Ne => order.is_ne(),
            Lt => order.is_lt(),
            Lte => order.is_le(),
            Gt => order.is_gt(),
            Gte => order.is_ge(),
        });
    }
    let is_null = |value: &Value| value.is_none() || value.is_undefined();
    let mixed = [(left, right), (right, left)]
        .into_iter()
        .any(|(a, b)| Number::of(a).is_some() && (b.as_str().is_some() || b.kind() == ValueKind::Number));
    match comparison {
        Eq if !mixed => Ok(left == right),
        Ne if !mixed => Ok(left != right),
        Lt | Lte | Gt | Gte if is_null(left) || is_null(right) => Ok(false),
        _ => Err(refuse(format!(
            "{} {sign} {} {MISFIT}; a number is compared with a number, without quotes, and a text that holds one becomes one \
             with `| decimal`",
            shown(left),
            shown(right)
        ))),
    }
}

/// Whether `item` is in a list, a text or an object's names.
pub(super) fn contains(container: &Value, item: &Value) -> Result<bool, Error> {
    match (container.kind(), item.as_str()) {
        (ValueKind::String, Some(part)) => {
            look(container).map(|()| container.as_str().is_some_and(|text| text.contains(part)))
        }
        (ValueKind::Seq | ValueKind::Iterable, _) => {
            look(container)?;
            for other in container.try_iter()? {
                if compare("==", Comparison::Eq, item, &other)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        (ValueKind::Map, Some(name)) => Ok(container.get_attr(name).is_ok_and(|value| !value.is_undefined())),
        _ => Err(refuse(format!("{} in {} {MISFIT}", shown(item), shown(container)))),
    }
}

#[cfg(test)]
mod tests;
