"""What deploy/proof/manifests asks of rendered manifests beyond what linters know.

    manifests_promises.py chart VERSION FILE    a rendering of the chart, for a Kubernetes
    manifests_promises.py settings FILE...      names of settings in any text

Prints one line for each fault, and exits with 1 if there are any.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import kubernetes_validate
import yaml

REFERENCE = Path(__file__).parent.parent / "docs" / "configuration.md"
# Custom resources: no registry has their schemas.
WITHOUT_SCHEMA = {"ServiceMonitor"}


def faults_of_settings(paths):
    """Names that the generated page of all settings does not have."""
    known = set(re.findall(r"GUILDHALL__\w+", REFERENCE.read_text()))
    strange = {}
    for path in paths:
        for name in set(re.findall(r"GUILDHALL__\w+", Path(path).read_text())) - known:
            strange.setdefault(name, []).append(Path(path).name)
    for name, where in sorted(strange.items()):
        yield f"{name} is no setting of the program: {', '.join(where)}"


def faults_of_chart(version, path):
    documents = [it for it in yaml.safe_load_all(Path(path).read_text()) if it]
    by_kind = {}
    for document in documents:
        by_kind.setdefault(document["kind"], []).append(document)
    yield from faults_of_schemas(documents, version)
    [nodes] = by_kind["StatefulSet"]
    [job] = by_kind["Job"]
    [settings] = by_kind["ConfigMap"]
    yield from faults_of_selectors(documents, nodes, job)
    yield from faults_of_drain(nodes["spec"]["template"]["spec"], settings["data"])
    yield from faults_of_number(nodes)
    yield from faults_of_ways_in(by_kind.get("Ingress", []), settings["data"])
    for pod in (nodes["spec"]["template"]["spec"], job["spec"]["template"]["spec"]):
        yield from faults_of_files(pod)
    given = environment(job["spec"]["template"]["spec"]["containers"][0])
    if {name: given.get(name) for name in settings["data"]} != settings["data"]:
        yield "the migration has other settings than the nodes"
    for name, value in settings["data"].items():
        if re.search(r"\de\+", value):
            yield f"{name} is written with an exponent: {value}"


def faults_of_schemas(documents, version):
    for document in documents:
        if document["kind"] in WITHOUT_SCHEMA:
            continue
        try:
            kubernetes_validate.validate(document, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            where = "/".join(str(step) for step in error.path)
            yield f"{document['kind']}, {where}: {error.message}"
        except kubernetes_validate.SchemaNotFoundError as error:
            yield error.message


def faults_of_selectors(documents, nodes, job):
    """Everything that selects pods means those of nodes, and never that of the migration."""
    labels = nodes["spec"]["template"]["metadata"]["labels"]
    others = job["spec"]["template"]["metadata"]["labels"]
    for document in documents:
        for selector in selectors(document):
            if not selector.items() <= labels.items():
                yield f"{document['kind']} selects no node: {selector}"
            if selector.items() <= others.items():
                yield f"{document['kind']} selects the pod of the migration: {selector}"


def selectors(document):
    spec = document.get("spec", {})
    if document["kind"] == "Service":
        yield spec["selector"]
    if document["kind"] in ("StatefulSet", "PodDisruptionBudget"):
        yield spec["selector"]["matchLabels"]
    if document["kind"] == "NetworkPolicy":
        yield spec["podSelector"]["matchLabels"]


def faults_of_drain(pod, settings):
    """The kubelet kills nobody who still hands over what it owns."""
    drain = int(settings["GUILDHALL__GATEWAY__DRAIN_TIMEOUT"].removesuffix("s"))
    pause = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    if pod["terminationGracePeriodSeconds"] <= drain + pause:
        yield f"a drain of {drain} s after a pause of {pause} s is cut off"


def faults_of_ways_in(ingresses, settings):
    """A node without the role api is sent only what is for the gateway."""
    roles = settings["GUILDHALL__CLUSTER__ROLES"].split(",")
    expected = ["/"] if "api" in roles else ["/gateway", "/gw"]
    for ingress in ingresses:
        [rule] = ingress["spec"]["rules"]
        paths = [it["path"] for it in rule["http"]["paths"]]
        if paths != expected:
            yield f"nodes with the roles {roles} are sent {paths}"


def faults_of_files(pod):
    """Where a setting names a file there is a Secret with it."""
    [container] = pod["containers"]
    secrets = {it["name"]: it["secret"] for it in pod.get("volumes", []) if "secret" in it}
    mounts = {it["mountPath"]: secrets.get(it["name"]) for it in container.get("volumeMounts", [])}
    for name, value in environment(container).items():
        if not value.startswith("/etc/guildhall/"):
            continue
        folder, file = value.rsplit("/", 1)
        secret = mounts.get(folder)
        files = [it["path"] for it in secret.get("items", [])] if secret else []
        # A whole Secret has the files of its kind.
        if not secret or (files and file not in files):
            yield f"{name} names {value}, where nothing is"


def faults_of_number(nodes):
    """Runs the container's command as the last pod of a few, with another program in its place."""
    container = nodes["spec"]["template"]["spec"]["containers"][0]
    pod = f"{nodes['metadata']['name']}-12"
    given = environment(container)
    address = given["GUILDHALL__CLUSTER__ADDRESS"].replace("$(POD_NAME)", pod)
    if address != f"{pod}.{nodes['spec']['serviceName']}.chat.svc:7946":
        yield f"the other nodes look for {pod} at {address}"
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "guildhall"
        program.write_text('#!/bin/sh\necho "$1 $GUILDHALL__CLUSTER__NODE $$"\n')
        program.chmod(0o755)
        process = subprocess.Popen(
            container["command"],
            env={"PATH": f"{folder}:{os.environ['PATH']}", "POD_NAME": pod},
            stdout=subprocess.PIPE,
            text=True,
        )
        said = process.communicate(timeout=10)[0].split()
    first = int(re.search(r"\+ (\d+)", container["command"][-1])[1])
    # The same process: who is told to stop is the node itself.
    if said != ["serve", str(12 + first), str(process.pid)]:
        yield f"{pod} does not become node {12 + first} as its first process: {said}"


def environment(container):
    return {it["name"]: it["value"] for it in container["env"] if "value" in it}


def main():
    match sys.argv[1:]:
        case ["chart", version, path]:
            faults = list(faults_of_chart(version, path))
        case ["settings", *paths]:
            faults = list(faults_of_settings(paths))
        case _:
            sys.exit(__doc__)
    for fault in faults:
        print(fault)
    sys.exit(bool(faults))


main()
