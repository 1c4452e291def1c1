//! What needs no broker: settings, and that nothing secret is told.
