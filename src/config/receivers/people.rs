//! What people or older programs read.

use super::Others::{Free, Known, OneByte, Only, Told};
use super::Receiver;
use super::settings::{DOUBLE, ISO_DATES, NO_HEADER_LINE, PLAIN, QUOTED, keep, set};

pub(super) const EXCEL: Receiver = Receiver {
    name: "excel",
    title: "Microsoft Excel",
    translator: "delimited",
    file: &[
        NO_HEADER_LINE,
        keep("first_record", Told("remove the top row in the import")),
        keep("last_record", Told("remove the bottom row in the import")),
        set("booleans", "TRUE/FALSE", Told("Excel shows other words as texts")),
        set(
            "timestamps",
            "plain",
            Known(
                &[PLAIN, ISO_DATES],
                "Excel shows other forms as texts, or takes day and month in the order of its language",
            ),
        ),
        keep("bytes", Free),
        set("encoding", "UTF-8", Told("name it in the import, and write no byte order mark")),
        set("bom", "true", Told("name UTF-8 (65001) in the import")),
        set("newline", "crlf", Only(&["lf", "crlf"], "it tells records apart by these")),
    ],
    options: &[
        set("delimiter", ",", OneByte(None)),
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
};

pub(super) const COBOL: Receiver = Receiver {
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
};
