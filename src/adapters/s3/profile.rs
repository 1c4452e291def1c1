//! AWS's two files of profiles: `~/.aws/credentials` and `~/.aws/config`.

use super::fault::Fault;
use crate::core::model::s3::S3Spec;
use crate::files;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Largest file of profiles, in bytes.
const FILE_MAX: u64 = 1 << 20;

/// A profile, with what both files say of it.
#[derive(Clone, PartialEq, Eq, Default)]
pub(super) struct Profile {
    pub(super) name: String,
    settings: BTreeMap<String, String>,
}

impl Profile {
    /// A setting that is not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.settings.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// What the files say.
pub(super) struct Profiles {
    wanted: Option<String>,
    chosen: Option<Profile>,
}

impl Profiles {
    /// Reads both files, as far as they are there. The first wins.
    pub(super) fn read(spec: &S3Spec) -> Result<Self, Fault> {
        let home = spec.variable("HOME").map(PathBuf::from);
        let path = |variable: &str, usual: &str| {
            spec.variable(variable).map(PathBuf::from).or_else(|| home.as_ref().map(|home| home.join(usual)))
        };
        let files = [path("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials"), path("AWS_CONFIG_FILE", ".aws/config")];
        let wanted = spec.profile.clone().or_else(|| spec.variable("AWS_PROFILE").map(str::to_owned));
        let name = wanted.clone().unwrap_or_else(|| "default".to_owned());
        let mut chosen: Option<Profile> = None;
        for file in files.into_iter().flatten() {
            let Some(text) = read(&file)? else { continue };
            for (setting, value) in of(&text, &name).into_iter().flatten() {
                let profile = chosen.get_or_insert_with(|| Profile { name: name.clone(), ..Profile::default() });
                profile.settings.entry(setting).or_insert(value);
            }
        }
        Ok(Self { wanted, chosen })
    }

    /// The profile that counts, where it is there.
    pub(super) fn chosen(&self) -> Option<&Profile> {
        self.chosen.as_ref()
    }

    /// The name that somebody asked for.
    pub(super) fn wanted(&self) -> Option<&str> {
        self.wanted.as_deref()
    }

    /// A setting of the profile.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.chosen.as_ref()?.get(name)
    }
}

fn read(path: &Path) -> Result<Option<String>, Fault> {
    match files::read(path, FILE_MAX) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Fault::Unusable(format!("AWS's file `{}` cannot be read: {error}", path.display()))),
    }
}

/// The settings of a profile: its section is `[NAME]` or `[profile NAME]`. Indented lines belong to the setting above them, and are
/// none of those that count here. `None` when there is no such section.
fn of(text: &str, name: &str) -> Option<Vec<(String, String)>> {
    let (mut found, mut is_in) = (None, false);
    for line in text.lines().filter(|line| !line.starts_with([' ', '\t', '#', ';'])) {
        if let Some(section) = line.strip_prefix('[').and_then(|line| line.split_once(']')) {
            let section = section.0.trim();
            let section = section.strip_prefix("profile ").map_or(section, str::trim);
            is_in = section.trim_matches('"') == name;
            if is_in {
                found.get_or_insert_with(Vec::new);
            }
        } else if let (true, Some((setting, value)), Some(found)) = (is_in, line.split_once('='), found.as_mut()) {
            // A remark stands behind a space: a key may have the sign in it.
            let value =
                [" #", " ;", "\t#", "\t;"].iter().fold(value, |value, mark| value.split(mark).next().unwrap_or(value));
            found.push((setting.trim().to_lowercase(), value.trim().to_owned()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_read_as_the_tools_write_it() {
        let text = "# mine\n[default]\naws_access_key_id = A\nAWS_SECRET_ACCESS_KEY=b/c#d+e= # a remark\n\
                    s3 =\n  addressing_style = path\n\n[profile other]\nregion=eu-west-1\n[\"third\"]\nregion = x\n";
        let get = |name: &str, setting: &str| {
            of(text, name).map(|all| all.into_iter().find(|(name, _)| name == setting).map(|(_, value)| value))
        };
        assert_eq!(get("default", "aws_access_key_id"), Some(Some("A".to_owned())));
        assert_eq!(get("default", "aws_secret_access_key"), Some(Some("b/c#d+e=".to_owned())));
        assert_eq!(get("default", "addressing_style"), Some(None));
        assert_eq!(get("other", "region"), Some(Some("eu-west-1".to_owned())));
        assert_eq!(get("third", "region"), Some(Some("x".to_owned())));
        assert_eq!(get("fourth", "region"), None);
    }

    #[test]
    fn both_files_are_one_profile() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("c"), "[p]\naws_access_key_id=A\nregion=first\n").unwrap();
        std::fs::write(folder.path().join("f"), "[profile p]\nregion=second\noutput=json\n").unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let (credentials, config) = (path("c"), path("f"));
        let pairs = [("AWS_SHARED_CREDENTIALS_FILE", &*credentials), ("AWS_CONFIG_FILE", &*config)];
        let spec = super::super::tests::spec(&pairs);
        let profiles = Profiles::read(&S3Spec { profile: Some("p".to_owned()), ..spec.clone() }).ok().unwrap();
        assert_eq!((profiles.get("aws_access_key_id"), profiles.get("region")), (Some("A"), Some("first")));
        assert_eq!((profiles.get("output"), profiles.wanted()), (Some("json"), Some("p")));
        let profiles = Profiles::read(&spec).ok().unwrap();
        assert!(profiles.chosen().is_none() && profiles.wanted().is_none());
    }
}
