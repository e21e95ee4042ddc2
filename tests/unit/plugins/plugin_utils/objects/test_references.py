# SPDX-License-Identifier: GPL-3.0-or-later
"""What an object needs by its name, so that it must not go."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.references import referenced

SECRET, CONFIG_MAP = ("", "Secret", "n", "x"), ("", "ConfigMap", "n", "x")


def pod(**spec: Any) -> dict[str, Any]:
    template = {"spec": spec}
    return {"kind": "Deployment", "metadata": {"name": "d", "namespace": "n"}, "spec": {"template": template}}


def of(**spec: Any) -> dict[str, Any]:
    return {"kind": "Any", "metadata": {"name": "a", "namespace": "n"}, "spec": spec}


def variable(**source: Any) -> dict[str, Any]:
    return pod(containers=[{"name": "c", "env": [{"name": "A", "valueFrom": source}]}])


def volume(**source: Any) -> dict[str, Any]:
    return pod(volumes=[{"name": "v", **source}])


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (variable(secretKeyRef={"name": "x", "key": "k"}), {SECRET}),
        (variable(configMapKeyRef={"name": "x", "key": "k"}), {CONFIG_MAP}),
        (pod(initContainers=[{"name": "c", "envFrom": [{"secretRef": {"name": "x"}}]}]), {SECRET}),
        (pod(containers=[{"name": "c", "envFrom": [{"configMapRef": {"name": "x"}}]}]), {CONFIG_MAP}),
        (volume(secret={"secretName": "x"}), {SECRET}),
        (volume(configMap={"name": "x"}), {CONFIG_MAP}),
        (
            volume(projected={"sources": [{"secret": {"name": "x"}}, {"configMap": {"name": "x"}}]}),
            {SECRET, CONFIG_MAP},
        ),
        (volume(persistentVolumeClaim={"claimName": "x"}), {("", "PersistentVolumeClaim", "n", "x")}),
        (pod(serviceAccountName="x", imagePullSecrets=[{"name": "x"}]), {("", "ServiceAccount", "n", "x"), SECRET}),
        ({**of(), "kind": "ServiceAccount", "imagePullSecrets": [{"name": "x"}]}, {SECRET}),
        (of(tls=[{"hosts": ["h"], "secretName": "x"}]), {SECRET}),
        (of(listeners=[{"tls": {"certificateRefs": [{"name": "x"}, {"name": "x", "kind": "Secret"}]}}]), {SECRET}),
        (of(secretName="x", issuerRef={"name": "y"}), {SECRET}),
        # Not missed, of another namespace, of another kind, no reference
        (variable(secretKeyRef={"name": "x", "key": "k", "optional": True}), set()),
        (volume(secret={"secretName": "x", "optional": True}), set()),
        (volume(configMap={"name": "x", "optional": True}), set()),
        (of(listeners=[{"tls": {"certificateRefs": [{"name": "x", "namespace": "other"}]}}]), set()),
        # With its own namespace, it is the same as without
        (of(listeners=[{"tls": {"certificateRefs": [{"name": "x", "namespace": "n"}]}}]), {("", "Secret", "n", "x")}),
        (of(listeners=[{"tls": {"certificateRefs": [{"name": "x", "kind": "Other"}]}}]), set()),
        (of(backend={"service": {"name": "x"}}, secretName=7), set()),
        ({"kind": "Secret", "metadata": {"name": "s", "namespace": "n"}, "stringData": {"secretName": "x"}}, set()),
        ({"kind": "Namespace", "metadata": {"name": "n"}}, set()),
    ],
)
def test_references(body: dict[str, Any], expected: set[Any]) -> None:
    assert referenced(body) == expected
