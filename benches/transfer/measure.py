"""Runs commands side by side: wall and CPU time, peak memory. Each has a fresh folder and servers of its own."""

import os
import shutil
import subprocess
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Callable


@dataclass
class Job:
    """What one peer does: `command(room)` is run, then `there(room)` must be the folder with all files."""

    name: str
    command: Callable
    servers: tuple = ()
    there: Callable = lambda room: room.target
    env: Callable = lambda room: {}


@dataclass
class Took:
    wall: float
    cpu: float
    peak_mb: float


class Room:
    """The folders of one run, and its servers by their class."""

    def __init__(self, folder, source):
        self.folder, self.source, self.target = folder, source, folder / "out"
        self.target.mkdir()
        self.servers = {}


def timed(command, env=None):
    """One run of a command. time(1) is so small that its own memory does not hide the command's, as Python's would."""
    with tempfile.NamedTemporaryFile("r") as report:
        whole = ["/usr/bin/time", "-q", "-o", report.name, "-f", "%U %S %M", *command]
        start = time.perf_counter()
        done = subprocess.run(whole, env={**os.environ, **(env or {})}, capture_output=True)
        wall = time.perf_counter() - start
        if done.returncode:
            raise RuntimeError(f"exit code {done.returncode}: {(done.stdout + done.stderr).decode(errors='replace')[-500:]}")
        user, system, peak = report.read().split()
    return Took(wall, float(user) + float(system), int(peak) / 1024)


def once(job, source, base):
    folder = Path(tempfile.mkdtemp(dir=base))
    try:
        with ExitStack() as stack:
            room = Room(folder, source)
            for server in job.servers:
                room.servers[server] = stack.enter_context(server(folder))
            os.sync()  # what others left to write is not this one's burden
            took = timed([str(part) for part in job.command(room)], job.env(room))
            wanted = {file.name: file.stat().st_size for file in source.iterdir()}
            there = {file.name: file.stat().st_size for file in job.there(room).iterdir() if not file.name.startswith(".")}
            if there != wanted:
                raise RuntimeError(f"{len(there)} of {len(wanted)} files are there, or not whole")
            return took
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def side_by_side(title, jobs, files, rounds, base):
    """Each job once a round, in turn; medians. A job that fails is told and left out. `files`: how many of which size."""
    print(f"\n{title}; load {os.getloadavg()[0]:.1f}", flush=True)
    source = Path(tempfile.mkdtemp(dir=base))
    runs = {job.name: [] for job in jobs}
    try:
        for at in range(files[0]):
            with open(source / f"f{at:05}", "wb") as file:
                for _ in range(0, files[1], 1 << 20):
                    file.write(os.urandom(min(1 << 20, files[1] - file.tell())))
        for number in range(rounds):
            for job in jobs:
                if runs[job.name] is None:
                    continue
                try:
                    took = once(job, source, base)
                    runs[job.name].append(took)
                    print(f"  {number + 1}/{rounds} {job.name}: {took.wall:.2f} s", flush=True)
                except (RuntimeError, OSError) as error:
                    print(f"  left out: {job.name}: {error}", flush=True)
                    runs[job.name] = None
    finally:
        shutil.rmtree(source, ignore_errors=True)
    middle = lambda done: Took(*(median(getattr(run, value) for run in done) for value in ("wall", "cpu", "peak_mb")))
    return {name: middle(done) for name, done in runs.items() if done}


def table(title, results, files, base):
    """A Markdown table; how many times as fast as the job named `base`."""
    count, size = files
    rate = "files/s" if count > 1 else "MB/s"
    lines = [f"\n### {title}\n", f"| what | wall s | {rate} | times as fast | CPU s | peak MB |", "| --- | ---: | ---: | ---: | ---: | ---: |"]
    for name, took in results.items():
        speed = count / took.wall if count > 1 else size / 1e6 / took.wall
        ratio = f"{results[base].wall / took.wall:.2f}" if base in results else ""
        lines.append(f"| {name} | {took.wall:.2f} | {speed:,.0f} | {ratio} | {took.cpu:.2f} | {took.peak_mb:.0f} |")
    return "\n".join(lines)
