# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting against real controllers. A stand-in for the kubelet says how the pods fare."""

from __future__ import annotations

import copy
import threading
import time
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ApplyError
from ansible_collections.agentsmith.platform.plugins.plugin_utils.pods import diagnosis
from awaiting import await_true
from control_plane import ControlPlane
from engine import Apply
from release_objects import a_deployment, a_job, an_object
from stand_in_kubelet import failed, ready, stand_in_kubelet, succeeded, waiting

GRACE = 2.0  # seconds


@pytest.fixture
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the grace for refused pods."""
    monkeypatch.setattr(diagnosis, "REFUSED_PODS_GRACE", GRACE)


def failure(apply: Apply, objects: list[dict[str, Any]], timeout: int = 60) -> tuple[str, float]:
    """Return the message of a wait that fails, and the seconds that it took."""
    started = time.monotonic()
    with pytest.raises(ApplyError) as caught:
        apply(objects, wait=True, wait_timeout=timeout)
    return str(caught.value), time.monotonic() - started


def test_a_deployment_is_waited_for_until_its_pods_are_ready(
    apply: Apply, control_plane: ControlPlane, namespace: str
) -> None:
    with stand_in_kubelet(control_plane, namespace, ready()):
        apply([a_deployment(namespace), a_deployment(namespace, "other")], wait=True, wait_timeout=30)
    live = control_plane.get(f"/apis/apps/v1/namespaces/{namespace}/deployments/redis")
    assert live["status"]["availableReplicas"] == 1
    again = apply([a_deployment(namespace), a_deployment(namespace, "other")], wait=True)
    assert again["requests"]["read"] == 3 + 2  # what was complete when it was read costs nothing


def test_an_image_that_is_not_there_ends_the_wait_at_once(
    apply: Apply, control_plane: ControlPlane, namespace: str
) -> None:
    message = 'Container image "redis" is not present with pull policy of Never'
    with stand_in_kubelet(control_plane, namespace, waiting("ErrImageNeverPull", message, "redis")):
        text, seconds = failure(apply, [a_deployment(namespace)])
    assert f"Deployment {namespace}/redis will not become ready: ErrImageNeverPull: {message}" in text
    assert seconds < 30


@pytest.mark.parametrize(
    ("reason", "message", "remedy"),
    [
        ("InvalidImageName", 'couldn\'t parse image name "a:b:c": invalid reference format', "redis_image"),
        (
            "ErrImageNeverPull",
            'Container image "redis" is not present with pull policy of Never',
            "redis_image_pull_policy",
        ),
    ],
)
def test_what_ends_the_wait_names_the_variables_of_its_part(
    apply: Apply, control_plane: ControlPlane, namespace: str, reason: str, message: str, remedy: str
) -> None:
    deployment = a_deployment(namespace)
    for metadata in (deployment["metadata"], deployment["spec"]["template"]["metadata"]):
        metadata["labels"]["app.kubernetes.io/component"] = "redis"
    with stand_in_kubelet(control_plane, namespace, waiting(reason, message, "redis")):
        text, _seconds = failure(apply, [deployment])
    first, second = text.splitlines()[:2]
    assert first.endswith(f"will not become ready: {reason}: {message}")
    assert second.startswith("What to do: ") and remedy in second


# How a wait ends
AT_ONCE, BY_TIMEOUT = "InvalidImageName", "ContainerCreating"
CONTAINER = "/spec/template/spec/containers/0"
COMMAND = {"op": "add", "path": f"{CONTAINER}/command", "value": ["/bin/MARKED"]}
IMAGE = {"op": "add", "path": f"{CONTAINER}/image", "value": "redis:MARKED"}
NODE = {"op": "add", "path": "/spec/template/spec/nodeSelector", "value": {"disk": "MARKED"}}
RESTART = {"op": "add", "path": "/spec/template/metadata/annotations", "value": {"example.com/restarted-at": "now"}}


@pytest.mark.parametrize(
    ("reason", "patch", "named"),
    [
        (AT_ONCE, [COMMAND], "spec.template.spec.containers[name=redis].command (by kubectl-patch)"),
        (BY_TIMEOUT, [NODE, RESTART], "spec.template.spec.nodeSelector (by kubectl-patch)"),
        (AT_ONCE, [RESTART], ""),
        (BY_TIMEOUT, [IMAGE], ""),  # a deploy takes it back
    ],
)
def test_what_others_have_set_in_pods_that_do_not_run_is_named(
    apply: Apply, control_plane: ControlPlane, namespace: str, reason: str, patch: list[dict[str, Any]], named: str
) -> None:
    with stand_in_kubelet(control_plane, namespace, ready()):
        apply([a_deployment(namespace)], wait=True, wait_timeout=30)
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/redis?fieldManager=kubectl-patch"
    assert control_plane.request("PATCH", path, patch, "application/json-patch+json")[0] == 200
    changed = a_deployment(namespace)
    changed["spec"]["template"]["spec"]["containers"][0]["image"] = "redis:2"
    with stand_in_kubelet(control_plane, namespace, waiting(reason, "", "redis")):
        text, _seconds = failure(apply, [changed], timeout=3)
    todo = [line for line in text.splitlines() if "Others have set" in line]
    assert [line.partition(". drift shows")[0] for line in todo] == (
        [f"What to do: Others have set in its pods: {named}"] if named else []
    )
    assert "MARKED" not in "".join(todo)
    assert not [line for line in text.splitlines() if len(line) == 1], "a text in pieces"


@pytest.mark.parametrize("reason", ["ImagePullBackOff", "CrashLoopBackOff"])
def test_what_may_pass_gets_a_grace(
    apply: Apply, control_plane: ControlPlane, namespace: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(diagnosis.WAITING_REASONS, reason, GRACE)
    with stand_in_kubelet(control_plane, namespace, waiting(reason, "back-off", "redis")):
        text, seconds = failure(apply, [a_deployment(namespace)])
    assert f"will not become ready: {reason}: back-off" in text
    assert GRACE <= seconds < 30


def test_a_volume_that_cannot_be_mounted_is_told_by_its_event(
    apply: Apply, control_plane: ControlPlane, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(diagnosis.WAITING_REASONS, "ContainerCreating", GRACE)
    message = 'MountVolume.SetUp failed for volume "acl" : secret "redis-acl" not found'

    def creating(pod: dict[str, Any]) -> dict[str, Any]:
        metadata = pod["metadata"]
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": metadata["name"], "namespace": namespace},
            "involvedObject": {"kind": "Pod", **{name: metadata[name] for name in ("namespace", "name", "uid")}},
            "type": "Warning",
            "reason": "FailedMount",
            "message": message,
            "lastTimestamp": "2026-01-01T00:00:00Z",
        }
        control_plane.request("POST", f"/api/v1/namespaces/{namespace}/events", event)
        return waiting("ContainerCreating", "", "redis")

    with stand_in_kubelet(control_plane, namespace, creating):
        text, seconds = failure(apply, [a_deployment(namespace)])
    assert f"Deployment {namespace}/redis will not become ready: FailedMount: {message}" in text
    assert GRACE <= seconds < 30


@pytest.mark.usefixtures("short_grace")
def test_a_rollout_that_a_quota_refuses_goes_on_when_a_job_ends(
    apply: Apply, control_plane: ControlPlane, namespace: str
) -> None:
    core = f"/api/v1/namespaces/{namespace}"
    quota = an_object("v1", "ResourceQuota", namespace, "small", spec={"hard": {"pods": "2"}})
    assert control_plane.request("POST", f"{core}/resourcequotas", quota)[0] == 201
    labels = {"app": "agentsmith", "job-id": "1"}
    with stand_in_kubelet(control_plane, namespace, ready()):
        rolling = a_deployment(namespace)
        rolling["spec"]["strategy"] = {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
        apply([rolling], wait=True, wait_timeout=30)
        container = {"name": "agentsmith", "image": "agent"}
        template = {"metadata": {"labels": labels}, "spec": {"restartPolicy": "Never", "containers": [container]}}
        job = {"metadata": {"name": "agentsmith-1", "labels": labels}, "spec": {"template": template}}
        jobs = f"/apis/batch/v1/namespaces/{namespace}/jobs"
        assert control_plane.request("POST", jobs, job)[0] == 201
        await_true(lambda: len(control_plane.get(f"{core}/pods")["items"]) == 2)
        changed = copy.deepcopy(rolling)
        changed["spec"]["template"]["spec"]["containers"][0]["image"] = "redis:2"
        text, seconds = failure(apply, [changed], timeout=3)
        assert "exceeded quota: small" in text
        assert "Jobs that use the quota: agentsmith-1" in text
        assert seconds >= 3 > GRACE
        end = {"propagationPolicy": "Background"}
        ending = threading.Timer(1, lambda: control_plane.request("DELETE", f"{jobs}/agentsmith-1", end))
        ending.start()
        apply([changed], wait=True, wait_timeout=60)
        ending.join()


@pytest.mark.usefixtures("short_grace")
def test_pods_that_a_quota_refuses_end_the_wait(apply: Apply, control_plane: ControlPlane, namespace: str) -> None:
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "none"},
        "spec": {"hard": {"pods": "0"}},
    }
    assert control_plane.request("POST", f"/api/v1/namespaces/{namespace}/resourcequotas", quota)[0] == 201
    text, seconds = failure(apply, [a_deployment(namespace)])
    assert "will not become ready: FailedCreate: pods" in text
    assert "quota" in text
    assert GRACE <= seconds < 30


@pytest.mark.usefixtures("short_grace")
def test_a_job_with_pods_that_pod_security_refuses_ends_the_wait(
    apply: Apply, control_plane: ControlPlane, namespace: str
) -> None:
    label = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
    control_plane.request("PATCH", f"/api/v1/namespaces/{namespace}", label, "application/merge-patch+json")
    text, _seconds = failure(apply, [a_job(namespace)])
    assert f"Job {namespace}/migrate will not become ready: FailedCreate" in text
    assert "violates PodSecurity" in text


def test_a_job_is_waited_for_until_it_is_complete(apply: Apply, control_plane: ControlPlane, namespace: str) -> None:
    with stand_in_kubelet(control_plane, namespace, succeeded()):
        assert apply([a_job(namespace)], wait=True, wait_timeout=30)["changed"]


def test_a_job_that_fails_ends_the_wait(apply: Apply, control_plane: ControlPlane, namespace: str) -> None:
    job = a_job(namespace)
    job["spec"]["backoffLimit"] = 0
    with stand_in_kubelet(control_plane, namespace, failed()):
        text, seconds = failure(apply, [job])
    assert f"Job {namespace}/migrate will not become ready: BackoffLimitExceeded" in text
    assert seconds < 30


def test_the_timeout_says_how_far_everything_is(apply: Apply, namespace: str) -> None:
    text, seconds = failure(apply, [a_deployment(namespace), a_job(namespace)], timeout=2)
    assert "wait_timeout (2 s) is over" in text
    assert f"Deployment {namespace}/redis is not ready: 1 of 1 replica updated, 0 available" in text
    assert f"Job {namespace}/migrate is not ready: 0 pods succeeded" in text
    assert seconds < 30


def test_a_warning_of_the_server_is_handed_on(apply: Apply, control_plane: ControlPlane, namespace: str) -> None:
    label = {"metadata": {"labels": {"pod-security.kubernetes.io/warn": "restricted"}}}
    control_plane.request("PATCH", f"/api/v1/namespaces/{namespace}", label, "application/merge-patch+json")
    (warning,) = apply([a_job(namespace)])["warnings"]
    assert warning.startswith(f'Job {namespace}/migrate: would violate PodSecurity "restricted:latest"')
