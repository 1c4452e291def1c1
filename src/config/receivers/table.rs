//! The receivers, one by one.

use super::Others::{Free, Only, Told};
use super::Receiver;
use super::settings::{
    ANY_BOM, DOUBLE, LINES, NO_BOM, NO_HEADER_LINE, NO_LAST, NOTHING, POINT, QUOTED, SOME_QUOTES, UTF8, keep, set,
};

/// Their names, for the grammar.
pub(in crate::config) const NAMES: [&str; 11] = [
    "postgres-copy",
    "mysql-load",
    "sqlserver-bulk",
    "oracle-sqlldr",
    "spark",
    "pandas",
    "polars",
    "duckdb",
    "clickhouse",
    "excel",
    "cobol",
];

pub(in crate::config) const RECEIVERS: &[Receiver] = &[
    Receiver {
        name: "postgres-copy",
        title: "PostgreSQL's `COPY`",
        translator: "delimited",
        file: &[
            NO_HEADER_LINE,
            keep("first_record", Only(NOTHING, "COPY skips one line at most, the names")),
            NO_LAST,
            keep("null", Told("add `NULL 'TEXT'` to COPY, with the text that stands for NULL")),
            keep("encoding", Told("name it in COPY: `ENCODING 'WIN1252'` or `'LATIN1'`")),
            POINT,
            NO_BOM,
            LINES,
        ],
        options: &[
            set("delimiter", ",", Told("add `DELIMITER '…'` to COPY; it is one byte")),
            SOME_QUOTES,
            keep("escape", Told("add `ESCAPE '\\'` to COPY")),
            keep("empty", Only(&["quoted"], "an empty text would be read as NULL")),
            set("names", "true", Told("leave out `HEADER` in COPY")),
        ],
        language: "sql",
        example: "COPY loans FROM STDIN WITH (FORMAT csv, HEADER match, NULL '', ENCODING 'UTF8')",
        notes: &[
            "`HEADER match` also checks the columns' names; before PostgreSQL 15 it is `HEADER true`. `psql`'s `\\copy` takes the same \
             options.",
            "Before PostgreSQL 18 a line of `\\.` ends the data even where it stands in quotes across lines; in a value of one line it \
             is quoted, and read as it is.",
        ],
        tried: Some("PostgreSQL 15"),
    },
    Receiver {
        name: "mysql-load",
        title: "`LOAD DATA` of MySQL and MariaDB",
        translator: "delimited",
        file: &[
            NO_HEADER_LINE,
            keep("first_record", Told("write `IGNORE 2 LINES`, or `IGNORE 1 LINES` where the names are left out")),
            NO_LAST,
            set("null", "NULL", Only(&["NULL"], "with `ESCAPED BY ''` only this word, without quotes, is NULL")),
            set("booleans", "1/0", Only(&["1/0"], "a `BOOLEAN` column reads any word as 0")),
            set("timestamps", "plain", Told("convert them in `SET`, as in `SET t = STR_TO_DATE(@t, '…')`")),
            keep("encoding", Told("name it after `CHARACTER SET`: `latin1` is Windows-1252")),
            POINT,
            NO_BOM,
            set("newline", "lf", Told("write it after `LINES TERMINATED BY`, as in `'\\r\\n'`")),
        ],
        options: &[
            set("delimiter", ",", Told("write it after `FIELDS TERMINATED BY`")),
            set("quote", "always", Only(&["always"], "values without quotes may be read as NULL or lose their end")),
            keep("escape", Only(&["double"], "with `ESCAPED BY '\\\\'` the word NULL is a text")),
            keep("empty", Free),
            set("names", "true", Told("leave out `IGNORE 1 LINES`")),
        ],
        language: "sql",
        example: "
LOAD DATA INFILE '/data/loan1_20261121.csv' INTO TABLE loans CHARACTER SET utf8mb4
  FIELDS TERMINATED BY ',' ENCLOSED BY '\"' ESCAPED BY ''
  LINES TERMINATED BY '\\n' IGNORE 1 LINES",
        notes: &[
            "Without `LOCAL`: with it, wrong values become 0 or are cut with a warning and no error, in strict mode too.",
            "Instants stand in UTC (`timestamps: plain`): load them into `DATETIME(6)`, or set `time_zone = '+00:00'` for `TIMESTAMP`.",
        ],
        tried: Some("MariaDB 10.11"),
    },
    Receiver {
        name: "sqlserver-bulk",
        title: "SQL Server's `BULK INSERT`",
        translator: "delimited",
        file: &[
            NO_HEADER_LINE,
            keep(
                "first_record",
                Only(NOTHING, "`FIRSTROW` skips by counting fields, and a record of another form moves all rows"),
            ),
            keep("last_record", Told("name the row before it in `LASTROW`")),
            keep("null", Only(&[""], "only an empty field is NULL")),
            set("booleans", "1/0", Free),
            keep("encoding", Told("name it: `CODEPAGE = '1252'` or `'28591'`")),
            POINT,
            NO_BOM,
            set("newline", "lf", Told("name its bytes, as in `ROWTERMINATOR = '0x0d0a'`")),
        ],
        options: &[
            set("delimiter", ",", Told("write it as `FIELDTERMINATOR`")),
            SOME_QUOTES,
            DOUBLE,
            keep("empty", Free),
            keep("names", Told("add `FIRSTROW = 2`")),
        ],
        language: "sql",
        example: "
BULK INSERT loans FROM 'D:\\data\\loan1_20261121.csv' WITH (
  FORMAT = 'CSV', FIELDQUOTE = '\"', FIELDTERMINATOR = ',', ROWTERMINATOR = '0x0a',
  CODEPAGE = '65001', KEEPNULLS, TABLOCK, MAXERRORS = 0)",
        notes: &[
            "`FORMAT = 'CSV'` is there from SQL Server 2017 on.",
            "An empty text, `\"\"`, may be read as NULL: do not depend on the difference.",
            "Load timestamps into `datetime2` or `datetimeoffset`; `datetime` takes three digits of a second at most.",
        ],
        tried: None,
    },
    Receiver {
        name: "oracle-sqlldr",
        title: "Oracle's SQL*Loader",
        translator: "delimited",
        file: &[
            NO_HEADER_LINE,
            keep("first_record", Told("add `OPTIONS (SKIP = 1)`, or `SKIP = 2` with the names")),
            keep("last_record", Told("leave it out by a `WHEN` clause")),
            keep("null", Told("add `NULLIF column = 'TEXT'` to each column that may be NULL")),
            set("booleans", "1/0", Free),
            set("timestamps", "space", Told("change the masks of the control file's columns")),
            keep("encoding", Told("name it after `CHARACTERSET`: `WE8MSWIN1252`, `WE8ISO8859P1` or `WE8EBCDIC37`")),
            keep("decimal", Told("set `NLS_NUMERIC_CHARACTERS` for the session")),
            ANY_BOM,
            set("newline", "lf", Told("write it after `INFILE`, as in `\"str '\\r\\n'\"`")),
        ],
        options: &[
            set("delimiter", ",", Told("write it after `TERMINATED BY`")),
            SOME_QUOTES,
            DOUBLE,
            keep("empty", Free),
            keep("names", Told("add `OPTIONS (SKIP = 1)`")),
        ],
        language: "text",
        example: "
OPTIONS (ERRORS = 0)
LOAD DATA CHARACTERSET AL32UTF8 LENGTH SEMANTICS CHAR
INFILE 'loan1_20261121.csv' \"str '\\n'\"
TRUNCATE INTO TABLE loans
FIELDS CSV WITH EMBEDDED TERMINATED BY ',' OPTIONALLY ENCLOSED BY '\"' TRAILING NULLCOLS
( LoanId, Amount, Note CHAR(4000),
  Opened  TIMESTAMP \"YYYY-MM-DD HH24:MI:SS.FF\",
  Changed TIMESTAMP WITH TIME ZONE \"YYYY-MM-DD HH24:MI:SS.FF TZH:TZM\",
  Due     DATE \"YYYY-MM-DD\" )",
        notes: &[
            "Oracle has no empty text: `\"\"` is NULL, too.",
            "A field is at most 255 characters long unless its column says more, as `CHAR(4000)` does.",
            "`WITH EMBEDDED` (line breaks in values) is there from 12.2 on.",
        ],
        tried: None,
    },
    Receiver {
        name: "spark",
        title: "Apache Spark's `read.csv`",
        translator: "delimited",
        file: &[
            NO_HEADER_LINE,
            keep("first_record", Only(NOTHING, "it skips one line at most, the names")),
            NO_LAST,
            keep("null", Told("name it in `nullValue`; a text of the same letters is then read as null, too")),
            keep("encoding", Told("name it in `encoding`")),
            POINT,
            NO_BOM,
            LINES,
        ],
        options: &[
            set("delimiter", ",", Told("name it in `sep`")),
            set("quote", "minimal", Only(QUOTED, "without quotes it takes values for others")),
            keep("escape", Told("leave out `escape`, whose default is a backslash")),
            keep("empty", Free),
            set("names", "true", Told("`header=False`")),
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
            "Read timestamps without a zone as `TIMESTAMP_NTZ`; `TIMESTAMP` takes them as the session's time.",
        ],
        tried: Some("Spark 4.3.0"),
    },
    Receiver {
        name: "pandas",
        title: "pandas' `read_csv`",
        translator: "delimited",
        file: &[
            NO_HEADER_LINE,
            keep("first_record", Told("add `skiprows=1`")),
            keep("last_record", Told("add `skipfooter=1, engine=\"python\"`")),
            set("null", "<NULL>", Told("name it in `na_values`; a text of the same letters is then NaN, too")),
            keep("encoding", Told("name it in `encoding`")),
            keep("decimal", Told("add `decimal=\",\"`")),
            ANY_BOM,
            LINES,
        ],
        options: &[
            set("delimiter", ",", Told("name it in `sep`")),
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
            "A decimal is read whole as a `string`; `decimal.Decimal` makes a number of it. Without a `dtype` it becomes a float.",
        ],
        tried: Some("pandas 3.1.1"),
    },
    Receiver {
        name: "polars",
        title: "polars' `read_csv`",
        translator: "delimited",
        file: &[
            NO_HEADER_LINE,
            keep("first_record", Told("add `skip_rows=1`")),
            NO_LAST,
            keep("null", Told("name it in `null_values`; a text of the same letters is then null, too")),
            keep("encoding", Only(UTF8, "it reads UTF-8 as a stream, and others not at all or lossily")),
            keep("decimal", Told("add `decimal_comma=True`")),
            ANY_BOM,
            LINES,
        ],
        options: &[
            set("delimiter", ",", Told("name it in `separator`; it is one byte")),
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
        notes: &["The names of `schema` are held against the first line; a column that it does not name is an error."],
        tried: Some("polars 2.1.0"),
    },
    Receiver {
        name: "duckdb",
        title: "DuckDB's `read_csv`",
        translator: "delimited",
        file: &[
            NO_HEADER_LINE,
            keep("first_record", Told("write `skip = 1`")),
            NO_LAST,
            keep("null", Told("name it in `nullstr`")),
            keep("encoding", Told("name it in `encoding`, which needs an extension")),
            keep("decimal", Told("add `decimal_separator = ','`")),
            ANY_BOM,
            LINES,
        ],
        options: &[
            set("delimiter", ",", Told("name it in `delim`")),
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
    },
    Receiver {
        name: "clickhouse",
        title: "ClickHouse's `CSVWithNames`",
        translator: "delimited",
        file: &[
            NO_HEADER_LINE,
            keep("first_record", Told("set `input_format_csv_skip_first_lines = 1`")),
            NO_LAST,
            set("null", "\\N", Told("set `format_csv_null_representation`")),
            set("timestamps", "plain", Told("set `date_time_input_format = 'best_effort'`")),
            keep("encoding", Only(UTF8, "it takes bytes as they are")),
            POINT,
            ANY_BOM,
            LINES,
        ],
        options: &[
            set("delimiter", ",", Told("set `format_csv_delimiter`; it is one byte")),
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
        notes: &["Instants stand in UTC (`timestamps: plain`): load them into `DateTime64(6, 'UTC')`."],
        tried: Some("ClickHouse 26.9 (chdb 4.4.0)"),
    },
    Receiver {
        name: "excel",
        title: "Microsoft Excel",
        translator: "delimited",
        file: &[
            NO_HEADER_LINE,
            keep("first_record", Told("remove the top row in the import")),
            keep("last_record", Told("remove the bottom row in the import")),
            set("booleans", "TRUE/FALSE", Told("Excel shows other words as texts")),
            set("timestamps", "plain", Told("Excel shows other forms as texts")),
            set("encoding", "UTF-8", Told("name it in the import, and write no byte order mark")),
            set("bom", "true", Told("name UTF-8 (65001) in the import")),
            set("newline", "crlf", Only(&["lf", "crlf"], "it tells records apart by these")),
        ],
        options: &[
            set("delimiter", ",", Free),
            set("quote", "minimal", Only(QUOTED, "without quotes it takes values for others")),
            DOUBLE,
            set("empty", "bare", Free),
            set("names", "true", Free),
        ],
        language: "text",
        example: "
Data > Get Data > From File > From Text/CSV
File origin 65001: Unicode (UTF-8), delimiter Comma, no detection of data types",
        notes: &[
            "Where the comma is the decimal sign, as in Germany: `delimiter: \";\"` and `decimal: \",\"`. A double click on a file takes \
             the list separator of Windows.",
            "Numbers keep 15 digits and times three digits of a second. Leading zeros go, and `1-2` becomes a date, unless the import \
             takes the column as text. A text that begins with `=`, `+`, `-` or `@` may be read as a formula: see to it in the view.",
            "A cell is neither NULL nor an empty text: both are empty.",
        ],
        tried: None,
    },
    Receiver {
        name: "cobol",
        title: "a COBOL program that reads records of one length",
        translator: "fixed_width",
        file: &[
            NO_HEADER_LINE,
            keep("first_record", Told("give it a record description of its own, and read it first")),
            keep("last_record", Told("give it a record description of its own, and tell it from the others")),
            set("booleans", "1/0", Free),
            keep("bom", Only(&["false"], "the mark would move every field")),
            set("newline", "none", Told("say `ORGANIZATION LINE SEQUENTIAL`; with `crlf` the program meets `X'0D'`")),
        ],
        options: &[set("width_in", "bytes", Only(&["bytes"], "a field begins at the same byte in every record"))],
        language: "cobol",
        example: "
       SELECT LOANS ASSIGN TO \"loan2_20261121.dat\" ORGANIZATION SEQUENTIAL.
       FD  LOANS.
       01  LOAN.
           05  LOAN-ID   PIC 9(12).
           05  AMOUNT    PIC S9(13)V99 SIGN LEADING SEPARATE.
           05  NOTE      PIC X(40).",
        notes: &[
            "`PIC 9(12)` is `{ width: 12, align: right, pad: \"0\" }`; `PIC S9(13)V99 SIGN LEADING SEPARATE` is `{ width: 16, format: \
             \"+0000000000000V00\" }`; `PIC X(40)` is `{ width: 40 }`.",
            "NULL is blanks, which no numeric field takes: give such a column `null: \"0\"` with zeros, or an indicator of its own.",
            "`encoding: IBM037` writes for a mainframe; GnuCOBOL on Linux takes the bytes as they are.",
        ],
        tried: Some("GnuCOBOL 3.1.2"),
    },
];
