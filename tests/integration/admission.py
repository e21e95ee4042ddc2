# SPDX-License-Identifier: GPL-3.0-or-later
"""Test equipment: admission policies of others, which complete or rewrite what is written in one namespace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from awaiting import await_true
from control_plane import ControlPlane

GROUP = "admissionregistration.k8s.io"
ROOT = f"/apis/{GROUP}/v1"
# Our container and its place, wherever others stand.
OURS = "object.spec.template.spec.containers.filter(c, c.name == object.metadata.name)[0]"
PLACE = "string(object.spec.template.spec.containers.map(c, c.name).indexOf(object.metadata.name))"
PATH = f'"/spec/template/spec/containers/" + {PLACE} +'
CPU = f"""[JSONPatch{{op: "add", path: {PATH} "/resources/requests/cpu", value: "250m"}}]"""

PROXY = """Object.spec.template.spec.containers{name: "proxy", image: "proxy",
  ports: [Object.spec.template.spec.containers.ports{containerPort: 4143}]}"""


def sidecar(at: str) -> str:
    """Return the expression that puts a container at a place in the list, `0` or `-` for the end."""
    return f"""object.spec.template.spec.containers.exists(c, c.name == "proxy") ? [] :
      [JSONPatch{{op: "add", path: "/spec/template/spec/containers/{at}", value: {PROXY}}}]"""


@contextmanager
def mutating(control_plane: ControlPlane, namespace: str, expression: str) -> Iterator[None]:
    """Let a MutatingAdmissionPolicy with the JSON patch of *expression* rewrite the Deployments of *namespace*."""
    name = f"others-{namespace}"
    match = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "resourceRules": [
            {
                "apiGroups": ["apps"],
                "apiVersions": ["v1"],
                "resources": ["deployments"],
                "operations": ["CREATE", "UPDATE"],
            }
        ],
    }
    # What has no name is the probe that tells whether the policy is in force.
    mark = f'JSONPatch{{op: "add", path: "/metadata/annotations", value: {{"probe": "{name}"}}}}'
    patch = {"expression": f"has(object.metadata.generateName) ? [{mark}] : {expression}"}
    spec = {
        "failurePolicy": "Fail",
        "reinvocationPolicy": "IfNeeded",
        "matchConstraints": match,
        "mutations": [{"patchType": "JSONPatch", "jsonPatch": patch}],
    }
    kinds = {
        "mutatingadmissionpolicies": ("MutatingAdmissionPolicy", spec),
        "mutatingadmissionpolicybindings": ("MutatingAdmissionPolicyBinding", {"policyName": name}),
    }
    for plural, (kind, content) in kinds.items():
        body = {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": {"name": name}, "spec": content}
        status, answer = control_plane.request("POST", f"{ROOT}/{plural}", body)
        assert status == 201, answer
    try:
        await_true(lambda: _marks_a_probe(control_plane, namespace, name))
        yield
    finally:
        for plural in kinds:
            assert control_plane.request("DELETE", f"{ROOT}/{plural}/{name}")[0] == 200


def _marks_a_probe(control_plane: ControlPlane, namespace: str, name: str) -> bool:
    labels = {"app": "probe"}
    pod = {"containers": [{"name": "probe", "image": "probe"}]}
    body = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"generateName": "probe-"},
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}},
    }
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments?dryRun=All"
    status, answer = control_plane.request("POST", path, body)
    assert status == 201, answer
    return bool((answer["metadata"].get("annotations") or {}).get("probe") == name)
