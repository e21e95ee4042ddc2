# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes are drained and die, under load and with a Job on them: what is lost is what docs/reliability.md says.

In this order: each test leaves the nodes as the next one needs them, and after the last one a node is dead.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from awaiting import await_condition
from conftest import CLUSTER, SteadyClient

WORKERS = [f"{CLUSTER}-worker", f"{CLUSTER}-worker2"]
CONTROL_PLANE = "node-role.kubernetes.io/control-plane"
READY = r"\*Done!\* Pipeline completed successfully"
REQUEST = "fix #54 in agent-smith-test"
# It asks, and waits for its answer
LONG_REQUEST = "fix #101 in agent-smith-test"
# Seconds for which a node may be silent (node-monitor-grace-period), and until its pods go (vars/target.yml)
NODE_GRACE, TOLERATION = 50, 30

Placement = Callable[[str], dict[str, str]]
Measure = Callable[[float], float]


@pytest.fixture(scope="module", autouse=True)
def slack_on_the_control_plane(kubectl) -> None:
    """The stand-in Slack keeps its messages in memory: no test drains or kills its node."""
    tolerations = [{"key": CONTROL_PLANE, "operator": "Exists", "effect": "NoSchedule"}]
    pod = {"nodeSelector": {CONTROL_PLANE: ""}, "tolerations": tolerations}
    patch = json.dumps({"spec": {"template": {"spec": pod}}})
    kubectl("-n agentsmith patch deployment stand-in-slack --patch %s", patch)
    kubectl("-n agentsmith rollout status deployment/stand-in-slack --timeout=120s")


@pytest.fixture
def placement(get) -> Placement:
    """The nodes of an app's pods by their names, those that are going away left out."""

    def find(app: str) -> dict[str, str]:
        return {
            pod["metadata"]["name"]: pod["spec"].get("nodeName", "")
            for pod in get("pods")
            if pod["metadata"]["labels"].get("app") == app and "deletionTimestamp" not in pod["metadata"]
        }

    return find


@pytest.fixture
def the_other() -> Callable[[str], str]:
    """The other one of the two workers."""
    return lambda node: next(worker for worker in WORKERS if worker != node)


@pytest.fixture
def drain(kubectl) -> Iterator[Callable[[str], str]]:
    """Drain a node until the test is over: what kubectl said."""
    drained = []

    def run(node: str) -> str:
        drained.append(node)
        return kubectl("drain %s --ignore-daemonsets --delete-emptydir-data --timeout=240s 2>&1", node)

    yield run
    for node in drained:
        kubectl("uncordon %s", node)


@pytest.fixture
def kill() -> Callable[[str], None]:
    """Kill the container that is a node, for good: started again, it would have another address than its Node."""

    def run(node: str) -> None:
        for engine in filter(shutil.which, ("docker", "podman")):
            if subprocess.run([engine, "kill", node], capture_output=True, check=False).returncode == 0:
                return
        raise AssertionError(f"no engine has {node}")

    return run


@pytest.fixture
def spread(kubectl, placement) -> None:
    """The Dispatchers are on two nodes, also after a drain has put both on one."""
    kubectl("-n agentsmith rollout restart deployment/agentsmith-dispatcher")
    kubectl("-n agentsmith rollout status deployment/agentsmith-dispatcher --timeout=120s")
    await_condition(lambda: sorted(placement("agentsmith-dispatcher").values()) == WORKERS, timeout=60, pause=1)


@pytest.fixture
def asking_job(kubectl, the_other, person, add_channel, job_of, placement) -> Callable[[str], tuple[str, str]]:
    """A Job on a worker, which waits for an answer: its name and its channel."""

    def start(node: str) -> tuple[str, str]:
        kubectl("cordon %s", the_other(node))
        try:
            channel = add_channel()
            person.say(LONG_REQUEST, channel)
            person.await_message("Question:", channel, timeout=60)
        finally:
            kubectl("uncordon %s", the_other(node))
        name = job_of(channel)["metadata"]["name"]
        assert [where for pod, where in placement("agentsmith").items() if pod.startswith(name)] == [node]
        return name, channel

    return start


@pytest.fixture
def row_of_job(playbook) -> Callable[[str], str]:
    """What the status says about a Job."""

    def find(name: str) -> str:
        run = playbook("playbooks/status.yml")
        assert run.returncode == 0, run.output
        # The table of the Jobs comes first, then what there is to say about their channels
        return next(line for line in run.output.splitlines() if line.strip().startswith(name))

    return find


@pytest.fixture
def until_a_message_works(person, add_channel) -> Measure:
    """Say something every few seconds, each time in a channel that nobody uses, until a Job has fixed it."""

    def measure(since: float) -> float:
        while True:
            channel = add_channel()
            person.say(REQUEST, channel)
            try:
                person.await_message("Starting", channel, timeout=8)
                person.await_message(READY, channel, timeout=60)
            except AssertionError:
                assert time.monotonic() - since < 300, person.texts(channel)
            else:
                return time.monotonic() - since

    return measure


@pytest.mark.usefixtures("spread")
def test_the_release_works_across_nodes(playbook) -> None:
    run = playbook("playbooks/verify.yml", "-e", "verify_end_to_end=true")
    assert run.returncode == 0, run.output
    assert run.checks("failed") == set()
    assert run.checks("ok") >= {"network_policy", "e2e_completion"}


@pytest.mark.parametrize("node", WORKERS)
def test_a_drain_loses_no_request(
    node: str,
    drain: Callable[[str], str],
    the_other: Callable[[str], str],
    placement: Placement,
    events: SteadyClient,
    health: SteadyClient,
    until_a_message_works: Measure,
    record_testsuite_property: Callable[[str, object], None],
) -> None:
    on_node = list(placement("agentsmith-dispatcher").values()).count(node)
    started = time.monotonic()
    said = drain(node)
    drained = time.monotonic()
    assert set(placement("agentsmith-dispatcher").values()) == {the_other(node)}
    # Two pods go one after the other
    assert ("disruption budget" in said) is (on_node == 2), said
    works = until_a_message_works(drained)
    for client in (events, health):
        client.assert_unbroken()
    record_testsuite_property(f"seconds of the drain of {node}", round(drained - started))
    record_testsuite_property(f"seconds from the drain of {node} until a message was done", round(works))
    record_testsuite_property(f"load of the drain of {node}", f"events: {events}; health: {health}")


def test_a_drain_ends_the_job_on_the_node(
    drain: Callable[[str], str],
    the_other: Callable[[str], str],
    placement: Placement,
    asking_job: Callable[[str], tuple[str, str]],
    row_of_job: Callable[[str], str],
    person: Any,
    until_a_message_works: Measure,
) -> None:
    (redis,) = placement("redis").values()
    # Redis stays: what is lost with it is another matter
    node = the_other(redis)
    name, channel = asking_job(node)
    drain(node)
    row = row_of_job(name)
    assert " failed " in row, row
    assert f" {channel} " in row, row
    assert f" {node} " in row, row
    assert "its pod was deleted, as the drain of a node does" in row, row
    person.say(REQUEST, channel)
    person.await_message("already a job running", channel)
    until_a_message_works(time.monotonic())


@pytest.mark.usefixtures("spread")
def test_a_worker_that_dies_takes_what_ran_there_and_the_rest_goes_on(
    kubectl: Callable[..., str],
    the_other: Callable[[str], str],
    placement: Placement,
    asking_job: Callable[[str], tuple[str, str]],
    row_of_job: Callable[[str], str],
    kill: Callable[[str], None],
    person: Any,
    events: SteadyClient,
    until_a_message_works: Measure,
    playbook: Any,
    record_testsuite_property: Callable[[str, object], None],
) -> None:
    (node,) = placement("redis").values()
    name, channel = asking_job(node)
    assert events.failures == []

    kill(node)
    killed = time.monotonic()
    works = until_a_message_works(killed)
    assert works < NODE_GRACE + TOLERATION + 60
    row = row_of_job(name)
    assert f" {channel} " in row, row
    assert f"NodeNotReady: node {node} does not answer" in row, row
    await_condition(lambda: set(placement("agentsmith-dispatcher").values()) == {the_other(node)}, 120, pause=1)
    kubectl("-n agentsmith rollout status deployment/agentsmith-dispatcher --timeout=120s")
    assert list(placement("redis").values()) == [the_other(node)]
    # Redis has forgotten who has the channel
    person.say(REQUEST, channel)
    person.await_message(READY, channel, timeout=60)
    run = playbook("playbooks/verify.yml")
    assert run.checks("failed") == set(), run.output

    served = events.last_failure - killed
    assert served < NODE_GRACE + 30, "requests still fail after Kubernetes knows that the node is gone"
    record_testsuite_property("seconds from the death until a message was done", round(works))
    record_testsuite_property("seconds from the death until no request was lost", round(served))
    record_testsuite_property("load of the death", str(events))
