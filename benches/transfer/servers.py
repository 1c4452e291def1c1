"""The servers of the bench: nats-server and versitygw, as the tests build them, and OpenSSH's, each for as long as one measurement."""

import getpass
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BIN = ROOT / "target" / "test-servers" / "bin"
ACCESS, SECRET = "bench", "s3cret-of-bench"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def answers(port):
    for _ in range(500):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"nobody answers at port {port}")


class Server:
    """A program that serves until the block ends."""

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=open(self.log, "w"))
        answers(self.port)
        self.ready()
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def ready(self):
        pass


class Nats(Server):
    """With a store of its own on the disk that is measured."""

    def __init__(self, folder):
        subprocess.run([ROOT / "tests/servers/nats/fetch", BIN], check=True)
        self.port, self.log = free_port(), folder / "nats.log"
        store = f'jetstream {{ store_dir: "{folder}/nats", max_file_store: 64GB }}\n'
        (folder / "nats.conf").write_text(f"listen: 127.0.0.1:{self.port}\n{store}")
        self.command = [BIN / "nats-server", "-c", folder / "nats.conf"]
        self.url = f"nats://127.0.0.1:{self.port}"

    def ready(self):
        while "Server is ready" not in Path(self.log).read_text():
            time.sleep(0.01)


class S3(Server):
    """With one bucket, the folder `bucket`."""

    def __init__(self, folder):
        subprocess.run([ROOT / "tests/servers/s3/fetch", BIN], check=True)
        self.port, self.log = free_port(), folder / "s3.log"
        self.bucket = folder / "buckets" / "bucket"
        self.bucket.mkdir(parents=True)
        place = f"127.0.0.1:{self.port}"
        login = ["--access", ACCESS, "--secret", SECRET]
        self.command = [BIN / "versitygw", *login, "--port", place, "posix", folder / "buckets"]
        self.url = f"http://{place}"
        self.env = {"AWS_ACCESS_KEY_ID": ACCESS, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "us-east-1"}


class Ssh(Server):
    """OpenSSH's server for this user."""

    def __init__(self, folder):
        self.port, self.log, self.user = free_port(), folder / "sshd.log", getpass.getuser()
        for name in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
        shutil.copy(folder / "user.pub", folder / "authorized")
        self.key, self.known = folder / "user", folder / "known"
        self.known.write_text(f"[127.0.0.1]:{self.port} {(folder / 'host.pub').read_text()}")
        (folder / "sshd.conf").write_text(
            f"ListenAddress 127.0.0.1\nPort {self.port}\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/authorized\n"
            "StrictModes no\nUsePAM no\nPermitRootLogin yes\nPasswordAuthentication no\nSubsystem sftp internal-sftp\nPidFile none\n"
        )
        if os.getuid() == 0:
            os.makedirs("/run/sshd", exist_ok=True)
        self.command = ["/usr/sbin/sshd", "-D", "-e", "-f", folder / "sshd.conf"]


def built(name, command, folder, made):
    """A yardstick, built into target/transfer; `None` where that is not possible here."""
    place = ROOT / "target" / "transfer" / "bin"
    place.mkdir(parents=True, exist_ok=True)
    if not (place / name).exists():
        print(f"building {name}", flush=True)
        env = {**os.environ, "GOBIN": str(place), "CGO_ENABLED": "0", "GOTOOLCHAIN": "auto"}
        try:
            subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"{name} cannot be built here: {error}", flush=True)
            return None
        if made != place / name:
            shutil.copy(made, place / name)
    return str(place / name)
