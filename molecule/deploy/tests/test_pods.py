# SPDX-License-Identifier: GPL-3.0-or-later
"""The pods as they really run: user, root file system, token, and what Pod Security says of them."""

from __future__ import annotations

import json
import subprocess

import pytest
from conftest import KUBECONFIG, KUBECTL

APPS = ["redis", "agentsmith-dispatcher"]


@pytest.mark.parametrize("app", APPS)
def test_runs_as_uid_and_gid_10001(kubectl, pod_of, app):
    pod = pod_of(app)["metadata"]["name"]
    assert kubectl("-n agentsmith exec %s -- id -u", pod) == "10001"
    assert kubectl("-n agentsmith exec %s -- id -g", pod) == "10001"


@pytest.mark.parametrize("app", APPS)
def test_root_is_read_only_and_tmp_is_not(host, pod_of, app):
    pod = pod_of(app)["metadata"]["name"]
    prefix = f"{KUBECTL} --kubeconfig {KUBECONFIG} -n agentsmith exec {pod} --"
    refused = host.run(f"{prefix} touch /written-by-a-test")
    assert refused.rc != 0
    assert "Read-only file system" in refused.stderr
    assert host.run(f"{prefix} sh -c 'touch /tmp/written-by-a-test && rm /tmp/written-by-a-test'").rc == 0


@pytest.mark.parametrize("app", APPS)
def test_runs_ready_without_a_restart(pod_of, app):
    status = pod_of(app)["status"]
    assert status["phase"] == "Running"
    assert [(container["ready"], container["restartCount"]) for container in status["containerStatuses"]] == [(True, 0)]


@pytest.fixture(scope="module")
def dry_run_under_restricted():
    """Ask the API server by a dry run whether a namespace that enforces `restricted` takes a pod: its refusal."""
    kubectl = [str(KUBECTL), "--kubeconfig", str(KUBECONFIG), "-n", "restricted-probe"]

    def run(*arguments: str, stdin: dict | None = None, check: bool = True) -> str:
        finished = subprocess.run(
            [*kubectl, *arguments],
            input=json.dumps(stdin) if stdin else None,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=check,
        )
        return finished.stdout if finished.returncode else ""

    def refusal(pod_spec: dict) -> str:
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "probe"}, "spec": pod_spec}
        return run("create", "--dry-run=server", "-f", "-", stdin=pod, check=False)

    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    metadata = {"name": "restricted-probe", "labels": labels}
    run("apply", "-f", "-", stdin={"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    run("wait", "--for=create", "serviceaccount/default", "--timeout=30s")
    yield refusal
    run("delete", "namespace", "restricted-probe")


@pytest.mark.parametrize("app", APPS)
def test_pod_passes_restricted(get, dry_run_under_restricted, app):
    spec = get(f"deployment/{app}")["spec"]["template"]["spec"]
    # The account lives in the release's namespace only, and Pod Security does not look at it.
    spec.pop("serviceAccountName", None)
    spec.pop("serviceAccount", None)
    assert dry_run_under_restricted(spec) == ""
    spec["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = True
    assert "violates PodSecurity" in dry_run_under_restricted(spec), "the probe cannot fail: nothing is enforced"


def test_dispatcher_has_a_short_lived_token_at_the_default_path(kubectl, pod_of):
    pod = pod_of("agentsmith-dispatcher")
    assert pod["spec"]["automountServiceAccountToken"] is False
    files = kubectl(
        "-n agentsmith exec %s -- ls /var/run/secrets/kubernetes.io/serviceaccount", pod["metadata"]["name"]
    ).split()
    assert {"ca.crt", "namespace", "token"} <= set(files)


def test_redis_has_no_token(host, pod_of):
    pod = pod_of("redis")["metadata"]["name"]
    run = host.run(f"{KUBECTL} --kubeconfig {KUBECONFIG} -n agentsmith exec {pod} -- ls /var/run/secrets/kubernetes.io")
    assert run.rc != 0
