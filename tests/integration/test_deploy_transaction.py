# SPDX-License-Identifier: GPL-3.0-or-later
"""A deploy as a transaction on a real API server: lock, record, rollback, and what a run that died leaves."""

from __future__ import annotations

import base64
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.pods import diagnosis
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.drain import Drain
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.lock import (
    LeaseLost,
    LockSettings,
    ReleaseLease,
)
from awaiting import LONGEST, await_true
from control_plane import ControlPlane
from engine import Play
from fault_proxy import Fault, FaultProxy
from release_objects import a_job, a_release, an_object
from stand_in_kubelet import ready, stand_in_kubelet, succeeded, waiting
from test_apply_faults import behind
from transactions import Release

BAD_IMAGE = "registry.invalid/nothing:1"
CRASHING = "crashing:1"
BACK_OFF = f'Back-off pulling image "{BAD_IMAGE}"'
CRASHED = "back-off 10s restarting failed container"
# What becomes of the pods of an image.
FAULTY = {BAD_IMAGE: ("ImagePullBackOff", BACK_OFF), CRASHING: ("CrashLoopBackOff", CRASHED)}
VIEWS = "views.example.com"
TOKEN, NEW_TOKEN = "ghp_0123456789", "ghp_new_9876543210"  # noqa: S105  test values
HELD = LockSettings(duration=60, timeout=0)
JOB = "agentsmith-0123456789ab"
DRAIN = Drain("agentsmith-dispatcher", timeout=2, redis="redis")


@pytest.fixture(autouse=True)
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    for reason, _message in FAULTY.values():
        monkeypatch.setitem(diagnosis.WAITING_REASONS, reason, 1.0)


@pytest.fixture
def ended_jobs() -> set[str]:
    """The names of the Jobs whose pods have done their work."""
    return set()


@pytest.fixture
def release(
    control_plane: ControlPlane, connection_options: dict[str, Any], new_namespace: str, ended_jobs: set[str]
) -> Iterator[Release]:
    """A release that is not installed yet, in a namespace whose pods run, unless their image is a faulty one."""

    def status(pod: dict[str, Any]) -> dict[str, Any]:
        container = pod["spec"]["containers"][0]
        if pod["metadata"]["labels"].get("batch.kubernetes.io/job-name") in ended_jobs:
            return succeeded()
        if container["image"] in FAULTY:
            return waiting(*FAULTY[container["image"]], container["name"])
        return ready()

    with stand_in_kubelet(control_plane, new_namespace, status):
        yield Release(new_namespace, connection_options)


@pytest.fixture
def job(release: Release, control_plane: ControlPlane) -> str:
    """A Job as the Dispatcher spawns it, in the namespace that it makes; return its path."""
    namespace = an_object("v1", "Namespace", "", release.namespace)
    assert control_plane.request("POST", "/api/v1/namespaces", namespace)[0] == 201
    body = a_job(release.namespace, JOB)
    body["metadata"]["labels"] = {"app": "agentsmith", "job-id": JOB.removeprefix("agentsmith-")}
    path = f"/apis/batch/v1/namespaces/{release.namespace}/jobs"
    assert control_plane.request("POST", path, body)[0] == 201
    return f"{path}/{JOB}"


def changed(objects: list[dict[str, Any]], image: str = "redis", **more: Any) -> list[dict[str, Any]]:
    """Return another release: another image of the Dispatcher, another token, another ConfigMap, one more object."""
    objects = deepcopy(objects)
    for body in objects:
        if body["metadata"]["name"] == "agentsmith-dispatcher":
            body["spec"]["template"]["spec"]["containers"][0]["image"] = image
            body["spec"]["strategy"] = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
        if body["kind"] == "Secret":
            body["stringData"]["github-token"] = NEW_TOKEN
        if body["kind"] == "ConfigMap":
            body["data"] = {"agentsmith.yml": f"projects: {{}}\n# {more}\n"}
    return [*objects, an_object("v1", "ConfigMap", objects[0]["metadata"]["name"], "added", data={})]


def live(control_plane: ControlPlane, release: Release) -> dict[str, Any]:
    """Return what of a release counts: the specs and data of all its objects, by kind and name."""
    space = f"namespaces/{release.namespace}"
    paths = [f"/api/v1/{space}/{name}" for name in ("secrets", "configmaps", "services", "serviceaccounts")]
    paths += [f"/apis/apps/v1/{space}/deployments", f"/apis/networking.k8s.io/v1/{space}/networkpolicies"]
    paths += [f"/apis/coordination.k8s.io/v1/{space}/leases"]
    state = {}
    for path in paths:
        for body in control_plane.get(path)["items"]:
            if body["metadata"].get("labels", {}).get("app.kubernetes.io/instance") and not is_record(body):
                name = f"{path.rpartition('/')[2]}/{body['metadata']['name']}"
                state[name] = {key: body.get(key) for key in ("spec", "data")}
    return state


def is_record(body: dict[str, Any]) -> bool:
    return body.get("type") == "agentsmith.platform/release.v1"


def lease_of(control_plane: ControlPlane, release: Release) -> Any:
    return control_plane.get(
        f"/apis/coordination.k8s.io/v1/namespaces/{release.namespace}/leases/{release.instance}-release"
    )


def record_of(control_plane: ControlPlane, release: Release) -> Any:
    return control_plane.get(f"/api/v1/namespaces/{release.namespace}/secrets/{release.instance}-release")


def releases_of(control_plane: ControlPlane, release: Release) -> Any:
    """Return what the record says of releases: all but the history, which tells of failed deploys, too."""
    record = record_of(control_plane, release)
    data = {key: value for key, value in record["data"].items() if key != "history"}
    return data, record["metadata"]["labels"], record["metadata"]["annotations"]


def test_a_first_deploy_is_recorded_and_the_second_sends_no_write(
    release: Release, control_plane: ControlPlane
) -> None:
    objects = a_release(release.namespace)
    steps = release.deploy(objects)
    assert {entry["result"] for entry in steps["apply"]["objects"]} == {"created"}
    assert steps["commit"]["recorded"]
    assert lease_of(control_plane, release) is None
    record = record_of(control_plane, release)
    again = release.deploy(objects)
    assert again.keys() == {"apply"}
    assert not again["apply"]["changed"]
    assert again["apply"]["requests"]["write"] == 0
    assert record_of(control_plane, release) == record
    for value in (TOKEN, base64.b64encode(TOKEN.encode()).decode()):
        assert value not in str(record["metadata"])
        assert value not in str(steps)


def test_a_preview_shows_what_each_step_then_does(release: Release) -> None:
    objects = a_release(release.namespace)
    for wanted in (objects, changed(objects), objects):
        previews = release.apply(wanted, check_mode=True, diff_mode=True)
        commit_preview = release.commit(wanted, previews, check_mode=True, diff_mode=True)
        assert previews["requests"]["write"] == commit_preview["requests"]["write"] == 0
        steps = release.deploy(wanted, diff_mode=True)
        assert previews["objects"] == steps["apply"]["objects"]
        assert commit_preview["objects"] == steps["commit"]["objects"]
        assert commit_preview["diff"] == steps["commit"]["diff"]
        assert (previews["changed"], commit_preview["changed"]) == (
            steps["apply"]["changed"],
            steps["commit"]["changed"],
        )


def test_what_is_no_longer_wanted_goes_with_the_commit(release: Release, control_plane: ControlPlane) -> None:
    objects = a_release(release.namespace)
    release.deploy(changed(objects))
    applied = release.apply(objects)
    assert "configmaps/added" in live(control_plane, release)
    committed = release.commit(objects, applied)
    assert [(entry["name"], entry["result"]) for entry in committed["objects"]] == [("added", "deleted")]
    assert "configmaps/added" not in live(control_plane, release)


@pytest.mark.parametrize("image", FAULTY)
def test_pods_that_cannot_start_bring_the_last_good_release_back(
    release: Release, control_plane: ControlPlane, image: str
) -> None:
    objects = a_release(release.namespace)
    release.deploy(objects)
    before, record = live(control_plane, release), releases_of(control_plane, release)
    steps = release.deploy(changed(objects, image))
    assert ": ".join(FAULTY[image]) in steps["apply"]["msg"]
    assert steps["restore"]["restored"]
    assert "The last good release, recorded at" in steps["restore"]["summary"]
    assert live(control_plane, release) == before
    assert releases_of(control_plane, release) == record
    for value in (TOKEN, NEW_TOKEN):
        assert value not in str(steps)
    assert not release.deploy(objects)["apply"]["transaction"]["opened"]


def test_a_failed_verify_brings_the_last_good_release_back(release: Release, control_plane: ControlPlane) -> None:
    objects = a_release(release.namespace)
    release.deploy(objects)
    before, record = live(control_plane, release), releases_of(control_plane, release)
    applied = release.apply(changed(objects))
    assert not applied.get("failed")
    assert lease_of(control_plane, release)["spec"]["holderIdentity"] == applied["transaction"]["holder"]
    assert "configmaps/added" in live(control_plane, release)
    undone = release.restore(holder=applied["transaction"]["holder"])
    assert undone["restored"], undone
    assert live(control_plane, release) == before
    assert releases_of(control_plane, release) == record
    assert lease_of(control_plane, release) is None
    assert not release.deploy(objects)["apply"]["transaction"]["opened"]


@pytest.mark.parametrize("died", [False, True])
def test_what_a_failed_deploy_made_goes_whatever_its_kind(
    release: Release, control_plane: ControlPlane, died: bool
) -> None:
    objects = a_release(release.namespace)
    release.deploy(objects)
    pod = {"containers": [{"name": "added", "image": "redis"}]}
    unusual = an_object("v1", "PodTemplate", release.namespace, "added", template={"spec": pod})
    path = f"/api/v1/namespaces/{release.namespace}/podtemplates/added"
    bad = [*changed(objects, BAD_IMAGE), unusual]
    if died:
        release.apply(bad, wait=False)
        assert control_plane.get(path) is not None
        assert release.deploy(objects)["commit"]["changed"]
    else:
        assert release.deploy(bad)["restore"]["restored"]
    assert control_plane.get(path) is None


@pytest.mark.parametrize("left_by", ["a first deploy", "a deploy that is kept", "a deploy whose way back failed"])
def test_what_a_failed_deploy_left_goes_with_the_next_good_one_whatever_its_kind(
    release: Release, control_plane: ControlPlane, fault_proxy: FaultProxy, left_by: str
) -> None:
    objects = a_release(release.namespace)
    pod = {"containers": [{"name": "added", "image": "redis"}]}
    unusual = an_object("v1", "PodTemplate", release.namespace, "added", template={"spec": pod})
    path = f"/api/v1/namespaces/{release.namespace}/podtemplates/added"
    if left_by == "a first deploy":
        assert release.deploy([*changed(objects, BAD_IMAGE), unusual])["apply"]["failed"]
    else:
        release.deploy(objects)
        applied = release.apply([*objects, unusual])
        if left_by != "a deploy that is kept":
            fault_proxy.faults = [Fault(method="DELETE", path="/podtemplates/", status=403)]
            release.options = behind(fault_proxy)
        ended = release.restore(holder=applied["transaction"]["holder"], keep=left_by == "a deploy that is kept")
        assert not ended.get("restored"), ended
        fault_proxy.faults = []
    assert control_plane.get(path) is not None
    assert release.deploy(objects)["commit"]["changed"]
    assert control_plane.get(path) is None
    assert not release.deploy(objects)["apply"]["transaction"]["opened"], "nothing is left to do"


@pytest.fixture
def second_api(control_plane: ControlPlane) -> Iterator[None]:
    """A group that serves ConfigMaps once more, as OpenShift's authorization.openshift.io does with Roles."""
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    names = {"plural": "configmaps", "kind": "ConfigMap"}
    schema = {"openAPIV3Schema": {"type": "object"}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"configmaps.{VIEWS}"},
        "spec": {"group": VIEWS, "scope": "Namespaced", "names": names, "versions": [version]},
    }
    status, answer = control_plane.request("POST", path, definition)
    assert status == 201, answer
    try:
        await_true(lambda: control_plane.request("GET", f"/apis/{VIEWS}/v1/configmaps")[0] == 200)
        yield
    finally:
        control_plane.request("DELETE", f"{path}/configmaps.{VIEWS}")


@pytest.mark.usefixtures("second_api")
def test_a_second_api_of_an_object_is_left_alone(release: Release, control_plane: ControlPlane) -> None:
    objects = a_release(release.namespace)
    release.deploy(objects)
    (configuration,) = [body for body in objects if body["kind"] == "ConfigMap"]
    view = {"apiVersion": f"{VIEWS}/v1", "kind": "ConfigMap", "metadata": configuration["metadata"]}
    path = f"/apis/{VIEWS}/v1/namespaces/{release.namespace}/configmaps"
    assert control_plane.request("POST", path, view)[0] == 201
    assert release.deploy(changed(objects, BAD_IMAGE))["restore"]["restored"]
    assert control_plane.get(f"{path}/{configuration['metadata']['name']}") is not None


def test_a_broken_api_of_others_does_not_stop_the_way_back(release: Release, fault_proxy: FaultProxy) -> None:
    objects = a_release(release.namespace)
    release.deploy(objects)
    fault_proxy.faults = [Fault(method="GET", path="/podtemplates", status=500, times=100)]
    release.options = behind(fault_proxy)
    assert release.deploy(changed(objects, BAD_IMAGE))["restore"]["restored"]
    asked = [seen for seen in fault_proxy.seen if "/podtemplates" in seen.path]
    assert len(asked) == 1, "once, without an outage's patience"


def test_a_first_install_that_fails_leaves_the_pieces(release: Release, control_plane: ControlPlane) -> None:
    steps = release.deploy(changed(a_release(release.namespace), BAD_IMAGE))
    assert steps["apply"]["failed"]
    assert not steps["restore"]["restored"]
    assert "No good release is recorded yet" in steps["restore"]["summary"]
    assert "deployments/agentsmith-dispatcher" in live(control_plane, release)
    assert lease_of(control_plane, release) is None
    assert release.deploy(a_release(release.namespace))["commit"]["recorded"]


def test_a_lock_that_a_failed_deploy_cannot_give_back_is_said(release: Release, fault_proxy: FaultProxy) -> None:
    fault_proxy.faults = [Fault(method="DELETE", path="/leases/", status=403)]
    release.options = behind(fault_proxy)
    applied = release.apply(changed(a_release(release.namespace), BAD_IMAGE))
    assert BAD_IMAGE in applied["msg"]
    assert "This run could not release its lock" in str(applied["warnings"])


def test_a_failed_deploy_can_be_kept(release: Release, control_plane: ControlPlane) -> None:
    objects = a_release(release.namespace)
    release.deploy(objects)
    applied = release.apply(changed(objects))
    ended = release.restore(holder=applied["transaction"]["holder"], keep=True)
    assert not ended["changed"]
    assert lease_of(control_plane, release) is None
    assert "configmaps/added" in live(control_plane, release)


def test_a_part_is_recorded_in_its_place(release: Release, control_plane: ControlPlane) -> None:
    objects = a_release(release.namespace)
    part = [body for body in changed(objects) if body["kind"] == "ConfigMap"]
    assert not release.deploy([objects[0], *part], complete=False)["commit"]["recorded"]
    release.deploy(objects)
    assert release.deploy(part, complete=False)["commit"]["recorded"]
    before = live(control_plane, release)
    assert "deployments/redis" in before
    assert release.deploy(changed(objects, BAD_IMAGE))["restore"]["restored"]
    assert live(control_plane, release) == before


def test_the_previous_release_comes_back_and_the_present_one_again(
    release: Release, control_plane: ControlPlane
) -> None:
    objects = a_release(release.namespace)
    release.deploy(objects)
    refused = release.restore("previous")
    assert "there is nothing to roll back to" in refused["msg"]
    first = live(control_plane, release)
    release.deploy(changed(objects))
    second = live(control_plane, release)
    preview = release.restore("previous", check_mode=True, diff_mode=True)
    assert preview["summary"].startswith("The previous release would be back.")
    assert live(control_plane, release) == second
    done = release.restore("previous", diff_mode=True)
    assert preview["objects"] == done["objects"]
    assert done["summary"].startswith("The previous release is back.")
    assert live(control_plane, release) == first
    assert release.restore("previous")["restored"]
    assert live(control_plane, release) == second


def killed_before_it_gives_its_lock_back(monkeypatch: pytest.MonkeyPatch, act: Callable[[], Any]) -> None:
    """Act as a run that dies when everything else is done."""
    with monkeypatch.context() as patched:
        patched.setattr(ReleaseLease, "release", lambda _: None)
        act()


def test_a_rollback_that_died_with_its_lock_is_not_taken_back_by_the_next(
    release: Release, control_plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects = a_release(release.namespace)
    release.deploy(objects)
    first = live(control_plane, release)
    release.deploy(changed(objects))
    second = live(control_plane, release)
    killed_before_it_gives_its_lock_back(monkeypatch, lambda: release.restore("previous"))
    holder = lease_of(control_plane, release)["spec"]["holderIdentity"]
    preview = release.restore("previous", check_mode=True)
    completed = release.restore("previous")
    assert (preview["summary"], preview["changed"]) == (completed["summary"], False)
    assert completed["restored"] and not completed["changed"]
    assert f"{holder} restored it, and died" in completed["summary"]
    assert live(control_plane, release) == first
    assert lease_of(control_plane, release) is None
    assert release.restore("previous")["changed"]
    assert live(control_plane, release) == second


def test_a_rollback_after_a_deploy_that_died_with_its_lock_goes_back(
    release: Release, control_plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects = a_release(release.namespace)
    release.deploy(objects)
    first = live(control_plane, release)
    killed_before_it_gives_its_lock_back(monkeypatch, lambda: release.deploy(changed(objects)))
    assert lease_of(control_plane, release)
    assert release.restore("previous")["changed"]
    assert live(control_plane, release) == first


def test_a_previous_release_that_no_longer_works_is_not_kept(release: Release, control_plane: ControlPlane) -> None:
    objects = a_release(release.namespace)
    release.deploy(changed(objects, BAD_IMAGE), wait=False)
    release.deploy(objects)
    before = live(control_plane, release)
    done = release.restore("previous")
    assert "The previous release does not work" in done["msg"]
    assert "The present release is back" in done["msg"]
    assert live(control_plane, release) == before
    assert lease_of(control_plane, release) is None


def test_a_second_deploy_stops_and_names_the_holder(release: Release, control_plane: ControlPlane) -> None:
    objects = a_release(release.namespace)
    release.deploy(objects)
    holder = release.apply(changed(objects))["transaction"]["holder"]
    before = live(control_plane, release)
    release.lock = HELD
    refused = release.deploy(objects)
    assert refused.keys() == {"apply"}
    assert f"{holder} has been deploying this release since 2" in refused["apply"]["msg"]
    assert "agentsmith_lock_timeout" in refused["apply"]["msg"]
    assert live(control_plane, release) == before
    undo = release.restore(holder="somebody@else run 0")
    assert f"{holder} has been deploying" in undo["msg"]
    assert "The changes of the failed run are still in the cluster." in undo["msg"]
    assert "Nothing was changed" not in undo["msg"]


def test_a_lock_that_nobody_renews_passes_on(release: Release, control_plane: ControlPlane) -> None:
    objects = a_release(release.namespace)
    release.deploy(objects)
    dead = release.apply(changed(objects))
    steps = release.deploy(objects)
    assert steps["commit"]["recorded"] is False
    assert lease_of(control_plane, release) is None
    late = release.commit(changed(objects), dead)
    assert "has passed to nobody" in late["msg"]
    assert "configmaps/added" not in live(control_plane, release)
    assert not release.restore(holder=dead["transaction"]["holder"])["changed"]


@pytest.mark.parametrize("step", ["apply", "restore"])
def test_a_run_that_lost_its_lock_stops_before_its_next_wave(
    release: Release, control_plane: ControlPlane, fault_proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    objects = a_release(release.namespace)
    for wanted in (changed(objects), objects):
        release.deploy(wanted)
    before = live(control_plane, release)
    found_out = threading.Event()
    usual = ReleaseLease._lose

    def lose(*arguments: Any) -> LeaseLost:
        error = usual(*arguments)
        found_out.set()
        return error

    def take_the_lock() -> None:
        path = f"/apis/coordination.k8s.io/v1/namespaces/{release.namespace}/leases/agentsmith-release"
        taken = {"spec": {"holderIdentity": "other@host"}}
        assert control_plane.request("PATCH", path, taken, "application/merge-patch+json")[0] == 200
        assert found_out.wait(LONGEST)

    monkeypatch.setattr(ReleaseLease, "_lose", lose)
    fault_proxy.faults = [Fault(path="/secrets/agentsmith-secrets", hook=take_the_lock)]
    release.options = behind(fault_proxy)
    ended = release.apply(changed(objects)) if step == "apply" else release.restore("previous")
    assert "has passed to other@host" in ended["msg"]
    after = live(control_plane, release)
    assert after["secrets/agentsmith-secrets"] != before["secrets/agentsmith-secrets"]
    assert after["deployments/agentsmith-dispatcher"] == before["deployments/agentsmith-dispatcher"]
    assert lease_of(control_plane, release)["spec"]["holderIdentity"] == "other@host"


def test_a_lease_that_says_nothing_is_held_by_nobody(release: Release, control_plane: ControlPlane) -> None:
    objects = a_release(release.namespace)
    release.deploy(objects)
    release.lock = HELD
    lease = an_object("coordination.k8s.io/v1", "Lease", release.namespace, "agentsmith-release")
    path = f"/apis/coordination.k8s.io/v1/namespaces/{release.namespace}/leases"
    assert control_plane.request("POST", path, lease)[0] == 201
    dead = release.commit(objects, {"transaction": {"holder": "somebody@else run 0"}})
    assert "has passed to nobody" in dead["msg"]
    assert release.deploy(changed(objects))["commit"]["recorded"]
    assert lease_of(control_plane, release) is None


def test_a_run_that_died_after_its_writes_is_completed_by_the_next(
    release: Release, control_plane: ControlPlane
) -> None:
    objects = a_release(release.namespace)
    release.deploy(objects)
    release.apply(changed(objects))  # and no commit
    steps = release.deploy(changed(objects))
    assert not steps["apply"]["changed"]
    assert steps["commit"]["recorded"]
    assert lease_of(control_plane, release) is None
    assert release.deploy(changed(objects))["apply"]["requests"]["write"] == 0


def test_a_bad_release_whose_run_died_is_undone_by_the_next(release: Release, control_plane: ControlPlane) -> None:
    objects = a_release(release.namespace)
    release.deploy(objects)
    before = live(control_plane, release)
    bad = changed(objects, BAD_IMAGE)
    release.apply(bad, wait=False)  # and killed
    steps = release.deploy(bad)
    assert steps["apply"]["failed"]
    assert steps["restore"]["restored"]
    assert live(control_plane, release) == before


def test_two_deploys_at_the_same_time_go_one_after_the_other(release: Release, control_plane: ControlPlane) -> None:
    objects = a_release(release.namespace)
    release.lock = LockSettings(duration=30, timeout=60)
    results: list[dict[str, Any]] = []
    variants = [objects, changed(objects)]
    threads = [threading.Thread(target=lambda o=wanted: results.append(release.deploy(o))) for wanted in variants]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 2
    assert all(steps["commit"]["recorded"] for steps in results)
    last = "configmaps/added" in live(control_plane, release)
    assert release.deploy(variants[last])["apply"]["requests"]["write"] == 0
    assert lease_of(control_plane, release) is None


def test_jobs_in_flight_are_waited_for_before_a_roll(release: Release, control_plane: ControlPlane, job: str) -> None:
    objects = a_release(release.namespace)
    release.deploy(objects)
    before = live(control_plane, release)
    refused = release.apply(changed(objects), drain=DRAIN)
    assert f"the Job {JOB} is still in flight" in refused["msg"]
    assert not refused["transaction"]["started"]
    assert live(control_plane, release) == before
    config_alone = [*objects[:5], changed(objects)[5], *objects[6:]]
    assert not release.apply(config_alone, drain=DRAIN).get("warnings")
    warned = release.apply(changed(objects), drain=replace(DRAIN, timeout=0))
    assert JOB in str(warned["warnings"])
    assert control_plane.get(job)["status"].get("active") == 1


@pytest.mark.usefixtures("job")
def test_jobs_in_flight_are_waited_for_before_redis_is_replaced(release: Release, control_plane: ControlPlane) -> None:
    objects = a_release(release.namespace)
    release.deploy(objects)
    before = live(control_plane, release)
    other_redis = deepcopy(objects)
    (redis,) = [body for body in other_redis if body["kind"] == "Deployment" and body["metadata"]["name"] == "redis"]
    redis["spec"]["template"]["spec"]["containers"][0]["image"] = "other"
    waits = f"waits before Deployment {release.namespace}/redis rolls, for up to 2 s (dispatcher_drain_timeout)"
    assert waits in str(release.apply(other_redis, drain=DRAIN, check_mode=True)["warnings"])
    refused = release.apply(other_redis, drain=DRAIN)
    assert f"the Job {JOB} is still in flight" in refused["msg"]
    assert live(control_plane, release) == before
    redis["spec"]["template"]["spec"]["containers"][0]["image"] = "redis"
    redis["spec"]["paused"] = False
    assert not release.apply(other_redis, drain=DRAIN).get("warnings")


def test_jobs_in_flight_are_waited_for_before_a_rollback(
    release: Release, control_plane: ControlPlane, job: str
) -> None:
    objects = a_release(release.namespace)
    release.deploy(objects)
    release.deploy(changed(objects))
    before, record = live(control_plane, release), record_of(control_plane, release)
    assert f"for up to 2 s (dispatcher_drain_timeout): the Job {JOB} is in flight" in str(
        release.restore("previous", drain=DRAIN, check_mode=True)["warnings"]
    )
    refused = release.restore("previous", drain=DRAIN)
    assert f"the Job {JOB} is still in flight" in refused["msg"]
    assert "does not work" not in refused["msg"]
    assert not refused["restored"] and not refused["changed"]
    assert live(control_plane, release) == before
    assert record_of(control_plane, release) == record
    assert lease_of(control_plane, release) is None
    done = release.restore("previous", drain=replace(DRAIN, timeout=0))
    assert done["restored"] and JOB in str(done["warnings"])
    assert control_plane.get(job)["status"].get("active") == 1


def test_a_deploy_goes_on_when_the_job_that_it_waits_for_ends(
    release: Release, control_plane: ControlPlane, fault_proxy: FaultProxy, job: str, ended_jobs: set[str]
) -> None:
    objects = a_release(release.namespace)
    release.deploy(objects)
    release.options = {"host": fault_proxy.url, "api_key": control_plane.token}
    before = live(control_plane, release)
    with ThreadPoolExecutor(1) as executor:
        deploy = executor.submit(release.deploy, changed(objects), drain=replace(DRAIN, timeout=60))
        await_true(lambda: sum("/jobs?labelSelector=" in seen.path for seen in fault_proxy.seen) > 1)
        waiting_state = {name: body for name, body in live(control_plane, release).items() if name in before}
        ended_jobs.add(JOB)
        steps = deploy.result()
    assert waiting_state == before
    assert not [step for step in steps.values() if step.get("failed") or step.get("warnings")], steps
    assert steps["commit"]["recorded"]
    assert control_plane.get(job)["status"]["succeeded"] == 1


@pytest.fixture
def rotate(
    release: Release, control_plane: ControlPlane, play: Play, tmp_path: Path
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Give the GitHub token of a release a new value, with the task as a user runs it: `rotate(objects, drain=…)`."""
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(control_plane.kubeconfig(), encoding="utf-8")

    def run(objects: list[dict[str, Any]], *flags: str, **more: Any) -> subprocess.CompletedProcess[str]:
        rotated = deepcopy(objects)
        rotated[4]["stringData"]["github-token"] = NEW_TOKEN
        rotated[5]["data"] = {"agentsmith.yml": "not rotated"}
        options = {
            "kubeconfig": str(kubeconfig),
            "namespace": release.namespace,
            "secret": "agentsmith-secrets",
            "keys": "github-token",
            "transaction": {"namespace": release.namespace, "instance": release.instance, "lock_timeout": 0},
        }
        return play(rotated, {**options, **more}, "-vvv", "--diff", *flags, action="rotate_secret")

    return run


def test_jobs_in_flight_are_waited_for_before_a_rotation(
    release: Release, control_plane: ControlPlane, rotate: Any, job: str
) -> None:
    objects = a_release(release.namespace)
    release.deploy(objects)
    before = live(control_plane, release)
    drain = {"deployment": "agentsmith-dispatcher", "timeout": 1}
    preview = rotate(objects, "--check", drain=drain)
    assert preview.returncode == 0 and f"the Job {JOB} is in flight" in " ".join(preview.stderr.split())
    refused = rotate(objects, drain=drain)
    assert refused.returncode == 2 and f"the Job {JOB} is still in flight" in refused.stdout
    assert live(control_plane, release) == before
    done = rotate(objects, drain={**drain, "timeout": 0})
    assert done.returncode == 0 and f"the Job {JOB} is in flight" in " ".join(done.stderr.split())
    assert control_plane.get(job)["status"].get("active") == 1


def test_a_rotation_is_what_a_rollback_then_goes_back_to(
    release: Release, control_plane: ControlPlane, rotate: Any
) -> None:
    objects = a_release(release.namespace)
    release.deploy(objects)
    ended = rotate(objects)
    assert ended.returncode == 0, ended.stdout
    assert NEW_TOKEN not in ended.stdout
    assert lease_of(control_plane, release) is None
    before = live(control_plane, release)
    assert base64.b64decode(before["secrets/agentsmith-secrets"]["data"]["github-token"]).decode() == NEW_TOKEN
    assert release.deploy(changed(objects, BAD_IMAGE))["restore"]["restored"]
    assert live(control_plane, release) == before
