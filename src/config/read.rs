//! Worker files on the disk: read as text, with every way in which they may not be text, and written.

use super::problem::{ConfigError, Problem, Span};
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::path::Path;

/// Largest worker file in bytes: far above any real one, so that a data file given by mistake is told at once.
const BYTES_MAX: u64 = 8 << 20;

/// Reads the whole file as UTF-8.
pub(super) fn read(path: &Path) -> Result<String, ConfigError> {
    let refuse = |code, message: String, hint| Err(ConfigError::whole_file(path, code, message, hint));
    let file = File::open(path).map_err(|error| cannot_open(path, &error))?;
    if file.metadata().is_ok_and(|metadata| metadata.is_dir()) {
        return refuse("directory", "this is a folder, not a worker file".to_owned(), "name the file in it");
    }
    let mut bytes = Vec::new();
    if let Err(error) = file.take(BYTES_MAX + 1).read_to_end(&mut bytes) {
        return refuse("unreadable", format!("the worker file cannot be read: {error}"), "look at the disk it lies on");
    }
    if bytes.len() as u64 > BYTES_MAX {
        return refuse(
            "too-large",
            "this is larger than 8 MiB, so it is no worker file".to_owned(),
            "name the worker file",
        );
    }
    String::from_utf8(bytes).map_err(|error| not_utf8(path, error.as_bytes(), error.utf8_error().valid_up_to()))
}

fn cannot_open(path: &Path, error: &std::io::Error) -> ConfigError {
    let (code, message, hint) = match error.kind() {
        ErrorKind::NotFound => (
            "missing-file",
            "there is no such worker file".to_owned(),
            "look at the path, or write one with `filegen config init`",
        ),
        ErrorKind::PermissionDenied => {
            ("unreadable", format!("the worker file may not be read: {error}"), "give this user the right to read it")
        }
        _ => ("unreadable", format!("the worker file cannot be opened: {error}"), "look at the path"),
    };
    ConfigError::whole_file(path, code, message, hint)
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

/// Writes a worker file. One that is there already stays, unless `replace`; then it goes when the new one is whole.
///
/// # Errors
/// What the system says; `AlreadyExists` when a file is in the way.
pub fn write_new(path: &Path, text: &str, replace: bool) -> std::io::Result<()> {
    if !replace {
        return File::create_new(path)?.write_all(text.as_bytes());
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let mut file = File::create(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&beside, path)
}
