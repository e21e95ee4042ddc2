# SPDX-License-Identifier: GPL-3.0-or-later
"""Which keys of which Secrets a pod template reads."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.secrets.secret_reads import SecretRead, secret_reads


def workload(pod: Any, kind: str = "Deployment", api_version: str = "apps/v1") -> dict[str, Any]:
    """Return a workload with a pod."""
    metadata = {"name": "x", "namespace": "n"}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": {"template": {"spec": pod}}}


def variable(**reference: Any) -> dict[str, Any]:
    """Return an environment variable with a value from a Secret."""
    return {"name": "X", "valueFrom": {"secretKeyRef": reference}}


PODS: dict[str, tuple[Any, list[SecretRead]]] = {
    "variable": (
        {"containers": [{"env": [variable(name="s", key="a")]}]},
        [SecretRead("s", "a")],
    ),
    "optional variable": (
        {"containers": [{"env": [variable(name="s", key="a", optional=True)]}]},
        [SecretRead("s", "a", True)],
    ),
    "variable that is explicitly not optional": (
        {"containers": [{"env": [variable(name="s", key="a", optional=False)]}]},
        [SecretRead("s", "a")],
    ),
    "variables of two containers, one key twice": (
        {
            "containers": [
                {"env": [variable(name="s", key="a"), variable(name="s", key="b")]},
                {"env": [variable(name="s", key="a"), variable(name="t", key="a")]},
            ]
        },
        [SecretRead("s", "a"), SecretRead("s", "b"), SecretRead("t", "a")],
    ),
    "init container": (
        {"initContainers": [{"env": [variable(name="s", key="a")]}], "containers": [{"name": "x"}]},
        [SecretRead("s", "a")],
    ),
    "all keys as variables": (
        {"containers": [{"envFrom": [{"secretRef": {"name": "s"}}, {"prefix": "P_", "secretRef": {"name": "t"}}]}]},
        [SecretRead("s", None), SecretRead("t", None)],
    ),
    "all keys as variables, optional": (
        {"containers": [{"envFrom": [{"secretRef": {"name": "s", "optional": True}}]}]},
        [SecretRead("s", None, True)],
    ),
    "volume": ({"volumes": [{"name": "v", "secret": {"secretName": "s"}}]}, [SecretRead("s", None)]),
    "optional volume": (
        {"volumes": [{"name": "v", "secret": {"secretName": "s", "optional": True}}]},
        [SecretRead("s", None, True)],
    ),
    "volume of some keys": (
        {"volumes": [{"name": "v", "secret": {"secretName": "s", "items": [{"key": "a", "path": "p"}, {"key": "b"}]}}]},
        [SecretRead("s", "a"), SecretRead("s", "b")],
    ),
    "optional volume of some keys": (
        {"volumes": [{"name": "v", "secret": {"secretName": "s", "optional": True, "items": [{"key": "a"}]}}]},
        [SecretRead("s", "a", True)],
    ),
    "projected": (
        {
            "volumes": [
                {
                    "name": "v",
                    "projected": {
                        "sources": [
                            {"secret": {"name": "s"}},
                            {"secret": {"name": "t", "items": [{"key": "a", "path": "p"}]}},
                            {"serviceAccountToken": {"path": "token"}},
                            {"configMap": {"name": "c"}},
                        ]
                    },
                }
            ]
        },
        [SecretRead("s", None), SecretRead("t", "a")],
    ),
    "ConfigMap keys and fields": (
        {
            "containers": [
                {
                    "env": [
                        {"name": "A", "value": "secretKeyRef"},
                        {"name": "B", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}},
                        {"name": "C", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                    ],
                    "envFrom": [{"configMapRef": {"name": "c"}}],
                }
            ],
            "volumes": [{"name": "v", "configMap": {"name": "c"}}, {"name": "w", "emptyDir": {}}],
        },
        [],
    ),
    "what the node reads": (
        {
            "imagePullSecrets": [{"name": "pull"}],
            "volumes": [{"name": "v", "csi": {"driver": "d", "nodePublishSecretRef": {"name": "s"}}}],
        },
        [],
    ),
    "nothing": ({}, []),
}


@pytest.mark.parametrize("case", PODS)
@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet"])
def test_the_keys_that_a_pod_reads(case: str, kind: str) -> None:
    pod, expected = PODS[case]
    assert secret_reads(workload(pod, kind)) == expected


@pytest.mark.parametrize("case", PODS)
def test_the_keys_that_the_next_pods_of_a_cron_job_read(case: str) -> None:
    pod, expected = PODS[case]
    cron_job = {"apiVersion": "batch/v1", "kind": "CronJob", "spec": {"jobTemplate": workload(pod)}}
    assert secret_reads(cron_job) == expected


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet"])
def test_what_rolls_by_hand_is_not_looked_at(kind: str) -> None:
    body = workload(PODS["variable"][0], kind)
    body["spec"]["updateStrategy"] = {"type": "OnDelete"}
    assert secret_reads(body) == []


@pytest.mark.parametrize(
    ("kind", "api_version"),
    [("Job", "batch/v1"), ("ReplicaSet", "apps/v1"), ("Pod", "v1"), ("Deployment", "example.com/v1")],
)
def test_a_kind_that_does_not_replace_its_pods_is_not_looked_at(kind: str, api_version: str) -> None:
    pod, _expected = PODS["variable"]
    assert secret_reads(workload(pod, kind, api_version)) == []


# What is malformed is refused by the check against the server's schema, in words.
@pytest.mark.parametrize(
    "pod",
    [
        None,
        [],
        "text",
        {"containers": {"env": []}},
        {"containers": ["text", {"env": "text"}, {"env": ["text"]}, {"envFrom": [{"secretRef": "s"}]}]},
        {"containers": [{"env": [variable(name=["s"], key="a"), variable(name="s", key={}), variable(key="a")]}]},
        {"volumes": [{"secret": "s"}, {"secret": {"secretName": 1}}, {"projected": {"sources": "text"}}]},
        {"volumes": [{"secret": {"secretName": "s", "items": [{"key": 1}]}}]},
    ],
)
def test_a_malformed_pod_is_no_error_here(pod: Any) -> None:
    assert secret_reads(workload(pod)) == []
