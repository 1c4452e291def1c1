#!/usr/bin/env bash
# MariaDB 10.11: in the hour that comes twice, a WHERE on a TIMESTAMP finds other rows with an index than without one.
#
# One would expect: a TIMESTAMP column is an instant, a literal is turned into one in the session's zone, and the answer
#   does not depend on whether there is an index.
# What happens: without an index the rows' wall times are compared, so '02:10' means both passes of the hour. With one the
#   literal becomes one instant, in the second pass. On 25 October 2026 in Berlin, with rows at 01:30, 02:10, 02:50, again
#   02:10, 02:50, and 03:10: `ts BETWEEN '02:00' AND '02:59:59'` gives four rows without the index and two with it;
#   `ts = '02:10'` two and one; `ts > '02:10'` three and two. Paging by `ts > last ORDER BY ts LIMIT 2`, as exports do,
#   gives four of six rows with the index and five without.
# Why it matters: an export of that night lacks rows, and a check by another query, or the same on a copy that has no index,
#   counts otherwise. IGNORE INDEX changes what is right.
# Safely: SET time_zone = '+00:00' in every session that reads, pages or filters by TIMESTAMP columns.
set -euo pipefail
work=$(mktemp -d)
pids=()
trap 'for p in "${pids[@]}"; do kill "$p" 2>/dev/null || true; wait "$p" 2>/dev/null || true; done; rm -rf "$work"' EXIT
chmod 711 "$work"
cd "$work"
apt-get -qq -o APT::Sandbox::User=root download mariadb-server-core liburing2 libaio1 libnuma1
for deb in *.deb; do dpkg -x "$deb" deb; done
libs=$(dirname "$(find deb -name 'liburing.so.2' | head -n 1)")
python3 -m venv venv
venv/bin/pip -q install pymysql==1.2.4
as=()
mkdir data
if [ "$(id -u)" = 0 ]; then as=(setpriv --reuid=65534 --regid=65534 --clear-groups); chown 65534:65534 data; fi
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
# the server's own zone is Berlin's, by its rule; no tables of zones and no accounts are needed
TZ='CET-1CEST,M3.5.0,M10.5.0/3' LD_LIBRARY_PATH="$work/$libs" "${as[@]}" deb/usr/sbin/mariadbd --no-defaults --skip-grant-tables \
  --skip-networking=0 --datadir="$work/data" --lc-messages-dir="$work/deb/usr/share/mysql" \
  --plugin-dir="$work/deb/usr/lib/mysql/plugin" \
  --socket="$work/data/socket" --pid-file="$work/data/pid" --bind-address=127.0.0.1 --port="$port" > mariadb.log 2>&1 &
pids+=($!)

venv/bin/python - "$port" <<'PY'
import sys, time
import pymysql

for _ in range(150):
    try:
        db = pymysql.connect(host="127.0.0.1", port=int(sys.argv[1]), user="root", autocommit=True)
        break
    except pymysql.err.OperationalError:
        time.sleep(0.2)
cursor = db.cursor()
def all_of(sql, *args):
    cursor.execute(sql, args)
    return cursor.fetchall()
print("MariaDB", all_of("SELECT version()")[0][0])
all_of("CREATE DATABASE night")
all_of("USE night")
all_of("CREATE TABLE plain (id int PRIMARY KEY, ts timestamp NOT NULL)")
all_of("CREATE TABLE indexed (id int PRIMARY KEY, ts timestamp NOT NULL, KEY (ts))")
all_of("SET time_zone = '+00:00'")
for i, utc in enumerate(["23:30", "00:10", "00:50", "01:10", "01:50", "02:10"], 1):
    for table in ("plain", "indexed"):
        all_of(f"INSERT INTO {table} VALUES (%s, %s)", i, f"2026-10-2{4 if i == 1 else 5} {utc}")

def seen(where):
    got = {t: [r[0] for r in all_of(f"SELECT id FROM {t} WHERE {where} ORDER BY id")] for t in ("plain", "indexed")}
    print(f"  {where:74} without index {got['plain']}, with {got['indexed']}")
    return got["plain"], got["indexed"]

def paged(table):
    ids, last = [], "1970-01-02"
    while page := all_of(f"SELECT id, ts FROM {table} WHERE ts > %s ORDER BY ts, id LIMIT 2", last):
        ids += [r[0] for r in page]
        last = page[-1][1]
    return ids

all_of("SET time_zone = 'SYSTEM'")
print("Berlin:", ", ".join(f"{i} {ts:%H:%M}" for i, ts in all_of("SELECT id, ts FROM plain ORDER BY id")))
assert seen("ts BETWEEN '2026-10-25 02:00:00' AND '2026-10-25 02:59:59'") == ([2, 3, 4, 5], [4, 5])
assert seen("ts = '2026-10-25 02:10:00'") == ([2, 4], [4])
assert seen("ts > '2026-10-25 02:10:00'") == ([3, 5, 6], [5, 6])
pages = paged("plain"), paged("indexed")
print("  paging by two rows: without index", pages[0], "with", pages[1])
assert pages == ([1, 2, 3, 5, 6], [1, 2, 5, 6])
all_of("SET time_zone = '+00:00'")
print("UTC:")
assert seen("ts BETWEEN '2026-10-25 00:00:00' AND '2026-10-25 01:59:59'") == ([2, 3, 4, 5], [2, 3, 4, 5])
assert paged("plain") == paged("indexed") == [1, 2, 3, 4, 5, 6]
print("seen: the index decides which rows of the hour are found")
PY
