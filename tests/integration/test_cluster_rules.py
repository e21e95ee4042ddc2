# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole release in a cluster whose admission policies forbid what companies and OpenShift forbid."""

from __future__ import annotations

import json
import re
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.app_release import APPS
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.spawned_job import pod_of, spawned_job
from control_plane import ControlPlane
from rendering import render_release, rendered_objects
from required_variables import REQUIRED
from stand_in_kubelet import ready, stand_in_kubelet
from transactions import Release

REPOSITORY = Path(__file__).parents[2]
Objects = list[dict[str, Any]]
NAMESPACE = "ruled"
LABELS, NOTES = {"cost-center": "4711"}, {"example.com/owner": "Team A <a@example.com>"}
ADMISSION = "/apis/admissionregistration.k8s.io/v1"
# By the name of a policy: resources, what must hold of an object, of which `pod` is the pod or its template
WITH_PODS = "deployments jobs pods replicasets"
RULES = {
    "labels": (
        "configmaps leases limitranges networkpolicies resourcequotas rolebindings roles secrets serviceaccounts "
        f"services {WITH_PODS}",
        'object.metadata.?labels["cost-center"].hasValue() '
        '&& object.metadata.?annotations["example.com/owner"].hasValue()',
    ),
    "range-of-users": (
        WITH_PODS,
        "[variables.pod.?securityContext.?runAsUser, variables.pod.?securityContext.?runAsGroup, "
        "variables.pod.?securityContext.?fsGroup].all(id, id.orValue(1000000000) >= 1000000000)",
    ),
    "own-account": (WITH_PODS, 'variables.pod.?serviceAccountName.orValue("default") != "default"'),
    "operating-system": (WITH_PODS, 'variables.pod.?nodeSelector["kubernetes.io/os"].hasValue()'),
}
RUNBOOK = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "runbook", "namespace": NAMESPACE},
    "data": {"url": "https://wiki.example.com"},
}
PAGE = (REPOSITORY / "docs/how-to/openshift.md").read_text(encoding="utf-8")
# The settings as the page states them
(SETTINGS,) = re.findall(r"(?ms)^## Settings$.*?\n\n((?: {4}[^\n]*\n)+)", PAGE)
RULED = {**yaml.safe_load(textwrap.dedent(SETTINGS)), "extra_objects": [RUNBOOK]}


def a_policy(name: str, resources: str, expression: str) -> Objects:
    """Return a policy for one namespace, with its binding. What controllers make there for everybody is excepted."""
    rule = {
        "apiGroups": ["*"],
        "apiVersions": ["*"],
        "operations": ["CREATE", "UPDATE"],
        "resources": resources.split(),
    }
    theirs = 'object.kind in ["ConfigMap", "ServiceAccount"] && object.metadata.name in ["kube-root-ca.crt"]'
    pod = 'object.kind == "Pod" ? object.spec : object.spec.template.spec'
    spec = {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": [rule]},
        "matchConditions": [{"name": "ours", "expression": f"!({theirs})"}],
        "variables": [{"name": "pod", "expression": pod}],
        "validations": [{"expression": expression, "message": f"rule {name}"}],
    }
    here = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": NAMESPACE}}}
    binding = {"policyName": f"{name}.{NAMESPACE}", "validationActions": ["Deny"], "matchResources": here}
    metadata = {"name": f"{name}.{NAMESPACE}"}
    common = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": metadata}
    return [
        {**common, "kind": "ValidatingAdmissionPolicy", "spec": spec},
        {**common, "kind": "ValidatingAdmissionPolicyBinding", "spec": binding},
    ]


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Objects]:
    """The release with the defaults, with what the rules ask for, and with other labels."""
    directory = tmp_path_factory.mktemp("ruled")
    targets = {
        "defaults": {},
        "ruled": RULED,
        "relabelled": {**RULED, "agentsmith_common_labels": {"cost-center": "4712", "stage": "test"}},
    }
    common = {**REQUIRED, "agentsmith_namespace": NAMESPACE, "agentsmith_job_policy": True}
    inventory = directory / "inventory.json"
    inventory.write_text(json.dumps({"all": {"hosts": targets, "vars": common}}), encoding="utf-8")
    finished = render_release(directory, "--inventory", inventory, ANSIBLE_LOCAL_TEMP=str(directory / "ansible"))
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return {target: rendered_objects(directory, target) for target in targets}


@pytest.fixture(scope="module")
def ruled(control_plane: ControlPlane, rendered: dict[str, Objects]) -> Callable[..., tuple[int, Any]]:
    """The namespace with the rules in force: `ruled(body, user)` offers it an object in a dry run."""
    collections = {
        "ConfigMap": "/api/v1/namespaces/ruled/configmaps",
        "Deployment": "/apis/apps/v1/namespaces/ruled/deployments",
        "Job": "/apis/batch/v1/namespaces/ruled/jobs",
        "Pod": "/api/v1/namespaces/ruled/pods",
    }

    def offer(body: dict[str, Any], user: str | None = None) -> tuple[int, Any]:
        return control_plane.request("POST", f"{collections[body['kind']]}?dryRun=All", body, user=user)

    (namespace,) = (body for body in rendered["ruled"] if body["kind"] == "Namespace")
    assert control_plane.request("POST", "/api/v1/namespaces", namespace)[0] == 201
    for name, (resources, expression) in RULES.items():
        policy, binding = a_policy(name, resources, expression)
        for kind, body in (("validatingadmissionpolicies", policy), ("validatingadmissionpolicybindings", binding)):
            status, answer = control_plane.request("POST", f"{ADMISSION}/{kind}", body)
            assert status == 201, answer
    deadline = time.monotonic() + 20
    for name, (resources, _expression) in RULES.items():
        body = offender(rendered["ruled"], name, resources)
        while f"rule {name}" not in json.dumps(offer(body)):
            assert time.monotonic() < deadline, (name, offer(body))
            time.sleep(0.05)
    return offer


def offender(objects: Objects, name: str, resources: str) -> dict[str, Any]:
    """Return an object of the release that breaks one rule and keeps the others."""
    kind = "Deployment" if "configmaps" not in resources else "ConfigMap"
    body: dict[str, Any] = json.loads(json.dumps(next(body for body in objects if body["kind"] == kind)))
    if name == "labels":
        del body["metadata"]["labels"]["cost-center"]
        return body
    pod = body["spec"]["template"]["spec"]
    if name == "range-of-users":
        pod["securityContext"]["fsGroup"] = 10001
    elif name == "own-account":
        del pod["serviceAccountName"]
    else:
        del pod["nodeSelector"]
    return body


@pytest.fixture
def release(connection_options: dict[str, Any]) -> Release:
    """The release, whose lock and record have the labels, too."""
    return Release(NAMESPACE, connection_options, labels=LABELS, annotations=NOTES)


def test_the_defaults_are_refused_by_each_rule(
    ruled: Callable[..., tuple[int, Any]], rendered: dict[str, Objects]
) -> None:
    # Of several rules that an object breaks, the answer names one. A ConfigMap breaks but this one
    assert "rule labels" in json.dumps([ruled(body) for body in rendered["defaults"] if body["kind"] == "ConfigMap"])
    bodies = [body for body in rendered["defaults"] if body["kind"] == "Deployment"]
    # What the rules of the cluster leave to the inventory alone; accounts and operating system are right by default
    relabelled = [{**body, "metadata": {**body["metadata"], "labels": LABELS, "annotations": NOTES}} for body in bodies]
    for body in relabelled:
        status, answer = ruled(body)
        assert status == 422
        assert answer["message"].count("rule ") == 1
        assert "rule range-of-users" in answer["message"]


@pytest.mark.usefixtures("ruled")
def test_a_release_that_keeps_the_rules_is_deployed_and_stays(
    control_plane: ControlPlane, rendered: dict[str, Objects], release: Release
) -> None:
    with stand_in_kubelet(control_plane, NAMESPACE, ready()):
        deployed = release.deploy(rendered["ruled"])
        assert "failed" not in deployed["apply"], deployed["apply"]["msg"]
        again = release.apply(rendered["ruled"])
        assert not again["transaction"]["opened"]
        assert again["requests"]["write"] == 0
        # Its record, which no role renders
        record = control_plane.get(f"/api/v1/namespaces/{NAMESPACE}/secrets/agentsmith-release")
        assert record["metadata"]["labels"]["cost-center"] == "4711"
        # Other labels for all of it, on the live release
        release.labels = {"cost-center": "4712"}
        relabelled = release.deploy(rendered["relabelled"])
        assert "failed" not in relabelled["apply"], relabelled["apply"]["msg"]
    pods = control_plane.get(f"/api/v1/namespaces/{NAMESPACE}/pods")["items"]
    assert {pod["metadata"]["labels"]["cost-center"] for pod in pods} == {"4712"}
    assert {pod["metadata"]["labels"]["stage"] for pod in pods} == {"test"}
    deployment = control_plane.get(f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/redis")
    assert deployment["spec"]["selector"] == {"matchLabels": {"app": "redis"}}
    assert deployment["metadata"]["labels"]["cost-center"] == "4712"
    # Nothing was pruned or made twice
    assert {entry["result"] for entry in relabelled["apply"]["objects"]} == {"updated"}


@pytest.mark.parametrize("app", APPS)
def test_a_job_of_the_app_keeps_the_rules(
    ruled: Callable[..., tuple[int, Any]],
    rendered: dict[str, Objects],
    control_plane: ControlPlane,
    release: Release,
    app: str,
) -> None:
    with stand_in_kubelet(control_plane, NAMESPACE, ready()):
        deployed = release.deploy(rendered["ruled"])
        assert "failed" not in deployed["apply"], deployed["apply"]["msg"]
    dispatcher = control_plane.get(f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/agentsmith-dispatcher")
    job = spawned_job(NAMESPACE, dispatcher, APPS[app])
    labels = {**job["metadata"]["labels"], **LABELS}
    deadline = time.monotonic() + 20
    # Admission sees a new policy a moment later; until then it has none, or that of the release before
    while True:
        status, answer = ruled(job, f"system:serviceaccount:{NAMESPACE}:agentsmith")
        if status == 201 and answer["metadata"]["labels"] == labels:
            break
        assert time.monotonic() < deadline, answer
        time.sleep(0.05)
    assert answer["metadata"]["annotations"] == NOTES
    template = answer["spec"]["template"]
    stated = {**job["spec"]["template"]["metadata"]["labels"], **LABELS}
    assert template["metadata"]["labels"].items() >= stated.items()  # beside those of the API server
    assert template["metadata"]["annotations"] == NOTES
    assert template["spec"]["serviceAccountName"] == "agentsmith-jobs"
    assert template["spec"]["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    status, answer = ruled(pod_of(answer))
    assert status == 201, answer
