# SPDX-License-Identifier: GPL-3.0-or-later
"""Teardown on a real API server with its controllers: all of ours goes, nothing of others, no running Job unasked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.connection import Connection
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ApplyError
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.owner import Owner
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.lock import LockSettings, ReleaseLease
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.teardown import Teardown, TeardownSettings
from control_plane import ControlPlane
from engine import Apply, Play
from fault_proxy import Fault, FaultProxy
from release_objects import RBAC, a_config_map, a_deployment, a_release, an_object
from stand_in_kubelet import ready, stand_in_kubelet, succeeded

Tear = Callable[..., dict[str, Any]]


@pytest.fixture
def tear_down(connection_options: dict[str, Any], new_namespace: str) -> Tear:
    """Tear the release of the test's namespace down: `tear_down(jobs="kill")` returns the result or raises."""

    def run(instance: str = "agentsmith", options: dict[str, Any] | None = None, **settings: Any) -> dict[str, Any]:
        with Connection(options or connection_options) as connection:
            owner = Owner(new_namespace, instance)
            teardown = Teardown(connection, owner, TeardownSettings(**{"timeout": 60, **settings}))
            teardown.execute()
            return {**teardown.result(), "writes": connection.requests["write"]}

    return run


@pytest.fixture
def job(control_plane: ControlPlane, new_namespace: str) -> Callable[..., str]:
    """Create a Job as the Dispatcher does, without a label of ours; return its path."""

    def create(name: str = "agentsmith-0123456789ab", **labels: str) -> str:
        labels = labels or {"app": "agentsmith", "job-id": "0123456789ab"}
        template = {
            "metadata": {"labels": labels},
            "spec": {"restartPolicy": "Never", "containers": [{"name": "agentsmith", "image": "agent"}]},
        }
        metadata = {"name": name, "labels": {**labels, "project": "web"}}
        body = {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {"template": template}}
        path = f"/apis/batch/v1/namespaces/{new_namespace}/jobs"
        assert control_plane.request("POST", path, body)[0] == 201
        return f"{path}/{name}"

    return create


def deleted(result: dict[str, Any]) -> list[str]:
    return sorted(f"{entry['kind']}/{entry['name']}" for entry in result["objects"] if entry["result"] == "deleted")


def names(objects: list[dict[str, Any]]) -> list[str]:
    return sorted(f"{body['kind']}/{body['metadata']['name']}" for body in objects if body["kind"] != "Namespace")


def test_a_release_goes_with_the_namespace_that_it_made(
    apply: Apply, tear_down: Tear, control_plane: ControlPlane, new_namespace: str
) -> None:
    objects = a_release(new_namespace)
    role = {"apiGroup": RBAC, "kind": "ClusterRole", "name": "view"}
    binding = an_object(f"{RBAC}/v1", "ClusterRoleBinding", "", new_namespace, roleRef=role, subjects=[])
    binding["metadata"]["labels"]["agentsmith.platform/namespace"] = new_namespace
    earlier = a_config_map(new_namespace)  # of an earlier version of the release
    earlier["metadata"]["name"] = "earlier"
    with stand_in_kubelet(control_plane, new_namespace, ready()):
        apply([*objects, binding, earlier], wait=True)
        assert len(control_plane.get(f"/api/v1/namespaces/{new_namespace}/pods")["items"]) == 2
        preview = tear_down(check_mode=True)
        assert preview["writes"] == 0
        result = tear_down()
    assert deleted(preview) == deleted(result) == names([*objects, binding, earlier])
    assert preview["namespace"]["result"] == result["namespace"]["result"] == "deleted"
    assert result["pods_left"] == 0
    assert control_plane.get(f"/api/v1/namespaces/{new_namespace}") is None
    assert control_plane.get(f"/apis/{RBAC}/v1/clusterrolebindings/{new_namespace}") is None

    again = tear_down()
    assert not again["changed"] and again["writes"] == 0 and again["objects"] == []
    assert again["namespace"]["result"] == "absent"


def test_what_is_of_others_stays_and_is_listed(
    apply: Apply, tear_down: Tear, control_plane: ControlPlane, new_namespace: str
) -> None:
    objects = a_release(new_namespace)
    apply(objects)
    foreign = a_config_map(new_namespace)
    foreign["metadata"] |= {"name": "foreign", "labels": {}}
    others_instance = a_deployment(new_namespace, "of-another")
    for metadata in (others_instance["metadata"], others_instance["spec"]["template"]["metadata"]):
        metadata["labels"]["app.kubernetes.io/instance"] = "another"
    apply([foreign, others_instance])
    result = tear_down()
    assert deleted(result) == names(objects)
    assert result["namespace"]["result"] == "kept"
    assert result["namespace"]["foreign"] == ["ConfigMap foreign", "Deployment of-another"]
    assert "    ConfigMap foreign" in result["text"].splitlines()
    again = tear_down()
    assert not again["changed"] and again["writes"] == 0

    for path in ("/api/v1/namespaces/{}/configmaps/foreign", "/apis/apps/v1/namespaces/{}/deployments/of-another"):
        assert control_plane.request("DELETE", path.format(new_namespace))[0] == 200
    assert tear_down()["namespace"]["result"] == "deleted"


def test_a_namespace_that_was_there_before_is_given_back(
    apply: Apply, tear_down: Tear, control_plane: ControlPlane, namespace: str
) -> None:
    path = f"/api/v1/namespaces/{namespace}"
    before = control_plane.get(path)["metadata"]["labels"]
    apply(a_release(namespace))
    assert control_plane.get(path)["metadata"]["labels"] != before
    result = tear_down()
    assert result["namespace"]["result"] == "released"
    assert control_plane.get(path)["metadata"]["labels"] == before
    again = tear_down()
    assert not again["changed"] and again["writes"] == 0
    assert again["namespace"]["result"] == "kept"


def test_the_mark_of_a_made_namespace_outlives_further_deploys(
    apply: Apply, control_plane: ControlPlane, new_namespace: str
) -> None:
    apply(a_release(new_namespace))
    assert not apply(a_release(new_namespace))["changed"]
    changed = a_release(new_namespace)
    changed[0]["metadata"]["labels"]["team"] = "one"
    apply(changed)
    annotations = control_plane.get(f"/api/v1/namespaces/{new_namespace}")["metadata"]["annotations"]
    assert annotations["agentsmith.platform/created"] == "true"


def test_running_jobs_are_refused_before_any_write(
    apply: Apply, tear_down: Tear, job: Any, control_plane: ControlPlane, new_namespace: str
) -> None:
    apply(a_release(new_namespace))
    path = job()
    with pytest.raises(ApplyError, match=r"1 Job runs .*agentsmith-0123456789ab\. Nothing was changed\..*=wait.*=kill"):
        tear_down()
    assert control_plane.get(f"/apis/apps/v1/namespaces/{new_namespace}/deployments/redis")
    assert not control_plane.get(path)["metadata"].get("deletionTimestamp")


def test_running_jobs_are_waited_for(
    apply: Apply, tear_down: Tear, job: Any, control_plane: ControlPlane, new_namespace: str
) -> None:
    apply(a_release(new_namespace)[:1])
    path = job()
    with pytest.raises(ApplyError, match=r"1 Job still runs after 1 s .*agentsmith-0123456789ab"):
        tear_down(jobs="wait", jobs_timeout=1)
    assert not control_plane.get(path)["metadata"].get("deletionTimestamp")
    with stand_in_kubelet(control_plane, new_namespace, succeeded()):
        result = tear_down(jobs="wait", jobs_timeout=60)
    assert deleted(result) == ["Job/agentsmith-0123456789ab"]
    assert control_plane.get(path) is None


def test_running_jobs_are_killed_and_those_of_others_are_not(
    apply: Apply, tear_down: Tear, job: Any, control_plane: ControlPlane, new_namespace: str
) -> None:
    apply(a_release(new_namespace))
    ours, theirs = job(), job("by-hand", app="agentsmith")
    result = tear_down(jobs="kill")
    assert control_plane.get(ours) is None and control_plane.get(theirs)
    assert "Job by-hand" in result["namespace"]["foreign"]


def test_an_interrupted_teardown_is_completed(
    apply: Apply, tear_down: Tear, fault_proxy: FaultProxy, control_plane: ControlPlane, new_namespace: str
) -> None:
    apply(a_release(new_namespace))
    fault_proxy.faults = [Fault("DELETE", "/secrets/", status=403)]
    options = {"host": fault_proxy.url, "api_key": control_plane.token}
    with pytest.raises(ApplyError, match=r"Secret .* was not deleted \(403\)"):
        tear_down(options=options)
    result = tear_down()
    assert "Secret/agentsmith-secrets" in deleted(result)
    assert control_plane.get(f"/api/v1/namespaces/{new_namespace}") is None


def test_a_deploy_at_work_is_waited_for_and_named(
    apply: Apply, tear_down: Tear, connection_options: dict[str, Any], control_plane: ControlPlane, new_namespace: str
) -> None:
    foreign = a_config_map(new_namespace)
    foreign["metadata"] |= {"name": "foreign", "labels": {}}
    apply([*a_release(new_namespace), foreign])
    with Connection(connection_options) as connection:
        lease = ReleaseLease(connection, Owner(new_namespace, "agentsmith"), "somebody@host", LockSettings(duration=3))
        lease.acquire()
    with pytest.raises(ApplyError, match="somebody@host has been deploying this release since .*Nothing was changed"):
        tear_down(lock=LockSettings(timeout=0))
    assert control_plane.get(f"/apis/apps/v1/namespaces/{new_namespace}/deployments/redis")
    # A deploy that died: its lock passes on.
    assert tear_down(lock=LockSettings(duration=3, timeout=60))["namespace"]["foreign"] == ["ConfigMap foreign"]
    assert control_plane.get(f"/apis/coordination.k8s.io/v1/namespaces/{new_namespace}/leases")["items"] == []


def test_a_finalizer_is_named(apply: Apply, tear_down: Tear, control_plane: ControlPlane, new_namespace: str) -> None:
    body = a_config_map(new_namespace)
    body["metadata"]["finalizers"] = ["example.com/held"]
    apply([*a_release(new_namespace)[:1], body])
    with pytest.raises(
        ApplyError, match=r"ConfigMap .*/agentsmith-config is being deleted but still exists: .*example.com/held"
    ):
        tear_down(timeout=1)
    path = f"/api/v1/namespaces/{new_namespace}/configmaps/agentsmith-config"
    gone = {"metadata": {"finalizers": None}}
    assert control_plane.request("PATCH", path, gone, "application/merge-patch+json")[0] == 200
    assert tear_down()["namespace"]["result"] == "deleted"


def test_pods_that_are_left_are_named(
    apply: Apply, tear_down: Tear, control_plane: ControlPlane, new_namespace: str
) -> None:
    pods = f"/api/v1/namespaces/{new_namespace}/pods"
    merge = "application/merge-patch+json"
    with stand_in_kubelet(control_plane, new_namespace, ready()):
        apply(a_release(new_namespace), wait=True)
        name = control_plane.get(pods)["items"][0]["metadata"]["name"]
        held = {"metadata": {"finalizers": ["example.com/held"]}}
        assert control_plane.request("PATCH", f"{pods}/{name}", held, merge)[0] == 200
        with pytest.raises(
            ApplyError, match=rf"1 pod is still there after 5 s \(teardown_timeout\): {name} on no node"
        ):
            tear_down(timeout=5)
        assert control_plane.get(f"/api/v1/namespaces/{new_namespace}/secrets/agentsmith-secrets")
        released = {"metadata": {"finalizers": None}}
        assert control_plane.request("PATCH", f"{pods}/{name}", released, merge)[0] == 200
        assert tear_down()["pods_left"] == 0
    assert control_plane.get(f"/api/v1/namespaces/{new_namespace}") is None


def test_who_may_not_list_leaves_nothing_behind_by_mistake(
    tear_down: Tear, control_plane: ControlPlane, namespace: str
) -> None:
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "nobody"}}
    accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    assert control_plane.request("POST", accounts, account)[0] == 201
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"audiences": []}}
    token = control_plane.request("POST", f"{accounts}/nobody/token", request)[1]["status"]["token"]
    options = {"host": control_plane.url, "api_key": token, "ca_cert": str(control_plane.ca_file)}
    with pytest.raises(ApplyError, match="cannot be listed in the namespace .*ConfigMap.*Nothing was changed"):
        tear_down(options=options)


def test_the_task(apply: Apply, play: Play, control_plane: ControlPlane, new_namespace: str, job: Any) -> None:
    apply(a_release(new_namespace))
    job()
    options = {"host": control_plane.url, "api_key": control_plane.token, "ca_cert": str(control_plane.ca_file)}
    ended = play(None, {**options, "namespace": new_namespace}, action="teardown")
    assert ended.returncode == 2 and "teardown_jobs=wait" in ended.stdout
