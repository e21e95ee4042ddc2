# SPDX-License-Identifier: GPL-3.0-or-later
"""A release in a cluster that others share: what they inject, rewrite, add, demand or have broken is not our fault."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

NAMESPACE = "agentsmith"
RULES = Path(__file__).with_name("cluster-rules.yml")
KINDS = "configmaps,secrets,services,serviceaccounts,roles,rolebindings,networkpolicies,deployments.apps"
LABEL = {"cost-center": "4711"}
SHARED = {
    "agentsmith_common_labels": LABEL,
    "agentsmith_run_as_user": "",
    "agentsmith_run_as_group": "",
    "agentsmith_fs_group": "",
    # The autoscaler's
    "dispatcher_replicas": "",
}
RELIC = {"apiVersion": "shared.example.com/v1", "kind": "Relic", "metadata": {"name": "old", "namespace": NAMESPACE}}
DISPATCHER = "deployment/agentsmith-dispatcher"

Deploy = Callable[..., Any]


@pytest.fixture(scope="module")
def cluster(host) -> Callable[..., Any]:
    """Run kubectl on the test cluster, with objects as its input: what it says, and whether it succeeded."""
    from conftest import KUBECONFIG, KUBECTL

    def run(command: str, body: str = "") -> Any:
        return host.run(f"printf %s %s | {KUBECTL} --kubeconfig {KUBECONFIG} {command}", "%s", body)

    return run


@pytest.fixture(scope="module", autouse=True)
def shared(cluster, playbook) -> Iterator[None]:
    """The rules of the cluster are in force; in the end they are gone, and the release of the inventory is back."""
    image = cluster(f"-n {NAMESPACE} get {DISPATCHER} -o jsonpath={{.spec.template.spec.containers[0].image}}").stdout
    rules = RULES.read_text().replace("IMAGE", image)
    done = cluster("apply --server-side -f -", rules)
    assert done.rc == 0, done.stderr
    await_rules(cluster)
    yield
    for command in ("delete --ignore-not-found -f -", f"-n {NAMESPACE} delete hpa dispatcher --ignore-not-found"):
        done = cluster(command, rules)
        assert done.rc == 0, done.stderr
    # The teardown has removed it
    assert playbook("playbooks/deploy.yml").returncode == 0


def await_rules(cluster: Callable[..., Any]) -> None:
    """Wait until each rule is in force, asked by dry runs, and until the broken kind has an object."""
    deadline = time.monotonic() + 60
    without_label = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "no-label"}})
    while "cost-center" not in cluster(f"-n {NAMESPACE} create --dry-run=server -f -", without_label).stderr:
        assert time.monotonic() < deadline, "the rules are not in force"
    patch = json.dumps({"metadata": {"labels": LABEL}})
    asked = f"-n {NAMESPACE} patch {DISPATCHER} --patch-file=/dev/stdin --dry-run=server -o json"
    while '"cpu": "123m"' not in cluster(asked, patch).stdout:
        assert time.monotonic() < deadline, "nobody rewrites the Dispatcher"
    container = {"name": "c", "image": "none", "securityContext": {"allowPrivilegeEscalation": False}}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "labels": {"app": "redis"}},
        "spec": {"containers": [container]},
    }
    while "mesh-proxy" not in cluster(f"-n {NAMESPACE} create --dry-run=server -o json -f -", json.dumps(pod)).stdout:
        assert time.monotonic() < deadline, "nobody injects a container"
    own_user = json.dumps({**pod, "spec": {"containers": [container], "securityContext": {"runAsUser": 10001}}})
    while "user ids" not in cluster(f"-n {NAMESPACE} create --dry-run=server -f -", own_user).stderr:
        assert time.monotonic() < deadline, "every user id is taken"
    while cluster("apply -f -", json.dumps(RELIC)).rc != 0:
        assert time.monotonic() < deadline, "the kind Relic is not served"
    broken = cluster(f"-n {NAMESPACE} get relics.v2.shared.example.com")
    assert broken.rc != 0 and "conversion webhook" in broken.stderr


@pytest.fixture(scope="module")
def play(playbook, tmp_path_factory) -> Deploy:
    """Run a playbook with the variables that such a cluster asks for: its output, of a run without an error."""
    file = tmp_path_factory.mktemp("shared") / "variables.json"

    def run(name: str, *arguments: str, **variables: Any) -> str:
        file.write_text(json.dumps({**SHARED, **variables}))
        finished = playbook(f"playbooks/{name}.yml", "-e", f"@{file}", *arguments)
        assert finished.returncode == 0, finished.output
        return finished.output

    return run


def containers(body: dict[str, Any]) -> list[str]:
    """The names of a pod's containers."""
    return [container["name"] for container in body["spec"]["containers"]]


def test_a_deploy_as_the_rules_ask(play: Deploy, get, pod_of) -> None:
    play("deploy")
    for app, own in (("redis", "redis"), ("agentsmith-dispatcher", "dispatcher")):
        pod = pod_of(app)
        assert containers(pod) == ["mesh-proxy", own]
        assert pod["spec"]["securityContext"]["runAsUser"] == 1000700000
    requests = get(DISPATCHER)["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]
    assert requests["cpu"] == "123m"
    for body in get(KINDS):
        if body["metadata"]["name"] not in ("kube-root-ca.crt", "default"):
            assert LABEL.items() <= body["metadata"]["labels"].items(), body["metadata"]["name"]


@pytest.fixture(scope="module")
def touched(cluster) -> None:
    """What others do to a release: a pull secret, an autoscaler, annotations, a restart."""
    secrets = json.dumps([{"op": "add", "path": "/imagePullSecrets", "value": [{"name": "their-dockercfg"}]}])
    scaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "dispatcher"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "agentsmith-dispatcher"},
            "minReplicas": 2,
            "maxReplicas": 2,
        },
    }
    for command, body in (
        (f"patch serviceaccount agentsmith --type=json --patch '{secrets}'", ""),
        ("create -f -", json.dumps(scaler)),
        ("annotate service agentsmith-dispatcher cloud.example.com/neg=x --field-manager=cloud-controller", ""),
        (f"annotate namespace {NAMESPACE} mesh.example.com/revision=1 --field-manager=mesh", ""),
        ("rollout restart deployment redis", ""),
        (f"wait --for=jsonpath={{.spec.replicas}}=2 --timeout=90s {DISPATCHER}", ""),
        (f"rollout status {DISPATCHER} --timeout=90s", ""),
        ("rollout status deployment/redis --timeout=90s", ""),
    ):
        done = cluster(f"-n {NAMESPACE} {command}", body)
        assert done.rc == 0, done.stderr


def written(get) -> dict[str, str]:
    """What each write to an object of the release would change."""
    return {
        f"{body['kind']}/{body['metadata']['name']}": json.dumps(
            {**body, "status": None, "metadata": {**body["metadata"], "resourceVersion": None, "managedFields": None}}
        )
        for body in get(KINDS)
    }


@pytest.mark.usefixtures("touched")
def test_an_unchanged_deploy_writes_nothing(play: Deploy, get) -> None:
    before = written(get)
    assert re.search(r"changed=0 .*failed=0", play("deploy"))
    assert written(get) == before
    assert get(DISPATCHER)["spec"]["replicas"] == 2
    assert {"name": "their-dockercfg"} in get("serviceaccount/agentsmith")["imagePullSecrets"]


@pytest.mark.usefixtures("touched")
def test_verify_asks_our_own_containers(play: Deploy) -> None:
    assert re.search(r"^ +health +ok  ", play("verify"), re.MULTILINE)


@pytest.mark.usefixtures("touched")
def test_no_drift_beside_what_others_added(play: Deploy) -> None:
    output = play("drift")
    assert "cloud.example.com/neg" in output
    assert "shared.example.com" in output, "the kind that could not be looked at is not named"


@pytest.mark.usefixtures("touched")
def test_a_change_and_its_rollback_keep_what_others_added(play: Deploy, get) -> None:
    play("deploy", dispatcher_pod_annotations={"example.com/changed": "yes"})
    changed = get(DISPATCHER)["spec"]
    assert changed["template"]["metadata"]["annotations"]["example.com/changed"] == "yes"
    play("rollback")
    back = get(DISPATCHER)["spec"]
    assert "example.com/changed" not in back["template"]["metadata"].get("annotations", {})
    assert (changed["replicas"], back["replicas"]) == (2, 2)
    assert {"name": "their-dockercfg"} in get("serviceaccount/agentsmith")["imagePullSecrets"]
    assert get("service/agentsmith-dispatcher")["metadata"]["annotations"]["cloud.example.com/neg"] == "x"


@pytest.mark.usefixtures("touched")
def test_a_teardown_beside_a_broken_kind(play: Deploy, cluster) -> None:
    output = play("teardown", "-e", f"teardown_confirm={NAMESPACE}")
    assert "shared.example.com" in output
    assert "resourceVersion" in cluster(f"-n {NAMESPACE} get relics.v1.shared.example.com old -o json").stdout
