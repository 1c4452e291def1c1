//! Programs for analysis.

use super::Others::{Free, Known, OneByte, Only, Told};
use super::Receiver;
use super::settings::{
    ANY_BOM, COMPACT, COMPACT_SECOND, DOUBLE, DUCKDB_BOOLEANS, INSTANTS, ISO_DATES, LINES, NO_BOM, NO_HEADER_LINE,
    NO_LAST, NOTHING, PLAIN, POINT, QUOTED, SLASHED, SOME_QUOTES, SQL_BOOLEANS, UTF8, keep, set,
};

pub(super) const SPARK: Receiver = Receiver {
    name: "spark",
    title: "Apache Spark's `read.csv`",
    translator: "delimited",
    file: &[
        NO_HEADER_LINE,
        keep("first_record", Only(NOTHING, "it skips one line at most, the names")),
        NO_LAST,
        keep("null", Told("name it in `nullValue`; a text of the same letters is then read as null, too")),
        keep("booleans", Known(&[&["true/false"]], "read them as `STRING`, and compare them")),
        keep(
            "timestamps",
            Known(
                &[PLAIN, INSTANTS, ISO_DATES],
                "name it in `dateFormat` or `timestampFormat`, as in `dateFormat=\"dd.MM.yyyy\"`",
            ),
        ),
        keep("bytes", Only(&["hex"], "`unhex` takes digits only")),
        keep("encoding", Told("name it in `encoding`: `iso-8859-1`; others need `spark.sql.legacy.javaCharsets`")),
        POINT,
        NO_BOM,
        LINES,
    ],
    options: &[
        set("delimiter", ",", Told("name it in `sep`")),
        set("quote", "minimal", Only(QUOTED, "without quotes it takes values for others")),
        keep("escape", Told("leave out `escape`, whose default is a backslash")),
        keep("empty", Free),
        set("names", "true", Told("write `header=False`")),
    ],
    language: "python",
    example: r#"
spark.read.csv(
"loan1_20261121.csv", schema="LoanId BIGINT, Status STRING, InterestRate DECIMAL(9, 4)",
header=True, multiLine=True, quote='"', escape='"', nullValue="\ue000", emptyValue="",
enforceSchema=False, mode="FAILFAST")"#,
    notes: &[
        "`nullValue` is a text that no value has, so that only an empty field without quotes is null, and `\"\"` an empty text. \
         With Spark's default both are null.",
        "Without `enforceSchema=False` columns are taken by their places, whatever their names are.",
        "Bytes are hexadecimal: read them as `STRING`, and convert them with `unhex`. `BINARY` takes the digits as they are, without a \
         word.",
        "Read timestamps without a zone as `TIMESTAMP_NTZ`; `TIMESTAMP` takes them as the session's time.",
    ],
    tried: Some("Spark 4.3.0"),
};

pub(super) const PANDAS: Receiver = Receiver {
    name: "pandas",
    title: "pandas' `read_csv`",
    translator: "delimited",
    file: &[
        NO_HEADER_LINE,
        keep("first_record", Told("add `skiprows=[1]`, or `skiprows=1` where the names are left out")),
        keep("last_record", Told("add `skipfooter=1, engine=\"python\"`")),
        set("null", "<NULL>", Told("name it in `na_values`; a text of the same letters is then NaN, too")),
        keep("booleans", Known(&[&["true/false", "1/0"]], "add `true_values=[…], false_values=[…]`")),
        keep(
            "timestamps",
            Known(
                &[PLAIN, INSTANTS, ISO_DATES, SLASHED, COMPACT, COMPACT_SECOND],
                "add `date_format={…}`, as in `date_format={\"day\": \"%d.%m.%Y\"}`",
            ),
        ),
        keep("bytes", Only(&["hex"], "`bytes.fromhex` takes digits only")),
        keep("encoding", Told("name it in `encoding`")),
        keep("decimal", Told("add `decimal=\",\"`, which numbers follow and texts do not")),
        ANY_BOM,
        LINES,
    ],
    options: &[
        set("delimiter", ",", OneByte(Some("name it in `sep`"))),
        SOME_QUOTES,
        keep("escape", Told("add `doublequote=False, escapechar=\"\\\\\"`")),
        keep("empty", Free),
        set("names", "true", Told("add `header=None, names=[…]`")),
    ],
    language: "python",
    example: r#"
pandas.read_csv(
"loan1_20261121.csv", dtype={"LoanId": "Int64", "Status": "string", "InterestRate": "string"},
keep_default_na=False, na_values=["<NULL>"], skip_blank_lines=False)"#,
    notes: &[
        "pandas does not tell whether a value stood in quotes: an empty field is an empty text, and a text `<NULL>` is NaN. If a \
         view may hold that text, set `null:` and `na_values` to another.",
        "Bytes are hexadecimal: read them as `string`, and convert them with `.map(bytes.fromhex, na_action=\"ignore\")`.",
        "A decimal is read whole as a `string`; `decimal.Decimal` makes a number of it. Without a `dtype` it becomes a float.",
    ],
    tried: Some("pandas 3.1.1"),
};

pub(super) const POLARS: Receiver = Receiver {
    name: "polars",
    title: "polars' `read_csv`",
    translator: "delimited",
    file: &[
        NO_HEADER_LINE,
        keep("first_record", Told("add `skip_rows_after_header=1`, or `skip_rows=1` where the names are left out")),
        NO_LAST,
        keep("null", Told("name it in `null_values`; a text of the same letters is then null, too")),
        keep("booleans", Known(&[&["true/false"]], "read them as `String`, and compare them")),
        keep(
            "timestamps",
            Known(
                &[PLAIN, INSTANTS, ISO_DATES, SLASHED],
                "read them as `String`, and convert them with `str.to_date(\"…\")` or `str.to_datetime`",
            ),
        ),
        keep("bytes", Only(&["hex"], "`str.decode(\"hex\")` takes digits only")),
        keep("encoding", Only(UTF8, "it reads UTF-8 as a stream, and others not at all or lossily")),
        keep("decimal", Told("add `decimal_comma=True`")),
        ANY_BOM,
        LINES,
    ],
    options: &[
        set("delimiter", ",", OneByte(Some("name it in `separator`"))),
        SOME_QUOTES,
        DOUBLE,
        keep("empty", Only(&["quoted"], "an empty text would be read as null")),
        set("names", "true", Told("add `has_header=False, new_columns=[…]`")),
    ],
    language: "python",
    example: r#"
polars.read_csv(
"loan1_20261121.csv",
schema={"LoanId": polars.Int64, "Status": polars.String, "InterestRate": polars.Decimal(9, 4)})"#,
    notes: &[
        "The names of `schema` are held against the first line; a column that it does not name is an error.",
        "Bytes are hexadecimal: read them as `String`, and convert them with `str.decode(\"hex\")`.",
    ],
    tried: Some("polars 2.1.0"),
};

pub(super) const DUCKDB: Receiver = Receiver {
    name: "duckdb",
    title: "DuckDB's `read_csv`",
    translator: "delimited",
    file: &[
        NO_HEADER_LINE,
        keep("first_record", Told("write `header = false, skip = 2`, or `skip = 1` where the names are left out")),
        NO_LAST,
        keep("null", Told("name it in `nullstr`")),
        keep("booleans", Known(&[DUCKDB_BOOLEANS], "read them as `VARCHAR`, and compare them")),
        keep(
            "timestamps",
            Known(
                &[PLAIN, INSTANTS, ISO_DATES, SLASHED],
                "add `dateformat = '…'` or `timestampformat = '…'`, as in `dateformat = '%d.%m.%Y'`",
            ),
        ),
        set("bytes", "escaped", Told("read them as `VARCHAR`, and convert them with `unhex`")),
        keep("encoding", Told("write `encoding = 'latin-1'`; others need the extension `encodings`")),
        keep("decimal", Told("add `decimal_separator = ','`")),
        ANY_BOM,
        LINES,
    ],
    options: &[
        set("delimiter", ",", Told("name it in `delim`; it has at most four bytes")),
        SOME_QUOTES,
        keep("escape", Told("write `escape = '\\'`")),
        keep("empty", Only(&["quoted"], "an empty text would be read as NULL")),
        set("names", "true", Told("write `header = false`")),
    ],
    language: "sql",
    example: r#"
SELECT * FROM read_csv('loan1_20261121.csv', auto_detect = false, header = true,
  columns = {'LoanId': 'BIGINT', 'Status': 'VARCHAR', 'InterestRate': 'DECIMAL(9, 4)'},
  delim = ',', quote = '"', escape = '"', comment = '', allow_quoted_nulls = false)"#,
    notes: &[
        "Name all types: where it detects them, a late value may be rounded or a row taken for a comment. `store_rejects` and \
         `ignore_errors` change which rows there are.",
    ],
    tried: Some("DuckDB 2.0.1"),
};

pub(super) const CLICKHOUSE: Receiver = Receiver {
    name: "clickhouse",
    title: "ClickHouse's `CSVWithNames`",
    translator: "delimited",
    file: &[
        NO_HEADER_LINE,
        keep(
            "first_record",
            Told(
                "choose the format `CSV`, and set `input_format_csv_skip_first_lines = 2`, or 1 where the names are left out",
            ),
        ),
        NO_LAST,
        set("null", "\\N", Told("set `format_csv_null_representation`")),
        keep("booleans", Known(&[SQL_BOOLEANS], "set `bool_true_representation` and `bool_false_representation`")),
        set(
            "timestamps",
            "plain",
            Known(
                &[PLAIN, ISO_DATES, SLASHED, COMPACT],
                "`iso` and `space` need `date_time_input_format = 'best_effort'`; read other forms as `String`, and convert them with \
                 `parseDateTime`",
            ),
        ),
        keep("bytes", Only(&["hex"], "`unhex` takes digits only")),
        keep("encoding", Only(UTF8, "it takes bytes as they are")),
        POINT,
        ANY_BOM,
        LINES,
    ],
    options: &[
        set("delimiter", ",", OneByte(Some("set `format_csv_delimiter`"))),
        set(
            "quote",
            "minimal",
            Only(&["minimal"], "a `Bool` column takes no quotes, and a text without them loses its blanks"),
        ),
        DOUBLE,
        keep("empty", Free),
        set("names", "true", Told("choose the format `CSV`")),
    ],
    language: "sql",
    example: "
INSERT INTO loans FROM INFILE 'loan1_20261121.csv' FORMAT CSVWithNames",
    notes: &[
        "Instants stand in UTC (`timestamps: plain`): load them into `DateTime64(6, 'UTC')`.",
        "Bytes are hexadecimal, and a `String` column takes the digits as they are: convert them with `unhex`.",
    ],
    tried: Some("ClickHouse 26.9 (chdb 4.4.0)"),
};
