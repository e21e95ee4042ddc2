# SPDX-License-Identifier: GPL-3.0-or-later
"""What admission and controllers of others write into a release: a deploy keeps it, and an unchanged one stays one."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from admission import CPU, OURS, PATH, mutating, sidecar
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.drain import Drain
from awaiting import await_true
from control_plane import ControlPlane
from engine import Play
from release_objects import a_job, a_release, an_object
from stand_in_kubelet import ready, stand_in_kubelet
from transactions import Release, Result

MERGE, STRATEGIC = "application/merge-patch+json", "application/strategic-merge-patch+json"
NO_REQUEST_TO_WRITE = {"opened": False, "started": False, "holder": "", "lost_call": {}}
IMAGE = f"""{OURS}.image.startsWith("mirror.") ? [] :
  [JSONPatch{{op: "replace", path: {PATH} "/image", value: "mirror.example.com/" + {OURS}.image}}]"""
PROBE_REMOVED = f"""has({OURS}.readinessProbe) ? [JSONPatch{{op: "remove", path: {PATH} "/readinessProbe"}}] : []"""
TOLERATIONS = "object.spec.template.spec.?tolerations.orValue([])"
TOLERATION = f"""{TOLERATIONS}.exists(t, t.key == "spot") ? [] : [JSONPatch{{op: "add",
  path: "/spec/template/spec/tolerations",
  value: {TOLERATIONS} + [Object.spec.template.spec.tolerations{{key: "spot", operator: "Exists"}}]}}]"""

ANNOTATIONS = "object.metadata.annotations"
WRITES_COUNTED = f"""(has({ANNOTATIONS})
  ? [JSONPatch{{op: "add", path: "/metadata/annotations/writes", value: {ANNOTATIONS}[?"writes"].orValue("") + "i"}}]
  : [JSONPatch{{op: "add", path: "/metadata/annotations", value: {{"writes": "i"}}}}])"""

REWRITES = {
    "a stated cpu request": CPU,
    "the image, for a mirror": IMAGE,
    "a probe, removed": PROBE_REMOVED,
    "a sidecar before our container": sidecar("0"),
    "a sidecar after our container": sidecar("-"),
    "an entry in a list that we state as a whole": TOLERATION,
    "a stated field, and another one anew with each write": f"{WRITES_COUNTED} + {CPU}",
}


@pytest.fixture
def release(control_plane: ControlPlane, connection_options: dict[str, Any], namespace: str) -> Iterator[Release]:
    """A release that is not installed yet, in a namespace that is there and whose pods run."""
    with stand_in_kubelet(control_plane, namespace, lambda _pod: ready()):
        yield Release(namespace, connection_options)


def objects_in(namespace: str) -> list[dict[str, Any]]:
    """Return a release whose workloads tolerate something, so that others can add to a list that is ours."""
    objects = a_release(namespace)[1:]
    for body in objects:
        if body["kind"] == "Deployment":
            body["spec"]["template"]["spec"]["tolerations"] = [{"key": "ours", "operator": "Exists"}]
    return objects


def deployment(control_plane: ControlPlane, namespace: str, name: str = "agentsmith-dispatcher") -> dict[str, Any]:
    return control_plane.get(f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}")


def assert_unchanged(result: Result) -> None:
    assert set(result) == {"apply"}, result
    assert result["apply"]["transaction"] == NO_REQUEST_TO_WRITE
    assert not result["apply"]["changed"] and result["apply"]["requests"]["write"] == 0
    assert {entry["result"] for entry in result["apply"]["objects"]} == {"unchanged"}


@pytest.mark.parametrize("rewrite", REWRITES)
def test_what_admission_rewrites_is_no_change(control_plane: ControlPlane, release: Release, rewrite: str) -> None:
    objects = objects_in(release.namespace)
    with mutating(control_plane, release.namespace, REWRITES[rewrite]):
        first = release.deploy(objects)
        assert first["commit"]["recorded"], first
        before = deployment(control_plane, release.namespace)
        assert_unchanged(release.deploy(objects))
        assert deployment(control_plane, release.namespace) == before


def test_a_change_elsewhere_waits_for_no_job_and_rolls_no_pod(control_plane: ControlPlane, release: Release) -> None:
    objects = objects_in(release.namespace)
    with mutating(control_plane, release.namespace, CPU):
        release.deploy(objects)
        before = deployment(control_plane, release.namespace)
        job = a_job(release.namespace, "agentsmith-0123456789ab")
        job["metadata"]["labels"] = {"app": "agentsmith", "job-id": "0123456789ab"}
        assert control_plane.request("POST", f"/apis/batch/v1/namespaces/{release.namespace}/jobs", job)[0] == 201
        changed = deepcopy(objects)
        next(body for body in changed if body["kind"] == "ConfigMap")["data"]["agentsmith.yml"] += "# changed\n"
        result = release.deploy(changed, drain=Drain("agentsmith-dispatcher", timeout=0.1))
        assert result["commit"]["recorded"], result
        assert "warnings" not in result["apply"]
        assert deployment(control_plane, release.namespace)["spec"] == before["spec"]
        assert_unchanged(release.deploy(changed))


def test_a_rewritten_field_is_no_change_of_a_rotation(
    control_plane: ControlPlane, release: Release, play: Play
) -> None:
    objects = objects_in(release.namespace)
    with mutating(control_plane, release.namespace, CPU):
        release.deploy(objects)
        next(body for body in objects if body["kind"] == "Secret")["stringData"]["github-token"] = "MARKED-new"
        options = {
            "host": control_plane.url,
            "api_key": control_plane.token,
            "ca_cert": str(control_plane.ca_file),
            "keys": ["github-token"],
            "secret": "agentsmith-secrets",
            "namespace": release.namespace,
            "wait": False,
        }
        ended = play(objects, options, action="rotate_secret")
        assert ended.returncode == 0, ended.stdout
        assert "MARKED" not in ended.stdout
        assert_unchanged_objects(release.apply(objects))


def assert_unchanged_objects(result: Result) -> None:
    assert {entry["result"] for entry in result["objects"]} == {"unchanged"}, result


def edited(
    control_plane: ControlPlane, path: str, body: Any, manager: str, content_type: str = MERGE, subresource: str = ""
) -> dict[str, Any]:
    """Change a live object as a controller does."""
    target = f"{path}{subresource}?fieldManager={manager}"
    status, answer = control_plane.request("PATCH", target, body, content_type)
    assert status == 200, answer
    return answer


def test_what_controllers_add_is_kept_and_no_change(control_plane: ControlPlane, release: Release) -> None:
    objects = [an_object("v1", "Namespace", "", release.namespace), *objects_in(release.namespace)]
    release.deploy(objects)
    space = f"/api/v1/namespaces/{release.namespace}"
    workload = f"/apis/apps/v1/namespaces/{release.namespace}/deployments/agentsmith-dispatcher"
    annotated = {"metadata": {"annotations": {"cloud.google.com/neg": "x"}, "labels": {"team": "platform"}}}
    places = [space, f"{space}/services/redis", f"{space}/secrets/agentsmith-secrets", workload]
    for place in places:
        edited(control_plane, place, annotated, "glbc")
    restarted = {"annotations": {"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"}}
    edited(control_plane, workload, {"spec": {"template": {"metadata": restarted}}}, "kubectl-rollout", STRATEGIC)
    with_proxy = {"containers": [{"name": "proxy", "image": "proxy"}]}
    edited(control_plane, workload, {"spec": {"template": {"spec": with_proxy}}}, "injector", STRATEGIC)
    assert_unchanged(release.deploy(objects))
    changed = deepcopy(objects)
    next(body for body in changed if body["metadata"]["name"] == "agentsmith-dispatcher")["spec"]["replicas"] = 2
    assert release.deploy(changed)["commit"]["recorded"]
    for place in places:
        metadata = control_plane.get(place)["metadata"]
        assert metadata["annotations"]["cloud.google.com/neg"] == "x" and metadata["labels"]["team"] == "platform"
    template = control_plane.get(workload)["spec"]["template"]
    assert template["metadata"]["annotations"].items() >= restarted["annotations"].items()
    assert {entry["name"] for entry in template["spec"]["containers"]} == {"agentsmith-dispatcher", "proxy"}


def account_of(objects: list[dict[str, Any]]) -> dict[str, Any]:
    return next(body for body in objects if body["kind"] == "ServiceAccount")


def names(entries: list[dict[str, Any]] | None) -> list[str]:
    return [entry["name"] for entry in entries or []]


def test_pull_secrets_of_others_stay_and_ours_go(control_plane: ControlPlane, release: Release) -> None:
    objects = objects_in(release.namespace)
    path = f"/api/v1/namespaces/{release.namespace}/serviceaccounts/agentsmith"
    account_of(objects)["imagePullSecrets"] = [{"name": "ours"}]
    release.deploy(objects)
    theirs = {"imagePullSecrets": [{"name": "ours"}, {"name": "x-dockercfg"}], "secrets": [{"name": "x-dockercfg"}]}
    edited(control_plane, path, theirs, "openshift-controller-manager")
    assert_unchanged(release.deploy(objects))

    account_of(objects)["imagePullSecrets"] = [{"name": "other"}]
    release.deploy(objects)
    live = control_plane.get(path)
    assert names(live["imagePullSecrets"]) == ["x-dockercfg", "other"] and names(live["secrets"]) == ["x-dockercfg"]
    assert_unchanged(release.deploy(objects))

    del account_of(objects)["imagePullSecrets"]
    release.deploy(objects)
    live = control_plane.get(path)
    assert names(live["imagePullSecrets"]) == ["x-dockercfg"] and names(live["secrets"]) == ["x-dockercfg"]
    assert_unchanged(release.deploy(objects))
    assert release.restore("previous")["restored"]
    assert names(control_plane.get(path)["imagePullSecrets"]) == ["x-dockercfg", "other"]


def test_a_default_account_that_has_pull_secrets_of_the_platform(control_plane: ControlPlane, release: Release) -> None:
    path = f"/api/v1/namespaces/{release.namespace}/serviceaccounts/default"
    await_true(lambda: control_plane.get(path))
    edited(control_plane, path, {"imagePullSecrets": [{"name": "x-dockercfg"}]}, "openshift-controller-manager")
    default = an_object("v1", "ServiceAccount", release.namespace, "default", imagePullSecrets=[{"name": "ours"}])
    objects = [*objects_in(release.namespace), default]
    assert release.deploy(objects)["commit"]["recorded"]
    assert names(control_plane.get(path)["imagePullSecrets"]) == ["x-dockercfg", "ours"]
    assert_unchanged(release.deploy(objects))


def dispatcher_of(objects: list[dict[str, Any]]) -> dict[str, Any]:
    return next(body for body in objects if body["metadata"]["name"] == "agentsmith-dispatcher")


def test_replicas_that_are_not_stated_are_the_autoscalers(control_plane: ControlPlane, release: Release) -> None:
    objects = objects_in(release.namespace)
    path = f"/apis/apps/v1/namespaces/{release.namespace}/deployments/agentsmith-dispatcher"
    dispatcher_of(objects)["spec"]["replicas"] = 3
    release.deploy(objects)
    # Given up, the number stays: a pod less would be an outage until the autoscaler looks again.
    del dispatcher_of(objects)["spec"]["replicas"]
    preview = release.apply(objects, check_mode=True, diff_mode=True)
    (difference,) = [entry for entry in preview["diff"] if "agentsmith-dispatcher" in entry["before_header"]]
    assert "replicas: 3" in difference["after"]
    generation = control_plane.get(path)["metadata"]["generation"]
    assert release.deploy(objects)["commit"]["recorded"]
    live = control_plane.get(path)
    assert live["spec"]["replicas"] == 3 and live["metadata"]["generation"] == generation
    assert_unchanged(release.deploy(objects))

    edited(control_plane, path, {"spec": {"replicas": 5}}, "kube-controller-manager", MERGE, "/scale")
    assert_unchanged(release.deploy(objects))
    changed = deepcopy(objects)
    dispatcher_of(changed)["spec"]["template"]["spec"]["containers"][0]["image"] = "redis:8"
    assert release.deploy(changed)["commit"]["recorded"]
    assert control_plane.get(path)["spec"]["replicas"] == 5
    assert release.restore("previous")["restored"]
    assert control_plane.get(path)["spec"]["replicas"] == 5

    dispatcher_of(objects)["spec"]["replicas"] = 2
    assert release.deploy(objects)["commit"]["recorded"]
    assert control_plane.get(path)["spec"]["replicas"] == 2


@pytest.mark.parametrize("number", [3, 1], ids=["another number", "the same number"])
def test_a_stated_number_of_replicas_gives_way_to_an_autoscaler(
    control_plane: ControlPlane, release: Release, number: int
) -> None:
    objects = objects_in(release.namespace)
    path = f"/apis/apps/v1/namespaces/{release.namespace}/deployments/agentsmith-dispatcher"
    autoscalers = f"/apis/autoscaling/v2/namespaces/{release.namespace}/horizontalpodautoscalers"
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "agentsmith-dispatcher"}
    theirs = {"metadata": {"name": "theirs"}, "spec": {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 5}}
    release.deploy(objects)
    assert control_plane.request("POST", autoscalers, theirs)[0] == 201
    for replicas in (2, number):
        edited(control_plane, path, {"spec": {"replicas": replicas}}, "kube-controller-manager", MERGE, "/scale")
    assert_unchanged(release.deploy(objects))
    changed = deepcopy(objects)
    dispatcher_of(changed)["spec"]["template"]["spec"]["containers"][0]["image"] = "redis:8"
    assert release.deploy(changed)["commit"]["recorded"]
    assert release.restore("previous")["restored"]
    assert control_plane.get(path)["spec"]["replicas"] == number
    # Zero stops the autoscaler. Without the autoscaler, the number is the release's again.
    stopped = deepcopy(objects)
    dispatcher_of(stopped)["spec"]["replicas"] = 0
    assert release.deploy(stopped)["commit"]["recorded"]
    assert control_plane.get(path)["spec"]["replicas"] == 0
    assert control_plane.request("DELETE", f"{autoscalers}/theirs")[0] == 200
    edited(control_plane, path, {"spec": {"replicas": 4}}, "kubectl", MERGE, "/scale")
    assert release.deploy(objects)["commit"]["recorded"]
    assert control_plane.get(path)["spec"]["replicas"] == 1
