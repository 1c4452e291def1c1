"""Makes the SQLite database of the benches: flights.py TARGET [CSV], nycflights13's flights three times over.

The data set (336,776 flights from New York in 2013; nycflights13, CC0) is not part of the repository. Without its CSV
file, flights of the same shape are made up: the same number of rows and columns, values of the same lengths and kinds.
"""

import csv
import gzip
import os
import random
import sqlite3
import sys

TIMES = 3
ROWS = 336_776
SCHEMA = """
CREATE TABLE flights (id INTEGER PRIMARY KEY, year INTEGER, month INTEGER, day INTEGER, dep_time INTEGER,
  sched_dep_time INTEGER, dep_delay REAL, arr_time INTEGER, arr_delay REAL, carrier TEXT, flight INTEGER, tailnum TEXT,
  origin TEXT, dest TEXT, air_time REAL, distance INTEGER, hour INTEGER, minute INTEGER, time_hour TEXT);
CREATE VIEW v_flights AS SELECT id, year, month, day, dep_time, dep_delay, arr_time, arr_delay, carrier, flight, tailnum,
  origin, dest, air_time, distance, time_hour FROM flights;
"""


def whole(text):
    return int(float(text)) if text not in ("", "NA") else None


def real(text):
    return float(text) if text not in ("", "NA") else None


def word(text):
    return text if text not in ("", "NA") else None


def read(path):
    """Rows of the CSV file, typed."""
    with (gzip.open if path.endswith(".gz") else open)(path, "rt", newline="") as lines:
        for row in csv.DictReader(lines):
            yield (
                *(whole(row[name]) for name in ("year", "month", "day", "dep_time", "sched_dep_time")),
                real(row["dep_delay"]),
                whole(row["arr_time"]),
                real(row["arr_delay"]),
                row["carrier"],
                whole(row["flight"]),
                word(row["tailnum"]),
                row["origin"],
                row["dest"],
                real(row["air_time"]),
                *(whole(row[name]) for name in ("distance", "hour", "minute")),
                row["time_hour"],
            )


def made_up():
    """Rows of the same shape, the same ones every time."""
    chance = random.Random(2013)
    carriers = ["UA", "B6", "EV", "DL", "AA", "MQ", "US", "9E", "WN", "VX", "FL", "AS", "F9", "YV", "HA", "OO"]
    places = ["".join(chance.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ", k=3)) for _ in range(105)]
    for number in range(ROWS):
        day = number * 365 // ROWS
        month, day = day * 12 // 365 + 1, day % 28 + 1
        hour, minute = chance.randrange(5, 24), chance.randrange(60)
        late, gone = float(chance.randrange(-20, 60)), chance.random() < 0.975
        carrier = chance.choice(carriers)
        yield (
            2013, month, day,
            hour * 100 + minute if gone else None,
            hour * 100 + minute,
            late if gone else None,
            chance.randrange(1, 2400) if gone else None,
            late - 5.0 if gone else None,
            carrier,
            chance.randrange(1, 6000),
            f"N{chance.randrange(100, 999)}{carrier}" if chance.random() < 0.99 else None,
            chance.choice(["EWR", "JFK", "LGA"]),
            chance.choice(places),
            float(chance.randrange(20, 600)) if gone else None,
            chance.randrange(80, 2600),
            hour, minute,
            f"2013-{month:02}-{day:02}T{hour:02}:00:00Z",
        )  # fmt: skip


def main(target, source=None):
    real_data = source and os.path.exists(source)
    if not real_data:
        print(f"flights: no file {source}: set FLIGHTS_CSV to nycflights13's; made-up ones for now", file=sys.stderr)
    rows = list(read(source) if real_data else made_up())
    partial = target + ".part"
    if os.path.exists(partial):
        os.remove(partial)
    database = sqlite3.connect(partial)
    database.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + SCHEMA)
    places = ", ".join("?" * len(rows[0]))
    with database:
        for _ in range(TIMES):
            database.executemany(f"INSERT INTO flights VALUES (NULL, {places})", rows)
    database.close()
    os.replace(partial, target)


if __name__ == "__main__":
    main(*sys.argv[1:])
