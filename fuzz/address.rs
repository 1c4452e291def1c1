//! A password in an address, whatever it is made of: nothing that is told of the file holds a part of it.

use super::passwords;
use filegen::Registry;
use filegen::config::{self, ConfigError, Notes};
use filegen::wiring;
use std::path::Path;

/// Stands between all characters of the password, and nowhere else.
const MARK: &str = "Zq9";

/// An input is which of the files, and the characters between the marks.
pub fn address(bytes: &[u8]) {
    let Some((which, text)) = bytes.split_first() else { return };
    let mut password = MARK.to_owned();
    for c in String::from_utf8_lossy(text).chars().take(24) {
        password.push(c);
        password.push_str(MARK);
    }
    let files = passwords::files(&password);
    let file = &files[usize::from(*which) % files.len()];
    let told = told(file);
    assert!(!told.to_lowercase().contains(&MARK.to_lowercase()), "of {password:?} in\n{file}\nis told\n{told}");
}

/// All that is told of a file without connecting to anything.
fn told(file: &str) -> String {
    let loaded = match config::parse(file, Path::new("/worker.yaml"), &(), &Registry::default()) {
        Ok(loaded) => loaded,
        Err(error) => return rendered(&error),
    };
    let resolved = loaded.resolved(&wiring::address_shown);
    let insecure = wiring::insecure_in(&loaded.flow);
    let unreadable = wiring::unreadable_in(&loaded.flow);
    let mut told = vec![resolved.to_yaml(), format!("{loaded:?} {insecure:?} {unreadable:?}")];
    told.extend(loaded.warnings(&Notes { insecure, ..Notes::default() }).as_ref().map(rendered));
    let Some(worker) = loaded.flow.worker() else { return told.join("\n") };
    told.push(match wiring::source_at(&worker.source.url) {
        Ok(source) => source.describe(),
        Err(error) => format!("{error} {error:?}"),
    });
    told.join("\n")
}

fn rendered(error: &ConfigError) -> String {
    format!("{error}\n{error:?}\n{}\n{:?}", error.to_json(), error.report())
}
