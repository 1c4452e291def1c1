"""DuckDB's turn: duckdb_job.py sqlite|postgres ADDRESS one|four. Reads once, writes with COPY."""

import importlib.util
import sys
from pathlib import Path

import duckdb


def main(kind, address, files):
    con = duckdb.connect()
    # The extension comes as a package of its own: DuckDB's own download site need not be reached.
    package = importlib.util.find_spec(f"duckdb_extension_{kind}_scanner").submodule_search_locations[0]
    [extension] = Path(package).rglob("*.duckdb_extension")
    con.execute(f"LOAD '{extension}'")
    con.execute(f"ATTACH '{address}' AS source (TYPE {kind}, READ_ONLY)")
    view = "source.v_flights" if kind == "sqlite" else "source.public.v_flights"
    if files == "one":
        con.execute(f"COPY (SELECT * FROM {view} ORDER BY id) TO 'wide.csv' (HEADER false)")
        return
    con.execute(f"CREATE TEMP TABLE f AS SELECT * FROM {view} ORDER BY id")
    con.execute("COPY f TO 'wide.csv' (HEADER false)")
    con.execute("COPY (SELECT id, carrier, tailnum, time_hour FROM f) TO 'pipe.txt' (HEADER false, DELIMITER '|')")
    con.execute(
        "COPY (SELECT format('{:010d}{:4d}{:02d}{:02d}{:<2s}{:5d}{:<3s}{:<3s}', id, year, month, day, carrier, flight, "
        "origin, dest) FROM f) TO 'fixed.dat' (FORMAT csv, HEADER false, QUOTE '')"
    )
    con.execute("COPY (SELECT id, carrier, flight, tailnum, distance, time_hour FROM f) TO 'lines.jsonl' (FORMAT json)")


main(*sys.argv[1:])
