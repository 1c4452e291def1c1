//! The awkward view, as SQL and as the cells that every reader must have.

use crate::support::filegen::Filegen;
use serde_json::{Value, json};

pub const COLUMNS: [&str; 9] = ["id", "s", "n", "d", "f", "b", "t", "day", "z"];

/// Texts that somebody takes for something else: NULL, a comment, the end, a number, a quote, nothing.
const TEXTS: [&str; 84] = [
    "plain",
    "",
    " ",
    "   ",
    "  lead",
    "trail  ",
    "\ttab",
    "tab\t",
    "a,b",
    "a;b",
    "a|b",
    "a\tb",
    ",",
    "\",\"",
    "say \"hi\"",
    "\"",
    "\"\"",
    "\"quoted\"",
    "a\"\"b",
    "a\",\"b",
    "'",
    "'single'",
    "o'neil",
    "`tick`",
    "NULL",
    "null",
    "None",
    "nil",
    "NaN",
    "nan",
    "NA",
    "n/a",
    "#N/A",
    "<NULL>x",
    "\\N",
    "\\.",
    "\\",
    "back\\slash",
    "end\\",
    "\\\"",
    "\\n",
    "line\nbreak",
    "line\r\nbreak",
    "cr\ronly",
    "\n",
    "\r",
    "a\n\\.\nb",
    "# comment",
    "#",
    "--",
    "//",
    "=1+1",
    "+1",
    "-1",
    "@x",
    "007",
    "1e5",
    "1,234.5",
    "0x1F",
    "inf",
    "-Infinity",
    "true",
    "TRUE",
    "f",
    "2026-11-21",
    "12:00",
    "ünïcödé",
    "日本語",
    "👍🏽",
    "e\u{301}",
    "\u{a0}nbsp",
    "\u{200b}zero",
    "\u{feff}mark",
    "a\u{85}b",
    "a\u{2028}b",
    "\u{1}",
    "\u{1f}",
    "\u{7f}",
    "%",
    "{x}",
    "<a>&amp;</a>",
    "$$",
    "?",
    ":p",
];

/// One row for each text, then one whose text is NULL and one whose text is long.
pub fn rows() -> Vec<Vec<Value>> {
    let texts = TEXTS.iter().map(|text| Some((*text).to_owned())).chain([None, Some("x, \"y\"\n".repeat(3_000))]);
    texts
        .enumerate()
        .map(|(at, text)| {
            let unless = |every: usize, value: Value| if at % every == every - 1 { Value::Null } else { value };
            let number = i64::try_from(at).unwrap();
            let cents = number * 125 - 2_500;
            vec![
                json!(number + 1),
                json!(text),
                unless(7, json!(number * 1_000_000_000_000 - 5_000_000_000_000)),
                unless(
                    5,
                    json!(format!(
                        "{}{}.{:02}",
                        if cents < 0 { "-" } else { "" },
                        cents.abs() / 100,
                        cents.abs() % 100
                    )),
                ),
                unless(6, json!(f64::from(u8::try_from(at).unwrap()) / 8.0)),
                unless(4, json!(at % 2 == 1)),
                unless(9, json!(format!("2026-11-21 10:{:02}:00.123456", at % 60))),
                unless(8, json!(format!("2026-02-{:02}", at % 28 + 1))),
                if at % 2 == 0 { json!("") } else { Value::Null },
            ]
        })
        .collect()
}

/// A folder with the view.
pub fn world() -> Filegen {
    let filegen = Filegen::empty();
    let table = "CREATE TABLE loans (id INTEGER PRIMARY KEY, s TEXT, n INTEGER, d DECIMAL(12,2), f REAL, b BOOLEAN, t TIMESTAMP, day DATE, \
                 z TEXT); CREATE VIEW v AS SELECT * FROM loans;";
    let mut sql = table.to_owned();
    sql.extend(rows().iter().map(|row| {
        let cells: Vec<String> = row.iter().map(literal).collect();
        format!("INSERT INTO loans VALUES ({});", cells.join(","))
    }));
    filegen.sql(&sql);
    filegen
}

fn literal(cell: &Value) -> String {
    match cell {
        Value::Null => "NULL".to_owned(),
        Value::Bool(flag) => u8::from(*flag).to_string(),
        Value::String(text) => format!("'{}'", text.replace('\'', "''")),
        other => other.to_string(),
    }
}

/// A worker with one file for a receiver.
pub fn worker(receiver: &str) -> String {
    format!(
        "worker: W\nsource: {{ url: \"sqlite:loans.db\", view: v, key: id, page_size: 7 }}\noutput: {{ root: out }}\nfiles:\n  - id: A\n    \
         name: \"a_{{date}}.csv\"\n    receiver: {receiver}\n    translator: {{ delimited: {{ columns: [{}] }} }}\n",
        COLUMNS.map(|name| format!("\"{name}\"")).join(", ")
    )
}

/// Fields for COBOL's pictures: `9(6)`, `S9(10)V99 SIGN LEADING SEPARATE`, `9`, `X(40)`.
pub const COBOL: &str = r#"worker: W
source: { url: "sqlite:loans.db", view: v, key: id, page_size: 7 }
output: { root: out }
files:
  - id: A
    name: "a_{date}.dat"
    receiver: cobol
    where: "s IS NULL OR length(s) <= 20 AND s NOT LIKE '%' || char(10) || '%' AND s NOT LIKE '%' || char(13) || '%'"
    translator:
      fixed_width:
        columns:
          - { column: id, width: 6, align: right, pad: "0" }
          - { column: d, width: 13, format: "+0000000000V00", null: "+000000000000" }
          - { column: b, width: 1, null: "0" }
          - { column: s, width: 40 }
"#;

/// What the COBOL program shows of a row. `None` for a row that is not in its file.
pub fn as_cobol_shows(row: &[Value]) -> Option<String> {
    let text = row[1].as_str().unwrap_or_default();
    if text.contains(['\n', '\r']) || text.chars().count() > 20 {
        return None;
    }
    let amount = row[3].as_str().unwrap_or("0.00");
    let (sign, digits) = amount.strip_prefix('-').map_or((" ", amount), |digits| ("-", digits));
    let flag = u8::from(row[5].as_bool().unwrap_or_default());
    let pad = " ".repeat(40 - text.len());
    Some(format!("{:06}|{sign}{digits:0>13}|{flag}|{text}{pad}|\n", row[0].as_i64()?))
}
