#!/usr/bin/env bash
# Daft 0.7.26: a value that does not fit its column's type is None, named types or guessed ones, CSV or JSON lines.
#
# One would expect: a word or a decimal in a column of whole numbers is an error, surely where the reader was told the type.
# What happens: read_csv guesses types from the file's first part and reads every later value that does not fit as None: 1.5 and
#   `x` among whole numbers, a timestamp among dates, any text in a column that was empty so far. With a full `schema` and
#   `infer_schema=False` it is the same. In JSON lines 1.5 becomes 1 and `x` None. No error, no warning, no count.
# Why it matters: a sum leaves those rows out, and a count of nulls looks like data of the source.
# Safely: read every column as a string and cast with a check of one's own; compare nulls before and after the cast.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip -q install daft==0.7.26

venv/bin/python - <<'PY' 2>/dev/null
import daft

print("daft", daft.__version__)
N = 300_000
WHOLE, TEXT = daft.DataType.int64(), daft.DataType.string()

def late(early, value):
    """The last row of a CSV file with N rows of `early` and one of `value`."""
    with open("late.csv", "w") as f:
        f.write("id,v\n" + "".join(f"{i},{early}\n" for i in range(N)) + f"{N},{value}\n")
    frame = daft.read_csv("late.csv")
    got = frame.where(daft.col("id") == N).to_pydict()["v"][0]
    print(f"{N} x {early!r}, then {value!r}: column {frame.schema()['v'].dtype}, value {got!r}")
    return got

for early, value in [("1", "1.5"), ("1", "x"), ("2026-01-01", "2026-01-01 10:00:00"), ("true", "2"), ("", "cancelled")]:
    assert late(early, value) is None

with open("named.csv", "w") as f:
    f.write("id,v\n1,5\n2,1.5\n3,x\n4,\n")
named = daft.read_csv("named.csv", infer_schema=False, schema={"id": WHOLE, "v": WHOLE}).to_pydict()["v"]
print("named types, 5 / 1.5 / x / empty:", named)
assert named == [5, None, None, None]
texts = daft.read_csv("named.csv", infer_schema=False, schema={"id": WHOLE, "v": TEXT}).to_pydict()["v"]
print("as strings:", texts)
assert texts[:3] == ["5", "1.5", "x"]

with open("late.jsonl", "w") as f:
    f.write('{"id":1,"v":5}\n' * N + '{"id":2,"v":1.5}\n{"id":3,"v":"x"}\n')
values = daft.read_json("late.jsonl").to_pydict()["v"]
print(f"JSON lines, {N} x 5, then 1.5 and \"x\":", values[-2:])
assert values[-2:] == [1, None]
print("seen: what does not fit is None or cut, without a word")
PY
