//! The settings that begin each transaction. With them a file does not depend on the role, the database or the server that it is
//! read through. They are all settings that change how a value is written, how text is read as a value, or what a statement means.
//!
//! `search_path` is not among them. It says which view an unqualified name means, and stays the role's own.

/// Settings and their values. All roles may set them.
const SETTINGS: [(&str, &str); 19] = [
    // How values are written.
    ("extra_float_digits", "3"),
    // The order counts for text that a predicate compares with a date: '01/02/2026'.
    ("DateStyle", "'ISO, MDY'"),
    ("IntervalStyle", "'postgres'"),
    // A view that wants another zone says so: `AT TIME ZONE 'Europe/Berlin'`.
    ("TimeZone", "'UTC'"),
    ("timezone_abbreviations", "'Default'"),
    ("bytea_output", "'hex'"),
    ("xmlbinary", "'base64'"),
    ("xmloption", "'content'"),
    // `money` has two digits behind its point in this locale, and `to_char` the names of the months in English.
    ("lc_monetary", "'C'"),
    ("lc_numeric", "'C'"),
    ("lc_time", "'C'"),
    ("client_encoding", "'UTF8'"),
    // What statements mean.
    ("standard_conforming_strings", "on"),
    ("array_nulls", "on"),
    ("transform_null_equals", "off"),
    ("default_text_search_config", "'pg_catalog.simple'"),
    // Which rows there are. Off, a table with policies is an error; `doctor` tells of such tables.
    ("row_security", "on"),
    ("gin_fuzzy_search_limit", "0"),
    ("synchronize_seqscans", "off"),
];

/// The statements. They hold for the current transaction only, because a pooler may pass the connection on afterwards.
pub(super) fn statements() -> String {
    SETTINGS.map(|(name, value)| format!("SET LOCAL {name} = {value}")).join("; ")
}
