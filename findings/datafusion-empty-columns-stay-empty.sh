#!/usr/bin/env bash
# DataFusion 55.0.0: a CSV column without a value in the first 1,000 rows is null to the end; in a column of dates times are lost.
#
# One would expect: a late value is read as text, or is an error, as 1.5 among whole numbers is.
# What happens: the column gets the type Null, and each later text or number is read as NULL. In a column of dates, 10:00 of a
#   late timestamp is cut off. A late decimal, word or flag is an error: only these two pass. COUNT and SUM run over them.
# Why it matters: rarely filled columns (a cancel date, a dispute note) are empty for the first thousand rows of most files.
# Safely: pass a `schema`, or a `schema_infer_max_records` of at least the file's rows; look for columns of type Null.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip -q install datafusion==55.0.0 pyarrow==25.0.1

venv/bin/python - <<'PY'
import datetime, datafusion, pyarrow

print("datafusion", datafusion.__version__)
N = 2_000

def late(early, value, **options):
    """The last row of a file with N rows of `early` and one of `value`."""
    with open("late.csv", "w") as f:
        f.write("id,v\n" + "".join(f"{i},{early}\n" for i in range(N)) + f"{N},{value}\n")
    frame = datafusion.SessionContext().read_csv("late.csv", **options)
    try:
        rows = frame.filter(datafusion.col("id") == datafusion.lit(N)).to_pydict()["v"]
        got = rows[0]
    except Exception as error:
        got = "error: " + str(error)[:60]
    print(f"{N} x {early!r}, then {value!r} {list(options)}: column {frame.schema().field('v').type}, value {got!r}")
    return got

assert late("", "cancelled") is None
assert late("", "12.50") is None
assert late("2026-01-01", "2026-01-02 10:00:00") == datetime.date(2026, 1, 2)
for early, value in [("1", "1.5"), ("1", "x"), ("true", "2")]:
    assert str(late(early, value)).startswith("error")
assert late("", "cancelled", schema_infer_max_records=N + 1) == "cancelled"
schema = pyarrow.schema([("id", pyarrow.int64()), ("v", pyarrow.string())])
assert late("", "cancelled", schema=schema) == "cancelled"
print("seen: late values of an empty column are NULL, late times of day are cut off")
PY
