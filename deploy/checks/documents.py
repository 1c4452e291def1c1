"""Runbook and READMEs: links that lead somewhere, and commands that the binary knows."""

import os
import re
import subprocess
from pathlib import Path

DOCUMENTS = [Path("docs/runbook.md"), Path("deploy/README.md"), Path("examples/README.md")]
# Whatever starts filegen in them, up to the end of the command.
COMMAND = re.compile(r"(?<![\w./-])(?<!-n )filegen ((?:[a-z]+-?)+(?: [a-z][a-z-]*)?)([^`\n#|]*)")


def anchors(path):
    """A document's headings, as GitHub and GitLab make links of them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def check(problem):
    """Tells every dead link, and every command or option that is not there."""
    links = commands = 0
    for path in DOCUMENTS:
        text = path.read_text(encoding="utf-8")
        for link in re.findall(r"\]\(([^)\s]+)\)", text):
            links += 1
            page, _, anchor = link.partition("#")
            target = path.parent / page if page else path
            if link.startswith("https:"):
                continue
            if not target.exists():
                problem(f"{path}: {link} leads nowhere")
            elif anchor and anchor not in anchors(target):
                problem(f"{path}: no heading for {link}")
        # A value in quotes is no option, and a continued line is one line.
        plain = re.sub(r'"[^"\n]*"', "TEXT", text.replace("\\\n", " "))
        for words, rest in COMMAND.findall(plain):
            commands += known(words.split(), rest, lambda said, p=path: problem(f"{p}: {said}"))
    return f"{links} links, {commands} commands" + ("" if binary() else " not checked: FILEGEN names no binary")


def binary():
    return os.environ.get("FILEGEN")


HELP = {}


def help_of(words):
    """What `--help` of a subcommand says; nothing where there is no such subcommand."""
    key = " ".join(words)
    if key not in HELP:
        done = subprocess.run([binary(), *words, "--help"], capture_output=True, text=True)
        HELP[key] = done.stdout if done.returncode == 0 and f"Usage: filegen {key}" in done.stdout else ""
    return HELP[key]


def known(words, rest, problem):
    """Holds one command against the binary's help; 1 when it is a command, 0 when it is prose."""
    if "-c" not in rest.split():
        return 0
    if not binary():
        return 1
    text = help_of(words) or help_of(words[:1])
    if not text:
        problem(f"no such command: filegen {' '.join(words)}")
    for option in re.findall(r"(?<=\s)(--[a-z-]+)", rest):
        if not re.search(rf"(?<![\w-]){option}(?![\w-])", text):
            problem(f"filegen {' '.join(words)} has no {option}")
    return 1
