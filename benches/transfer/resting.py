"""What is measured while filegen runs on: memory, the way of one file through a watched folder, and the cost of doing nothing."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median

from servers import S3, Nats, free_port

TICK = os.sysconf("SC_CLK_TCK")
BIG = int(os.environ.get("BIG", str(2 << 30)))


class Daemon:
    def __init__(self, program, folder, name, text, env=None):
        self.log, file = folder / f"{name}.log", folder / f"{name}.yaml"
        file.write_text(text)
        command = [program, "daemon", "-c", file, "--health-port", str(free_port()), "--health-address", "127.0.0.1"]
        self.process = subprocess.Popen(command, stdout=open(self.log, "w"), stderr=subprocess.STDOUT, env={**os.environ, **(env or {})})

    def work(self):
        """Seconds of a core so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def peak(self):
        """The most memory that it ever held, in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def until(what, look, seconds=3600):
    end = time.monotonic() + seconds
    while not look():
        if time.monotonic() > end:
            raise RuntimeError(f"{what} did not come")
        time.sleep(0.001)


def made(path, size):
    with open(path, "wb") as file:
        for _ in range(0, size, 1 << 20):
            file.write(os.urandom(min(1 << 20, size - file.tell())))


def sides(folder, broker, to):
    """Two files: one side each."""
    state = lambda side: f"state: {{ url: 'sqlite:{folder}/{side}.db' }}\n"
    collect = f"collect: {{ directory: {folder}/in, pattern: '*', stable_for: 1s, after: keep }}\n"
    one = f"transfer: bench\nbroker: {broker}\n"
    return one + collect + state("collect"), one + f"deliver: {{ to: {to}, organize_by: none }}\n" + state("deliver")


def memory(program, scratch, aim):
    """One file, each side a process of its own."""
    print(f"\nmemory with one file of {BIG / 1e9:.1f} GB; load {os.getloadavg()[0]:.1f}", flush=True)
    for what, server in (("folder to folder over nats-server", Nats), ("folder to versitygw over the spool", S3)):
        folder = Path(tempfile.mkdtemp(dir=scratch))
        daemons = []
        try:
            with server(folder) as served:
                for name in ("in", "out"):
                    (folder / name).mkdir()
                made(folder / "in" / "big", BIG)
                if server is Nats:
                    broker, to, there = f"{{ nats: {{ url: '{served.url}', max_bytes: 32GiB }} }}", f"{{ directory: {folder}/out }}", folder / "out/big"
                else:
                    broker, to, there = f"{{ local: {folder}/spool }}", f"{{ s3: 's3://bucket', endpoint: '{served.url}' }}", served.bucket / "big"
                env = getattr(served, "env", {})
                begun = time.monotonic()
                for name, text in zip(("collect", "deliver"), sides(folder, broker, to)):
                    daemons.append(Daemon(program, folder, name, text, env))
                until("the file", there.exists)
                took = time.monotonic() - begun
                time.sleep(2)
                peaks = [daemon.peak() for daemon in daemons]
                assert there.stat().st_size == BIG
            print(f"  {what}: {took:.1f} s, collecting {peaks[0]:.0f} MB, delivering {peaks[1]:.0f} MB", flush=True)
            aim(f"memory of a side, MB: {what}, {BIG / 1e9:.1f} GB", max(peaks), most=64)
        finally:
            for daemon in daemons:
                daemon.end()
            shutil.rmtree(folder, ignore_errors=True)


def watch(program, scratch, aim):
    """From closing a file to its final name at the target, over nats-server, one process with both sides."""
    still, count = 0.5, 40
    folder = Path(tempfile.mkdtemp(dir=scratch))
    try:
        with Nats(folder) as nats:
            (folder / "in").mkdir()
            text = (
                f"transfer: bench\ncollect: {{ directory: {folder}/in, pattern: '*', stable_for: 500ms, after: keep }}\n"
                f"broker: {{ nats: {{ url: '{nats.url}' }} }}\ndeliver: {{ to: {{ directory: {folder}/out }}, organize_by: none }}\n"
                f"state: {{ url: 'sqlite:{folder}/ledger.db' }}\n"
            )
            daemon = Daemon(program, folder, "both", text)
            took = []
            for at in range(count):
                made(folder / "in" / f"f{at}", 10_000)
                closed = time.monotonic()
                until("a file", (folder / "out" / f"f{at}").exists, 60)
                took.append(time.monotonic() - closed - still)
                time.sleep(0.1 * (at % 7))
            daemon.end()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    took = sorted(took[5:])
    print(f"\nfrom closing a file to its final name, beyond stable_for: median {median(took) * 1000:.0f} ms, "
          f"nine of ten within {took[len(took) * 9 // 10] * 1000:.0f} ms; load {os.getloadavg()[0]:.1f}", flush=True)
    aim("latency beyond stable_for, ms", median(took) * 1000, most=150)


def idle(program, scratch, aim, seconds=120):
    """10,000 files that were delivered lie there, and nothing comes."""
    folder = Path(tempfile.mkdtemp(dir=scratch))
    try:
        with Nats(folder) as nats:
            (folder / "in").mkdir()
            for at in range(10_000):
                made(folder / "in" / f"f{at:05}", 100)
            text = (
                f"transfer: bench\ncollect: {{ directory: {folder}/in, pattern: '*', stable_for: 1s, after: keep }}\n"
                f"broker: {{ nats: {{ url: '{nats.url}' }} }}\ndeliver: {{ to: {{ directory: {folder}/out }}, organize_by: none }}\n"
                f"state: {{ url: 'sqlite:{folder}/ledger.db' }}\n"
            )
            (folder / "run.yaml").write_text(text)
            subprocess.run([program, "-q", "transfer", "run", "-c", folder / "run.yaml"], check=True, capture_output=True)
            daemon = Daemon(program, folder, "both", text)
            time.sleep(20)
            before = daemon.work()
            time.sleep(seconds)
            share = (daemon.work() - before) / seconds * 100
            print(f"\nat rest with 10,000 files there: {share:.2f} % of a core, {daemon.peak():.0f} MB at most; load {os.getloadavg()[0]:.1f}", flush=True)
            daemon.end()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    aim("at rest, % of a core", share, most=0.5)
