"""Small pages per second, memory at two sizes, start-up beside sqlite3's."""

import argparse
import os
import shutil
import sqlite3
import subprocess
import time
from pathlib import Path
from statistics import median

from measure import Job, once

PEERS = Path(os.environ["PEERS"])
FILEGEN, DATABASE = os.environ["FILEGEN"], os.path.abspath(os.environ["FLIGHTS_DB"])
HERE = Path(__file__).resolve().parent
OUT = PEERS / "out"
PAGES, ROWS_A_PAGE = 3_000, 10

PIPE = """
  - id: File{n}
    name: "file{n}_{{date}}.txt"
    translator: {{ delimited: {{ delimiter: "|", columns: [id, carrier, tailnum, time_hour] }} }}"""


def rows_of(text):
    """`10M` is 10,000,000."""
    units = {"K": 1_000, "M": 1_000_000}
    return int(text[:-1]) * units[text[-1]] if text[-1] in units else int(text)


def database(rows):
    """The first `rows` flights, from the top again when there are too few."""
    path = PEERS / f"flights_{rows}.db"
    if path.exists():
        return path
    partial = path.with_suffix(".part")
    partial.unlink(missing_ok=True)
    con = sqlite3.connect(partial)
    con.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
    con.execute("ATTACH ? AS source", (DATABASE,))
    schema = [text for (text,) in con.execute("SELECT sql FROM source.sqlite_master WHERE sql IS NOT NULL ORDER BY type")]
    for text in schema:
        con.execute(text)
    columns = ", ".join(name for _, name, *_ in con.execute("PRAGMA source.table_info(flights)") if name != "id")
    have = 0
    while have < rows:
        done = con.execute(
            f"INSERT INTO main.flights ({columns}) SELECT {columns} FROM source.flights ORDER BY id LIMIT ?", (rows - have,)
        )
        have += done.rowcount
        con.commit()
    con.close()
    partial.rename(path)
    return path


def syncs_a_second():
    """What the disk itself allows: one small write and fdatasync after the other."""
    with open(PEERS / "sync.probe", "wb") as file:
        start = time.perf_counter()
        for _ in range(500):
            file.write(b"x" * 400)
            file.flush()
            os.fdatasync(file.fileno())
        taken = time.perf_counter() - start
    os.remove(PEERS / "sync.probe")
    return 500 / taken


def pages():
    path = database(PAGES * ROWS_A_PAGE)
    print(f"\n| small pages: {PAGES} of {ROWS_A_PAGE} rows, each its own durable commit | pages/s | aim |\n| --- | ---: | ---: |")
    for files, least in ((1, 1000), (4, 400)):
        worker = PEERS / f"pages_{files}.yaml"
        worker.write_text(
            f'worker: PageWorker\nsource: {{ url: "sqlite:{path}", view: v_flights, key: [id], page_size: {ROWS_A_PAGE} }}\n'
            f'output: {{ root: "{OUT}" }}\nstate: {{ url: "sqlite:{OUT}/.filegen/state.db" }}\n'
            f"commit: {{ pages: 1 }}\nfiles:{''.join(PIPE.format(n=n) for n in range(files))}\n"
        )
        job = Job(f"{files} files", [FILEGEN, "run", "-q", "-c", str(worker), "--date", "2013-12-31"], files=files)
        wall = median(once(job, OUT).wall for _ in range(3))
        print(f"| to {files} file{'s' * (files > 1)}, start and publishing included | {PAGES / wall:.0f} | {least} |", flush=True)
    print(f"| write of 400 bytes + fdatasync, one file, nothing else | {syncs_a_second():.0f} | |")


def memory(rows):
    print("\n| memory and writing, four files | wall s | rows/s | peak MB | written / files |\n| --- | ---: | ---: | ---: | ---: |")
    for size in (rows // 10, rows):
        env = {"FLIGHTS_URL": f"sqlite:{database(size)}", "FLIGHTS_OUT": str(OUT)}
        run = once(Job("four", [FILEGEN, "run", "-q", "-c", str(HERE / "flights.yaml"), "--date", "2013-12-31"], env), OUT)
        ratio = run.written_mb / run.size_mb
        print(f"| {size} rows | {run.wall:.2f} | {size / run.wall:.0f} | {run.peak_mb:.0f} | {ratio:.3f} |", flush=True)


def start_up(runs=200):
    commands = {"filegen --help": [FILEGEN, "--help"], "sqlite3 --version": ["sqlite3", "--version"]}
    taken = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            start = time.perf_counter()
            subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
            taken[name].append(time.perf_counter() - start)
    print(f"\n| start-up, median of {runs} runs in turn | ms |\n| --- | ---: |")
    for name, times in taken.items():
        print(f"| `{name}` | {median(times) * 1000:.2f} |")
    ours, theirs = (median(times) for times in taken.values())
    print(f"| ratio (aim: at most 3) | {ours / theirs:.2f} |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=rows_of)
    options = parser.parse_args()
    start_up()
    pages()
    if options.rows:
        memory(options.rows)
    shutil.rmtree(OUT, ignore_errors=True)


if __name__ == "__main__":
    main()
