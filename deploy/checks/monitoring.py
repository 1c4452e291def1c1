"""Alerts and dashboard: expressions that parse, metrics that exist, runbook entries that are there."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import promql_parser
import yaml

import assemble
import documents

RULES = "deploy/kubernetes/base/prometheusrule.yaml"
DASHBOARD = "deploy/grafana-dashboard.json"
RUNBOOK = "docs/runbook.md"
TESTS = "deploy/alerts.test.yaml"


def check(problem):
    """Tells every problem of alerts, dashboard and runbook."""
    metrics = known_metrics()
    headings = documents.anchors(Path(RUNBOOK))
    (document,) = assemble.load(RULES)
    alerts = [rule for group in document["spec"]["groups"] for rule in group["rules"]]
    for alert in alerts:
        one_alert(alert, metrics, headings, lambda text, a=alert: problem(f"{RULES}: {a['alert']}: {text}"))
    names = [alert["alert"] for alert in alerts]
    for name in sorted({name for name in names if names.count(name) > 1}):
        problem(f"{RULES}: {name} stands there twice")
    tests = text_of(TESTS)
    for name in names:
        if f'alertname="{name}"' not in tests:
            problem(f"{TESTS}: {name} is not tried")
    tried(document["spec"], problem)
    for name in re.findall(r"^### (Filegen\w+)$", text_of(RUNBOOK), re.M):
        if name not in names:
            problem(f"{RUNBOOK}: {name} is no alert")
    expressions = dashboard(metrics, lambda text: problem(f"{DASHBOARD}: {text}"))
    return f"{len(alerts)} alerts, {expressions} expressions on the dashboard, {len(metrics)} metrics"


def tried(spec, problem):
    """Runs the alerts on made-up series, with promtool."""
    promtool = os.environ.get("PROMTOOL")
    if not promtool:
        print("alerts: not tried on series, promtool cannot be had here")
        return
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(TESTS, folder)
        Path(folder, "alerts.yaml").write_text(yaml.safe_dump(spec), encoding="utf-8")
        command = [promtool, "test", "rules", f"{folder}/{Path(TESTS).name}"]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        problem(done.stdout + done.stderr)


def text_of(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def known_metrics():
    """Name to labels; a histogram under its three names."""
    metrics = {}
    for line in text_of("deploy/metrics.txt").splitlines():
        if line and not line.startswith("#"):
            name, kind, *labels = line.split()
            if kind == "histogram":
                metrics[f"{name}_bucket"] = {*labels, "le"}
                metrics[f"{name}_sum"] = metrics[f"{name}_count"] = set(labels)
            else:
                metrics[name] = set(labels)
    return metrics


def one_alert(alert, metrics, headings, problem):
    expression(alert["expr"], metrics, problem)
    if alert["labels"].get("severity") not in ("critical", "warning"):
        problem("its severity is neither critical nor warning")
    for name in ("summary", "description", "runbook_url"):
        if not alert["annotations"].get(name):
            problem(f"has no {name}")
    page, _, anchor = alert["annotations"].get("runbook_url", "").partition("#")
    if not page.endswith(RUNBOOK) or anchor not in headings:
        problem(f"runbook_url points to nothing: {page}#{anchor}")
    if not re.fullmatch(r"(\d+(ms|[smhd]))+", alert.get("for", "0s")):
        problem(f"`for` is no time: {alert['for']}")


def expression(text, metrics, problem):
    """Parses one, and looks its metrics and labels up."""
    try:
        tree = promql_parser.parse(text)
    except ValueError as error:
        problem(f"{error}: {text}")
        return
    found = selectors(tree)
    if not found:
        problem(f"asks for no metric: {text}")
    for selector in found:
        if selector.name not in metrics:
            problem(f"no such metric: {selector.name}")
            continue
        # What Prometheus adds when it collects.
        labels = metrics[selector.name] | {"namespace", "pod", "job", "instance"}
        for matcher in selector.matchers.matchers:
            if matcher.name not in labels:
                problem(f"{selector.name} has no label {matcher.name}")


def selectors(tree):
    """All vector selectors below a node."""
    if isinstance(tree, promql_parser.VectorSelector):
        return [tree]
    if isinstance(tree, promql_parser.MatrixSelector):
        return [tree.vector_selector]
    if isinstance(tree, promql_parser.BinaryExpr):
        return selectors(tree.lhs) + selectors(tree.rhs)
    if isinstance(tree, promql_parser.Call):
        return [found for argument in tree.args for found in selectors(argument)]
    if isinstance(tree, promql_parser.AggregateExpr):
        return selectors(tree.expr)
    if isinstance(tree, (promql_parser.ParenExpr, promql_parser.UnaryExpr, promql_parser.SubqueryExpr)):
        return selectors(tree.expr)
    return []


def dashboard(metrics, problem):
    """Checks all expressions; returns how many there are."""
    board = json.loads(text_of(DASHBOARD))
    expressions = [query["expr"] for query in board["annotations"]["list"]]
    ids = set()
    for panel in board["panels"]:
        if panel["id"] in ids:
            problem(f"two panels have id {panel['id']}")
        ids.add(panel["id"])
        if panel["gridPos"]["x"] + panel["gridPos"]["w"] > 24:
            problem(f"{panel['title']} hangs over the right edge")
        if panel["type"] != "row" and not panel["description"]:
            problem(f"{panel['title']} has no description")
        expressions += [target["expr"] for target in panel.get("targets", [])]
    variables = {variable["name"] for variable in board["templating"]["list"]}
    for text in expressions:
        for name in re.findall(r"\$(\w+)", text):
            if name not in variables and not name.startswith("__"):
                problem(f"no variable ${name}: {text}")
        expression(text.replace("$__rate_interval", "1m"), metrics, problem)
    for variable in board["templating"]["list"]:
        for name in re.findall(r"label_values\((\w+)", str(variable["query"])):
            if name not in metrics:
                problem(f"variable {variable['name']}: no such metric: {name}")
    used = " ".join([*expressions, text_of(RULES)])
    for name in metrics:
        if name.rpartition("_")[2] not in ("sum", "count") and not re.search(rf"\b{name}\b", used):
            problem(f"{name} is on no dashboard and in no alert")
    return len(expressions)
