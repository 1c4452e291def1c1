"""All tools, all jobs: what each is run with, the tables, and filegen's aims beside what was measured."""

import os
import platform
import sqlite3
from pathlib import Path

from measure import Job, side_by_side, table

HERE = Path(__file__).resolve().parent
PEERS = Path(os.environ["PEERS"])
FILEGEN, RIVET = os.environ["FILEGEN"], os.environ["RIVET"]
DATABASE, POSTGRES = os.path.abspath(os.environ["FLIGHTS_DB"]), os.environ["FLIGHTS_PG"]
ROUNDS = int(os.environ.get("ROUNDS", "3"))
PYTHON = str(PEERS / "venv" / "bin" / "python")
DATE = "2013-12-31"

FOUR, ONE = "filegen, the four files", "filegen, the wide file"
BASE_LITE, FOUR_LITE = "sqlite3 -csv, the wide file", "sqlite3, four files, one after the other"
BASE_PG = "psql \\copy, the wide file"


def filegen(name, worker, url, files):
    command = [FILEGEN, "run", "-q", "-c", str(HERE / worker), "--date", DATE]
    return Job(name, command, {"FLIGHTS_URL": url, "FLIGHTS_OUT": "{out}"}, durable=True, files=files)


def python(name, script, *arguments):
    return Job(name, [PYTHON, str(HERE / script), *arguments], files=4 if arguments[-1] == "four" else 1)


def rivet(name, config, url, files):
    return Job(name, [RIVET, "run", "-c", config], {"FLIGHTS_PG": url}, files=files, config=HERE / config)


def from_sqlite():
    url = f"sqlite:{DATABASE}"
    return [
        filegen(FOUR, "flights.yaml", url, 4),
        filegen(ONE, "flights_one.yaml", url, 1),
        Job(BASE_LITE, ["sh", "-c", f"sqlite3 -readonly -csv '{DATABASE}' 'SELECT * FROM v_flights ORDER BY id' > wide.csv"]),
        Job(FOUR_LITE, ["sh", str(HERE / "sqlite_four.sh"), DATABASE], files=4),
        python("DuckDB, the wide file", "duckdb_job.py", "sqlite", DATABASE, "one"),
        python("DuckDB, four files from one read", "duckdb_job.py", "sqlite", DATABASE, "four"),
        python("ConnectorX + Polars, the wide file", "polars_job.py", f"sqlite://{DATABASE}", "one"),
        python("ConnectorX + Polars, four files from one read", "polars_job.py", f"sqlite://{DATABASE}", "four"),
    ]


def from_postgres():
    url = POSTGRES.replace("postgres://", "postgresql://")
    return [
        filegen(FOUR, "flights.yaml", POSTGRES, 4),
        filegen(ONE, "flights_one.yaml", POSTGRES, 1),
        Job(BASE_PG, ["psql", "-q", POSTGRES, "-c", "\\copy (SELECT * FROM v_flights ORDER BY id) TO 'wide.csv' (FORMAT csv)"]),
        Job("psql \\copy, four files, one after the other", ["sh", str(HERE / "psql_four.sh"), POSTGRES], files=4),
        python("DuckDB, the wide file", "duckdb_job.py", "postgres", url, "one"),
        python("DuckDB, four files from one read", "duckdb_job.py", "postgres", url, "four"),
        python("ConnectorX + Polars, the wide file", "polars_job.py", url, "one"),
        python("ConnectorX + Polars, four files from one read", "polars_job.py", url, "four"),
        rivet("rivet, the wide file", "rivet_one.yaml", url, 1),
        rivet("rivet, four CSV exports (it writes no other text)", "rivet.yaml", url, 4),
    ]


def aim(text, reached, most=None, least=None):
    good = (most is None or reached <= most) and (least is None or reached >= least)
    bound = f"at most {most}" if most is not None else f"at least {least}"
    print(f"| {text} | {bound} | {reached:.2f} | {'yes' if good else 'NO'} |")


def main():
    rows = sqlite3.connect(f"file:{DATABASE}?mode=ro", uri=True).execute("SELECT count(*) FROM flights").fetchone()[0]
    out = PEERS / "out"
    print(f"{rows} flights, {os.cpu_count()} cores, {platform.machine()}, medians of {ROUNDS} rounds", flush=True)

    print("\nfrom SQLite", flush=True)
    lite = side_by_side(from_sqlite(), ROUNDS, out, rows)
    print("\nfrom PostgreSQL", flush=True)
    post = side_by_side(from_postgres(), ROUNDS, out, rows)

    print(f"\n### From SQLite; ratio to `{BASE_LITE}`\n")
    print(table(from_sqlite(), lite, BASE_LITE))
    print(f"\n### From PostgreSQL; ratio to `{BASE_PG}`\n")
    print(table(from_postgres(), post, BASE_PG))

    print("\n| aim | bound | reached | kept |\n| --- | --- | ---: | --- |")
    if FOUR in lite and BASE_LITE in lite:
        aim(f"SQLite: wall time of the four files / {BASE_LITE}", lite[FOUR].wall / lite[BASE_LITE].wall, most=1.0)
    if FOUR in lite and FOUR_LITE in lite:
        aim(f"SQLite: {FOUR_LITE} / filegen", lite[FOUR_LITE].wall / lite[FOUR].wall, least=3.0)
    if FOUR in lite:
        aim("SQLite: peak memory, MB", lite[FOUR].peak_mb, most=100.0)
        aim("SQLite: bytes written / files' size", lite[FOUR].written_mb / lite[FOUR].size_mb, most=1.02)
    if FOUR in post and BASE_PG in post:
        aim(f"PostgreSQL: wall time of the four files / {BASE_PG}", post[FOUR].wall / post[BASE_PG].wall, most=1.2)
        aim("PostgreSQL: peak memory, MB", post[FOUR].peak_mb, most=100.0)


if __name__ == "__main__":
    main()
