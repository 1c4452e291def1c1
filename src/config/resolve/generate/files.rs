//! The files, and names that would stand in each other's way.

use super::marks::SqlContext;
use super::translator::translator;
use crate::config::check::receivers::report_refused;
use crate::config::cursor::{Cursor, Fields};
use crate::config::grammar::generate::FILE;
use crate::config::receivers::Receiver;
use crate::config::resolve::check_zone;
use crate::config::tree::Value;
use crate::config::{separators, values};
use crate::core::generate::model::file_name::{FileName, days_to_compare, manifest_name, version_of};
use crate::core::generate::spec::{
    BytesForm, DecimalSign, FileSpec, Forms, Limit, Limits, OnOverflow, OnUnmappable, Timestamps,
};
use crate::core::generate::translate::FileTranslator;
use crate::core::model::names::{FileId, WorkerId};
use crate::core::model::run::{BusinessDate, RunId};
use crate::core::model::sql::check_expression;
use std::collections::HashMap;

/// A file's name and where it stands.
struct Named<'a> {
    at: Cursor<'a>,
    id: FileId,
    name: FileName,
}

/// The files. With `suffixed` corrections stand beside what they correct.
pub(super) fn files(
    at: &Cursor<'_>,
    worker: Option<&WorkerId>,
    sql: &SqlContext<'_>,
    suffixed: bool,
) -> Option<Vec<FileSpec>> {
    let mut specs = Some(Vec::new());
    let mut ids: HashMap<String, String> = HashMap::new();
    let mut names = Vec::new();
    for item in at.items() {
        let receiver = item.field("receiver").and_then(|at| at.text()).and_then(Receiver::named);
        let fields = item.read_for(&FILE, receiver.map(|receiver| (receiver.name, receiver.file)));
        let id = id(&fields, &mut ids);
        let name = name(&fields);
        if let (Some(id), Some(name)) = (&id, &name) {
            names.push(Named { at: fields.place("name"), id: id.clone(), name: name.clone() });
        }
        let spec = file(&fields, receiver, id, name, sql);
        specs = specs.zip(spec).map(|(mut specs, spec)| {
            specs.push(spec);
            specs
        });
    }
    if let Some(worker) = worker {
        check_names(worker, &names, suffixed);
    }
    specs
}

fn id(fields: &Fields<'_>, ids: &mut HashMap<String, String>) -> Option<FileId> {
    let text = fields.text("id")?;
    let place = fields.place("id");
    // Staged files bear these names, and some file systems do not tell case.
    if let Some(first) = ids.insert(text.to_lowercase(), place.path.clone()) {
        place.report(
            "duplicate-id",
            format!("the id {} is already that of `{first}`", place.shown()),
            "ids are unique, whatever their case",
        );
    }
    match FileId::new(text) {
        Ok(id) => Some(id),
        Err(error) => {
            place.report("impossible-value", error.to_string(), "for example `Loan0`");
            None
        }
    }
}

fn name(fields: &Fields<'_>) -> Option<FileName> {
    let daily_folder = fields.text("overwrite")? == "daily_folder";
    match FileName::parse(&fields.text("name")?) {
        Ok(name) if daily_folder => Some(name.in_daily_folder()),
        Ok(name) => Some(name),
        Err(error) => {
            let hint = "for example `loan0_{date}.txt`";
            fields.place("name").report("impossible-name", format!("the file's name {error}"), hint);
            None
        }
    }
}

fn file(
    fields: &Fields<'_>,
    receiver: Option<&'static Receiver>,
    id: Option<FileId>,
    name: Option<FileName>,
    sql: &SqlContext<'_>,
) -> Option<FileSpec> {
    let translator = translator(&fields.place("translator"), receiver, fields.at.field("receiver").is_none());
    if let Some(receiver) = receiver {
        report_refused(receiver, &fields.at);
    }
    let unmappable = policy(fields, "on_unmappable", "replace")?;
    let overflow = policy(fields, "on_overflow", "truncate")?;
    let predicate = fields.text("where").map(|text| sql.template(&fields.place("where"), &text, check_expression));
    if let Some(zone) = fields.text("zone") {
        check_zone(&fields.place("zone"), &zone);
    }
    let spec = FileSpec {
        id: id?,
        name: name?,
        event_type: fields.owned("event_type"),
        translator: translator?,
        predicate: match predicate {
            Some(template) => Some(template?),
            None => None,
        },
        first_record: fields.owned("first_record"),
        last_record: fields.owned("last_record"),
        zone: fields.owned("zone"),
        null: fields.owned("null"),
        forms: forms(fields)?,
        encoding: values::encoding(&fields.text("encoding")?)?,
        bom: fields.flag("bom")?,
        newline: separators::line_end(&fields.text("newline")?).ok()?,
        on_unmappable: if unmappable.0 { OnUnmappable::Replace } else { OnUnmappable::Error },
        on_overflow: if overflow.0 { OnOverflow::Truncate } else { OnOverflow::Error },
        limits: Limits { unmappable: unmappable.1, overflow: overflow.1 },
        progress_header: fields.flag("progress_header")?,
    };
    // The translator's own view comes last: it would only repeat what is already noted.
    if !fields.at.context.problems.borrow().are_within(&fields.at.path)
        && let Err(error) = FileTranslator::new(&spec, fields.at.context.registry)
    {
        let hint = "`filegen config init` prints a worker file with an example of each translator";
        blamed(&fields.at, &error.reason).report("translator", error.reason, hint);
    }
    Some(spec)
}

/// The forms of values that the file gives to all its columns.
fn forms(fields: &Fields<'_>) -> Option<Forms> {
    Some(Forms {
        booleans: fields.owned("booleans"),
        timestamps: match fields.text("timestamps")?.as_ref() {
            "iso" => Timestamps::Iso,
            "space" => Timestamps::Space,
            "plain" => Timestamps::Plain,
            format => Timestamps::Format(format.to_owned()),
        },
        decimal: match fields.text("decimal")?.as_ref() {
            "." => DecimalSign::Point,
            "," => DecimalSign::Comma,
            _ => return None,
        },
        bytes: match fields.text("bytes")?.as_ref() {
            "hex" => BytesForm::Hex,
            "prefixed" => BytesForm::Prefixed,
            "escaped" => BytesForm::Escaped,
            _ => return None,
        },
    })
}

/// Whether a policy changes values instead of ending the run, and how many it may change.
fn policy(fields: &Fields<'_>, name: &str, counted: &str) -> Option<(bool, Option<Limit>)> {
    let place = fields.place(name);
    if let Some(Value::Map(_)) = place.value() {
        let limit = place.section(counted).field("max")?.text().and_then(values::limit)?;
        return Some((true, Some(limit)));
    }
    Some((fields.text(name)? == counted, None))
}

/// The value that a translator's words are about: a field or column that they name, else the translator.
pub(in crate::config) fn blamed<'a>(file: &Cursor<'a>, reason: &str) -> Cursor<'a> {
    let summed = reason.strip_prefix("the sum of column `").and_then(|rest| rest.split('`').next());
    let names_sum = |at: &Cursor<'_>| at.text().zip(summed).is_some_and(|(text, column)| text.contains(column));
    let mut records = ["first_record", "last_record"].into_iter().filter_map(|name| file.field(name));
    if let Some(at) = records.find(names_sum) {
        return at;
    }
    let named = |name: &str| reason.contains(&format!("`{name}`")) || reason.starts_with(&format!("{name} "));
    let mut own = [
        "first_record",
        "last_record",
        "bom",
        "decimal",
        "booleans",
        "timestamps",
        "bytes",
        "null",
        "newline",
        "encoding",
    ]
    .into_iter()
    .filter(|name| named(name));
    if let Some(at) = own.find_map(|name| file.field(name)) {
        return at;
    }
    let translator = file.section("translator");
    let [(name, node)] = translator.entries() else { return translator };
    let options = translator.below(name, node);
    if let Some(at) =
        ["record", "delimiter"].into_iter().filter(|name| named(name)).find_map(|name| options.field(name))
    {
        return at;
    }
    let column = |at: &Cursor<'_>| at.text().or(at.field("column").and_then(|at| at.text())).is_some_and(named);
    options.section("columns").items().into_iter().find(column).unwrap_or(translator)
}

/// Refuses names that collide on some day: two files, or a file and the manifest, with one name, or a name that is a folder in the
/// other's path. With `suffixed` a name with `_v2` may be that of another file's correction.
fn check_names(worker: &WorkerId, names: &[Named<'_>], suffixed: bool) {
    for named in names {
        if let Err(error) = named.name.check(worker, &named.id) {
            named.at.report("impossible-name", format!("the file's name {error}"), "for example `loan0_{date}.txt`");
        }
    }
    let mut told = vec![false; names.len()];
    for day in days_to_compare(names.iter().map(|named| &named.name)) {
        let run = RunId { worker: worker.clone(), date: BusinessDate(day) };
        let mut taken = HashMap::from([(manifest_name(&run, 1), "the manifest".to_owned())]);
        let mut folders: HashMap<String, String> = HashMap::new();
        for (named, told) in names.iter().zip(&mut told) {
            let name = named.name.render(&run, &named.id);
            let own = format!("file {}", named.id);
            let above: Vec<&str> = name.match_indices('/').map(|(slash, _)| &name[..slash]).collect();
            let other = taken
                .get(&name)
                .or_else(|| folders.get(&name))
                .or_else(|| above.iter().find_map(|folder| taken.get(*folder)));
            if let Some(other) = other.filter(|_| !*told) {
                let message = format!("on {day} this name is `{name}`, which is in the way of {other}");
                named.at.report("name-collision", message, "give each file a name of its own");
                *told = true;
            }
            for folder in above {
                folders.entry(folder.to_owned()).or_insert_with(|| own.clone());
            }
            taken.entry(name.clone()).or_insert(own);
        }
        if suffixed {
            check_versions(&run, names, &taken, &mut told);
        }
    }
}

/// Refuses names that a later version of another file, or of the manifest, takes beside it. `taken` has all names of the day.
fn check_versions(run: &RunId, names: &[Named<'_>], taken: &HashMap<String, String>, told: &mut [bool]) {
    for (named, told) in names.iter().zip(told).filter(|(_, told)| !**told) {
        let name = named.name.render(run, &named.id);
        if let Some((before, version)) = version_of(&name)
            && let Some(other) = taken.get(&before)
        {
            let day = run.date;
            let message = format!("on {day} this name is `{name}`, which version {version} of {other} takes beside it");
            let hint = "choose a name without `_v` and a number, or `corrections: replace` in `output`";
            named.at.report("name-collision", message, hint);
            *told = true;
        }
    }
}

/// Refuses first records that say what only a count before the read tells.
pub(super) fn refuse_counted_records(at: &Cursor<'_>, files: &[FileSpec]) {
    for (file, spec) in at.items().iter().zip(files) {
        let needs_count = FileTranslator::new(spec, at.context.registry).is_ok_and(|made| made.first_needs_totals());
        if let Some(at) = file.field("first_record").filter(|_| needs_count) {
            let hint = "put rows and totals into `last_record`, or leave out `count: false`";
            at.report("impossible-value", "with `count: false` nobody knows rows and totals before the read", hint);
        }
    }
}
