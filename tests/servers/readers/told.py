"""Loads a file of two columns, `id` and another, with one reader and options of its own. Prints each row as JSON.

Usage: told.py READER FILE NAME TYPE OPTIONS

TYPE is the reader's own. OPTIONS stand as docs/receivers.md and the warnings of `config check` word them.
"""

import json
import sys


def pandas_rows(path, name, type, options):
    import pandas

    types = {"id": "Int64", name: type} if type else {"id": "Int64"}
    options = eval(f"dict({options})")
    frame = pandas.read_csv(
        path, dtype=types, keep_default_na=False, na_values=["<NULL>"], skip_blank_lines=False, **options
    )
    return [[None if pandas.isna(cell) else cell for cell in row] for row in frame.itertuples(index=False)]


def polars_rows(path, name, type, options):
    import polars

    options = eval(f"dict({options})")
    return polars.read_csv(path, schema={"id": polars.Int64, name: getattr(polars, type)}, **options).rows()


def duckdb_rows(path, name, type, options):
    import duckdb

    settings = {"auto_detect": "false", "header": "true", "columns": f"{{'id': 'BIGINT', '{name}': '{type}'}}"}
    settings |= {"delim": "','", "quote": "'\"'", "escape": "'\"'", "comment": "''", "allow_quoted_nulls": "false"}
    settings |= dict(option.split(" = ") for option in options.split(", ") if option)
    listed = ", ".join(f"{key} = {value}" for key, value in settings.items())
    return duckdb.sql(f"SELECT * FROM read_csv('{path}', {listed})").fetchall()


def plain(cell):
    """A cell as the test compares it: bytes as hexadecimal digits, dates as ISO 8601 writes them."""
    if isinstance(cell, bytes):
        return cell.hex()
    if hasattr(cell, "isoformat"):
        return cell.isoformat()[:10]
    return cell.item() if hasattr(cell, "item") else cell


def main():
    reader, *arguments = sys.argv[1:]
    for row in globals()[f"{reader}_rows"](*arguments):
        print(json.dumps([plain(cell) for cell in row]))


main()
