//! A file's path at the target: folders by date, type or source, and its name.

use super::envelope::Envelope;
use super::naming::{parts, split};
use super::spec::{Deliver, Organize};
use jiff::tz::TimeZone;

/// A path at the target.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// Folders, with `/` between them; empty for none.
    pub folder: String,
    /// The name.
    pub name: String,
}

impl Place {
    /// The whole path.
    pub fn path(&self) -> String {
        if self.folder.is_empty() { self.name.clone() } else { format!("{}/{}", self.folder, self.name) }
    }

    /// The same with a number in front of the name's last ending: `a-1.csv`. 0 adds none.
    #[must_use]
    pub fn numbered(&self, number: u32) -> Self {
        if number == 0 {
            return self.clone();
        }
        let (stem, extension) = split(&self.name);
        Self { folder: self.folder.clone(), name: format!("{stem}-{number}{extension}") }
    }
}

/// Where a file goes.
///
/// # Errors
/// Why its name leads nowhere inside the target.
pub fn place(deliver: &Deliver, envelope: &Envelope) -> Result<Place, String> {
    let rendered = deliver.name.render(envelope)?;
    let mut names = parts(&rendered)?;
    let name = names.pop().unwrap_or_default();
    let at = envelope.timestamp.to_zoned_datetime(TimeZone::UTC);
    let organized = match deliver.organize_by {
        Organize::Date => at.strftime("%Y/%m/%d").to_string(),
        Organize::Type => match split(&envelope.name).1.trim_start_matches('.') {
            "" => "other".to_owned(),
            ending => ending.to_lowercase(),
        },
        Organize::Source => envelope.source.clone(),
        Organize::None => String::new(),
    };
    let mut folders = if organized.is_empty() { Vec::new() } else { parts(&organized)? };
    folders.extend(names);
    Ok(Place { folder: folders.join("/"), name })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::transfer::envelope::last_name;
    use crate::core::transfer::naming::NameTemplate;
    use crate::core::transfer::spec::{OnExists, TargetSpec};

    fn placed(template: &str, organize_by: Organize, path: &str, source: &str) -> Result<String, String> {
        let deliver = Deliver {
            to: TargetSpec::Directory("out".into()),
            organize_by,
            name: NameTemplate::unchecked(template),
            on_exists: OnExists::Error,
            permissions: Some(0o640),
            max_size: 1,
            filters: Vec::new(),
            companions: Vec::new(),
            work: "work".into(),
        };
        let envelope = serde_json::json!({
            "version": 1, "id": "id1", "sourcePath": path, "name": last_name(path), "source": source, "contentType": "",
            "size": 7, "sha256": "0".repeat(64), "modifiedAt": "2026-11-28T10:00:00Z", "timestamp": "2026-11-28T23:04:05Z",
        });
        place(&deliver, &serde_json::from_value(envelope).unwrap()).map(|place| place.path())
    }

    #[test]
    fn a_name_is_made_from_its_template_below_the_folders() {
        for (template, organize, path, made) in [
            ("{{ stem }}{{ extension }}", Organize::None, "x/a.csv", "a.csv"),
            ("{{ stem }}{{ extension }}", Organize::Date, "a.csv", "2026/11/28/a.csv"),
            ("{{ name }}", Organize::Type, "A.CSV", "csv/A.CSV"),
            ("{{ name }}", Organize::Type, "README", "other/README"),
            ("{{ name }}", Organize::Source, "a", "api/a"),
            ("{{ folder }}{{ name }}", Organize::None, "x/y/a.tar.gz", "x/y/a.tar.gz"),
            (
                "{{ stem }}_{{ date }}_{{ time }}_{{ size }}{{ extension }}",
                Organize::None,
                "a.csv",
                "a_2026-11-28_230405_7.csv",
            ),
            ("{{ source|upper }}/{{ id }}", Organize::None, ".profile", "API/id1"),
            ("{{ name|without('.gz') }}", Organize::None, "a.csv.GZ", "a.csv"),
            ("{{ name|without('.gz') }}.zst", Organize::None, "a.csv", "a.csv.zst"),
            ("{{ name|without('.gz') }}", Organize::None, ".gz", ".gz"),
            ("{{ stem }}|{{ extension }}", Organize::None, ".profile", ".profile|"),
        ] {
            assert_eq!(placed(template, organize, path, "api").as_deref(), Ok(made), "{template}");
        }
    }

    #[test]
    fn no_name_leads_out_of_the_target() {
        for (template, organize, source) in [
            ("../{{ name }}", Organize::None, "api"),
            ("/etc/{{ name }}", Organize::None, "api"),
            ("{{ source }}/{{ name }}", Organize::None, ".."),
            ("{{ name }}", Organize::Source, "../../x"),
            ("a//b", Organize::None, "api"),
            (".filegen-{{ name }}", Organize::None, "api"),
            ("{{ nope }}", Organize::None, "api"),
            ("", Organize::None, "api"),
        ] {
            assert!(placed(template, organize, "a.csv", source).is_err(), "{template}");
        }
        for bad in ["{{", "{{ nope }}", "..", "a/", "{% for i in range(100000000) %}x{% endfor %}"] {
            assert!(NameTemplate::parse(bad).is_err(), "{bad}");
        }
        assert!(NameTemplate::parse("{{ folder }}{{ stem }}-{{ id }}{{ extension }}").is_ok());
    }

    #[test]
    fn a_number_stands_in_front_of_the_ending() {
        let place = Place { folder: "x".to_owned(), name: "a.csv".to_owned() };
        assert_eq!([0, 1, 12].map(|number| place.numbered(number).path()), ["x/a.csv", "x/a-1.csv", "x/a-12.csv"]);
    }
}
