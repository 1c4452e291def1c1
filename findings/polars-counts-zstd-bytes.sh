#!/usr/bin/env bash
# polars 2.1.0: the row count of a CSV that pzstd packed is a number out of the packed bytes.
#
# One would expect: a .csv.zst is read, or refused. A zstd file may begin with a skippable frame (RFC 8878);
#   pzstd, which Debian ships beside zstd, begins every file with one, and `zstd -d` reads it.
# What happens: polars knows zstd by the first four bytes of a data frame only. It takes the packed bytes for CSV:
#   `collect()` fails with "invalid utf-8", but the count, which reads no text, answers with a small number and
#   no error: the line feeds that happen to stand in the packed bytes. The same rows packed by `zstd` count right.
# Why it matters: a count is what one checks before a load, and it is wrong where the load itself would fail.
# Safely: count from the rows that were read, not from `scan_csv(...).select(len())`; or unpack and pack with zstd.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -qq -o APT::Sandbox::User=root download zstd
dpkg -x zstd_*.deb deb
export PATH="$work/deb/usr/bin:$PATH"
python3 -m venv venv
venv/bin/pip -q install polars==2.1.0

seq 1 300000 | awk 'BEGIN { print "id,name" } { print $1 ",name" $1 }' > rows.csv
zstd -q rows.csv -o zstd.csv.zst
pzstd -q rows.csv -o pzstd.csv.zst
zstd --version
zstd -q -d -c pzstd.csv.zst | cmp - rows.csv && echo "zstd reads pzstd's file: the same bytes"
venv/bin/python - <<'PY'
import polars as pl

print("polars", pl.__version__)

def look(name):
    count = pl.scan_csv(name).select(pl.len()).collect().item()
    try:
        rows = pl.scan_csv(name).collect().height
    except pl.exceptions.PolarsError as e:
        rows = "error: " + str(e).splitlines()[0]
    print(f"{name}: counted {count}, read {rows}")
    return count, rows

assert look("zstd.csv.zst") == (300_000, 300_000)
count, rows = look("pzstd.csv.zst")
assert isinstance(count, int) and 0 < count < 300_000 and "utf-8" in str(rows)
print("seen: a count without an error of a file that cannot be read")
PY
