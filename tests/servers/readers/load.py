"""Loads a file with one reader, as docs/receivers.md says, into typed columns. Prints each row as JSON.

Usage: load.py READER FILE
"""

import datetime
import decimal
import json
import sys

NAMES = ["id", "s", "n", "d", "f", "b", "t", "day", "z"]


def pandas_rows(path):
    import pandas

    types = {"id": "Int64", "s": "string", "n": "Int64", "d": "string", "f": "Float64", "b": "boolean", "z": "string"}
    frame = pandas.read_csv(
        path,
        dtype=types,
        parse_dates=["t", "day"],
        keep_default_na=False,
        na_values=["<NULL>"],
        skip_blank_lines=False,
    )
    assert list(frame.columns) == NAMES, frame.columns
    for row in frame.itertuples(index=False):
        cells = [None if pandas.isna(cell) else cell for cell in row]
        cells[3] = None if cells[3] is None else decimal.Decimal(cells[3])
        cells[7] = None if cells[7] is None else cells[7].date()
        yield cells


def polars_rows(path):
    import polars

    types = [
        polars.Int64,
        polars.String,
        polars.Int64,
        polars.Decimal(12, 2),
        polars.Float64,
        polars.Boolean,
        polars.Datetime("us"),
        polars.Date,
        polars.String,
    ]
    return polars.read_csv(path, schema=dict(zip(NAMES, types))).rows()


def duckdb_rows(path):
    import duckdb

    types = ["BIGINT", "VARCHAR", "BIGINT", "DECIMAL(12, 2)", "DOUBLE", "BOOLEAN", "TIMESTAMP", "DATE", "VARCHAR"]
    columns = ", ".join(f"'{name}': '{type}'" for name, type in zip(NAMES, types))
    return duckdb.sql(
        f"""SELECT * FROM read_csv('{path}', auto_detect = false, header = true, columns = {{{columns}}},
        delim = ',', quote = '"', escape = '"', comment = '', allow_quoted_nulls = false)"""
    ).fetchall()


def clickhouse_rows(path):
    import chdb

    types = ["Int64", "String", "Int64", "Decimal(12, 2)", "Float64", "Bool", "DateTime64(6, 'UTC')", "Date32", "String"]
    columns = ", ".join(f"`{name}` Nullable({type})" for name, type in zip(NAMES, types)).replace("'", "\\'")
    settings = "output_format_json_quote_64bit_integers = 0, output_format_json_quote_decimals = 1"
    settings += ", output_format_decimal_trailing_zeros = 1"
    answer = chdb.query(f"SELECT * FROM file('{path}', CSVWithNames, '{columns}') SETTINGS {settings}", "JSONCompactEachRow")
    return [json.loads(line) for line in str(answer).split("\n") if line]


def spark_rows(path):
    from pyspark.sql import SparkSession

    session = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    session = session.config("spark.sql.session.timeZone", "UTC").getOrCreate()
    types = ["BIGINT", "STRING", "BIGINT", "DECIMAL(12, 2)", "DOUBLE", "BOOLEAN", "TIMESTAMP_NTZ", "DATE", "STRING"]
    frame = session.read.csv(
        path,
        schema=", ".join(f"`{name}` {type}" for name, type in zip(NAMES, types)),
        header=True,
        multiLine=True,
        quote='"',
        escape='"',
        nullValue="\ue000",
        emptyValue="",
        enforceSchema=False,
        mode="FAILFAST",
    )
    return [list(row) for row in frame.collect()]


def plain(cell):
    """A cell as the test compares it."""
    if isinstance(cell, decimal.Decimal):
        return str(cell)
    if isinstance(cell, (datetime.datetime, datetime.date)):
        return cell.isoformat(" ") if isinstance(cell, datetime.datetime) else cell.isoformat()
    if hasattr(cell, "item"):
        return cell.item()
    return cell


def main():
    reader, path = sys.argv[1:]
    rows = globals()[f"{reader}_rows"](path)
    for row in rows:
        print(json.dumps([plain(cell) for cell in row]))


main()
