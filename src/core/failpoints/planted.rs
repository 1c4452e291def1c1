//! Faults on purpose: the simulation plants one at a time, to see that it is found. None of this is in a release.

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

/// Plants a fault in this thread, and takes away the one before; the empty text is none.
#[cfg(feature = "failpoints")]
pub fn plant(fault: &'static str) {
    PLANTED.set(fault);
}
