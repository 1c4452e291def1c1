//! A transfer's target as the core takes it.

use super::{missing, path, path_at};
use crate::config::cursor::{Cursor, Fields};
use crate::config::grammar::transfer::TO;
use crate::core::model::peer::is_sftp;
use crate::core::model::secret::Secret;
use crate::core::model::sftp::{SftpLogin, SftpSpec, SftpVerify};
use crate::core::transfer::spec::TargetSpec;
use std::path::PathBuf;

/// Fields that say something of an SFTP server alone.
const OF_SFTP: [&str; 7] = ["key", "passphrase", "agent", "password", "known_hosts", "fingerprint", "verify"];

/// Where OpenSSH keeps the host keys that everybody on a host knows.
const SYSTEM_HOSTS: &str = "/etc/ssh/ssh_known_hosts";

/// The target. `None` when anything is wrong; that is noted then.
pub(super) fn target(at: &Cursor<'_>) -> Option<TargetSpec> {
    if let Some(s3) = at.field("s3") {
        s3.report("not-yet", "`s3` is not yet supported", "write `directory: PATH` or `sftp: sftp://…`");
    }
    let fields = at.read(&TO);
    if let Some(given) = at.field("sftp") {
        if at.field("directory").is_some() {
            given.report("impossible-value", "`directory` and `sftp` are both given", "write one of them");
        }
        return sftp(at, &fields).map(|spec| TargetSpec::Sftp(Box::new(spec)));
    }
    for given in OF_SFTP.iter().filter_map(|name| at.field(name)) {
        let message = format!("`{}` says something of an SFTP server, and none is given", given.name());
        given.report("impossible-value", message, "write `sftp: sftp://user@host/folder`, or leave it out");
    }
    let directory = path(&fields, "directory");
    if directory.is_none() && at.field("s3").is_none() {
        missing(&fields, "directory", "OUTPUT_DIR");
    }
    directory.map(TargetSpec::Directory)
}

fn sftp(at: &Cursor<'_>, fields: &Fields<'_>) -> Option<SftpSpec> {
    let url = fields.text("sftp").filter(|url| {
        let fits = is_sftp(url);
        if !fits {
            let message = "this is no address of an SFTP server";
            fields.place("sftp").report("unknown-address", message, "write `sftp://user@host:22/folder`");
        }
        fits
    });
    let secret = |name: &str| fields.text(name).map(|text| Secret::new(text.as_ref()));
    let key = path(fields, "key");
    let known_hosts = known_hosts(at);
    let fingerprints = fingerprints(at);
    let has_agent = fields.flag("agent").unwrap_or_default();
    let login = SftpLogin { key, passphrase: secret("passphrase"), has_agent, password: secret("password") };
    let url = url?;
    // A password in the address stands behind a colon in front of the `@`.
    let is_in_address = url.split_once('@').is_some_and(|(login, _)| login.matches(':').count() > 1);
    if login.key.is_none() && !login.has_agent && login.password.is_none() && !is_in_address {
        let hint =
            "add `key: FILE`, `agent: true` or `password: …`, or set SFTP_KEY, SFTP_PASSWORD or SFTP_PASSWORD_FILE";
        fields.place("sftp").report("missing-field", "nothing says how to log in to the server", hint);
        return None;
    }
    Some(SftpSpec {
        url: Secret::new(url),
        login,
        known_hosts: known_hosts?,
        fingerprints: fingerprints?,
        verify: match fields.text("verify")?.as_ref() {
            "size" => SftpVerify::Size,
            _ => SftpVerify::Content,
        },
    })
}

/// One or several words.
fn words<'a>(at: &Cursor<'a>, name: &str) -> Vec<(Cursor<'a>, String)> {
    let Some(field) = at.field(name) else { return Vec::new() };
    let items = field.items();
    let items = if items.is_empty() { vec![field] } else { items };
    items.into_iter().filter_map(|item| item.text().map(str::to_owned).map(|text| (item, text))).collect()
}

/// The files that are given, else the user's and the system's.
fn known_hosts(at: &Cursor<'_>) -> Option<Vec<PathBuf>> {
    let given = words(at, "known_hosts");
    if given.is_empty() {
        let home = at.context.vars.get("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
        let own = home.map(|home| home.join(".ssh/known_hosts"));
        return Some(own.into_iter().chain([PathBuf::from(SYSTEM_HOSTS)]).collect());
    }
    given.into_iter().map(|(item, text)| path_at(&item, &text)).collect()
}

/// Each as `ssh-keygen -l` writes it: 32 bytes in base64.
fn fingerprints(at: &Cursor<'_>) -> Option<Vec<String>> {
    let check = |(item, text): (Cursor<'_>, String)| {
        let digest = text.strip_prefix("SHA256:").map(|digest| digest.trim_end_matches('='));
        let is_base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/');
        if digest.is_some_and(|digest| digest.len() == 43 && digest.chars().all(is_base64)) {
            return Some(text);
        }
        let hint = "write it as `ssh-keygen -l -f KEY.pub` shows it: `SHA256:` and 43 characters";
        item.report("impossible-value", "this is no SHA-256 fingerprint of a host key", hint);
        None
    };
    words(at, "fingerprint").into_iter().map(check).collect()
}
