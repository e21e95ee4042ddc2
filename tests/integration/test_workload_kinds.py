# SPDX-License-Identifier: GPL-3.0-or-later
"""One workload of each kind in a release, on a real API server with its controllers."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.connection import Connection
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ApplyError
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.kinds import pod_template
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.labels import annotations_of
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.owner import Owner
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.teardown import Teardown, TeardownSettings
from awaiting import LONGEST, await_true
from control_plane import ControlPlane
from engine import Apply
from release_objects import a_secret, workloads
from stand_in_kubelet import ready, stand_in_kubelet, succeeded, waiting
from transactions import Release

NOWHERE = "nowhere"
ANNOTATION = "agentsmith.platform/secret-digest"


@pytest.fixture
def node(control_plane: ControlPlane, new_namespace: str) -> Iterator[str]:
    """A node, for whose sake a DaemonSet makes a pod."""
    body = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": f"node-of-{new_namespace}"}}
    assert control_plane.request("POST", "/api/v1/nodes", body)[0] == 201
    untainted = {"spec": {"taints": None}}  # a new node is not ready until its kubelet says so
    path = f"/api/v1/nodes/{body['metadata']['name']}"
    assert control_plane.request("PATCH", path, untainted, "application/merge-patch+json")[0] == 200
    yield body["metadata"]["name"]
    assert control_plane.request("DELETE", path)[0] == 200


def well(pod: dict[str, Any]) -> dict[str, Any]:
    """Return the status of a pod that does what its kind asks, if its image is there."""
    container = pod["spec"]["containers"][0]
    if container["image"] == NOWHERE:
        return waiting("ErrImageNeverPull", "no such image", container["name"])
    return succeeded() if pod["spec"]["restartPolicy"] == "Never" else ready()


def of_kind(body: dict[str, Any]) -> str:
    """Return the name of a test's case."""
    return body["kind"]


def path_of(body: dict[str, Any]) -> str:
    """Return where an object of workloads() is."""
    api = "api/v1" if body["apiVersion"] == "v1" else f"apis/{body['apiVersion']}"
    metadata = body["metadata"]
    return f"/{api}/namespaces/{metadata['namespace']}/{body['kind'].lower()}s/{metadata['name']}"


def spawn(control_plane: ControlPlane, cron_job: dict[str, Any]) -> None:
    """Start the next Job of a CronJob now, as its controller does and `kubectl create job --from`."""
    metadata = cron_job["metadata"]
    owner = {"apiVersion": "batch/v1", "kind": "CronJob", "controller": True, "blockOwnerDeletion": True}
    body = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "next", "ownerReferences": [{**owner, "name": metadata["name"], "uid": metadata["uid"]}]},
        "spec": cron_job["spec"]["jobTemplate"]["spec"],
    }
    assert control_plane.request("POST", f"/apis/batch/v1/namespaces/{metadata['namespace']}/jobs", body)[0] == 201


def with_image(body: dict[str, Any], image: str) -> dict[str, Any]:
    """Return the workload with another image."""
    changed = deepcopy(body)
    pod_template(changed)["spec"]["containers"][0]["image"] = image
    return changed


KINDS = [body["kind"] for body in workloads("")]
every_kind = pytest.mark.parametrize("at", range(len(KINDS)), ids=KINDS)


@pytest.mark.usefixtures("node")
@every_kind
def test_a_workload_goes_with_its_release(
    apply: Apply, connection_options: dict[str, Any], control_plane: ControlPlane, namespace: str, at: int
) -> None:
    body = workloads(namespace)[at]
    pods = f"/api/v1/namespaces/{namespace}/pods"
    with stand_in_kubelet(control_plane, namespace, well), Connection(connection_options) as connection:
        apply([body], wait=True, wait_timeout=LONGEST)
        if body["kind"] == "CronJob":
            spawn(control_plane, control_plane.get(path_of(body)))
            await_true(lambda: control_plane.get(pods)["items"])
        assert control_plane.get(pods)["items"]
        teardown = Teardown(connection, Owner(namespace, "agentsmith"), TeardownSettings(timeout=LONGEST))
        teardown.execute()
    result = teardown.result()
    assert [(entry["kind"], entry["result"]) for entry in result["objects"]] == [(body["kind"], "deleted")]
    assert result["pods_left"] == 0
    assert control_plane.get(pods)["items"] == []


@pytest.mark.usefixtures("node")
def test_what_is_unchanged_is_left_alone(apply: Apply, control_plane: ControlPlane, namespace: str) -> None:
    secret = a_secret(namespace, token="canary")
    with stand_in_kubelet(control_plane, namespace, well):
        first = apply([secret, *workloads(namespace, "token")], wait=True, wait_timeout=LONGEST)
        assert {entry["result"] for entry in first["objects"]} == {"created"}
        again = apply([secret, *workloads(namespace, "token")], wait=True, wait_timeout=LONGEST)
    assert not again["changed"], again["objects"]
    assert again["requests"]["write"] == 0


@pytest.mark.usefixtures("node")
@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet", "Pod"])
def test_a_workload_comes_back_from_a_bad_image(
    apply: Apply, control_plane: ControlPlane, namespace: str, kind: str
) -> None:
    good = next(body for body in workloads(namespace) if body["kind"] == kind)
    with stand_in_kubelet(control_plane, namespace, well):
        apply([good], wait=True, wait_timeout=LONGEST)
        with pytest.raises(ApplyError, match=rf"{kind} {namespace}/\S+ will not become ready: ErrImageNeverPull"):
            apply([with_image(good, NOWHERE)], wait=True, wait_timeout=LONGEST)
        assert apply([good], wait=True, wait_timeout=LONGEST)["changed"]


@pytest.fixture
def release(
    control_plane: ControlPlane, connection_options: dict[str, Any], namespace: str, node: str
) -> Iterator[Release]:
    """A release that is not installed yet, in a namespace whose pods do well if their image is there."""
    del node
    with stand_in_kubelet(control_plane, namespace, well):
        yield Release(namespace, connection_options)


def images(control_plane: ControlPlane, bodies: list[dict[str, Any]]) -> dict[str, str]:
    """Return the image that each live workload states, by its kind."""
    found = {body["kind"]: control_plane.get(path_of(body)) for body in bodies}
    return {kind: pod_template(live)["spec"]["containers"][0]["image"] for kind, live in found.items()}


@pytest.mark.parametrize("broken", ["Deployment", "StatefulSet", "DaemonSet", "Job", "Pod"])
def test_a_failed_deploy_of_any_kind_brings_all_of_them_back(
    release: Release, control_plane: ControlPlane, broken: str
) -> None:
    good = workloads(release.namespace)
    release.deploy(good, wait_timeout=LONGEST)
    bad = [with_image(body, NOWHERE if body["kind"] == broken else "newer") for body in good]
    undone = release.deploy(bad, wait_timeout=LONGEST)
    assert f"{broken} {release.namespace}/" in undone["apply"]["msg"]
    assert undone["restore"]["restored"], undone["restore"].get("msg")
    assert set(images(control_plane, good).values()) == {"extra"}
    again = release.deploy(good)["apply"]
    assert not again["transaction"]["opened"], again["objects"]


def test_the_release_before_comes_back_with_workloads_of_every_kind(
    release: Release, control_plane: ControlPlane
) -> None:
    first = workloads(release.namespace)
    release.deploy(first, wait_timeout=LONGEST)
    second = [with_image(body, "newer") for body in first]
    deployed = release.deploy(second, wait_timeout=LONGEST)
    assert set(images(control_plane, first).values()) == {"newer"}
    told = [warning for warning in deployed["apply"]["warnings"] if "was deleted and made again" in warning]
    assert [warning.split()[0] for warning in told] == ["Job"]  # the image of a pod may change
    assert release.restore("previous", wait_timeout=LONGEST)["restored"]
    assert set(images(control_plane, first).values()) == {"extra"}


@pytest.mark.parametrize("kind", ["Job", "Pod"])
def test_what_cannot_be_changed_is_made_again_unless_the_new_one_is_invalid(
    apply: Apply, control_plane: ControlPlane, namespace: str, kind: str
) -> None:
    body = next(body for body in workloads(namespace) if body["kind"] == kind)
    with stand_in_kubelet(control_plane, namespace, well):
        apply([body], wait=True, wait_timeout=LONGEST)
        before = control_plane.get(path_of(body))["metadata"]["uid"]
        invalid, changed = deepcopy(body), deepcopy(body)
        pod_template(invalid)["spec"]["containers"][0]["name"] = "Not_a_name"  # no schema tells
        with pytest.raises(ApplyError, match=rf"{kind} {namespace}/\S+ was refused \(422\)"):
            apply([invalid])
        assert control_plane.get(path_of(body))["metadata"]["uid"] == before
        pod_template(changed)["spec"]["containers"][0]["env"] = [{"name": "NEW", "value": "one"}]
        preview = apply([changed], check_mode=True)
        assert preview["requests"]["write"] == 0
        assert control_plane.get(path_of(body))["metadata"]["uid"] == before
        done = apply([changed], wait=True, wait_timeout=LONGEST)
    for result, would in ((preview, "would be"), (done, "was")):
        (entry,), (warning,) = result["objects"], result["warnings"]
        assert entry["result"] == "updated" and entry["fields"]
        assert f"{would} deleted and made again" in warning
    after = control_plane.get(path_of(body))
    assert after["metadata"]["uid"] != before
    assert pod_template(after)["spec"]["containers"][0]["env"] == [{"name": "NEW", "value": "one"}]


def test_a_changed_secret_rolls_what_can_roll(apply: Apply, control_plane: ControlPlane, release: Release) -> None:
    bodies = workloads(release.namespace, "token")
    apply([a_secret(release.namespace, token="old-canary"), *bodies], wait=True, wait_timeout=LONGEST)
    changed = apply([a_secret(release.namespace, token="new-canary"), *bodies], wait=True, wait_timeout=LONGEST)
    updated = {entry["kind"] for entry in changed["objects"] if entry["result"] == "updated"}
    assert updated == {"Secret", "Deployment", "StatefulSet", "DaemonSet", "CronJob"}
    pods = control_plane.get(f"/api/v1/namespaces/{release.namespace}/pods")["items"]
    digests: dict[str, set[str | None]] = {}
    for pod in pods:
        digests.setdefault(pod["metadata"]["labels"].get("app", "pod"), set()).add(annotations_of(pod).get(ANNOTATION))
    rolled = {app for app, found in digests.items() if found != {None}}
    assert rolled == {"deployment", "statefulset", "daemonset"}
    for body in bodies:
        stated = annotations_of(pod_template(control_plane.get(path_of(body)))).get(ANNOTATION)
        if stated and body["kind"] != "CronJob":
            assert digests[body["kind"].lower()] == {stated}, "a pod has the old values"
