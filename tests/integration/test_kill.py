# SPDX-License-Identifier: GPL-3.0-or-later
"""A client that is killed (SIGKILL) at any request: the next run converges to the state of an undisturbed one.

The client is a process group of its own that takes the steps of playbooks/deploy.yml, its undo of a deploy that failed
included, or of playbooks/rollback.yml. AGENTSMITH_KILL_STRIDE is the distance between two requests that are tried: 1,
the default, tries every one.
"""

from __future__ import annotations

import base64
import gzip
import json
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.connection import wait
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.pods import diagnosis
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.lock import LockSettings
from ansible_collections.agentsmith.platform.plugins.plugin_utils.secrets.secret_digest import DIGEST_ANNOTATION
from control_plane import ControlPlane
from fault_proxy import Fault, running_fault_proxy
from release_objects import a_config_map, a_release
from stand_in_kubelet import ready, stand_in_kubelet, waiting
from transactions import Release

STRIDE = int(os.environ.get("AGENTSMITH_KILL_STRIDE", "1"))
CONCURRENT_RUNS = 4
LOCK = LockSettings(duration=1, timeout=60)
BAD_IMAGE = "registry.invalid/nothing:1"
PULL_GRACE = 1.0  # seconds
# One process loads the libraries; every client is forked from it, without the threads of the tests.
CLIENTS = multiprocessing.get_context("forkserver")
CLIENTS.set_forkserver_preload([__name__])
# To start a process reads how the others ended, too: of two threads that read it at once, one is told 255.
ENDS_OF_CLIENTS = threading.Lock()

Objects = list[dict[str, Any]]


@dataclass(frozen=True)
class Scenario:
    """What is killed, and what a user then runs.

    *step* is killed in a release that *before* has installed, *following* is the run after it, and *wanted* is what is
    deployed, or comes out in the end.
    """

    name: str
    before: tuple[Callable[[str], Objects], ...]
    wanted: Callable[[str], Objects]
    step: str
    following: str


def an_upgrade(namespace: str) -> Objects:
    """Return another release: values, an image, a configuration; one object less and one more."""
    objects = deepcopy(a_release(namespace))
    for body in objects:
        if body["kind"] == "Secret":
            body["stringData"]["github-token"] = "ghp_new_0123456789"  # noqa: S105  a test value
        if body["metadata"]["name"] == "agentsmith-dispatcher" and body["kind"] == "Deployment":
            body["spec"]["template"]["spec"]["containers"][0]["image"] = "redis:8"
        if body["kind"] == "ConfigMap":
            body["data"] = {"agentsmith.yml": "projects: {}\n# changed\n"}
    added = a_config_map(namespace, key="value")
    added["metadata"]["name"] = "added"
    return [*[body for body in objects if body["kind"] != "NetworkPolicy"], added]


def a_bad_release(namespace: str) -> Objects:
    """Return the upgrade with an image that cannot be pulled."""
    objects = an_upgrade(namespace)
    for body in objects:
        if body["metadata"]["name"] == "agentsmith-dispatcher":
            body["spec"]["template"]["spec"]["containers"][0]["image"] = BAD_IMAGE
    return objects


SCENARIOS = [
    Scenario("first deploy", (), a_release, "deploy", "deploy"),
    Scenario("upgrade", (a_release,), an_upgrade, "deploy", "deploy"),
    Scenario("failed deploy, then a good one", (a_release,), a_release, "failed deploy", "deploy"),
    Scenario("failed deploy, then the same", (a_release,), a_release, "failed deploy", "failed deploy"),
    Scenario("rollback, then a deploy", (a_release, an_upgrade), a_release, "rollback", "deploy"),
    Scenario("rollback, then the same", (a_release, an_upgrade), a_release, "rollback", "rollback"),
]


def pods_run(pod: dict[str, Any]) -> dict[str, Any]:
    """Return the status of a pod, which runs unless its image is the bad one."""
    container = pod["spec"]["containers"][0]
    if container["image"] == BAD_IMAGE:
        return waiting("ImagePullBackOff", f'Back-off pulling image "{BAD_IMAGE}"', container["name"])
    return ready()


def client(namespace: str, url: str, token: str, step: str, objects: Objects, pid: Any) -> None:
    """Be the client: a process group that takes one step."""
    os.setsid()
    pid.value = os.getpid()
    diagnosis.WAITING_REASONS["ImagePullBackOff"] = PULL_GRACE
    take(Release(namespace, {"host": url, "api_key": token}, LOCK), step, objects)


def take(release: Release, step: str, objects: Objects) -> None:
    """Take a step of a scenario, and see to it that it ended as it should."""
    if step == "rollback":
        steps = {"restore": release.restore("previous")}
    elif step == "failed deploy":
        steps = release.deploy(a_bad_release(release.namespace))
        cause = steps.pop("apply").get("msg", "")
        if BAD_IMAGE not in cause or not steps["restore"]["restored"]:
            raise AssertionError(f"{cause}: {steps}")
    else:
        steps = release.deploy(objects)
    failed = [result["msg"] for result in steps.values() if result.get("failed")]
    if failed:
        raise AssertionError(failed[0])


def run_client(control_plane: ControlPlane, scenario: Scenario, namespace: str, fault: Fault | None) -> list[str]:
    """Run the step in a client that *fault* kills; return the requests that it sent."""
    with running_fault_proxy(control_plane) as proxy:
        pid = CLIENTS.Value("i", 0)
        if fault:
            fault.hook = lambda: os.killpg(pid.value, signal.SIGKILL)
            proxy.faults = [fault]
        arguments = (namespace, proxy.url, control_plane.token, scenario.step, scenario.wanted(namespace), pid)
        process = CLIENTS.Process(target=client, args=arguments)
        with ENDS_OF_CLIENTS:
            process.start()
        wait([process.sentinel])
        with ENDS_OF_CLIENTS:
            process.join()
        killed = fault is not None and not fault.times
        assert process.exitcode == (-signal.SIGKILL if killed else 0)
        return [f"{seen.method} {seen.path}" for seen in proxy.seen] if killed or not fault else []


def install(control_plane: ControlPlane, scenario: Scenario, namespace: str) -> Release:
    """Bring the releases that the scenario starts from."""
    options = {"host": control_plane.url, "api_key": control_plane.token, "ca_cert": str(control_plane.ca_file)}
    release = Release(namespace, options, LOCK)
    for objects in scenario.before:
        take(release, "deploy", objects(namespace))
    return release


def final_state(control_plane: ControlPlane, namespace: str) -> dict[str, Any]:
    """Return all that a release has in its namespace, as it would be in any other namespace."""
    space = f"namespaces/{namespace}"
    paths = [f"/api/v1/{space}/{kind}" for kind in ("configmaps", "secrets", "services", "serviceaccounts")]
    paths += [f"/apis/apps/v1/{space}/deployments", f"/apis/networking.k8s.io/v1/{space}/networkpolicies"]
    paths += [f"/apis/rbac.authorization.k8s.io/v1/{space}/{kind}" for kind in ("roles", "rolebindings")]
    paths += [f"/apis/coordination.k8s.io/v1/{space}/leases"]
    state = {}
    for path in paths:
        for body in control_plane.get(path)["items"]:
            name = f"{path.rpartition('/')[2]}/{body['metadata']['name']}"
            state[name] = json.loads(json.dumps(_content(body)).replace(namespace, "NAMESPACE"))
    found = control_plane.get(f"/api/v1/{space}")["metadata"]
    state["namespace"] = {**found["annotations"], **found["labels"], "kubernetes.io/metadata.name": ""}
    return state


def _content(body: dict[str, Any]) -> dict[str, Any]:
    content = {key: value for key, value in body.items() if key not in ("metadata", "status")}
    content["labels"] = body["metadata"].get("labels")
    if body.get("type") == "agentsmith.platform/release.v1":
        content["data"] = {
            key: json.loads(gzip.decompress(base64.b64decode(value))) for key, value in body["data"].items()
        }
        # It tells of each run, so there are more entries after a killed one: but each once, and in their order
        history = content["data"].pop("history")
        revisions = [entry["revision"] for entry in history["entries"]]
        content["history"] = (revisions == sorted(set(revisions)), history["current"] in revisions)
    template = (content.get("spec") or {}).get("template") or {}
    # Keyed with the UID of the Secret, so another one in every namespace; that it fits is what a second run finds.
    (template.get("metadata", {}).get("annotations") or {}).pop(DIGEST_ANNOTATION, None)
    for key in ("clusterIP", "clusterIPs"):
        (content.get("spec") or {}).pop(key, None)
    return content


def outcome(control_plane: ControlPlane, scenario: Scenario, fault: Fault, number: int, expected: Any) -> str:
    """Kill a client, run again, and judge: `ok`, `not met` where the client had ended before, or what is wrong."""
    namespace = f"kill-{SCENARIOS.index(scenario)}-{number}"
    with stand_in_kubelet(control_plane, namespace, pods_run):
        release = install(control_plane, scenario, namespace)
        sent = run_client(control_plane, scenario, namespace, fault)
        if not sent:
            return "not met"
        take(release, scenario.following, scenario.wanted(namespace))
        again = release.deploy(scenario.wanted(namespace))["apply"]
        if again.get("failed") or again["requests"]["write"]:
            return f"{sent[-1]}: the run after the next one still has something to write: {again}"
        state = final_state(control_plane, namespace)
    differing = [name for name in {*state, *expected} if state.get(name) != expected.get(name)]
    return f"{sent[-1]}: {differing} differ from an undisturbed run" if differing else "ok"


def faults_for(scenario: Scenario, sent: list[str]) -> list[Fault]:
    """Return where to kill a client that sends these requests when it is left alone."""
    faults = [Fault(method="", skip=index, drop="before") for index in range(0, len(sent), STRIDE)]
    # The record and the lock have another index each time, by the number of looks at the pods.
    for method, path in (("PATCH", "/secrets/agentsmith-release"), ("DELETE", "/leases/")):
        for skip in range(sum(request.startswith(method) and path in request for request in sent)):
            faults += [Fault(method=method, path=path, skip=skip, drop=drop) for drop in ("before", "after")]
    if scenario.following == "rollback":
        faults.pop()  # without its lock a rollback is over, and another one rightly goes back from there
    return faults


@pytest.fixture(scope="module")
def the_process_that_forks_clients() -> None:
    """Start it. Python before 3.13.1 does not tell it where modules are, and every client loads them itself."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
        forkserver.ensure_running()


@pytest.mark.usefixtures("the_process_that_forks_clients")
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_killed_at_every_request(
    control_plane: ControlPlane,
    scenario: Scenario,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(diagnosis.WAITING_REASONS, "ImagePullBackOff", PULL_GRACE)
    undisturbed = f"kill-{SCENARIOS.index(scenario)}-undisturbed"
    with stand_in_kubelet(control_plane, undisturbed, pods_run):
        install(control_plane, scenario, undisturbed)
        before = final_state(control_plane, undisturbed) if scenario.before else {}
        sent = run_client(control_plane, scenario, undisturbed, None)
        expected = final_state(control_plane, undisturbed)
    assert (expected == before) is (scenario.step == "failed deploy")
    faults = faults_for(scenario, sent)
    with ThreadPoolExecutor(CONCURRENT_RUNS) as executor:
        numbered = list(enumerate(faults))
        outcomes = list(
            executor.map(lambda pair: outcome(control_plane, scenario, pair[1], pair[0], expected), numbered)
        )
    wrong = [text for text in outcomes if text not in ("ok", "not met")]
    not_met = outcomes.count("not met")
    killed = len(outcomes) - not_met
    with capsys.disabled():
        print(
            f"\n{scenario.name}: {outcomes.count('ok')} of {killed} killed runs converged; {not_met} of {len(faults)} "
            "requests were not met, as that run had ended before"
        )
    assert not wrong
    assert killed >= len(faults) * 0.8
