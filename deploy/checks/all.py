"""Runs all checks of deploy/, from the repository's root; ends with 1 when one of them finds a problem."""

import os
import subprocess
import sys

import yaml

import documents
import images
import manifests
import monitoring

# Only to be read, never to be reached.
ENVIRONMENT = {
    "SQL_CONNECTION_STRING": "Server=tcp:sql,1433;Database=bank;User Id=x;Password=y",
    "MONGO_CONNECTION_STRING": "mongodb://mongo/filegen",
    "KAFKA_BROKERS": "kafka:9092",
    "OUTPUT_ROOT_PATH": "/data",
    "HEALTH_PORT": "5000",
}


def worker_files(problem):
    """The production worker files, as filegen itself sees them."""
    binary = os.environ.get("FILEGEN")
    if not binary:
        return "not checked: FILEGEN names no binary"
    files = ["-c", "examples/production/loan.yaml", "-c", "examples/production/customer.yaml"]
    done = subprocess.run([binary, "config", "check", *files], env=ENVIRONMENT, capture_output=True, text=True)
    if done.returncode != 0:
        problem(done.stdout + done.stderr)
    return "loan.yaml, customer.yaml"


def main():
    problems = []
    for name, check in (
        ("manifests", manifests.check),
        ("alerts and dashboard", monitoring.check),
        ("compose file and Dockerfile", images.check),
        ("runbook and READMEs", documents.check),
        ("worker files", worker_files),
    ):
        try:
            print(f"{name}: {check(problems.append)}")
        except (LookupError, OSError, StopIteration, ValueError, yaml.YAMLError) as error:
            problems.append(f"{name}: {error!r}")
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
