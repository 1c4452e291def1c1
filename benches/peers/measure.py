"""Runs commands side by side: wall and CPU time, peak memory, bytes written."""

import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median


@dataclass
class Job:
    """A command, told what it does; `{out}` in it is a fresh folder."""

    name: str
    command: list
    env: dict = field(default_factory=dict)
    durable: bool = False
    files: int = 1
    config: Path | None = None  # copied into the folder first: rivet writes beside its configuration


@dataclass
class Measure:
    wall: float
    cpu: float
    peak_mb: float
    written_mb: float
    size_mb: float
    records: list


def count(path):
    with open(path, "rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))


def once(job, out):
    """One run; its files are left in `out`."""
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    if job.config:
        shutil.copy(job.config, out)
    os.sync()  # what others left to write is not this one's burden
    with tempfile.NamedTemporaryFile("r") as report:
        command = [part.replace("{out}", str(out)) for part in job.command]
        env = {name: value.replace("{out}", str(out)) for name, value in job.env.items()}
        # time(1) is so small that its own memory does not hide the command's, as Python's would.
        command = ["/usr/bin/time", "-q", "-o", report.name, "-f", "%U %S %M %O", *command]
        start = time.perf_counter()
        done = subprocess.run(command, env={**os.environ, **env}, capture_output=True, cwd=out)
        wall = time.perf_counter() - start
        if done.returncode:
            text = (done.stdout + done.stderr).decode(errors="replace").strip()
            raise RuntimeError(f"{job.name}: exit code {done.returncode}: {text[-500:]}")
        user, system, peak, blocks = report.read().split()
    files = [path for path in Path(out).rglob("*") if path.is_file() and ".filegen" not in path.parts]
    files = [path for path in files if path.suffix in (".csv", ".txt", ".dat", ".jsonl")]
    return Measure(
        wall=wall,
        cpu=float(user) + float(system),
        peak_mb=int(peak) / 1024,
        written_mb=int(blocks) * 512 / 1e6,
        size_mb=sum(path.stat().st_size for path in files) / 1e6,
        records=sorted(count(path) for path in files),
    )


def side_by_side(jobs, rounds, out, rows):
    """Each job once a round, in turn; medians. A job that fails is told and left out."""
    runs = {job.name: [] for job in jobs}
    for number in range(rounds):
        for job in jobs:
            if runs[job.name] is None:
                continue
            try:
                measure = once(job, out)
                short = [records for records in measure.records if records < rows]
                if len(measure.records) < job.files or short:
                    raise RuntimeError(f"{job.name}: wrote files of {measure.records} records, not {rows}")
                runs[job.name].append(measure)
                print(f"  {number + 1}/{rounds} {job.name}: {measure.wall:.2f} s", flush=True)
            except (RuntimeError, OSError) as error:
                print(f"  left out: {error}", flush=True)
                runs[job.name] = None
    shutil.rmtree(out, ignore_errors=True)
    values = ("wall", "cpu", "peak_mb", "written_mb", "size_mb")
    return {
        name: Measure(**{value: median(getattr(run, value) for run in done) for value in values}, records=done[0].records)
        for name, done in runs.items()
        if done
    }


def table(jobs, results, base):
    """A Markdown table; times relative to the job named `base`."""
    lines = [
        "| what | wall s | ratio | CPU s | peak MB | files MB | written / files | durable |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for job in jobs:
        run = results.get(job.name)
        if run is None:
            lines.append(f"| {job.name} | could not be run here | | | | | | |")
            continue
        ratio = f"{run.wall / results[base].wall:.2f}" if base in results else ""
        written = f"{run.written_mb / run.size_mb:.3f}" if run.size_mb else ""
        lines.append(
            f"| {job.name} | {run.wall:.2f} | {ratio} | {run.cpu:.2f} | {run.peak_mb:.0f} | {run.size_mb:.0f} "
            f"| {written} | {'yes' if job.durable else 'no'} |"
        )
    return "\n".join(lines)
