# SPDX-License-Identifier: GPL-3.0-or-later
"""The status of a release from what an API server would answer, as data and as one screen."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ApiError, ApplyError
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.conversations import (
    Conversation,
    Conversations,
)
from ansible_collections.agentsmith.platform.plugins.plugin_utils.reports.status import read_status
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.target import Names, Target
from fake_connection import FakeConnection

CORE, APPS, BATCH = (f"/{api}/namespaces/here" for api in ("api/v1", "apis/apps/v1", "apis/batch/v1"))


def a_deployment(name: str, generation: int = 1) -> dict[str, Any]:
    env = [{"name": "AGENTSMITH_IMAGE", "value": "agent:1"}]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "generation": generation},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": name}},
            "template": {"spec": {"containers": [{"name": name, "image": f"{name}:1", "env": env}]}},
        },
        "status": {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1},
    }


def a_pod(uid: str, owner: str, ready: bool, state: dict[str, Any], restarts: int = 0) -> dict[str, Any]:
    return {
        "metadata": {"name": uid, "uid": uid, "ownerReferences": [{"uid": owner}]},
        "spec": {"containers": [{"name": "redis", "image": "redis:1"}]},
        "status": {
            "conditions": [{"type": "Ready", "status": str(ready)}],
            "containerStatuses": [{"name": "agentsmith", "state": state, "restartCount": restarts}],
        },
    }


def a_job(name: str, created: str) -> dict[str, Any]:
    container = {"name": "agentsmith", "args": ["fix #54 in web"]}
    return {
        "metadata": {"name": name, "uid": name, "creationTimestamp": created},
        "spec": {"template": {"spec": {"containers": [container]}}},
    }


PODS = [
    a_pod("ready", "replicas", True, {"running": {}}, restarts=3),
    a_pod("pulls", "new", False, {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off"}}),
]
ANSWERS = {
    f"{APPS}/deployments/agentsmith-dispatcher": a_deployment("agentsmith-dispatcher"),
    f"{APPS}/deployments/redis": a_deployment("redis", generation=2),
    f"{CORE}/pods": {"items": PODS},
    f"{BATCH}/jobs": {"items": [a_job("old", "2026-01-01T00:00:00Z"), a_job("new", "2026-01-02T00:00:00Z")]},
    f"{CORE}/events": {"items": [{"reason": "FailedCreate", "message": "exceeded quota", "metadata": {}}]},
}


STUCK = Conversation("slack", "C1", "agentsmith-1", "fix #54 in web", "stuck", "its Job agentsmith-1 is gone", 3600)


def status_of(conversations: Conversations | None = None, **changes: Any) -> Any:
    target = Target(FakeConnection({**ANSWERS, **changes}), Names("here"), [])
    return read_status(target, lambda *_asked: conversations or Conversations([], []))


def test_everything_is_in_the_data() -> None:
    status = json.loads(json.dumps(status_of().as_dict()))
    assert (status["namespace"], status["server"]) == ("here", "https://cluster.example")
    assert status["agent_image"] == "agent:1"
    dispatcher, redis = status["workloads"]
    assert dispatcher["problem"] == ""
    assert (redis["name"], redis["ready"], redis["wanted"], redis["restarts"]) == ("redis", 1, 1, 3)
    assert redis["problem"].endswith("ImagePullBackOff: Back-off")
    new, old = status["jobs"]
    assert (new["name"], new["cause"]) == ("new", "ImagePullBackOff: Back-off")
    assert (old["name"], old["cause"]) == ("old", "quota: exceeded quota")


def test_the_screen() -> None:
    lines = status_of().as_text().splitlines()
    assert lines[0] == "Namespace here on https://cluster.example"
    assert lines[2].split() == ["WORKLOAD", "READY", "RESTARTS", "IMAGE", "PROBLEM"]
    assert lines[3].split() == ["agentsmith-dispatcher", "1/1", "3", "agentsmith-dispatcher:1"]
    assert "Image of the Jobs: agent:1" in lines
    assert any(line.startswith("old") and line.endswith("fix #54 in web  quota: exceeded quota") for line in lines)


def test_many_jobs_stay_one_screen() -> None:
    jobs = [a_job(f"job-{number}", "2026-01-01T00:00:00Z") for number in range(30)]
    status = status_of(**{f"{BATCH}/jobs": {"items": jobs}})
    assert len(status.jobs) == 30
    assert "and 10 older ones" in status.as_text().splitlines()
    assert len(status.as_text().splitlines()) < 40


def test_nothing_is_there() -> None:
    status = read_status(Target(FakeConnection({f"{CORE}/pods": {}, f"{BATCH}/jobs": {}}), Names("here"), []))
    assert {workload.problem for workload in status.workloads} == {"does not exist"}
    assert "No Jobs" in status.as_text()


def test_the_node_of_a_deleted_pod_is_told_by_events() -> None:
    job = a_job("drained", "2026-01-01T00:00:00Z")
    job["status"] = {
        "conditions": [
            {
                "type": "Failed",
                "status": "True",
                "reason": "BackoffLimitExceeded",
                "lastTransitionTime": "2026-01-01T00:01:00Z",
            }
        ]
    }
    events = [
        {"reason": "SuccessfulCreate", "message": "Created pod: drained-abcde", "metadata": {}},
        {"reason": "Scheduled", "message": "Successfully assigned here/drained-abcde to worker-2", "metadata": {}},
    ]
    changes = {f"{BATCH}/jobs": {"items": [job]}, f"{CORE}/events": {"items": events}}
    (found,) = status_of(**changes).jobs
    assert found.node == "worker-2"
    (line,) = [line for line in status_of(**changes).as_text().splitlines() if line.startswith("drained")]
    assert "worker-2  fix #54 in web  BackoffLimitExceeded: its pod was deleted" in line


def test_a_deployment_on_a_node_that_is_gone_says_so() -> None:
    lost = a_pod("lost", "replicas", False, {"running": {}})
    lost["spec"]["nodeName"] = "worker-2"
    lost["status"]["conditions"].append({"type": "ContainersReady", "status": "True"})
    redis = a_deployment("redis")
    redis["status"]["availableReplicas"] = 0
    status = status_of(**{f"{CORE}/pods": {"items": [lost]}, f"{APPS}/deployments/redis": redis})
    problem = next(workload.problem for workload in status.workloads if workload.name == "redis")
    assert problem.endswith("NodeNotReady: node worker-2 does not answer")


def test_an_image_that_cannot_be_pulled_names_its_variable() -> None:
    broken = a_pod("broken", "replicas", False, {"waiting": {"reason": "ErrImagePull", "message": "x: not found"}})
    broken["metadata"]["labels"] = {"app.kubernetes.io/component": "redis"}
    broken["status"]["containerStatuses"][0]["name"] = "redis"
    redis = a_deployment("redis")
    redis["status"]["availableReplicas"] = 0
    status = status_of(**{f"{CORE}/pods": {"items": [broken]}, f"{APPS}/deployments/redis": redis})
    remedy = next(workload.remedy for workload in status.workloads if workload.name == "redis")
    assert remedy.startswith("The registry has no such image. Check redis_image")
    assert f"What to do about redis: {remedy}" in status.as_text().splitlines()


def test_the_image_that_serves_while_a_change_is_not_through() -> None:
    """Else "1/1" beside the new image would say that it serves."""
    old, new = (a_pod(uid, "replicas", uid == "old", {"running": {}}) for uid in ("old", "new"))
    old["spec"]["containers"][0]["image"] = "redis:0"
    redis = a_deployment("redis")
    pods = {f"{CORE}/pods": {"items": [old, new]}, f"{APPS}/deployments/redis": redis}
    told = "The ready pods of redis still run redis:0"
    # A registry's mirror may rewrite images: of a change that is through, nothing is said
    assert told not in status_of(**pods).as_text()
    redis["status"]["updatedReplicas"] = 0
    status = status_of(**pods)
    assert [list(workload.other_images) for workload in status.workloads] == [[], ["redis:0"]]
    assert told in status.as_text().splitlines()


def test_events_that_may_not_be_read_leave_the_cause_open() -> None:
    status = status_of(**{f"{CORE}/events": ApiError(403, "Forbidden", "no")})
    assert [job.cause for job in status.jobs if job.name == "old"] == [""]


def test_channels_that_wait_are_shown_and_the_stuck_ones_can_be_freed() -> None:
    status = status_of(Conversations([STUCK, replace(STUCK, channel="C2", state="running")], ["agentsmith-2"]))
    text = status.as_text()
    assert "C1       stuck    fix #54 in web  60 min        its Job agentsmith-1 is gone" in text
    assert "agentsmith.platform.unblock" in text
    assert "agentsmith-2 runs, but Redis has no conversation for it" in text
    assert "or the Job does not come from the Dispatcher" in text
    data = json.loads(json.dumps(status.as_dict()))["conversations"]
    assert ([entry["channel"] for entry in data["found"]], data["lost"]) == (["C1", "C2"], ["agentsmith-2"])


def test_a_job_without_a_pod_and_a_conversation_is_not_said_to_run() -> None:
    waiting = next(job for job in status_of().jobs if job.state == "waiting")
    text = status_of(Conversations([], [waiting.name])).as_text()
    assert f"{waiting.name} waits, but Redis has no conversation for it" in text


def test_without_a_stuck_channel_nothing_is_said_of_freeing() -> None:
    assert "unblock" not in status_of(Conversations([replace(STUCK, state="running")], [])).as_text()
    assert status_of().as_text().endswith("No channel waits for a Job.")


def test_channels_that_cannot_be_read_are_not_checked() -> None:
    def refuse(*_asked: object) -> Conversations:
        raise ApplyError("Redis is not in this namespace")

    status = read_status(Target(FakeConnection(ANSWERS), Names("here"), []), refuse)
    assert status.as_text().endswith("Channels: not checked, as Redis is not in this namespace.")
    assert (status.conversations, status.not_read) == (None, "Redis is not in this namespace")
