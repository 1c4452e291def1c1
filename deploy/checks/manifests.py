"""Manifests: each against its schema, and against what the others say."""

import ipaddress

import kubernetes_validate
import yaml

import assemble

VERSION = "1.33"
BASE = "deploy/kubernetes/base"
SCHEDULER = "deploy/kubernetes/scheduler"
TRANSFER = "deploy/kubernetes/transfer"
SHARED = f"{TRANSFER}-mongodb"
OPENSHIFT = "deploy/kubernetes/overlays/openshift"


def check(problem):
    """Tells every problem of base, overlay and Secret template."""
    (secret,) = assemble.load("deploy/kubernetes/secret.template.yaml")
    total = 0
    scheduler, transfer = f"{OPENSHIFT}-scheduler", f"{OPENSHIFT}-transfer"
    for folder in (BASE, OPENSHIFT, f"{OPENSHIFT}-tls", SCHEDULER, scheduler, TRANSFER, SHARED, transfer):
        documents = assemble.build(folder) + [secret]
        total += len(documents)
        for document in documents:
            one(document, lambda text, d=document: problem(f"{folder}: {d['kind']}/{d['metadata']['name']}: {text}"))
        together(documents, "/overlays/" in folder, lambda text: problem(f"{folder}: {text}"))
    for folder in (BASE, SCHEDULER, TRANSFER):
        (probes,) = assemble.load(f"{folder}/health-probes.yaml")
        container = probes["spec"]["template"]["spec"]["containers"][0]
        if set(container) != {"name", "startupProbe", "livenessProbe", "readinessProbe"}:
            problem(f"{folder}/health-probes.yaml: holds something else than the three probes")
    (toolbox,) = assemble.load("deploy/kubernetes/toolbox.yaml")
    one(toolbox, lambda text: problem(f"deploy/kubernetes/toolbox.yaml: {text}"))
    total += 1
    outward = {OPENSHIFT: {1433, 27017, 9092, 9093}, f"{OPENSHIFT}-tls": {1433, 27017, 9092, 9093}, f"{OPENSHIFT}-scheduler": {27017, 9092, 9093}, f"{OPENSHIFT}-transfer": {4222}}
    for folder, needs in outward.items():
        for policy in (d for d in assemble.build(folder) if d["kind"] == "NetworkPolicy"):
            named(policy["spec"], needs, lambda text, folder=folder: problem(f"{folder}: {text}"))
    for folder in outward:
        pod = next(d for d in assemble.build(folder) if d["kind"] == "Deployment")["spec"]["template"]["spec"]
        for name in ("runAsUser", "runAsGroup", "fsGroup"):
            if name in pod["securityContext"]:
                problem(f"{folder}: asks for a {name}, which restricted-v2 refuses")
    return f"{total} documents against Kubernetes {VERSION}"


def one(document, problem):
    kind = document["kind"]
    if kind in OWN:
        for text in OWN[kind](document):
            problem(text)
        return
    try:
        kubernetes_validate.validate(document, VERSION, strict=True)
    except kubernetes_validate.ValidationError as error:
        problem(f"{'/'.join(map(str, error.path))}: {error.message}")


def fields(value, allowed, required, at):
    """Fields that are missing, and that nobody knows."""
    if not isinstance(value, dict):
        return [f"{at} is not an object"]
    return [f"{at}.{name} is not known" for name in sorted(set(value) - set(allowed))] + [
        f"{at}.{name} is missing" for name in required if name not in value
    ]


def service_monitor(document):
    spec = document["spec"]
    required = ["selector", "endpoints"]
    yield from fields(spec, [*required, "namespaceSelector", "jobLabel"], required, "spec")
    for endpoint in spec["endpoints"]:
        yield from fields(endpoint, ["port", "path", "interval", "scrapeTimeout", "scheme", "tlsConfig"], ["port"], "endpoint")


def prometheus_rule(document):
    yield from fields(document["spec"], ["groups"], ["groups"], "spec")
    for group in document["spec"]["groups"]:
        yield from fields(group, ["name", "interval", "rules"], ["name", "rules"], "group")
        for rule in group["rules"]:
            at = rule.get("alert", "a rule without a name")
            required = ["alert", "expr", "labels", "annotations"]
            yield from fields(rule, [*required, "for"], required, at)


def route(document):
    spec = document["spec"]
    yield from fields(spec, ["to", "port", "tls", "wildcardPolicy", "host", "path"], ["to"], "spec")
    yield from fields(spec["to"], ["kind", "name", "weight"], ["kind", "name"], "to")
    yield from fields(spec["tls"], ["termination", "insecureEdgeTerminationPolicy"], ["termination"], "tls")


OWN = {"ServiceMonitor": service_monitor, "PrometheusRule": prometheus_rule, "Route": route}


def together(documents, is_overlay, problem):
    """What one document names, another one is."""
    names = {(document["kind"], document["metadata"]["name"]) for document in documents}
    by_kind = {document["kind"]: document for document in documents}
    deployment = by_kind["Deployment"]
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]

    def wanted(kind, name):
        if (kind, name) not in names:
            problem(f"the Deployment names {kind}/{name}, which is not there")

    wanted("ServiceAccount", pod["serviceAccountName"])
    for source in container["envFrom"]:
        wanted("ConfigMap", source["configMapRef"]["name"])
    for variable in (given for given in container["env"] if "valueFrom" in given):
        key = variable["valueFrom"]["secretKeyRef"]
        wanted("Secret", key["name"])
        if key["key"] not in by_kind["Secret"]["stringData"]:
            problem(f"the Secret has no {key['key']}")
    for volume in pod["volumes"]:
        if "configMap" in volume:
            wanted("ConfigMap", volume["configMap"]["name"])
        elif "secret" in volume:
            made = by_kind["Service"]["metadata"].get("annotations", {}).get(SERVING)
            if volume["secret"]["secretName"] != made:
                problem(f"no Service has the Secret {volume['secret']['secretName']} made")
        elif "emptyDir" not in volume:
            wanted("PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"])
    if {mount["name"] for mount in container["volumeMounts"]} != {volume["name"] for volume in pod["volumes"]}:
        problem("volumes and their mounts differ")
    maps = {d["metadata"]["name"]: d["data"] for d in documents if d["kind"] == "ConfigMap"}
    mounted = [volume["configMap"]["name"] for volume in pod["volumes"] if "configMap" in volume]
    files = [f"/etc/filegen/{name}" for given in mounted for name in maps.get(given, {})]
    if [argument for argument in container["args"] if argument.endswith(".yaml")] != files:
        problem("the Deployment's files are not those of the ConfigMap")

    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    environment = maps[container["envFrom"][0]["configMapRef"]["name"]]
    if str(ports["http"]) != environment["HEALTH_PORT"]:
        problem("the port http is not HEALTH_PORT")
    for text in (text for given in mounted for text in maps.get(given, {}).values()):
        file = yaml.safe_load(text)
        for door in ("api", "page"):
            if ports.get(door) != file.get(door, {}).get("port"):
                problem(f"the port {door} is not that of the file")
    for rule in by_kind["NetworkPolicy"]["spec"]["ingress"]:
        for port in rule["ports"]:
            if port["port"] not in ports:
                problem(f"the NetworkPolicy lets in on an unknown port: {port['port']}")
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        if container[probe]["httpGet"]["port"] not in ports:
            problem(f"{probe} asks an unknown port")
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    for kind, selector in (
        ("Service", by_kind["Service"]["spec"]["selector"]),
        ("Deployment", deployment["spec"]["selector"]["matchLabels"]),
        ("PodDisruptionBudget", by_kind["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"]),
        ("NetworkPolicy", by_kind["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"]),
    ):
        if not selector or not selector.items() <= labels.items():
            problem(f"the selector of {kind} does not select the pods")
    shut(by_kind["NetworkPolicy"]["spec"], is_overlay, problem)
    monitor = by_kind["ServiceMonitor"]["spec"]
    if not monitor["selector"]["matchLabels"].items() <= by_kind["Service"]["metadata"]["labels"].items():
        problem("the ServiceMonitor does not select the Service")
    for name in [endpoint["port"] for endpoint in monitor["endpoints"]]:
        if name not in [port["name"] for port in by_kind["Service"]["spec"]["ports"]]:
            problem(f"the ServiceMonitor asks port {name}, which the Service does not have")
    for port in by_kind["Service"]["spec"]["ports"]:
        if port["targetPort"] not in ports:
            problem(f"the Service leads to an unknown port: {port['targetPort']}")
    if "Route" in by_kind:
        if ("Service", by_kind["Route"]["spec"]["to"]["name"]) not in names:
            problem("the Route leads to no Service")
        if by_kind["Route"]["spec"]["port"]["targetPort"] not in ports:
            problem("the Route leads to an unknown port")
    encrypted(container, by_kind, problem)
    hardened(pod, container, problem)


# OpenShift makes a certificate for a Service that has it.
SERVING = "service.beta.openshift.io/serving-cert-secret-name"


def encrypted(container, by_kind, problem):
    """Whoever asks the status door does so by TLS where it has a certificate, and nowhere else; and the files lie where they are mounted."""
    given = {variable["name"]: variable.get("value") for variable in container["env"]}
    files = [given[name] for name in ("HEALTH_TLS_CERTIFICATE", "HEALTH_TLS_KEY") if name in given]
    mounts = [mount["mountPath"] for mount in container["volumeMounts"]]
    for file in files:
        if file.rsplit("/", 1)[0] not in mounts:
            problem(f"{file} lies in no mounted folder")
    closed = [mount["mountPath"] for mount in container["volumeMounts"] if mount.get("readOnly")]
    for mount in mounts:
        if any(mount.startswith(f"{other}/") for other in closed):
            problem(f"{mount} lies in a folder that is read-only, where no folder can be made")
    asks = {probe: container[probe]["httpGet"].get("scheme", "HTTP") for probe in ("startupProbe", "livenessProbe", "readinessProbe")}
    asks |= {"the ServiceMonitor": by_kind["ServiceMonitor"]["spec"]["endpoints"][0].get("scheme", "http")}
    if "Route" in by_kind and by_kind["Route"]["spec"]["port"]["targetPort"] == "http":
        asks |= {"the Route": "https" if by_kind["Route"]["spec"]["tls"]["termination"] == "reencrypt" else "http"}
    for who, scheme in asks.items():
        if scheme.lower() != ("https" if files else "http"):
            problem(f"{who} asks the status door by {scheme.lower()}")


DNS = {53, 5353}
# Of documentation (RFC 5737): whoever applies a pattern as it stands reaches nothing.
NOWHERE = [ipaddress.ip_network(block) for block in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")]


def shut(policy, is_overlay, problem):
    """Out goes what is named. What no overlay has named yet is the name service alone."""
    for rule in policy["egress"]:
        if not rule.get("to"):
            problem("the NetworkPolicy lets the pods out to any address")
        if not is_overlay and {port["port"] for port in rule["ports"]} - DNS:
            problem("the NetworkPolicy of a base lets the pods out to more than the name service")


def named(policy, needs, problem):
    """Out to the servers that the pods need, each by its address or its namespace; the addresses are nobody's."""
    out = {port["port"] for rule in policy["egress"] for port in rule["ports"]} - DNS
    if not out <= needs or not out:
        problem(f"its NetworkPolicy lets out to {sorted(out)}, and it needs {sorted(needs)}")
    for rule in policy["egress"]:
        for block in [peer["ipBlock"]["cidr"] for peer in rule["to"] if "ipBlock" in peer]:
            network = ipaddress.ip_network(block)
            if network != ipaddress.ip_network("169.254.20.10/32") and not any(network.subnet_of(it) for it in NOWHERE):
                problem(f"its NetworkPolicy lets out to {block}, which is no address of documentation")


def hardened(pod, container, problem):
    """What the restricted pod security standard asks for, and a little more."""
    inside, around = container["securityContext"], pod["securityContext"]
    for met, text in (
        (around.get("runAsNonRoot") is True, "may run as root"),
        (around.get("seccompProfile") == {"type": "RuntimeDefault"}, "has no seccomp profile"),
        (inside.get("allowPrivilegeEscalation") is False, "may gain privileges"),
        (inside.get("readOnlyRootFilesystem") is True, "may write to its root"),
        (inside.get("capabilities") == {"drop": ["ALL"]}, "keeps capabilities"),
        (pod.get("automountServiceAccountToken") is False, "gets a token of the Kubernetes API"),
        ("memory" in container["resources"].get("limits", {}), "has no memory limit"),
        (pod["terminationGracePeriodSeconds"] >= 30, "has less than lease_ttl to end"),
    ):
        if not met:
            problem(f"the pod {text}")
