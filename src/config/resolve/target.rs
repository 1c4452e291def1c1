//! A transfer's target as the core takes it.

use super::{missing, path, path_at};
use crate::config::cursor::{Cursor, Fields};
use crate::config::grammar::transfer::TO;
use crate::core::model::peer::{is_s3, is_sftp};
use crate::core::model::s3::{AWS_VARIABLES, S3Spec};
use crate::core::model::secret::Secret;
use crate::core::model::sftp::{SftpLogin, SftpSpec, SftpVerify};
use crate::core::transfer::spec::TargetSpec;
use std::path::PathBuf;

/// Fields that say something of an SFTP server alone.
const OF_SFTP: [&str; 7] = ["key", "passphrase", "agent", "password", "known_hosts", "fingerprint", "verify"];

/// Fields that say something of an object store alone.
const OF_S3: [&str; 5] = ["endpoint", "region", "path_style", "ca", "profile"];

/// Where OpenSSH keeps the host keys that everybody on a host knows.
const SYSTEM_HOSTS: &str = "/etc/ssh/ssh_known_hosts";

/// The target. `None` when anything is wrong; that is noted then.
pub(super) fn target(at: &Cursor<'_>) -> Option<TargetSpec> {
    let fields = at.read(&TO);
    let given: Vec<&str> = ["directory", "sftp", "s3"].into_iter().filter(|name| at.field(name).is_some()).collect();
    if let [one, other, ..] = given[..] {
        let message = format!("`{one}` and `{other}` are both given");
        fields.place(other).report("impossible-value", message, "write one of them");
    }
    let strangers = [
        ("sftp", &OF_SFTP[..], "an SFTP server", "write `sftp: sftp://user@host/folder`, or leave it out"),
        ("s3", &OF_S3, "an object store", "write `s3: s3://bucket/prefix`, or leave it out"),
    ];
    for (_, names, of, hint) in strangers.into_iter().filter(|(kind, ..)| !given.contains(kind)) {
        for field in names.iter().filter_map(|name| at.field(name)) {
            let message = format!("`{}` says something of {of}, and none is given", field.name());
            field.report("impossible-value", message, hint);
        }
    }
    if given.contains(&"sftp") {
        return sftp(at, &fields).map(|spec| TargetSpec::Sftp(Box::new(spec)));
    }
    if given.contains(&"s3") {
        return s3(&fields).map(|spec| TargetSpec::S3(Box::new(spec)));
    }
    let directory = path(&fields, "directory");
    if directory.is_none() {
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

fn s3(fields: &Fields<'_>) -> Option<S3Spec> {
    let url = fields.text("s3").filter(|url| {
        let fits = is_s3(url);
        if !fits {
            let message = "this is no address of a bucket";
            fields.place("s3").report("unknown-address", message, "write `s3://bucket/prefix`");
        }
        fits
    });
    let variables =
        AWS_VARIABLES.into_iter().filter_map(|name| Some((name, Secret::new(fields.variable("s3", name)?)))).collect();
    Some(S3Spec {
        url: Secret::new(url?),
        endpoint: fields.text("endpoint").map(|text| Secret::new(text.as_ref())),
        region: fields.text("region").map(|text| text.as_ref().to_owned()),
        path_style: fields.flag("path_style"),
        ca: path(fields, "ca"),
        profile: fields.text("profile").map(|text| text.as_ref().to_owned()),
        variables,
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
