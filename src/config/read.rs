//! Worker files on the disk: read as text, with every way in which they may not be text, and written.

use super::problem::{ConfigError, Problem, Span};
use crate::files::{self, Foreign};
use std::io::ErrorKind;
use std::path::Path;

/// Largest worker file in bytes: far above any real one, so that a data file given by mistake is told at once.
const BYTES_MAX: u64 = 8 << 20;

/// What a file that is named with `-c` is called.
pub(super) const WORKER_FILE: &str = "worker file";

/// Reads the whole file as UTF-8. `what`: what it is to be.
pub(super) fn read(path: &Path, what: &str) -> Result<String, ConfigError> {
    let bytes = files::read(path, BYTES_MAX).map_err(|error| unreadable(path, what, &error))?;
    String::from_utf8(bytes).map_err(|error| not_utf8(path, error.as_bytes(), error.utf8_error().valid_up_to()))
}

fn unreadable(path: &Path, wanted: &str, error: &std::io::Error) -> ConfigError {
    let refuse = |code, message: String, hint| ConfigError::whole_file(path, code, message, hint);
    if let Some(Foreign { what, .. }) = Foreign::of(error) {
        let hint = if *what == "a folder" { "name the file in it" } else { "write it to a file first" };
        let code = if *what == "a folder" { "directory" } else { "unreadable" };
        return refuse(code, format!("this is {what}, not a {wanted}"), hint);
    }
    match error.kind() {
        ErrorKind::NotFound => refuse(
            "missing-file",
            format!("there is no such {wanted}"),
            if wanted == WORKER_FILE {
                "look at the path, or write one with `filegen config init`"
            } else {
                "look at the path"
            },
        ),
        ErrorKind::PermissionDenied => refuse(
            "unreadable",
            format!("the {wanted} may not be read: {error}"),
            "give this user the right to read it",
        ),
        ErrorKind::FileTooLarge => {
            refuse("too-large", format!("this is larger than 8 MiB, so it is no {wanted}"), "name another file")
        }
        _ => refuse("unreadable", format!("the {wanted} cannot be read: {error}"), "look at the path and its disk"),
    }
}

/// Says at which byte the file stops being UTF-8, and what it probably is.
fn not_utf8(path: &Path, bytes: &[u8], valid: usize) -> ConfigError {
    let hint = if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        "it looks like UTF-16; save it as UTF-8"
    } else {
        "save it as UTF-8; it may be Windows-1252 now"
    };
    let before = String::from_utf8_lossy(&bytes[..valid]);
    let byte = bytes.get(valid).copied().unwrap_or_default();
    let problem = Problem {
        code: "not-utf8",
        message: format!("byte {} (0x{byte:02X}) is not UTF-8", valid + 1),
        hint: hint.to_owned(),
        field: None,
        place: Some(Span { start: valid, end: valid }.place(&before)),
    };
    ConfigError { path: path.to_owned(), problems: vec![problem], masked_text: None }
}

/// As [`write_new`], for a file that is its owner's alone.
///
/// # Errors
/// What the system says; `AlreadyExists` when a file is in the way.
pub fn write_private(path: &Path, text: &str, replace: bool) -> std::io::Result<()> {
    if replace {
        files::replace_private(path, text.as_bytes())
    } else {
        files::write_new_private(path, text.as_bytes())
    }
}

/// Writes a worker file. One that is there already stays, unless `replace`; then it goes when the new one is whole.
///
/// # Errors
/// What the system says; `AlreadyExists` when a file is in the way.
pub fn write_new(path: &Path, text: &str, replace: bool) -> std::io::Result<()> {
    if replace { files::replace(path, text.as_bytes()) } else { files::write_new(path, text.as_bytes()) }
}
