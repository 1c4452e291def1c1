//! Faults on purpose. The simulation plants one at a time, and must find it. A release has none of them.

#[cfg(feature = "failpoints")]
use std::cell::Cell;

#[cfg(feature = "failpoints")]
thread_local! {
    static PLANTED: Cell<&'static str> = const { Cell::new("") };
}

/// Whether this fault is planted in this thread. Always false, and compiled away, unless the feature `failpoints` is on.
#[cfg(feature = "failpoints")]
pub fn planted(fault: &str) -> bool {
    PLANTED.get() == fault
}

/// Whether this fault is planted in this thread. Always false, and compiled away, unless the feature `failpoints` is on.
#[cfg(not(feature = "failpoints"))]
pub const fn planted(_: &str) -> bool {
    false
}

/// Plants a fault in this thread in place of the one before. The empty text plants none.
#[cfg(feature = "failpoints")]
pub fn plant(fault: &'static str) {
    PLANTED.set(fault);
}
