//! A transfer file's filters and companions as the core takes them.

use super::{path, path_at};
use crate::config::cursor::{Cursor, Fields};
use crate::config::grammar::transfer::{AGE, COMPANION, CSV, GZIP, JSON, OPENPGP, OPENPGP_SIGN, ZSTD};
use crate::core::model::filters::{AgeSpec, Each, JsonCheck, OpenPgpSign, OpenPgpSpec, ToolSpec};
use crate::core::model::secret::Secret;
use crate::core::transfer::naming::NameTemplate;
use crate::core::transfer::steps::{Companion, CompanionKind, CsvCheck, Filter, RowCount};

/// The filters. `None` when one was refused; that is noted then.
pub(super) fn filters(at: &Cursor<'_>) -> Option<Vec<Filter>> {
    at.items().iter().map(filter).collect()
}

fn filter(at: &Cursor<'_>) -> Option<Filter> {
    if at.field("gzip").is_some() {
        let level = at.section("gzip").read(&GZIP).whole("level")?;
        return Some(Filter::Gzip { level: u32::try_from(level).ok()? });
    }
    if at.field("zstd").is_some() {
        let level = at.section("zstd").read(&ZSTD).whole("level")?;
        return Some(Filter::Zstd { level: i32::try_from(level).ok()? });
    }
    if at.field("gunzip").is_some() {
        return Some(Filter::Gunzip);
    }
    if let Some(age) = at.field("age") {
        return self::age(&at.section("age"), &age).map(|spec| Filter::Tool(ToolSpec::Age(spec)));
    }
    if let Some(openpgp) = at.field("openpgp") {
        return self::openpgp(&at.section("openpgp"), &openpgp).map(|spec| Filter::Tool(ToolSpec::OpenPgp(spec)));
    }
    check(&at.field("check")?)
}

fn openpgp(at: &Cursor<'_>, place: &Cursor<'_>) -> Option<OpenPgpSpec> {
    let fields = at.read(&OPENPGP);
    let listed = at.section("recipients").items();
    if listed.is_empty() {
        let hint = "add `recipients: [partner.asc]`: files as `gpg --export --armor` writes them";
        place.report("missing-field", "nobody could read what `openpgp` makes: it has no recipients", hint);
        return None;
    }
    let recipients = listed.iter().map(|item| path_at(item, item.text()?)).collect::<Option<Vec<_>>>();
    let sign = match at.field("sign") {
        Some(_) => {
            let fields = at.section("sign").read(&OPENPGP_SIGN);
            let passphrase = fields.text("passphrase").map(|text| Secret::new(text.as_ref()));
            Some(OpenPgpSign { key: path(&fields, "key")?, passphrase })
        }
        None => None,
    };
    Some(OpenPgpSpec { recipients: recipients?, sign, is_armored: fields.flag("armor")? })
}

fn age(at: &Cursor<'_>, place: &Cursor<'_>) -> Option<AgeSpec> {
    /// What every recipient begins with.
    const BEGINS: [&str; 2] = ["age1", "ssh-ed25519 "];
    let fields = at.read(&AGE);
    let listed = at.section("recipients").items();
    let mut recipients = Vec::new();
    for item in &listed {
        let text = item.text()?;
        if !BEGINS.iter().any(|begin| text.starts_with(begin)) {
            // It is not shown: it may be a secret key.
            let message = "this is no public key of age".to_owned();
            item.report_harmless("impossible-value", message, "write `age1…`, or `ssh-ed25519 AAAA…`");
            return None;
        }
        recipients.push(text.to_owned());
    }
    let recipients_file = match at.field("recipients_file") {
        Some(_) => Some(path(&fields, "recipients_file")?),
        None => None,
    };
    if recipients.is_empty() && recipients_file.is_none() {
        let hint = "add `recipients: [age1…]`, or `recipients_file: FILE`";
        place.report("missing-field", "nobody could read what `age` makes: it has no recipients", hint);
        return None;
    }
    Some(AgeSpec { recipients, recipients_file })
}

fn check(at: &Cursor<'_>) -> Option<Filter> {
    match (at.field("csv"), at.field("json")) {
        (Some(_), Some(json)) => {
            let hint = "write a line with `- check:` for each";
            json.report("impossible-value", "`csv` and `json` are both given", hint);
            None
        }
        (Some(at), None) => csv(&at).map(Filter::CheckCsv),
        (None, Some(at)) => json(&at).map(|check| Filter::Tool(ToolSpec::Json(check))),
        (None, None) => {
            let hint = "for example `check: { csv: { rows: \">0\" } }`, or `check: { json: { schema: order.json } }`";
            at.report("missing-field", "`check` says nothing of what it checks", hint);
            None
        }
    }
}

fn json(at: &Cursor<'_>) -> Option<JsonCheck> {
    let fields = at.read(&JSON);
    let schema = path(&fields, "schema");
    let each = Each::parse(&fields.text("each")?);
    let rows = rows(&fields);
    if each == Some(Each::Document) && at.field("rows").is_some() {
        let message = "`rows` counts lines or elements, and one document is looked at";
        fields.place("rows").report(
            "impossible-value",
            message,
            "add `each: line` or `each: element`, or leave it out",
        );
    }
    Some(JsonCheck { schema: schema?, each: each?, rows: rows?, max_size: fields.size("max_size")? })
}

/// How many rows are wanted. `None` when that was refused.
#[expect(clippy::option_option, reason = "refused, or not given")]
fn rows(fields: &Fields<'_>) -> Option<Option<RowCount>> {
    let Some(text) = fields.text("rows") else { return Some(None) };
    let rows = RowCount::parse(&text);
    if rows.is_none() {
        let message = "`rows` is a number with a sign in front";
        fields.place("rows").report("impossible-value", message, "for example `\">0\"`");
    }
    rows.map(Some)
}

fn csv(at: &Cursor<'_>) -> Option<CsvCheck> {
    let fields = at.read(&CSV);
    let rows = rows(&fields);
    let delimiter = match fields.text("delimiter")?.as_bytes() {
        [one] if one.is_ascii() && !matches!(one, b'"' | b'\r' | b'\n') => Some(*one),
        b"\\t" => Some(b'\t'),
        _ => {
            let message = "`delimiter` is one ASCII character that is no quote";
            fields.place("delimiter").report("impossible-value", message, "for example `\";\"`");
            None
        }
    };
    let columns = at.section("columns").items().iter().map(|item| item.text().map(str::to_owned)).collect();
    Some(CsvCheck { columns: Option::<Vec<_>>::unwrap_or_default(columns), rows: rows?, delimiter: delimiter? })
}

/// The companions. `None` when one was refused; that is noted then.
pub(super) fn companions(at: &Cursor<'_>) -> Option<Vec<Companion>> {
    at.items().iter().map(companion).collect()
}

fn companion(at: &Cursor<'_>) -> Option<Companion> {
    let fields = at.read(&COMPANION);
    let (word, kind) = [("done", CompanionKind::Done), ("sha256", CompanionKind::Sha256)]
        .into_iter()
        .find(|(word, _)| at.field(word).is_some())?;
    match NameTemplate::parse(&fields.text(word)?) {
        Ok(name) if !name.as_str().contains('/') => Some(Companion { kind, name }),
        named => {
            let why =
                named.err().unwrap_or_else(|| "a companion stands beside its file, and has no `/` in it".to_owned());
            let message = format!("the name cannot be taken: {why}");
            fields.place(word).report("impossible-value", message, format!("for example `{{{{ name }}}}.{word}`"));
            None
        }
    }
}
