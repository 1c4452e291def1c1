//! Where leases, runs and progress are kept.

use crate::config::address;
use crate::config::cursor::{Cursor, Fields};
use crate::config::grammar::common::STATE;
use crate::core::model::secret::Secret;
use std::borrow::Cow;
use std::path::Path;

/// The state store: the file's, the environment's, or a file of its own below the folder `beside`.
pub(super) fn state(at: &Cursor<'_>, beside: Option<&Path>) -> Option<Secret> {
    let fields = at.read(&STATE);
    let url = match fields.text("url") {
        Some(url) => url,
        // A value that does not fit is no reason to take another.
        None if at.field("url").is_some() => return None,
        None => {
            let folder = beside?.to_str()?;
            Cow::Owned(format!("sqlite:{folder}/.filegen/state.db"))
        }
    };
    Some(Secret::new(refused_at(&fields, address::state(&url, at.context.folder))?))
}

/// An address. `None` when it was refused; that is noted then.
pub(super) fn refused_at(fields: &Fields<'_>, address: Result<String, address::Refused>) -> Option<String> {
    match address {
        Ok(url) => Some(url),
        Err((message, hint)) => {
            fields.place("url").report("unknown-address", message, hint);
            None
        }
    }
}
