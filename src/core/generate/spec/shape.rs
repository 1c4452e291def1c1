//! The debug text of the specs. A run's digest is made of it (`core::generate::shape`). The text is a format, because runs of
//! earlier builds are continued. A later setting appears only when it differs from the behaviour before it. A setting that shapes no
//! byte never appears.

use super::{BytesForm, ColumnSpec, DelimitedSpec, Escape, FileSpec, FixedWidthSpec, Forms, Limits, TemplateSpec};
use std::fmt::{Debug, DebugStruct, Formatter, Result};

/// Adds a later setting, if it differs from the behaviour before it.
fn later<T: Debug + PartialEq>(shape: &mut DebugStruct<'_, '_>, name: &str, value: &T, before: &T) {
    if value != before {
        shape.field(name, value);
    }
}

impl Debug for FileSpec {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let Self { id, name, event_type, translator, predicate, first_record, last_record, .. } = self;
        let Self {
            zone, null, forms, bom, encoding, newline, on_unmappable, on_overflow, limits, progress_header, ..
        } = self;
        let mut shape = f.debug_struct("FileSpec");
        shape.field("id", id).field("name", name).field("event_type", event_type).field("translator", translator);
        shape.field("predicate", predicate).field("first_record", first_record).field("last_record", last_record);
        shape.field("encoding", encoding).field("newline", newline);
        shape.field("on_unmappable", on_unmappable).field("on_overflow", on_overflow);
        shape.field("progress_header", progress_header);
        later(&mut shape, "zone", zone, &None);
        later(&mut shape, "limits", limits, &Limits::default());
        later(&mut shape, "null", null, &None);
        later(&mut shape, "forms", forms, &Forms::default());
        later(&mut shape, "bom", bom, &false);
        shape.finish()
    }
}

impl Debug for Forms {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let Self { booleans, timestamps, decimal, bytes } = self;
        let mut shape = f.debug_struct("Forms");
        shape.field("booleans", booleans).field("timestamps", timestamps).field("decimal", decimal);
        later(&mut shape, "bytes", bytes, &BytesForm::Hex);
        shape.finish()
    }
}

impl Debug for DelimitedSpec {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        // A value that begins with a quote is the same bytes, or ends the run.
        let Self { delimiter, quote, escape, empty, leading_quote: _, names, columns } = self;
        let mut shape = f.debug_struct("DelimitedSpec");
        shape.field("delimiter", delimiter).field("quote", quote).field("empty", empty);
        shape.field("names", names).field("columns", columns);
        later(&mut shape, "escape", escape, &Escape::Double);
        shape.finish()
    }
}

impl Debug for FixedWidthSpec {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        // The digest tells of widths in bytes by itself, in the one encoding where they are others.
        let Self { columns, width_in: _ } = self;
        f.debug_struct("FixedWidthSpec").field("columns", columns).finish()
    }
}

impl Debug for TemplateSpec {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let Self { record, columns, zone } = self;
        let mut shape = f.debug_struct("TemplateSpec");
        shape.field("record", record).field("columns", columns);
        later(&mut shape, "zone", zone, &None);
        shape.finish()
    }
}

impl Debug for ColumnSpec {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let Self { from, name, format, null, width, align, pad, case, trim, zone, forms } = self;
        let mut shape = f.debug_struct("ColumnSpec");
        shape.field("from", from).field("name", name).field("format", format).field("null", null);
        shape.field("width", width).field("align", align).field("pad", pad).field("case", case).field("trim", trim);
        later(&mut shape, "zone", zone, &None);
        later(&mut shape, "forms", forms, &Forms::default());
        shape.finish()
    }
}
