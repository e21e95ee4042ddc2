# SPDX-License-Identifier: GPL-3.0-or-later
"""The task rotate_secret as a user runs it, against a real API server."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.secrets.secret_digest import DIGEST_ANNOTATION
from control_plane import ControlPlane
from engine import Apply, Play
from fault_proxy import Fault, FaultProxy
from release_objects import a_config_map, a_deployment, a_secret, an_object
from stand_in_kubelet import ready, stand_in_kubelet, waiting
from transactions import Release

OLD, NEW = "MARK-old-value", "MARK-new-value"
SECRET = "agentsmith-secrets"
Rotate = Callable[..., subprocess.CompletedProcess[str]]


def a_stack(namespace: str, config: str = "old", **changed: str) -> list[dict[str, Any]]:
    """Return a Secret with three keys, a Deployment that reads two of them, one that reads none, and a ConfigMap."""
    values = {"redis-url": OLD, "github-token": OLD, "anthropic-api-key": OLD, **changed}
    return [
        a_secret(namespace, **values),
        a_deployment(namespace),
        a_deployment(namespace, "dispatcher", "redis-url", "github-token"),
        a_config_map(namespace, key=config),
    ]


@pytest.fixture
def rotate(play: Play, control_plane: ControlPlane, namespace: str, tmp_path: Path) -> Rotate:
    """Run the task with full output: `rotate(objects, keys, *flags, **options)`; fail the test when a value shows."""
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(control_plane.kubeconfig(), encoding="utf-8")

    def run(objects: list[Any], keys: Any, *flags: str, **more: Any) -> subprocess.CompletedProcess[str]:
        options = {"kubeconfig": str(kubeconfig), "namespace": namespace, "secret": SECRET, "keys": keys, "wait": False}
        ended = play(objects, {**options, **more}, "-vvv", "--diff", *flags, action="rotate_secret")
        output = ended.stdout + ended.stderr
        assert "MARK" not in output
        assert base64.b64encode(b"MARK").decode()[:5] not in output
        return ended

    return run


@pytest.fixture
def state(control_plane: ControlPlane, namespace: str) -> Callable[[], dict[str, Any]]:
    """Look at what may have changed: generations of the Deployments, the values, the ConfigMap."""

    def look() -> dict[str, Any]:
        base = f"/apis/apps/v1/namespaces/{namespace}/deployments"
        items = control_plane.get(base)["items"]
        data = control_plane.get(f"/api/v1/namespaces/{namespace}/secrets/{SECRET}")["data"]
        return {
            **{item["metadata"]["name"]: item["metadata"]["generation"] for item in items},
            **{key: base64.b64decode(value).decode() for key, value in data.items()},
            "config": control_plane.get(f"/api/v1/namespaces/{namespace}/configmaps/agentsmith-config")["data"]["key"],
        }

    return look


def test_a_rotation_changes_its_keys_and_rolls_their_readers(
    rotate: Rotate, apply: Apply, namespace: str, state: Callable[[], dict[str, Any]]
) -> None:
    apply(a_stack(namespace))
    before = state()
    # The ConfigMap and Redis differ, too, and stay as they are.
    new = a_stack(namespace, config="new", **{"github-token": NEW})
    new[1]["spec"]["replicas"] = 3
    preview = rotate(new, "github-token", "--check")
    assert preview.returncode == 0, preview.stdout
    assert "github-token: would be changed; Deployment dispatcher would roll." in preview.stdout
    assert state() == before
    ended = rotate(new, "github-token")
    assert ended.returncode == 0, ended.stdout
    assert "github-token: changed; Deployment dispatcher rolled." in ended.stdout
    assert state() == {**before, "github-token": NEW, "dispatcher": 2}
    again = rotate(new, "github-token")
    assert again.returncode != 0
    assert "github-token already has this value in" in again.stdout
    assert state() == {**before, "github-token": NEW, "dispatcher": 2}


def test_a_key_that_only_jobs_read_rolls_nothing(
    rotate: Rotate, apply: Apply, namespace: str, state: Callable[[], dict[str, Any]]
) -> None:
    apply(a_stack(namespace))
    before = state()
    ended = rotate(a_stack(namespace, **{"anthropic-api-key": NEW}), ["anthropic-api-key"])
    assert ended.returncode == 0, ended.stdout
    assert "anthropic-api-key: changed; nothing rolls" in ended.stdout
    assert state() == {**before, "anthropic-api-key": NEW}


def test_a_rotation_that_takes_the_password_of_redis_away_is_refused_beforehand(
    rotate: Rotate, apply: Apply, namespace: str, state: Callable[[], dict[str, Any]]
) -> None:
    users = an_object("v1", "Secret", namespace, "redis-acl", stringData={"users.acl": OLD})
    apply([*a_stack(namespace), users])
    before = state()
    ended = rotate(a_stack(namespace, **{"redis-url": NEW}), "redis-url")
    assert ended.returncode != 0
    assert "The bundled Redis still has a password" in ended.stdout
    assert "Nothing was changed." in ended.stdout
    assert state() == before


def test_several_keys_in_one_text(
    rotate: Rotate, apply: Apply, namespace: str, state: Callable[[], dict[str, Any]]
) -> None:
    apply(a_stack(namespace))
    ended = rotate(a_stack(namespace, **{"github-token": NEW, "redis-url": NEW}), "github-token,redis-url")
    assert ended.returncode == 0, ended.stdout
    assert state()["dispatcher"] == 2


@pytest.mark.parametrize(
    ("changed", "keys", "expected"),
    [
        ({"github-token": NEW, "anthropic-api-key": NEW}, "github-token", "anthropic-api-key of Secret"),
        ({"github-token": NEW}, "github-token,redis-url", "redis-url already has this value"),
        ({"github-token": NEW}, "githubtoken", "githubtoken is no key of Secret"),
        ({"github-token": NEW}, "", "No key is named"),
    ],
)
@pytest.mark.parametrize("flags", [[], ["--check"]], ids=["run", "check"])
def test_what_is_refused_changes_nothing(
    rotate: Rotate,
    apply: Apply,
    namespace: str,
    state: Callable[[], dict[str, Any]],
    changed: dict[str, str],
    keys: str,
    expected: str,
    flags: list[str],
) -> None:
    apply(a_stack(namespace))
    before = state()
    ended = rotate(a_stack(namespace, **changed), keys, *flags)
    assert ended.returncode != 0
    assert expected in ended.stdout
    assert "Nothing was changed" in ended.stdout
    assert state() == before


def test_drift_of_a_reader_is_refused(
    rotate: Rotate, apply: Apply, namespace: str, state: Callable[[], dict[str, Any]]
) -> None:
    apply(a_stack(namespace))
    before = state()
    new = a_stack(namespace, **{"github-token": NEW})
    new[2]["spec"]["replicas"] = 3
    ended = rotate(new, "github-token")
    assert ended.returncode != 0
    assert "Deployment dispatcher would change in spec.replicas as well" in ended.stdout
    assert state() == before


def test_a_rotation_that_was_interrupted_is_completed(
    rotate: Rotate, apply: Apply, namespace: str, state: Callable[[], dict[str, Any]]
) -> None:
    apply(a_stack(namespace))
    new = a_stack(namespace, **{"github-token": NEW})
    apply(new[:1])
    assert state()["dispatcher"] == 1
    ended = rotate(new, "github-token")
    assert ended.returncode == 0, ended.stdout
    assert "github-token: changed before; Deployment dispatcher rolled." in ended.stdout
    assert state()["dispatcher"] == 2


def change_as_others(control_plane: ControlPlane, namespace: str) -> None:
    """Give the Secret its new value as a controller that makes it does."""
    data = {"data": {"github-token": base64.b64encode(NEW.encode()).decode()}}
    path = f"/api/v1/namespaces/{namespace}/secrets/{SECRET}?fieldManager=external-secrets"
    assert control_plane.request("PATCH", path, data, "application/merge-patch+json")[0] == 200


def test_a_secret_of_others(
    rotate: Rotate, apply: Apply, control_plane: ControlPlane, namespace: str, state: Callable[[], dict[str, Any]]
) -> None:
    apply(a_stack(namespace))
    workloads = a_stack(namespace)[1:]
    unchanged = rotate(workloads, "github-token")
    assert unchanged.returncode != 0
    assert "github-token has not changed in Secret" in unchanged.stdout
    change_as_others(control_plane, namespace)
    ended = rotate(workloads, "github-token")
    assert ended.returncode == 0, ended.stdout
    assert "github-token: as it is in the cluster; Deployment dispatcher rolled." in ended.stdout
    assert state()["dispatcher"] == 2
    assert state()["redis"] == 1


def test_nothing_is_rotated_before_the_first_deploy(
    rotate: Rotate, control_plane: ControlPlane, namespace: str
) -> None:
    ended = rotate(a_stack(namespace), "github-token")
    assert ended.returncode != 0
    assert "Secret agentsmith-secrets does not exist yet" in ended.stdout
    assert control_plane.get(f"/api/v1/namespaces/{namespace}/secrets/{SECRET}") is None


@pytest.mark.parametrize(
    ("on_failure", "of_others", "value", "outcome"),
    [
        ("rollback", False, OLD, "The last good release, recorded at"),
        ("keep", False, NEW, "The changes of the failed run stay"),
        ("rollback", True, NEW, "Another tool manages the Secret, so its old values are not known here."),
    ],
)
def test_a_rotation_whose_pods_do_not_start_is_undone(
    rotate: Rotate,
    control_plane: ControlPlane,
    connection_options: dict[str, Any],
    namespace: str,
    state: Callable[[], dict[str, Any]],
    on_failure: str,
    of_others: bool,
    value: str,
    outcome: str,
) -> None:
    good: set[str | None] = set()

    def status(pod: dict[str, Any]) -> dict[str, Any]:
        digest = pod["metadata"].get("annotations", {}).get(DIGEST_ANNOTATION)
        if not good or digest in good:
            return ready()
        return waiting("InvalidImageName", "refused", pod["spec"]["containers"][0]["name"])

    with stand_in_kubelet(control_plane, namespace, status):
        release = Release(namespace, connection_options)
        assert release.deploy(a_stack(namespace))["commit"]["recorded"]
        pods = control_plane.get(f"/api/v1/namespaces/{namespace}/pods")["items"]
        good.update(pod["metadata"].get("annotations", {}).get(DIGEST_ANNOTATION) for pod in pods)
        transaction = {"namespace": namespace, "instance": release.instance, "on_failure": on_failure}
        new = a_stack(namespace, **{"github-token": NEW})
        if of_others:
            change_as_others(control_plane, namespace)
            new = new[1:]
        ended = rotate(new, "github-token", wait=True, wait_timeout=60, transaction=transaction)
    assert ended.returncode != 0
    assert "InvalidImageName: refused" in ended.stdout
    assert outcome in ended.stdout
    assert state()["github-token"] == value
    assert control_plane.get(f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases")["items"] == []


def test_a_lock_that_a_rotation_cannot_give_back_is_said(
    rotate: Rotate,
    apply: Apply,
    control_plane: ControlPlane,
    namespace: str,
    tls_fault_proxy: FaultProxy,
    tmp_path: Path,
) -> None:
    apply(a_stack(namespace))
    kubeconfig = tmp_path / "behind-proxy"
    kubeconfig.write_text(control_plane.kubeconfig(server=tls_fault_proxy.url), encoding="utf-8")
    tls_fault_proxy.faults = [Fault(method="DELETE", path="/leases/", status=403)]
    transaction = {"namespace": namespace, "instance": "agentsmith"}
    new = a_stack(namespace, **{"github-token": NEW})
    ended = rotate(new, "github-token", kubeconfig=str(kubeconfig), transaction=transaction)
    assert ended.returncode == 0, ended.stdout
    assert "This run could not release its lock" in ended.stdout + ended.stderr
