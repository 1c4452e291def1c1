//! The run's parameters as the protocol carries them.

use super::tds;
use crate::adapters::sql::Bound;
use crate::core::model::civil;
use crate::core::model::param::ParamValue;
use tds_protocol::rpc::{RpcParam, TypeInfo};

/// The values of a statement that names no key.
pub(super) fn run_parameters(values: &[Bound]) -> Vec<RpcParam> {
    let param = |bound: &Bound| match bound {
        Bound::Key { .. } => None,
        Bound::Param { value, .. } => Some(run_parameter(value)),
    };
    values.iter().filter_map(param).collect()
}

/// Days between 0001-01-01, where the server's days begin, and 1970-01-01.
const DAYS_BEFORE_1970: i64 = 719_162;

/// A run's parameter, of the type that its value has.
pub(super) fn run_parameter(value: &ParamValue) -> RpcParam {
    let of = |kind: TypeInfo, bytes: Vec<u8>| RpcParam::new("", kind, bytes.into());
    match value {
        ParamValue::Date(day) => {
            let days = civil::days(day.year().into(), day.month().into(), day.day().into()) + DAYS_BEFORE_1970;
            of(TypeInfo::date(), days.max(0).to_le_bytes()[..3].to_vec())
        }
        // A decimal is cast from its text.
        ParamValue::Text(text) | ParamValue::Decimal(text) => tds::text(text),
        ParamValue::Integer(number) => match i32::try_from(*number) {
            Ok(number) => of(TypeInfo::int(), number.to_le_bytes().into()),
            Err(_) => of(TypeInfo::bigint(), number.to_le_bytes().into()),
        },
        ParamValue::Boolean(flag) => of(TypeInfo::bit(), vec![u8::from(*flag)]),
    }
}
