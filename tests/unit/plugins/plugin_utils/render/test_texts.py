# SPDX-License-Identifier: GPL-3.0-or-later
"""What YAML reads as a number, a boolean or a date is no text, and stays allowed where Kubernetes takes it."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.render.texts import argument_misfits, object_misfits
from ansible_collections.agentsmith.platform.plugins.plugin_utils.render.variable_checks import TEXT_FACTS

ARCHITECTURE = Path(__file__).parents[5] / "docs/architecture.md"

TEXT, TEXTS, MAP = {"type": "str"}, {"type": "list", "elements": "str"}, {"type": "dict"}
DICTS = {"type": "list", "elements": "dict"}
WITH_OPTIONS = {**DICTS, "options": {"name": TEXT, "count": {"type": "int"}, "from": MAP}}


@pytest.mark.parametrize(
    ("name", "argument", "value", "fault"),
    [
        ("redis_image", TEXT, 42798, "redis_image is a number"),
        ("redis_image", {}, 1.1, "redis_image is a fraction"),
        ("redis_image", TEXT, True, "redis_image is a boolean"),
        ("redis_image", TEXT, date(2026, 1, 1), "redis_image is a date"),
        ("redis_image", TEXT, ["a"], "redis_image is a list"),
        ("command", TEXTS, ["sleep", 5], "command[1] is a number"),
        ("command", TEXTS, [["sleep"]], "command[0] is a list"),
        ("x", WITH_OPTIONS, [{"name": "a"}, {"name": True}], "x[1].name is a boolean"),
        ("x", WITH_OPTIONS, [{"from": {"secretKeyRef": {"key": 1}}}], "x[0].from.secretKeyRef.key is a number"),
        ("x_issuer", {**MAP, "options": {"kind": TEXT}}, {"kind": 1}, "x_issuer.kind is a number"),
        ("redis_pod_labels", MAP, {"a": True}, "redis_pod_labels.a is a boolean"),
        ("redis_pod_labels", MAP, {True: "a"}, "redis_pod_labels has a key that is a boolean"),
        ("redis_pod_labels", MAP, {"a": None}, "redis_pod_labels.a is null"),
        ("x_annotations", MAP, {"a": 1.1}, "x_annotations.a is a fraction"),
        ("x_node_selector", MAP, {"a": date(2026, 1, 1)}, "x_node_selector.a is a date"),
        ("x_tolerations", DICTS, [{"key": "a", "value": True}], "x_tolerations[0].value is a boolean"),
        ("x_host_aliases", DICTS, [{"ip": "10.0.0.1", "hostnames": [1]}], "x_host_aliases[0].hostnames[0] is a number"),
        (
            "x_affinity",
            MAP,
            {"podAffinity": {"terms": [{"labelSelector": {"matchLabels": {"a": 1}}}]}},
            "x_affinity.podAffinity.terms[0].labelSelector.matchLabels.a is a number",
        ),
        (
            "x_affinity",
            MAP,
            {"nodeAffinity": {"matchExpressions": [{"key": "a", "operator": "In", "values": ["a", True]}]}},
            "x_affinity.nodeAffinity.matchExpressions[0].values[1] is a boolean",
        ),
    ],
)
def test_a_variable_that_is_no_text(name: str, argument: dict[str, Any], value: Any, fault: str) -> None:
    assert list(argument_misfits(name, argument, value)) == [fault]


@pytest.mark.parametrize(
    ("name", "argument", "value"),
    [
        ("redis_image", TEXT, "0123"),
        ("redis_image", TEXT, None),
        ("x", WITH_OPTIONS, [{"name": "a", "count": 3}]),
        ("replicas", {"type": "int"}, 3),
        ("redis_resources", MAP, {"limits": {"cpu": 1, "memory": 1.5}}),
        ("quota_hard", MAP, {"requests.cpu": 1}),
        ("config_agentsmith", MAP, {"projects": {"a": {"type": 1, "name": 2}}}),
        ("objects", {"type": "raw"}, [{"name": 1}]),
        ("x_tolerations", DICTS, [{"key": "a", "value": None, "tolerationSeconds": 30}]),
        ("x_extra_egress", DICTS, [{"ports": [{"protocol": "TCP", "port": 8081, "endPort": 9000}]}]),
        (
            "x_extra_volumes",
            DICTS,
            [{"name": "a", "secret": {"secretName": "a", "defaultMode": 292, "optional": True}}],
        ),
    ],
)
def test_a_variable_that_is_right(name: str, argument: dict[str, Any], value: Any) -> None:
    assert list(argument_misfits(name, argument, value)) == []


def an_object(kind: str, group: str = "v1", **fields: Any) -> dict[str, Any]:
    return {"apiVersion": group, "kind": kind, "metadata": {"name": "a"}, **fields}


def a_pod(**fields: Any) -> dict[str, Any]:
    return {"template": {"spec": {"containers": [{"name": "a", **fields}]}}}


CONTAINER = "spec.template.spec.containers[0]"


@pytest.mark.parametrize(
    ("manifest", "fault"),
    [
        (an_object("Example", "example.com/v1", metadata={"labels": {"a": 1}}), "metadata.labels.a is a number"),
        (an_object("Service", spec={"selector": {"app": True}}), "spec.selector.app is a boolean"),
        (an_object("ConfigMap", data={"a": 1}), "data.a is a number"),
        (an_object("Secret", stringData={"a": True}), "stringData.a is a boolean"),
        (an_object("Deployment", "apps/v1", spec=a_pod(args=["--port", 80])), f"{CONTAINER}.args[1] is a number"),
        (
            an_object("Deployment", "apps/v1", spec=a_pod(env=[{"name": "A", "value": 1}])),
            f"{CONTAINER}.env[0].value is a number",
        ),
        (an_object("Deployment", "apps/v1", spec=a_pod(image=1.1)), f"{CONTAINER}.image is a fraction"),
        (
            an_object("NetworkPolicy", "networking.k8s.io/v1", spec={"podSelector": {"matchLabels": {"a": 1}}}),
            "spec.podSelector.matchLabels.a is a number",
        ),
    ],
)
def test_an_object_that_has_something_else_for_a_text(manifest: dict[str, Any], fault: str) -> None:
    assert list(object_misfits(manifest)) == [fault]


@pytest.mark.parametrize(
    "manifest",
    [
        an_object("Service", spec={"selector": {"app": "a"}, "ports": [{"name": "a", "port": 80, "targetPort": 8080}]}),
        an_object("Deployment", "apps/v1", spec=a_pod(resources={"limits": {"cpu": 1}}, ports=[{"containerPort": 1}])),
        an_object(
            "HorizontalPodAutoscaler", "autoscaling/v2", spec={"metrics": [{"target": {"type": "Value", "value": 1}}]}
        ),
        an_object("PriorityClass", "scheduling.k8s.io/v1", value=1000),
        # Whose fields nobody knows here
        an_object("HelmChart", "helm.cattle.io/v1", spec={"values": [1], "name": 2, "labels": {"a": True}}),
        an_object(
            "CustomResourceDefinition",
            "apiextensions.k8s.io/v1",
            spec={"properties": {"labels": {"additionalProperties": True}, "name": {"type": "string"}}},
        ),
    ],
    ids=lambda manifest: str(manifest["kind"]),
)
def test_an_object_that_is_right(manifest: dict[str, Any]) -> None:
    assert list(object_misfits(manifest)) == []


def test_the_facts_are_documented() -> None:
    documented = set(re.findall(r"^\| `(agentsmith_\w+)`", ARCHITECTURE.read_text(), re.MULTILINE))
    assert documented >= set(TEXT_FACTS)
