# SPDX-License-Identifier: GPL-3.0-or-later
"""When a wait ends, and with what words. The clock moves only where the code under test sleeps."""

from __future__ import annotations

import copy
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ApiError, ApplyError
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.planned_object import PlannedObject
from ansible_collections.agentsmith.platform.plugins.plugin_utils.pods.rollout import wait_for_rollout
from fake_connection import FakeConnection

DEPLOYMENT_PATH = "/apis/apps/v1/namespaces/n/deployments/d"
JOB_PATH = "/apis/batch/v1/namespaces/n/jobs/j"
EVENTS_PATH = "/api/v1/namespaces/n/events"
PODS_PATH = "/api/v1/namespaces/n/pods"
REPLICA_SETS_PATH = "/apis/apps/v1/namespaces/n/replicasets"
LOG_PATH = f"{PODS_PATH}/d-new-1/log"
REVISION = "deployment.kubernetes.io/revision"


def deployment(**status: Any) -> dict[str, Any]:
    """Return a Deployment of one replica with the status."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d", "namespace": "n", "uid": "d-uid", "generation": 2, "annotations": {REVISION: "2"}},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "d"}}},
        "status": {"observedGeneration": 2, **status},
    }


COMPLETE = deployment(replicas=1, updatedReplicas=1, availableReplicas=1)
STARTING = deployment(replicas=1, updatedReplicas=1)


def condition(kind: str, status: str = "True", **details: str) -> dict[str, Any]:
    """Return a condition."""
    return {"type": kind, "status": status, **details}


def job(*conditions: dict[str, Any]) -> dict[str, Any]:
    """Return a Job with the conditions."""
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "j", "namespace": "n", "uid": "j-uid"},
        "spec": {"selector": {"matchLabels": {"job": "j"}}},
        "status": {"conditions": list(conditions)},
    }


def pod(
    reason: str = "", name: str = "d-new-1", owner: str = "new", container: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return a pod whose container waits for the reason, or is as given."""
    state = container or {"state": {"waiting": {"reason": reason, "message": f"{reason} message"}}}
    return {
        "metadata": {
            "name": name,
            "namespace": "n",
            "uid": f"{name}-uid",
            "ownerReferences": [{"uid": f"{owner}-uid"}],
        },
        "status": {"phase": "Pending", "containerStatuses": [{"name": "c", "ready": False, **state}]},
    }


def replica_set(name: str, revision: str) -> dict[str, Any]:
    """Return a ReplicaSet of the Deployment."""
    metadata = {"uid": f"{name}-uid", "annotations": {REVISION: revision}, "ownerReferences": [{"uid": "d-uid"}]}
    return {"metadata": metadata}


def event(reason: str, message: str, count: int = 1) -> dict[str, Any]:
    """Return an event."""
    details = {"type": "Warning", "reason": reason, "message": message, "count": count}
    return {**details, "metadata": {}, "lastTimestamp": f"2026-01-01T00:00:0{count}Z"}


def items(*entries: Any) -> dict[str, Any]:
    """Return a list as the API server does."""
    return {"items": list(entries)}


class Wait:
    """One wait with a clock of its own; ``seconds`` is how long it took."""

    def __init__(self, answers: dict[str, Any], *workloads: tuple[str, dict[str, Any]]) -> None:
        standard = {
            DEPLOYMENT_PATH: STARTING,
            EVENTS_PATH: items(),
            PODS_PATH: items(),
            REPLICA_SETS_PATH: items(replica_set("new", "2"), replica_set("old", "1")),
        }
        self.connection = FakeConnection({**standard, **answers})
        self.planned = [
            PlannedObject(workload, path, copy.deepcopy(workload), "unchanged")
            for path, workload in workloads or [(DEPLOYMENT_PATH, STARTING)]
        ]
        self.seconds = 0.0
        self.said: list[str] = []

    def run(self, timeout: float = 300) -> None:
        """Wait."""
        with ThreadPoolExecutor(2) as executor:
            wait_for_rollout(
                self.connection,  # type: ignore[arg-type]
                executor,
                self.planned,
                timeout,
                clock=lambda: self.seconds,
                sleep=self._sleep,
                say=self.said.append,
            )

    def failure(self, timeout: float = 300) -> str:
        """Wait, and return the message with which it fails."""
        with pytest.raises(ApplyError) as caught:
            self.run(timeout)
        return str(caught.value)

    def _sleep(self, seconds: float) -> None:
        self.seconds += seconds


def test_what_was_complete_in_the_plan_costs_no_request() -> None:
    wait = Wait({}, (DEPLOYMENT_PATH, COMPLETE), (JOB_PATH, job(condition("Complete"))))
    wait.run()
    assert wait.connection.asked == []


def test_a_wait_ends_with_the_last_workload() -> None:
    wait = Wait({}, (DEPLOYMENT_PATH, STARTING), (JOB_PATH, job()))
    wait.connection.answers[DEPLOYMENT_PATH] = lambda: COMPLETE if wait.seconds >= 5 else STARTING
    wait.connection.answers[JOB_PATH] = lambda: job(condition("Complete")) if wait.seconds >= 8 else job()
    wait.run()
    assert wait.seconds == 8


@pytest.mark.parametrize(
    ("reason", "grace"),
    [
        ("ErrImageNeverPull", 0),
        ("InvalidImageName", 0),
        ("CreateContainerConfigError", 10),
        ("ErrImagePull", 20),
        ("ImagePullBackOff", 20),
        ("CrashLoopBackOff", 20),
    ],
)
def test_a_container_that_cannot_start_ends_the_wait(reason: str, grace: float) -> None:
    wait = Wait({PODS_PATH: items(pod(reason)), EVENTS_PATH: items(event("Failed", "no such image", 3))})
    text = wait.failure()
    assert f"Deployment n/d will not become ready: {reason}: {reason} message" in text
    assert "event Warning Failed (x3): no such image" in text
    assert wait.seconds == grace


def test_a_registry_that_refuses_is_told_by_the_event_and_names_the_pull_secrets() -> None:
    """The state of an image that cannot be pulled does not say why; its event does."""
    broken = pod("ImagePullBackOff", container={"state": {"waiting": {"reason": "ImagePullBackOff", "message": "b"}}})
    broken["metadata"]["labels"] = {"app.kubernetes.io/component": "redis"}
    broken["status"]["containerStatuses"][0]["name"] = "redis"
    refusal = event("Failed", 'Failed to pull image "r/redis:7": unexpected status: 401 Unauthorized')
    text = Wait({PODS_PATH: items(broken), EVENTS_PATH: items(refusal)}, (DEPLOYMENT_PATH, deployment())).failure()
    first, second = text.splitlines()[:2]
    assert first == "Deployment n/d will not become ready: ImagePullBackOff: b"
    assert second.startswith("What to do: The registry refuses the node") and "rbac_image_pull_secrets" in second


def test_two_names_of_a_pull_error_share_one_grace() -> None:
    wait = Wait({})
    wait.connection.answers[PODS_PATH] = lambda: items(
        pod("ErrImagePull" if int(wait.seconds) % 2 else "ImagePullBackOff")
    )
    wait.failure()
    assert wait.seconds == 20


def test_a_grace_goes_on_while_a_crashing_container_runs_for_a_moment() -> None:
    wait = Wait({})
    running = pod(container={"state": {"running": {}}})
    wait.connection.answers[PODS_PATH] = lambda: items(
        running if 4 <= wait.seconds < 6 or 18 <= wait.seconds < 22 else pod("CrashLoopBackOff")
    )
    wait.failure()
    assert wait.seconds == 22


def test_what_passes_within_its_grace_does_not_end_the_wait() -> None:
    wait = Wait({})
    wait.connection.answers[PODS_PATH] = lambda: items(pod("CreateContainerConfigError" if wait.seconds < 9 else ""))
    wait.connection.answers[DEPLOYMENT_PATH] = lambda: COMPLETE if wait.seconds >= 30 else STARTING
    wait.run()
    assert wait.seconds == 30


def test_a_pod_of_the_old_revision_does_not_count() -> None:
    wait = Wait({PODS_PATH: items(pod("ErrImageNeverPull", owner="old"))})
    assert "wait_timeout (3 s) is over" in wait.failure(timeout=3)


def test_the_broken_pods_of_a_state_that_is_being_replaced_do_not_count() -> None:
    """Going back from a bad image: until the controller has seen it, the bad pod is that of the newest revision."""
    wait = Wait({PODS_PATH: items(pod("ErrImageNeverPull"))})
    unseen = deployment(observedGeneration=1, replicas=2, updatedReplicas=1, availableReplicas=1)
    wait.connection.answers[DEPLOYMENT_PATH] = lambda: COMPLETE if wait.seconds >= 2 else unseen
    wait.run()
    assert wait.seconds == 2


def test_a_crash_quotes_the_log_of_the_container_that_crashed() -> None:
    ended = {"terminated": {"reason": "OOMKilled", "exitCode": 137}}
    crashed = {"restartCount": 3, "lastState": ended, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
    log = "\n".join(f"line {number}" for number in range(30))
    wait = Wait({PODS_PATH: items(pod(container=crashed)), f"{LOG_PATH}?previous": log, LOG_PATH: "present"})
    text = wait.failure()
    assert "3 restarts, the last after OOMKilled, exit code 137" in text
    assert "log of container c:\n  line 10\n" in text
    assert text.endswith("line 29")
    assert "line 9\n" not in text


def test_where_the_previous_log_is_gone_the_present_one_is_quoted() -> None:
    crashed = {"lastState": {"terminated": {}}, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
    gone = ApiError(400, "BadRequest", "previous terminated container not found")
    wait = Wait({PODS_PATH: items(pod(container=crashed)), f"{LOG_PATH}?previous": gone, LOG_PATH: "present"})
    assert wait.failure().endswith("log of container c:\n  present")


def test_what_may_not_be_read_is_said_and_does_not_stop_the_wait() -> None:
    forbidden = ApiError(403, "Forbidden", "pods is forbidden")
    wait = Wait({PODS_PATH: forbidden, EVENTS_PATH: ApiError(403, "Forbidden", "events is forbidden")})
    text = wait.failure(timeout=2)
    assert "1 of 1 replica updated, 0 available" in text
    assert "events: not readable (events is forbidden)" in text
    assert "The pods cannot be read: pods is forbidden" in text
    wait.connection.answers[DEPLOYMENT_PATH] = COMPLETE
    wait.run()


def test_refused_pods_of_a_deployment_end_the_wait_after_a_grace() -> None:
    refusal = condition("ReplicaFailure", reason="FailedCreate", message="exceeded quota: pods")
    wait = Wait({DEPLOYMENT_PATH: deployment(conditions=[refusal]), EVENTS_PATH: items(event("X", "of deployment"))})
    text = wait.failure()
    assert "Deployment n/d will not become ready: FailedCreate: exceeded quota: pods" in text
    assert "of deployment" in text
    assert wait.seconds == 10


JOBS_PATH = "/apis/batch/v1/namespaces/n/jobs"


def refused_by_a_quota() -> dict[str, Any]:
    """Return a Deployment whose pods do not fit into a quota."""
    return deployment(
        conditions=[condition("ReplicaFailure", reason="FailedCreate", message="exceeded quota: agentsmith")]
    )


def spawned(*ended: str) -> dict[str, Any]:
    """Return a Job of the Dispatcher."""
    conditions = [condition(kind) for kind in ended]
    return {"metadata": {"name": "agentsmith-1", "uid": "1"}, "status": {"conditions": conditions}}


def test_a_rollout_waits_for_a_job_that_uses_its_room_in_the_quota() -> None:
    wait = Wait({})
    wait.connection.answers[JOBS_PATH] = lambda: items(spawned("Complete") if wait.seconds >= 60 else spawned())
    wait.connection.answers[DEPLOYMENT_PATH] = lambda: COMPLETE if wait.seconds >= 60 else refused_by_a_quota()
    wait.run()
    assert wait.seconds == 60


def test_the_controller_gets_time_to_find_the_room_that_a_job_has_made() -> None:
    """It was refused for 20 s, so its next attempt may come as late as after 20 s more."""
    wait = Wait({DEPLOYMENT_PATH: refused_by_a_quota()})
    wait.connection.answers[JOBS_PATH] = lambda: items(spawned("Complete") if wait.seconds > 20 else spawned())
    assert "exceeded quota" in wait.failure()
    assert wait.seconds == 20 + 20 + 30


def test_without_a_running_job_a_quota_ends_the_wait_after_its_grace() -> None:
    wait = Wait({DEPLOYMENT_PATH: refused_by_a_quota(), JOBS_PATH: items(spawned("Complete"), spawned("Failed"))})
    assert "exceeded quota" in wait.failure()
    assert wait.seconds == 10


def test_the_timeout_names_the_jobs_that_use_the_quota() -> None:
    text = Wait({DEPLOYMENT_PATH: refused_by_a_quota(), JOBS_PATH: items(spawned())}).failure(timeout=40)
    assert "wait_timeout (40 s) is over" in text
    assert "FailedCreate: exceeded quota: agentsmith" in text
    assert "Jobs that use the quota: agentsmith-1" in text


def test_refused_pods_of_a_job_end_the_wait_after_a_grace() -> None:
    refusal = event("FailedCreate", "violates PodSecurity", 5)
    wait = Wait({JOB_PATH: job(), EVENTS_PATH: items(refusal)}, (JOB_PATH, job()))
    assert "Job n/j will not become ready: FailedCreate: violates PodSecurity" in wait.failure()
    assert wait.seconds == 10


def test_a_job_counts_its_crashes_itself() -> None:
    crashing = pod("CrashLoopBackOff", owner="j")
    wait = Wait({JOB_PATH: job(), PODS_PATH: items(crashing)}, (JOB_PATH, job()))
    wait.connection.answers[JOB_PATH] = lambda: job(condition("Complete")) if wait.seconds >= 60 else job()
    wait.run()
    assert wait.seconds == 60


def unscheduled_pod(reason: str = "Unschedulable") -> dict[str, Any]:
    """Return a pod without a node."""
    conditions = [condition("PodScheduled", "False", reason=reason, message="0/1 nodes are available")]
    return {**pod(), "status": {"phase": "Pending", "conditions": conditions}}


def test_a_long_wait_says_what_it_waits_for() -> None:
    wait = Wait({}, (DEPLOYMENT_PATH, STARTING), (JOB_PATH, job()))
    wait.connection.answers[JOB_PATH] = lambda: job(condition("Complete")) if wait.seconds >= 20 else job()
    wait.failure(timeout=40)
    first, second = wait.said
    assert first.startswith("Waiting for Deployment n/d: ")
    assert "; Job n/j: " in first
    assert first.endswith(" (15 s)")
    assert "Job" not in second
    assert second.endswith(" (30 s)")


def test_a_short_wait_says_nothing() -> None:
    wait = Wait({})
    wait.connection.answers[DEPLOYMENT_PATH] = lambda: COMPLETE if wait.seconds >= 14 else STARTING
    wait.run()
    assert wait.said == []


def test_the_timeout_names_the_scheduler() -> None:
    text = Wait({PODS_PATH: items(unscheduled_pod())}).failure(timeout=4)
    assert "pod d-new-1: Pending; Unschedulable: 0/1 nodes are available" in text
    assert "wait_timeout (4 s) is over; in the inventory it is agentsmith_wait_timeout" in text


def test_a_pod_for_which_there_is_no_node_ends_the_wait_after_a_grace() -> None:
    wait = Wait({PODS_PATH: items(unscheduled_pod())})
    text = wait.failure()
    assert text == "Deployment n/d will not become ready: Unschedulable: 0/1 nodes are available\npod d-new-1: Pending"
    assert wait.seconds == 120


def test_a_node_that_an_autoscaler_brings_in_time_is_waited_for() -> None:
    wait = Wait({})
    wait.connection.answers[PODS_PATH] = lambda: items(
        unscheduled_pod() if wait.seconds < 110 else pod("ContainerCreating")
    )
    wait.connection.answers[DEPLOYMENT_PATH] = lambda: COMPLETE if wait.seconds >= 150 else STARTING
    wait.run()
    assert wait.seconds == 150


def test_a_pod_that_is_held_back_on_purpose_is_no_failure() -> None:
    assert "is over" in Wait({PODS_PATH: items(unscheduled_pod("SchedulingGated"))}).failure(timeout=200)


@pytest.mark.parametrize("waiting", ["ContainerCreating", "PodInitializing"])
@pytest.mark.parametrize("reason", ["FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox"])
def test_what_keeps_a_pod_from_being_created_ends_the_wait_after_a_grace(waiting: str, reason: str) -> None:
    events = items(event("Scheduled", "to a node"), event(reason, 'secret "s" not found', 7))
    wait = Wait({PODS_PATH: items(pod(waiting)), EVENTS_PATH: events})
    text = wait.failure()
    assert f'Deployment n/d will not become ready: {reason}: secret "s" not found' in text
    assert f"container c waiting ({waiting})" in text
    assert wait.seconds == 60


@pytest.mark.parametrize(
    "events",
    [
        items(event("FailedMount", "not yet"), event("Pulling", "a large image", 2)),
        items(),
        ApiError(403, "Forbidden", "events is forbidden"),
    ],
)
def test_a_large_image_is_waited_for(events: Any) -> None:
    wait = Wait({PODS_PATH: items(pod("ContainerCreating")), EVENTS_PATH: events})
    wait.connection.answers[DEPLOYMENT_PATH] = lambda: COMPLETE if wait.seconds >= 250 else STARTING
    wait.run()
    assert wait.seconds == 250


def test_several_failures_are_reported_together() -> None:
    failed = job(condition("Failed", reason="BackoffLimitExceeded", message="m"))
    wait = Wait(
        {PODS_PATH: items(pod("ErrImageNeverPull")), JOB_PATH: failed},
        (DEPLOYMENT_PATH, STARTING),
        (JOB_PATH, job()),
    )
    text = wait.failure()
    assert "ErrImageNeverPull" in text
    assert "BackoffLimitExceeded: m" in text


def test_a_workload_that_somebody_deletes_ends_the_wait() -> None:
    wait = Wait({})
    del wait.connection.answers[DEPLOYMENT_PATH]
    assert "Deleted: somebody deleted it in the meantime" in wait.failure()


STATEFUL_SET_PATH = "/apis/apps/v1/namespaces/n/statefulsets/s"
DAEMON_SET_PATH = "/apis/apps/v1/namespaces/n/daemonsets/s"


def stateful_set(kind: str = "StatefulSet", strategy: str = "RollingUpdate", **status: Any) -> dict[str, Any]:
    """Return a StatefulSet, or DaemonSet, that is at its second revision."""
    metadata = {"name": "s", "namespace": "n", "uid": "s-uid", "generation": 2}
    metadata["annotations"] = {"deprecated.daemonset.template.generation": "2"}
    spec = {"replicas": 2, "selector": {"matchLabels": {"app": "s"}}, "updateStrategy": {"type": strategy}}
    state = {"observedGeneration": 2, "updateRevision": "s-2", "desiredNumberScheduled": 1, "replicas": 2, **status}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": spec, "status": state}


def of_revision(number: int, reason: str = "ErrImageNeverPull") -> dict[str, Any]:
    """Return a broken pod of a StatefulSet or DaemonSet."""
    body = pod(reason, name=f"s-{number}", owner="s")
    body["metadata"]["labels"] = {"controller-revision-hash": f"s-{number}", "pod-template-generation": str(number)}
    return body


@pytest.mark.parametrize(("kind", "path"), [("StatefulSet", STATEFUL_SET_PATH), ("DaemonSet", DAEMON_SET_PATH)])
def test_a_broken_pod_of_the_newest_revision_ends_the_wait_and_an_older_one_does_not(kind: str, path: str) -> None:
    state = stateful_set(kind)
    wait = Wait({path: state, PODS_PATH: items(of_revision(2))}, (path, state))
    assert f"{kind} n/s will not become ready: ErrImageNeverPull" in wait.failure()
    wait = Wait({path: state, PODS_PATH: items(of_revision(1))}, (path, state))
    assert "wait_timeout (3 s) is over" in wait.failure(timeout=3)


def test_a_broken_pod_that_a_stateful_set_waits_for_is_deleted() -> None:
    state = stateful_set()
    pods = items(of_revision(1), {**of_revision(1, ""), "status": {"phase": "Pending"}})
    wait = Wait({STATEFUL_SET_PATH: state, PODS_PATH: pods}, (STATEFUL_SET_PATH, state))
    wait.connection.answers[STATEFUL_SET_PATH] = lambda: (
        stateful_set(updatedReplicas=2, availableReplicas=2) if wait.connection.deleted else state
    )
    wait.run()
    assert wait.connection.deleted == [(f"{PODS_PATH}/s-1", "s-1-uid")]


def test_who_may_not_delete_it_is_told_what_keeps_the_stateful_set_from_rolling() -> None:
    state = stateful_set()
    answers = {STATEFUL_SET_PATH: state, PODS_PATH: items(of_revision(1))}
    wait = Wait(answers, (STATEFUL_SET_PATH, state))
    wait.connection.refusal = ApiError(403, "Forbidden", "pods is forbidden")
    text = wait.failure(timeout=2)
    assert "The pod s-1 of an older revision keeps it from rolling: pods is forbidden" in text


@pytest.mark.parametrize(
    ("kind", "strategy"), [("StatefulSet", "OnDelete"), ("DaemonSet", "OnDelete"), ("DaemonSet", "RollingUpdate")]
)
def test_no_other_pod_is_deleted(kind: str, strategy: str) -> None:
    path = STATEFUL_SET_PATH if kind == "StatefulSet" else DAEMON_SET_PATH
    state = stateful_set(kind, strategy)
    wait = Wait({path: state, PODS_PATH: items(of_revision(1))}, (path, state))
    wait.failure(timeout=3)
    assert wait.connection.deleted == []


@pytest.mark.parametrize(("kind", "path"), [("StatefulSet", STATEFUL_SET_PATH), ("DaemonSet", DAEMON_SET_PATH)])
def test_refused_pods_that_only_an_event_tells_of_end_the_wait_after_a_grace(kind: str, path: str) -> None:
    state = stateful_set(kind)
    refusal, overcome = event("FailedCreate", "exceeded quota", 5), event("SuccessfulCreate", "Created pod", 6)
    wait = Wait({path: state, EVENTS_PATH: items(refusal)}, (path, state))
    assert f"{kind} n/s will not become ready: FailedCreate: exceeded quota" in wait.failure()
    assert wait.seconds == 10
    wait = Wait({path: state, EVENTS_PATH: items(overcome, refusal)}, (path, state))
    assert "wait_timeout (12 s) is over" in wait.failure(timeout=12)


def test_a_pod_that_no_controller_makes_is_its_own_cause() -> None:
    broken = {**pod("ErrImageNeverPull", name="p"), "apiVersion": "v1", "kind": "Pod"}
    path = f"{PODS_PATH}/p"
    text = Wait({path: broken}, (path, broken)).failure()
    assert "Pod n/p will not become ready: ErrImageNeverPull" in text
    assert "pod p: Pending" in text


def test_every_container_that_is_not_ready_is_quoted_whichever_comes_first() -> None:
    waiting = pod(container={"state": {"running": {}}})
    proxy = {"name": "a-proxy", "ready": False, "state": {"running": {}}}
    waiting["status"]["containerStatuses"].insert(0, proxy)
    text = Wait({PODS_PATH: items(waiting), LOG_PATH: "a line"}).failure(timeout=2)
    assert "log of container a-proxy:\n  a line" in text
    assert "log of container c:\n  a line" in text


def old(broken: dict[str, Any], **status: Any) -> dict[str, Any]:
    """Return a pod that was there long before the wait."""
    metadata = {**broken["metadata"], "creationTimestamp": "2026-01-01T00:00:00Z"}
    return {**broken, "metadata": metadata, "status": {**broken["status"], **status}}


def test_a_pull_back_off_of_before_is_waited_out() -> None:
    """The registry answers again: the pod runs with its next attempt, within five minutes."""
    wait = Wait({})
    wait.connection.answers[PODS_PATH] = lambda: items(old(pod("ImagePullBackOff" if wait.seconds < 200 else "")))
    wait.connection.answers[DEPLOYMENT_PATH] = lambda: COMPLETE if wait.seconds >= 210 else STARTING
    wait.run()
    assert wait.seconds == 210


def test_a_pull_that_fails_again_ends_the_wait_after_its_grace() -> None:
    wait = Wait({})

    def pods() -> dict[str, Any]:
        return items(old(pod("ErrImagePull" if 100 <= wait.seconds < 101 else "ImagePullBackOff")))

    wait.connection.answers[PODS_PATH] = pods
    assert "will not become ready: ImagePullBackOff" in wait.failure()
    assert wait.seconds == 120


def crashing(restarts: int) -> dict[str, Any]:
    """Return the state of a container that waits after so many restarts."""
    waiting = {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container"}
    return {"restartCount": restarts, "state": {"waiting": waiting}}


def test_a_crash_back_off_of_before_is_waited_out_until_it_crashes_again() -> None:
    wait = Wait({})
    wait.connection.answers[PODS_PATH] = lambda: items(old(pod(container=crashing(4 if wait.seconds < 150 else 5))))
    assert "CrashLoopBackOff" in wait.failure()
    assert wait.seconds == 170


def test_a_volume_that_was_missing_is_tried_again_within_two_minutes() -> None:
    events = items(event("FailedMount", 'secret "s" not found', 7))
    wait = Wait({PODS_PATH: items(old(pod("ContainerCreating"))), EVENTS_PATH: events})
    assert "FailedMount" in wait.failure()
    assert wait.seconds == 150


def test_what_no_attempt_cures_ends_the_wait_of_an_old_pod_at_once() -> None:
    wait = Wait({PODS_PATH: items(old(pod("InvalidImageName")))})
    wait.failure()
    assert wait.seconds == 0


def a_bare_pod(image: str, container_id: str, ready: str = "True") -> dict[str, Any]:
    """Return a pod without a controller, as a kubelet without observedGeneration reports it."""
    statuses = [{"name": "c", "containerID": container_id, "ready": ready == "True", "state": {"running": {}}}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": "n", "uid": "p-uid"},
        "spec": {"containers": [{"name": "c", "image": image}]},
        "status": {"phase": "Running", "conditions": [condition("Ready", ready)], "containerStatuses": statuses},
    }


def test_a_pod_whose_image_was_patched_is_not_ready_with_its_old_container() -> None:
    path = f"{PODS_PATH}/p"
    before, patched = a_bare_pod("c:1", "old"), a_bare_pod("c:2", "old")
    wait = Wait({path: patched}, (path, before))
    wait.planned[0].after = patched
    wait.connection.answers[path] = lambda: (
        patched if wait.seconds < 5 else a_bare_pod("c:2", "new", "False" if wait.seconds < 9 else "True")
    )
    wait.run()
    assert wait.seconds == 9


def test_a_pod_with_another_label_is_ready_as_it_is() -> None:
    path = f"{PODS_PATH}/p"
    wait = Wait({}, (path, a_bare_pod("c:1", "old")))
    wait.planned[0].after = a_bare_pod("c:1", "old")
    wait.run()
    assert wait.connection.asked == []
