# SPDX-License-Identifier: GPL-3.0-or-later
"""Every object of the stack is there by kind and name, and carries the labels that say whose it is."""

from __future__ import annotations

import pytest
from conftest import KUBECONFIG, KUBECTL

OBJECTS = [
    "namespace/agentsmith",
    "serviceaccount/agentsmith",
    "serviceaccount/default",
    "serviceaccount/redis",
    "role/agentsmith-job-manager",
    "rolebinding/agentsmith-job-manager",
    "secret/agentsmith-secrets",
    "configmap/agentsmith-config",
    "deployment/redis",
    "service/redis",
    "deployment/agentsmith-dispatcher",
    "service/agentsmith-dispatcher",
    "networkpolicy/default-deny",
    "networkpolicy/redis",
    "networkpolicy/agentsmith-dispatcher",
    "networkpolicy/agentsmith-jobs",
    "resourcequota/agentsmith",
    "limitrange/agentsmith",
]


@pytest.mark.parametrize("name", OBJECTS)
def test_object_is_there_and_labelled(get, name):
    labels = get(name)["metadata"]["labels"]
    assert labels["app.kubernetes.io/managed-by"] == "agentsmith.platform"
    assert labels["app.kubernetes.io/instance"] == "agentsmith"
    assert labels["app.kubernetes.io/part-of"] == "agentsmith"


def test_namespace_refuses_privileged_pods(host):
    """Baseline is enforced, and what is below `restricted` draws a warning, asked in dry runs."""

    def offer(*container: str):
        command = (
            f"{KUBECTL} --kubeconfig {KUBECONFIG} -n agentsmith run offered --image=localhost/any:1 --dry-run=server"
        )
        return host.run(" ".join([command, *container]))

    plain, privileged = offer(), offer("--privileged")
    assert plain.rc == 0, plain.stderr
    assert 'would violate PodSecurity "restricted' in plain.stderr
    assert privileged.rc != 0
    assert 'violates PodSecurity "baseline' in privileged.stderr


def test_no_object_repeats_a_secret_in_an_annotation(get):
    for name in OBJECTS:
        annotations = get(name)["metadata"].get("annotations", {})
        assert "kubectl.kubernetes.io/last-applied-configuration" not in annotations, name


def test_services_lead_to_the_pods(get):
    dispatcher, redis = get("service/agentsmith-dispatcher")["spec"], get("service/redis")["spec"]
    assert [(port["name"], port["port"], port["targetPort"]) for port in dispatcher["ports"]] == [("http", 80, "http")]
    assert dispatcher["type"] == "NodePort"
    assert dispatcher["ports"][0]["nodePort"] == 30080
    assert [port["port"] for port in redis["ports"]] == [6379]
    assert redis["type"] == "ClusterIP"
