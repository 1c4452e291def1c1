"""Does what `kustomize build` does, as far as deploy/kubernetes uses it; refuses whatever it does not know."""

import copy
from pathlib import Path

import yaml

KNOWN = {"apiVersion", "kind", "namespace", "resources", "patches", "labels", "images", "configMapGenerator", "nameSuffix"}
# Lists that a strategic merge joins by a key; all others are replaced. Enough for a Deployment's pod.
MERGE_KEYS = {"containers": "name", "volumes": "name", "env": "name", "volumeMounts": "mountPath"}
SELECTORS = {
    "Deployment": [("spec", "selector", "matchLabels"), ("spec", "template", "metadata", "labels")],
    "Service": [("spec", "selector")],
    "PodDisruptionBudget": [("spec", "selector", "matchLabels")],
    "NetworkPolicy": [("spec", "podSelector", "matchLabels")],
}


class NoDuplicates(yaml.SafeLoader):
    """YAML in which a key that stands twice is an error."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=True) for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            raise ValueError(f"{node.start_mark}: twice: {', '.join(map(str, twice))}")
        return super().construct_mapping(node, deep)


def load(path):
    """All documents of a YAML file."""
    with open(path, encoding="utf-8") as file:
        return [document for document in yaml.load_all(file, NoDuplicates) if document is not None]


def build(folder):
    """The documents of a kustomization, as the cluster would get them."""
    folder = Path(folder)
    (root,) = load(folder / "kustomization.yaml")
    unknown = set(root) - KNOWN
    if unknown:
        raise ValueError(f"{folder}/kustomization.yaml: not known here: {', '.join(sorted(unknown))}")
    documents = []
    for resource in root.get("resources", []):
        path = folder / resource
        documents += build(path) if path.is_dir() else load(path)
    for generator in root.get("configMapGenerator", []):
        documents.append(config_map(folder, generator))
    for patch in root.get("patches", []):
        apply(folder, documents, patch)
    for document in documents:
        document["metadata"]["name"] += root.get("nameSuffix", "")
    for labels in root.get("labels", []):
        label(documents, labels)
    for image in root.get("images", []):
        rename(documents, image)
    for document in documents:
        if "namespace" in root:
            document["metadata"]["namespace"] = root["namespace"]
    return documents


def config_map(folder, generator):
    data = {Path(name).name: (folder / name).read_text(encoding="utf-8") for name in generator["files"]}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": generator["name"]}, "data": data}


def find(documents, kind, name):
    found = [document for document in documents if document["kind"] == kind and document["metadata"]["name"] == name]
    if len(found) != 1:
        raise ValueError(f"a patch aims at {kind}/{name}, of which there are {len(found)}")
    return found[0]


def apply(folder, documents, patch):
    text = (folder / patch["path"]).read_text(encoding="utf-8") if "path" in patch else patch["patch"]
    for change in yaml.load_all(text, NoDuplicates):
        if isinstance(change, list):
            target = find(documents, patch["target"]["kind"], patch["target"]["name"])
            for operation in change:
                operate(target, operation)
        else:
            target = find(documents, change["kind"], change["metadata"]["name"])
            if change.get("$patch") == "delete":
                documents.remove(target)
            else:
                merge(target, change)


def merge(target, change):
    """A strategic merge patch."""
    for key, value in change.items():
        if value is None:
            target.pop(key, None)
        elif isinstance(value, dict) and isinstance(target.get(key), dict):
            merge(target[key], value)
        elif isinstance(value, list) and key in MERGE_KEYS and isinstance(target.get(key), list):
            by = MERGE_KEYS[key]
            for item in value:
                same = [old for old in target[key] if old[by] == item[by]]
                merge(same[0], item) if same else target[key].append(item)
        else:
            target[key] = copy.deepcopy(value)


def operate(target, operation):
    """One operation of a JSON patch on objects, or one that adds to the end of a list."""
    *parents, last = [part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]]
    for parent in parents:
        target = target[int(parent)] if isinstance(target, list) else target[parent]
    if isinstance(target, list):
        if (operation["op"], last) != ("add", "-"):
            raise ValueError(f"operation {operation['op']} at {operation['path']} is not known here")
        target.append(operation["value"])
    elif operation["op"] == "remove":
        del target[last]
    elif operation["op"] == "replace":
        if last not in target:
            raise ValueError(f"nothing to replace at {operation['path']}")
        target[last] = operation["value"]
    elif operation["op"] == "add":
        target[last] = operation["value"]
    else:
        raise ValueError(f"operation {operation['op']} is not known here")


def label(documents, labels):
    for document in documents:
        document["metadata"].setdefault("labels", {}).update(labels["pairs"])
        if labels.get("includeSelectors"):
            for path in SELECTORS.get(document["kind"], []):
                place = document
                for part in path:
                    place = place.setdefault(part, {})
                place.update(labels["pairs"])


def rename(documents, image):
    for document in documents:
        if document["kind"] == "Deployment":
            for container in document["spec"]["template"]["spec"]["containers"]:
                if container["image"] == image["name"]:
                    version = f"@{image['digest']}" if "digest" in image else f":{image['newTag']}"
                    container["image"] = image.get("newName", image["name"]) + version
