"""Runs all checks of deploy/, from the repository's root; ends with 1 when one of them finds a problem."""

import os
import subprocess
import sys

import yaml

import documents
import images
import manifests
import monitoring
import services

FILES = [f"examples/production/{name}.yaml" for name in ("loan", "customer", "events/events", "scheduler/intake", "transfer/sales")]
# Only to be read, never to be reached.
ENVIRONMENT = {
    "SQL_CONNECTION_STRING": "Server=tcp:sql,1433;Database=bank;User Id=x;Password=y",
    "MONGO_CONNECTION_STRING": "mongodb://mongo/filegen",
    "KAFKA_BROKERS": "kafka:9092",
    "OUTPUT_ROOT_PATH": "/data",
    "HEALTH_PORT": "5000",
    "KAFKA_TOPIC": "events",
    "KAFKA_GROUP_ID": "events",
    "SQL_CONNECTION": "postgres://localhost/events",
    "NATS_URL": "tls://nats:4222",
    "REDIS_ADDR": "redis:6379",
    "PRODUCE_TOKEN": "never-sent-to-anybody-0001",
    "READ_TOKEN": "never-sent-to-anybody-0002",
    "API_TOKEN": "never-sent-to-anybody-0003",
}


def worker_files(problem):
    """The files of production and of compose, as filegen itself sees them."""
    binary = os.environ.get("FILEGEN")
    if not binary:
        return "not checked: FILEGEN names no binary"
    # Two deployments may give one name to what they serve; one may not.
    deployments = [FILES, ["deploy/compose/events.yaml"]]
    for files in deployments:
        named = [word for file in files for word in ("-c", file)]
        done = subprocess.run([binary, "config", "check", *named], env=ENVIRONMENT, capture_output=True, text=True)
        if done.returncode != 0:
            problem(done.stdout + done.stderr)
    return ", ".join(file for files in deployments for file in files)


def main():
    problems = []
    for name, check in (
        ("manifests", manifests.check),
        ("services of an ingest", services.check),
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
