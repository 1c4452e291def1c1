//! The sections of translators and of the columns that they write.

use super::{Field, Section, Shape};

/// Values between delimiters.
pub(in crate::config) static DELIMITED: Section = Section {
    doc: "Values between delimiters; RFC 4180 when quoted.",
    fields: &[
        Field::new(
            "delimiter",
            Shape::Delimiter,
            "Any text between the values: `|`, `,`, `tab`, `\\t`, `U+001F`, `\\x1f`. Only a file with a `receiver` goes without.",
        ),
        Field::new(
            "quote",
            Shape::Choice(&["never", "minimal", "always", "nonnumeric"]),
            "When values stand in quotes. With `never`, a value that would break the record is an error; `minimal` quotes such a value, \
             and one that readers take for something else (blanks around it, `NULL`, `\\N`, `\\.`, a leading `#` or `'`); `always` \
             quotes all but NULL, `nonnumeric` all but NULL and numbers.",
        )
        .default("never"),
        Field::new(
            "escape",
            Shape::Choice(&["double", "backslash"]),
            "How a quote inside quotes is written: twice, or behind a backslash, as a backslash is then.",
        )
        .default("double"),
        Field::new(
            "empty",
            Shape::Choice(&["quoted", "bare"]),
            "Where quoting is on, an empty text is `\"\"`, unlike NULL; `bare` writes both as nothing.",
        )
        .default("quoted"),
        Field::new(
            "leading_quote",
            Shape::Choice(&["refuse", "keep"]),
            "With `quote: never`, a value that begins with a quote is an error, since most readers take it for a quoted one; `keep` \
             writes it.",
        )
        .default("refuse"),
        Field::new("names", Shape::Flag, "Whether the first record holds the columns' names.").default("false"),
        Field::new("columns", Shape::List(&Shape::Own("column")), "The values, left to right.").required(),
    ],
};

/// Values in fields of fixed width.
pub(in crate::config) static FIXED_WIDTH: Section = Section {
    doc: "Values in fields of fixed width.",
    fields: &[Field::new(
        "columns",
        Shape::List(&Shape::Own("column")),
        "The fields, left to right; each with a width, or a literal.",
    )
    .required(),
    Field::new(
        "width_in",
        Shape::Choice(&["bytes", "characters"]),
        "What a width counts in UTF-8, where a character may take several bytes; programs that read fields by their places count \
         bytes. Other encodings have one byte a character.",
    )
    .default("bytes")],
};

/// One JSON object a line.
pub(in crate::config) static JSON: Section = Section {
    doc: "One JSON object a line.",
    fields: &[
        Field::new(
            "fields",
            Shape::Own("jsonFields"),
            "Names in the object, and for each a column, a column object, a literal, a nested object or a list.",
        )
        .required(),
        Field::new("skip_null", Shape::Flag, "Whether fields that are NULL are left out.").default("false"),
    ],
};

/// A template a record.
pub(in crate::config) static TEMPLATE: Section = Section {
    doc: "A minijinja template a record.",
    fields: &[
        Field::new("record", Shape::Words, "The template of one record; the columns are its variables. Numbers compute and compare exactly, dates compare as texts. NULL is \
             neither less nor more than anything, the empty text where a text is wanted (`~`, `upper`, `join`), and an error where a \
             number is; `default(0)` says what stands for it. `decimal` makes a text a number, `divide(3, 2)` rounds a quotient.").required(),
        Field::new("columns", Shape::List(&Shape::Words), "The columns that the template may use.").required(),
    ],
};

/// The object form of a column.
pub(in crate::config) static COLUMN: Section = Section {
    doc: "One value of a record: a column or a literal, and its form.",
    fields: &[
        Field::new("column", Shape::Words, "The view's column."),
        Field::new("literal", Shape::Text, "The same text in every record, in place of a column."),
        Field::new(
            "name",
            Shape::Text,
            "The name in the first line of a delimited file, where it is not the column's own.",
        ),
        Field::new(
            "format",
            Shape::Words,
            "A number's (`0.00`, `#,##0.00`, `+0000`, `000000000V99` for cents without a point; rounds half away from zero) or a \
             date's form (strftime).",
        ),
        Field::new("null", Shape::Text, "What NULL is written as."),
        Field::new("width", Shape::Whole(1, 1_000_000), "Characters of the field."),
        Field::new("align", Shape::Choice(&["left", "right"]), "Where the value stands in its field.").default("left"),
        Field::new("pad", Shape::Character, "What fills the field; a blank when not given."),
        Field::new("case", Shape::Choice(&["upper", "lower"]), "All letters in capitals, or none."),
        Field::new("trim", Shape::Choice(&["none", "left", "right", "both"]), "Which blanks around the value go.")
            .default("none"),
    ],
};

/// The translators that are always there, and their options.
pub(in crate::config) static TRANSLATORS: [(&str, &Section); 4] =
    [("delimited", &DELIMITED), ("fixed_width", &FIXED_WIDTH), ("json", &JSON), ("template", &TEMPLATE)];
