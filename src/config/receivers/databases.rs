//! Servers' own commands for loading.

use super::Others::{Free, Known, OneByte, Only, Told};
use super::Receiver;
use super::settings::{
    ANY_BOM, COMPACT, COMPACT_DAY, COMPACT_SECOND, DOUBLE, INSTANTS, ISO_DATES, LINES, NO_BOM, NO_HEADER_LINE, NO_LAST,
    NOTHING, PLAIN, POINT, SLASHED, SOME_QUOTES, SQL_BOOLEANS, keep, set,
};

pub(super) const POSTGRES_COPY: Receiver = Receiver {
    name: "postgres-copy",
    title: "PostgreSQL's `COPY`",
    translator: "delimited",
    file: &[
        NO_HEADER_LINE,
        keep("first_record", Only(NOTHING, "COPY skips one line at most, the names")),
        NO_LAST,
        keep("null", Told("add `NULL 'TEXT'` to COPY, with the text that stands for NULL")),
        keep("booleans", Known(&[SQL_BOOLEANS], "load the words into a text column")),
        keep(
            "timestamps",
            Known(
                &[PLAIN, INSTANTS, ISO_DATES, SLASHED, COMPACT],
                "load it into a text column, and convert it with `to_date` or `to_timestamp`; where the day stands before the month, \
                     `SET datestyle = 'ISO, DMY'` before COPY does",
            ),
        ),
        set("bytes", "prefixed", Told("load them into a text column, and convert them with `decode(…, 'hex')`")),
        keep("encoding", Told("name it in COPY: `ENCODING 'WIN1252'` or `'LATIN1'`")),
        POINT,
        NO_BOM,
        LINES,
    ],
    options: &[
        set("delimiter", ",", OneByte(Some("add `DELIMITER '…'` to COPY"))),
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
};

pub(super) const MYSQL_LOAD: Receiver = Receiver {
    name: "mysql-load",
    title: "`LOAD DATA` of MySQL and MariaDB",
    translator: "delimited",
    file: &[
        NO_HEADER_LINE,
        keep("first_record", Told("write `IGNORE 2 LINES`, or `IGNORE 1 LINES` where the names are left out")),
        NO_LAST,
        set("null", "NULL", Only(&["NULL"], "with `ESCAPED BY ''` only this word, without quotes, is NULL")),
        set("booleans", "1/0", Only(&["1/0"], "a `BOOLEAN` column reads any word as 0")),
        set(
            "timestamps",
            "plain",
            Known(
                &[PLAIN, ISO_DATES, SLASHED, COMPACT, COMPACT_SECOND],
                "convert them in `SET`, as in `SET t = STR_TO_DATE(@t, '%d.%m.%Y')`",
            ),
        ),
        keep("bytes", Only(&["hex"], "`UNHEX` takes digits only")),
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
        "Bytes are hexadecimal: load them with `(id, @b) SET b = UNHEX(@b)`. A `BLOB` or `VARBINARY` column takes the digits as they \
         are, without a word.",
        "Instants stand in UTC (`timestamps: plain`): load them into `DATETIME(6)`, or set `time_zone = '+00:00'` for `TIMESTAMP`.",
    ],
    tried: Some("MariaDB 10.11"),
};

pub(super) const SQLSERVER_BULK: Receiver = Receiver {
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
        set("booleans", "1/0", Told("load the words into a text column")),
        keep(
            "timestamps",
            Known(
                &[PLAIN, INSTANTS, ISO_DATES, COMPACT_DAY],
                "load them into a text column, and convert them with `CONVERT` and a style",
            ),
        ),
        keep("bytes", Told("load them into a text column, and convert them in an expression")),
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
        "Bytes are hexadecimal: load them into a text column, and convert them with `CONVERT(varbinary(max), b, 2)`.",
        "Load timestamps into `datetime2` or `datetimeoffset`; `datetime` takes three digits of a second at most.",
    ],
    tried: None,
};

pub(super) const ORACLE_SQLLDR: Receiver = Receiver {
    name: "oracle-sqlldr",
    title: "Oracle's SQL*Loader",
    translator: "delimited",
    file: &[
        NO_HEADER_LINE,
        keep("first_record", Told("add `OPTIONS (SKIP = 1)`, or `SKIP = 2` with the names")),
        keep("last_record", Told("leave it out by a `WHEN` clause")),
        keep("null", Told("add `NULLIF column = 'TEXT'` to each column that may be NULL")),
        set("booleans", "1/0", Told("convert them with `DECODE` in the control file, or load them into a text column")),
        set("timestamps", "space", Known(&[&["space", "%Y-%m-%d"]], "change the masks of the control file's columns")),
        keep("bytes", Only(&["hex"], "`HEXTORAW` takes digits only")),
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
        "Bytes are hexadecimal: write `b CHAR(4000) \"HEXTORAW(:b)\"` for a `RAW` column.",
        "`WITH EMBEDDED` (line breaks in values) is there from 12.2 on.",
    ],
    tried: None,
};
