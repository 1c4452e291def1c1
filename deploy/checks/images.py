"""Compose file and Dockerfile: nothing that names what is not there."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import assemble

COMPOSE = Path("deploy/compose.yaml")
EVENTS = Path("deploy/compose.events.yaml")
DOCKERFILE = Path("deploy/Dockerfile")
SERVICE = set(
    "image build command entrypoint environment volumes ports healthcheck restart depends_on read_only cap_drop "
    "security_opt stop_grace_period hostname".split()
)
INSTRUCTIONS = set(
    "ARG FROM LABEL RUN WORKDIR COPY ENV USER VOLUME EXPOSE STOPSIGNAL HEALTHCHECK ENTRYPOINT CMD".split()
)
CONDITIONS = {"service_started", "service_healthy", "service_completed_successfully"}


def check(problem):
    """Tells every problem of both."""
    services = 0
    for path in (COMPOSE, EVENTS):
        (root,) = assemble.load(path)
        services += compose(root, lambda text, path=path: problem(f"{path}: {text}"))
        topics(path, root, lambda text, path=path: problem(f"{path}: {text}"))
    steps = dockerfile(lambda text: problem(f"{DOCKERFILE}: {text}"))
    if os.environ.get("FILEGEN_RELEASE"):
        for image in unpinned(Path("deploy")):
            problem(f"{image}: a release names each image by its digest: deploy/pin asks for it")
    pinning(problem)
    return f"{services} services, {steps} Dockerfile instructions"


def unpinned(folder):
    """Images of other people that are named without a digest."""
    files = (DOCKERFILE.name, COMPOSE.name, EVENTS.name, "kubernetes/toolbox.yaml")
    lines = [line for name in files for line in (folder / name).read_text(encoding="utf-8").splitlines()]
    named = [re.match(r" *(?:image: *|ARG BUILDER=)(\S+)$", line) for line in lines]
    images = [found[1] for found in named if found and "." in found[1].partition("/")[0] and "/" in found[1]]
    return [image for image in images if not re.search(r":[\w.-]+@sha256:[0-9a-f]{64}$", image)]


def pinning(problem):
    """deploy/pin on a copy, with a registry that knows every image: afterwards each has a digest, and the files are as they were."""
    with tempfile.TemporaryDirectory() as folder:
        copied = Path(folder, "deploy")
        shutil.copytree("deploy", copied)
        crane = Path(folder, "crane")
        crane.write_text("#!/bin/sh\nprintf 'sha256:%s' \"$(printf %s \"$2\" | sha256sum | cut -d' ' -f1)\"\n", encoding="utf-8")
        crane.chmod(0o755)
        before = len(unpinned(copied))
        environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
        done = subprocess.run([copied / "pin"], env=environment, capture_output=True, text=True)
        if done.returncode != 0 or not before or unpinned(copied):
            problem(f"deploy/pin leaves images without a digest: {unpinned(copied)}\n{done.stderr}")
        for name in (DOCKERFILE, COMPOSE, EVENTS):
            text = re.sub(r"@sha256:[0-9a-f]{64}", "", (copied / name.name).read_text(encoding="utf-8"))
            if text != name.read_text(encoding="utf-8"):
                problem(f"deploy/pin changes more than the digests of {name}")
        crane.write_text("#!/bin/sh\necho nothing\n", encoding="utf-8")
        shutil.copytree("deploy", copied, dirs_exist_ok=True)
        if subprocess.run([copied / "pin"], env=environment, capture_output=True).returncode == 0:
            problem("deploy/pin takes for a digest what is none")


def compose(root, problem):
    for name in root:
        if name not in ("name", "services", "volumes") and not name.startswith("x-"):
            problem(f"{name} is not known")
    services = root["services"]
    for name, service in services.items():
        one_service(name, service, root, problem)
    waited_for = {other for service in services.values() for other in service.get("depends_on", {})}
    for name, service in services.items():
        if name not in waited_for and "ports" not in service and not name.startswith("mongo"):
            problem(f"nothing uses {name}")
    mounted = {volume.split(":")[0] for service in services.values() for volume in service.get("volumes", [])}
    for volume in root["volumes"]:
        if volume not in mounted:
            problem(f"nothing mounts {volume}")
    return len(services)


def topics(path, root, problem):
    """Each topic that a file names is made."""
    made = root["services"]["kafka-init"]["command"][0]
    if path == EVENTS:
        wanted = {service["environment"]["KAFKA_TOPIC"] for service in root["services"].values() if "FILEGEN_SERVE" in service.get("environment", {})}
        for topic in wanted:
            if f"--topic {topic} " not in made:
                problem(f"nobody makes the topic {topic}")
        return
    names = next(line for line in made.splitlines() if line.startswith("for topic in"))
    for path in ("loan.yaml", "customer.yaml", "scheduler/intake.yaml"):
        (file,) = assemble.load(f"examples/production/{path}")
        for part in ("trigger", "completion", "changes", "discovered"):
            topic = file.get(part, {}).get("kafka", {}).get("topic")
            if topic and topic not in re.findall(r"[\w-]+", names):
                problem(f"{path}: nobody makes the topic {topic}")


def one_service(name, service, root, problem):
    services = root["services"]
    for field in set(service) - SERVICE:
        problem(f"{name}: {field} is not known")
    image = service.get("image", "")
    if image.endswith(":latest") or ":" not in image.rpartition("/")[2]:
        problem(f"{name}: the image has no version: {image}")
    for other, wait in service.get("depends_on", {}).items():
        if other not in services:
            problem(f"{name}: waits for {other}, which is not there")
        elif wait["condition"] not in CONDITIONS:
            problem(f"{name}: no such condition: {wait['condition']}")
        elif wait["condition"] == "service_healthy" and "healthcheck" not in services[other]:
            problem(f"{name}: waits for {other}'s health, which nobody checks")
    for volume in service.get("volumes", []):
        source = volume.split(":")[0]
        if source.startswith("."):
            if not (COMPOSE.parent / source).exists():
                problem(f"{name}: mounts {source}, which is not there")
        elif source not in root["volumes"]:
            problem(f"{name}: no such volume: {source}")
    if "build" in service:
        context = COMPOSE.parent / service["build"]["context"]
        if not (context / service["build"]["dockerfile"]).is_file():
            problem(f"{name}: no Dockerfile at {context / service['build']['dockerfile']}")
    for variable, value in service.get("environment", {}).items():
        if value is not None and not isinstance(value, str):
            problem(f"{name}: {variable} is no text; put it in quotes")
    addresses = "\n".join(service.get("environment", {}).values())
    for address in re.findall(r"(?:mongodb://|tcp:|^)([\w,-]+)(?::9092$|,1433;|/filegen\?)", addresses, re.M):
        for host in address.split(","):
            if host not in services:
                problem(f"{name}: no such host: {host}")


def dockerfile(problem):
    text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text(encoding="utf-8"), flags=re.M)
    steps = [line.split(None, 1) for line in text.replace("\\\n", " ").splitlines() if line.strip()]
    stages, seen, arguments = [], {}, {}
    for instruction, rest in steps:
        if instruction not in INSTRUCTIONS:
            problem(f"no such instruction: {instruction}")
        if instruction == "ARG":
            name, _, value = rest.partition("=")
            arguments[name] = value
        if instruction == "FROM":
            image, _, stage = rest.partition(" AS ")
            stages.append(stage)
            seen = {}
            image = re.sub(r"\$\{(\w+)\}", lambda match: arguments.get(match[1], ""), image)
            if image == "scratch":
                continue
            if image.endswith(":latest") or ":" not in image:
                problem(f"the image has no version: {image}")
        if instruction == "COPY":
            source = re.match(r"--from=(\S+)", rest)
            if source and source[1] not in stages:
                problem(f"copies from {source[1]}, which is no stage before")
        if instruction == "RUN" and "apt-get install" in rest:
            for part in ("--no-install-recommends", "apt-get update", "rm -rf /var/lib/apt/lists"):
                if part not in rest:
                    problem(f"apt-get install without {part}")
        if instruction in ("ENTRYPOINT", "CMD"):
            json.loads(rest)
        if instruction == "HEALTHCHECK":
            json.loads(rest[rest.index("CMD") + 3 :])
        seen.setdefault(instruction, rest)
    if not re.match(r"[1-9]\d*:0$", seen.get("USER", "")):
        problem("the last stage's user is no number in group 0")
    for instruction in ("EXPOSE", "ENTRYPOINT", "HEALTHCHECK"):
        if instruction not in seen:
            problem(f"the last stage has no {instruction}")
    return len(steps)
