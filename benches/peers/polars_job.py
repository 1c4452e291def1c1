"""ConnectorX's and Polars' turn: polars_job.py ADDRESS one|four. Reads once into a frame, writes from it."""

import sys

import connectorx
import polars as pl


def main(address, files):
    frame = connectorx.read_sql(address, "SELECT * FROM v_flights ORDER BY id", return_type="polars")
    frame.write_csv("wide.csv", include_header=False)
    if files == "one":
        return
    frame.select("id", "carrier", "tailnum", "time_hour").write_csv("pipe.txt", separator="|", include_header=False)
    text = lambda name: pl.col(name).cast(pl.String)
    fixed = pl.concat_str(
        text("id").str.zfill(10),
        text("year"),
        text("month").str.zfill(2),
        text("day").str.zfill(2),
        text("carrier").str.pad_end(2),
        text("flight").str.pad_start(5),
        text("origin").str.pad_end(3),
        text("dest").str.pad_end(3),
    )
    frame.select(fixed).write_csv("fixed.dat", include_header=False, quote_style="never")
    frame.select("id", "carrier", "flight", "tailnum", "distance", "time_hour").write_ndjson("lines.jsonl")


main(*sys.argv[1:])
