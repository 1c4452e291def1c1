//! SQLite views: types, keys and faults.
