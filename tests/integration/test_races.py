# SPDX-License-Identifier: GPL-3.0-or-later
"""A deploy among others that act on the same cluster: people, controllers, admission webhooks, other releases."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api import retry
from ansible_collections.agentsmith.platform.plugins.plugin_utils.pods import diagnosis
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.lock import LockSettings
from awaiting import await_true
from control_plane import ControlPlane
from release_objects import a_release, an_object
from stand_in_kubelet import ready, stand_in_kubelet
from transactions import Release

STRATEGIC = "application/strategic-merge-patch+json"
IMAGE_OF_REDIS = 'spec.template.spec.containers[name="redis"].image'
WEBHOOKS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"


@pytest.fixture
def release(control_plane: ControlPlane, connection_options: dict[str, Any], new_namespace: str) -> Iterator[Release]:
    """A release that is not installed yet, in a namespace whose pods run."""
    with stand_in_kubelet(control_plane, new_namespace, ready()):
        yield Release(new_namespace, connection_options)


def with_image(objects: list[dict[str, Any]], image: str) -> list[dict[str, Any]]:
    """Return the release with another image of Redis."""
    for body in objects:
        if body["kind"] == "Deployment" and body["metadata"]["name"] == "redis":
            body["spec"]["template"]["spec"]["containers"][0]["image"] = image
    return objects


def image_of_redis(control_plane: ControlPlane, namespace: str) -> str:
    deployment = control_plane.get(f"/apis/apps/v1/namespaces/{namespace}/deployments/redis")
    return deployment["spec"]["template"]["spec"]["containers"][0]["image"]


def assert_good(steps: dict[str, Any]) -> None:
    assert not [step for step in steps.values() if step.get("failed")], steps


@contextmanager
def a_webhook_that_never_answers(control_plane: ControlPlane, namespace: str) -> Iterator[None]:
    """Have the API server ask a silent server about every ConfigMap of a namespace."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["configmaps"]}
        webhook = {
            "name": "policy.example.com",
            "clientConfig": {"url": f"https://127.0.0.1:{silent.getsockname()[1]}/"},
            "rules": [rule],
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
            "failurePolicy": "Fail",
            "timeoutSeconds": 1,
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
        }
        body = {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": namespace},
            "webhooks": [webhook],
        }
        assert control_plane.request("POST", WEBHOOKS, body)[0] == 201
        try:
            yield
        finally:
            control_plane.request("DELETE", f"{WEBHOOKS}/{namespace}")


def test_an_admission_webhook_that_times_out_is_named(
    release: Release, control_plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "OUTAGE_PERIOD", 3.0)
    with a_webhook_that_never_answers(control_plane, release.namespace):
        # It takes effect a moment after it is there.
        probe = an_object("v1", "ConfigMap", release.namespace, "probe")
        namespace = an_object("v1", "Namespace", "", release.namespace)
        assert control_plane.request("POST", "/api/v1/namespaces", namespace)[0] == 201
        path = f"/api/v1/namespaces/{release.namespace}/configmaps?dryRun=All"
        await_true(lambda: control_plane.request("POST", path, probe)[0] != 201)
        steps = release.deploy(a_release(release.namespace))
        assert "policy.example.com" in steps["apply"]["msg"] and "agentsmith-config" in steps["apply"]["msg"]
    await_true(lambda: control_plane.request("POST", path, probe)[0] == 201)
    assert_good(release.deploy(a_release(release.namespace)))


def test_a_namespace_that_is_on_its_way_out_is_refused_until_it_is_gone(
    release: Release, control_plane: ControlPlane
) -> None:
    held = an_object("v1", "ConfigMap", release.namespace, "held")
    held["metadata"]["finalizers"] = ["example.com/held"]
    namespace = an_object("v1", "Namespace", "", release.namespace)
    path = f"/api/v1/namespaces/{release.namespace}"
    assert control_plane.request("POST", "/api/v1/namespaces", namespace)[0] == 201
    assert control_plane.request("POST", f"{path}/configmaps", held)[0] == 201
    control_plane.request("DELETE", path)
    steps = release.deploy(a_release(release.namespace))
    assert "is being deleted" in steps["apply"]["msg"] and "Nothing was changed" in steps["apply"]["msg"]
    gone = {"metadata": {"finalizers": None}}
    control_plane.request("PATCH", f"{path}/configmaps/held", gone, "application/merge-patch+json")
    await_true(lambda: control_plane.get(path) is None)
    assert_good(release.deploy(a_release(release.namespace)))


@pytest.mark.parametrize("guard", ["quota", "Pod Security"])
def test_pods_that_are_refused_bring_the_last_good_release_back(
    release: Release, control_plane: ControlPlane, monkeypatch: pytest.MonkeyPatch, guard: str
) -> None:
    monkeypatch.setattr(diagnosis, "REFUSED_PODS_GRACE", 1.0)
    objects = [body for body in a_release(release.namespace) if body["metadata"]["name"] != "redis"]
    (dispatcher,) = [body for body in objects if body["kind"] == "Deployment"]
    dispatcher["spec"]["strategy"] = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    assert_good(release.deploy(objects))
    path = f"/api/v1/namespaces/{release.namespace}"
    if guard == "quota":
        body = an_object("v1", "ResourceQuota", release.namespace, "small", spec={"hard": {"pods": "1"}})
        body["metadata"]["labels"] = {}
        assert control_plane.request("POST", f"{path}/resourcequotas", body)[0] == 201
        await_true(lambda: (control_plane.get(f"{path}/resourcequotas/small").get("status") or {}).get("used"))
    else:
        labels = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
        assert control_plane.request("PATCH", path, labels, "application/merge-patch+json")[0] == 200
    pods = {pod["metadata"]["uid"] for pod in control_plane.get(f"{path}/pods")["items"]}
    dispatcher["spec"]["template"]["spec"]["containers"][0]["image"] = "redis:8"
    steps = release.deploy(objects)
    assert {"quota": "exceeded quota: small", "Pod Security": "violates PodSecurity"}[guard] in steps["apply"]["msg"]
    assert steps["restore"]["restored"]
    assert {pod["metadata"]["uid"] for pod in control_plane.get(f"{path}/pods")["items"]} == pods


@pytest.mark.parametrize("minutes", [-10, 10])
def test_clocks_that_differ_neither_steal_nor_lose_a_lock(
    release: Release, control_plane: ControlPlane, minutes: int
) -> None:
    assert_good(release.deploy(a_release(release.namespace)))
    collection = f"/apis/coordination.k8s.io/v1/namespaces/{release.namespace}/leases"
    shifted = (datetime.now(UTC) + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    spec = {
        "holderIdentity": "other@host",
        "leaseDurationSeconds": 4,
        "acquireTime": shifted,
        "renewTime": shifted,
    }
    lease = an_object("coordination.k8s.io/v1", "Lease", release.namespace, "agentsmith-release", spec=spec)
    assert control_plane.request("POST", collection, lease)[0] == 201
    changed = with_image(a_release(release.namespace), "redis:8")
    release.lock = LockSettings(duration=4, timeout=1)
    assert "other@host has been deploying" in release.deploy(changed)["apply"]["msg"]
    release.lock = LockSettings(duration=4, timeout=60)
    assert_good(release.deploy(changed))
    assert image_of_redis(control_plane, release.namespace) == "redis:8"


def test_somebody_who_edits_all_the_time_does_not_make_a_deploy_fail(
    release: Release, control_plane: ControlPlane
) -> None:
    objects = a_release(release.namespace)
    assert_good(release.deploy(objects))
    stop = threading.Event()
    path = f"/apis/apps/v1/namespaces/{release.namespace}/deployments/redis?fieldManager=kubectl-edit"

    def edit() -> None:
        number = 0
        while not stop.wait(0.02):
            number += 1
            containers = [{"name": "redis", "image": f"edited:{number}"}]
            spec = {"template": {"spec": {"containers": containers}}}
            labels = {"edited": str(number)}
            control_plane.request("PATCH", path, {"metadata": {"labels": labels}, "spec": spec}, STRATEGIC)

    editor = threading.Thread(target=edit)
    editor.start()
    try:
        for number in range(3):
            await_true(lambda: image_of_redis(control_plane, release.namespace).startswith("edited:"))
            applied = release.apply(with_image(objects, f"redis:{number}"), wait=False)
            assert not applied.get("failed"), applied
            assert f"{IMAGE_OF_REDIS} was taken over from field manager kubectl-edit." in str(applied["warnings"])
            assert not release.commit(objects, applied, wait=False).get("failed")
    finally:
        stop.set()
        editor.join()
    assert_good(release.deploy(objects))
    assert image_of_redis(control_plane, release.namespace) == "redis:2"


def test_two_releases_of_one_cluster_do_not_meet(
    control_plane: ControlPlane, connection_options: dict[str, Any], new_namespace: str
) -> None:
    namespaces = [f"{new_namespace}-{name}" for name in ("one", "two")]
    releases = [Release(namespace, connection_options) for namespace in namespaces]
    with (
        stand_in_kubelet(control_plane, namespaces[0], ready()),
        stand_in_kubelet(control_plane, namespaces[1], ready()),
        ThreadPoolExecutor(2) as executor,
    ):
        for steps in executor.map(lambda release: release.deploy(a_release(release.namespace)), releases):
            assert_good(steps)
        fewer = a_release(namespaces[0])[:-1]
        futures = [
            executor.submit(releases[0].deploy, fewer),
            executor.submit(releases[1].deploy, with_image(a_release(namespaces[1]), "redis:8")),
        ]
        for future in futures:
            assert_good(future.result())
    policies = "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies/redis"
    assert [bool(control_plane.get(policies.format(namespace))) for namespace in namespaces] == [False, True]
    images = [image_of_redis(control_plane, namespace) for namespace in namespaces]
    assert images == ["redis", "redis:8"]
