"""The three services of an ingest: each part of the file served by one, and let in and out to what that part needs."""

import assemble
import manifests

FOLDER = "deploy/kubernetes/ingest"
OVERLAY = "deploy/kubernetes/overlays/events"
# What each part talks to, by port.
NEEDS = {"produce": {9092, 9093}, "ingest": {9092, 9093, 5432, 6379, 6380}, "read": {5432}}


def check(problem):
    """Tells every problem of the folder."""
    (secret,) = assemble.load(f"{FOLDER}/secret.template.yaml")
    documents = assemble.build(FOLDER) + [secret]
    for document in documents:
        manifests.one(document, lambda text, d=document: problem(f"{FOLDER}: {d['kind']}/{d['metadata']['name']}: {text}"))
    names = [(document["kind"], document["metadata"]["name"]) for document in documents]
    for name in {name for name in names if names.count(name) > 1}:
        problem(f"{FOLDER}: twice: {'/'.join(name)}")
    (file,) = assemble.load("examples/production/events/events.yaml")
    served = []
    for deployment in of(documents, "Deployment"):
        part = one(deployment, documents, file, lambda text, d=deployment: problem(f"{FOLDER}: {d['metadata']['name']}: {text}"))
        served.append(part)
    if sorted(served) != sorted(NEEDS):
        problem(f"{FOLDER}: the parts served are {', '.join(sorted(served))}")
    for policy in of(assemble.build(OVERLAY), "NetworkPolicy"):
        manifests.one(policy, lambda text: problem(f"{OVERLAY}: {text}"))
        part = policy["spec"]["podSelector"]["matchLabels"]["app.kubernetes.io/component"]
        manifests.named(policy["spec"], NEEDS[part], lambda text, part=part: problem(f"{OVERLAY}: {part}: {text}"))
    (monitor,) = of(documents, "ServiceMonitor")
    (wanted,) = monitor["spec"]["selector"]["matchExpressions"]
    for service in of(documents, "Service"):
        if service["metadata"]["labels"][wanted["key"]] not in wanted["values"]:
            problem(f"{FOLDER}: the ServiceMonitor does not select {service['metadata']['name']}")
    return f"{len(documents)} documents, {len(served)} services"


def of(documents, kind):
    return [document for document in documents if document["kind"] == kind]


def one(deployment, documents, file, problem):
    """Holds one service against its neighbours; gives the part it serves."""
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    names = {(document["kind"], document["metadata"]["name"]) for document in documents}
    environment = {variable["name"]: variable for variable in container["env"]}
    part = environment["FILEGEN_SERVE"]["value"]
    if labels["app.kubernetes.io/component"] != part:
        problem(f"serves {part}, and is labelled {labels['app.kubernetes.io/component']}")
    (secret,) = of(documents, "Secret")
    for variable in environment.values():
        key = variable.get("valueFrom", {}).get("secretKeyRef")
        if key and (key["name"] != secret["metadata"]["name"] or key["key"] not in secret["stringData"]):
            problem(f"no Secret has {key['name']}/{key['key']}")
    wanted = [("ServiceAccount", pod["serviceAccountName"])]
    wanted += [("ConfigMap", source["configMapRef"]["name"]) for source in container["envFrom"]]
    wanted += [("ConfigMap", volume["configMap"]["name"]) for volume in pod["volumes"]]
    for kind, name in wanted:
        if (kind, name) not in names:
            problem(f"names {kind}/{name}, which is not there")

    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    door = file[part]["port"] if part in ("produce", "read") else None
    if ports.get("door") != door:
        problem(f"its door is {ports.get('door')}, and the file's is {door}")
    data = {name: value for document in of(documents, "ConfigMap") for name, value in document["data"].items()}
    if str(ports["http"]) != data["HEALTH_PORT"]:
        problem("the port http is not HEALTH_PORT")
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        if container[probe]["httpGet"]["port"] not in ports:
            problem(f"{probe} asks an unknown port")
    manifests.hardened(pod, container, problem)

    def select(kind, selector):
        found = [document for document in of(documents, kind) if selector(document).items() <= labels.items()]
        if len(found) != 1:
            problem(f"{len(found)} documents of the kind {kind} select its pods")
        return found

    select("Deployment", lambda d: d["spec"]["selector"]["matchLabels"])
    select("PodDisruptionBudget", lambda d: d["spec"]["selector"]["matchLabels"])
    for service in select("Service", lambda d: d["spec"]["selector"]):
        if {port["targetPort"] for port in service["spec"]["ports"]} != set(ports):
            problem("its Service has other ports than its pods")
    for policy in select("NetworkPolicy", lambda d: d["spec"]["podSelector"]["matchLabels"]):
        traffic(policy["spec"], set(ports), problem)
    return part


def traffic(policy, ports, problem):
    into = {port["port"] for rule in policy["ingress"] for port in rule["ports"]}
    if into != ports:
        problem(f"its NetworkPolicy lets in to {into}, and it listens on {ports}")
    manifests.shut(policy, False, problem)
