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


@pytest.mark.parametrize("app", APPS)
def test_pod_passes_restricted(get, app):
    """A server-side dry run of the pod in a namespace of its own, which enforces `restricted`."""
    template = get(f"deployment/{app}")["spec"]["template"]
    # What the probing namespace lacks, and what Pod Security does not look at.
    template["spec"].pop("serviceAccountName", None)
    template["spec"].pop("serviceAccount", None)
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "probe", "namespace": "restricted-probe"}}
    namespace = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "restricted-probe", "labels": {"pod-security.kubernetes.io/enforce": "restricted"}},
    }
    run = [str(KUBECTL), "--kubeconfig", str(KUBECONFIG)]
    subprocess.run([*run, "apply", "-f", "-"], input=json.dumps(namespace), text=True, check=True, capture_output=True)
    subprocess.run(
        [*run, "wait", "--for=create", "serviceaccount/default", "-n", "restricted-probe", "--timeout=30s"],
        check=True,
        capture_output=True,
    )
    try:
        allowed = subprocess.run(
            [*run, "create", "--dry-run=server", "-f", "-"],
            input=json.dumps({**pod, "spec": template["spec"]}),
            text=True,
            capture_output=True,
        )
        assert allowed.returncode == 0, allowed.stderr
        template["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = True
        refused = subprocess.run(
            [*run, "create", "--dry-run=server", "-f", "-"],
            input=json.dumps({**pod, "spec": template["spec"]}),
            text=True,
            capture_output=True,
        )
        assert "violates PodSecurity" in refused.stderr, "the probe cannot fail: the namespace enforces nothing"
    finally:
        subprocess.run(
            [*run, "delete", "namespace", "restricted-probe", "--wait=false"], check=True, capture_output=True
        )


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
