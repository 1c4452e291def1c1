//! Numbers that are counted up one by one, read from a record or an event that anybody may have written.

use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// No counting comes to more: the largest number that every reader of JSON keeps exactly. The next ones fit, too.
pub const COUNTED_MAX: u64 = 1 << 53;

/// Reads one. A record with a number that nobody counted up to is odd: the next one would be none.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    match u64::deserialize(from)? {
        number if number > COUNTED_MAX => Err(D::Error::custom(format!("{number} is more than was ever counted"))),
        number => Ok(number),
    }
}
