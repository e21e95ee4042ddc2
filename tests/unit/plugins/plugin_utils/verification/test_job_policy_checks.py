# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict over dry runs of Jobs. What the API server really says is in tests/integration."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ApiError
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification import job_policy, spawned_job
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.app_release import APPS

APP = APPS["be4bffa1"]
BY_POLICY = ApiError(422, "Invalid", "jobs.batch is forbidden: ValidatingAdmissionPolicy 'a' denied request: image")
NO_RIGHT = ApiError(403, "Forbidden", 'serviceaccounts "agentsmith" is forbidden: User "me" cannot impersonate')
NO_RIGHT_OF_THE_DISPATCHER = ApiError(403, "Forbidden", 'User "x" cannot create resource "jobs" in API group "batch"')
OTHER = ApiError(403, "Forbidden", "denied by a webhook")
USED_UP = ApiError(
    403,
    "Forbidden",
    "exceeded quota: q, requested: count/jobs.batch=1, used: count/jobs.batch=100, limited: count/jobs.batch=100",
)
NO_JOBS = ApiError(
    403,
    "Forbidden",
    "exceeded quota: q, requested: count/jobs.batch=1, used: count/jobs.batch=0, limited: count/jobs.batch=0",
)


@pytest.fixture
def completed() -> dict[str, Any]:
    """A Job as the policy completes it."""
    job = spawned_job.spawned_job("here", {"spec": {"template": {"spec": {"containers": [{}]}}}}, APP)
    job["spec"]["activeDeadlineSeconds"] = 7200
    pod = job["spec"]["template"]["spec"]
    pod["automountServiceAccountToken"] = False
    pod["volumes"] = [
        {"name": "scratch", "emptyDir": {}},
        {"name": "config", "configMap": {"name": "agentsmith-config"}},
    ]
    pod["containers"][0]["securityContext"] = {"allowPrivilegeEscalation": False}
    pod["containers"][0]["volumeMounts"] = [{"name": "config", "mountPath": "/app/config/agentsmith.yml"}]
    return job


def without(job: dict[str, Any], *path: str | int) -> dict[str, Any]:
    """Return the Job less the field at a path."""
    changed = copy.deepcopy(job)
    place: Any = changed
    for key in path[:-1]:
        place = place[key]
    del place[path[-1]]
    return changed


def test_a_completed_job(completed: dict[str, Any]) -> None:
    outcome = job_policy.check_completed("c", "agentsmith-config", completed)
    assert outcome.result == "ok"
    assert "the ConfigMap agentsmith-config at /app/config/agentsmith.yml" in outcome.evidence


POD = ("spec", "template", "spec")


@pytest.mark.parametrize(
    ("path", "lacking"),
    [
        (("spec", "activeDeadlineSeconds"), "a deadline"),
        ((*POD, "automountServiceAccountToken"), "no token"),
        ((*POD, "volumes"), "the ConfigMap agentsmith-config at /app/config/agentsmith.yml"),
        ((*POD, "containers", 0, "volumeMounts"), "the ConfigMap agentsmith-config at /app/config/agentsmith.yml"),
        ((*POD, "containers", 0, "securityContext"), "a securityContext"),
    ],
)
def test_a_job_that_lacks_something(completed: dict[str, Any], path: tuple[str | int, ...], lacking: str) -> None:
    outcome = job_policy.check_completed("c", "agentsmith-config", without(completed, *path))
    assert (outcome.result, outcome.evidence) == ("failed", f"the next Job would lack {lacking}")


def test_a_job_with_another_config_map(completed: dict[str, Any]) -> None:
    assert job_policy.check_completed("c", "other", completed).result == "failed"


@pytest.mark.parametrize(
    ("error", "result"),
    [
        (BY_POLICY, "failed"),
        (OTHER, "failed"),
        (USED_UP, "not checked"),
        (NO_JOBS, "failed"),
        (NO_RIGHT, "not checked"),
        (NO_RIGHT_OF_THE_DISPATCHER, "not checked"),
    ],
)
def test_a_job_that_is_not_taken(error: ApiError, result: str) -> None:
    assert job_policy.check_completed("c", "agentsmith-config", error).result == result


@pytest.mark.parametrize(
    ("refusal", "result"),
    [
        (BY_POLICY, "ok"),
        (None, "failed"),
        (OTHER, "failed"),
        # A quota has its say after the policies, so these have let the Job pass.
        (USED_UP, "failed"),
        (NO_RIGHT, "not checked"),
        (NO_RIGHT_OF_THE_DISPATCHER, "not checked"),
    ],
)
def test_a_forged_job(refusal: ApiError | None, result: str) -> None:
    assert job_policy.check_refused("c", refusal).result == result


def test_missing_objects_are_named() -> None:
    assert job_policy.check_installed("c", []).result == "ok"
    outcome = job_policy.check_installed("c", ["ValidatingAdmissionPolicy a"])
    assert (outcome.result, outcome.evidence) == ("failed", "missing: ValidatingAdmissionPolicy a")


DISPATCHER = {
    "spec": {
        "template": {
            "spec": {
                "containers": [
                    {
                        "env": [
                            {"name": "AGENTSMITH_IMAGE", "value": "agent:7"},
                            {"name": "K8S_SECRET_NAME", "value": "other"},
                            {"name": "K8S_NAMESPACE", "valueFrom": {}},
                        ]
                    }
                ]
            }
        }
    }
}


def test_the_pod_of_a_job_follows_the_environment_of_the_dispatcher() -> None:
    pod = spawned_job.pod_of(spawned_job.spawned_job("here", DISPATCHER, APP))
    (container,) = pod["spec"]["containers"]
    assert (container["image"], container["imagePullPolicy"]) == ("agent:7", "IfNotPresent")
    references = [entry["valueFrom"]["secretKeyRef"] for entry in container["env"] if "valueFrom" in entry]
    assert {reference["name"] for reference in references} == {"other"}
    assert len(references) == 6
    assert "securityContext" not in container


@pytest.mark.parametrize(
    ("app", "first", "own", "lacking"),
    [
        ("be4bffa1", "--headless", {"PLATFORM", "TICKET_ID"}, "AGENTSMITH_PLATFORM"),
        ("0.9.2", "run", {"AGENTSMITH_PLATFORM"}, "PLATFORM"),
    ],
)
def test_a_job_has_the_form_that_the_release_gives_it(app: str, first: str, own: set[str], lacking: str) -> None:
    job = spawned_job.spawned_job("here", DISPATCHER, APPS[app])
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert container["args"][0] == first
    assert container["args"][-1] == "fix #54 in verify"
    assert "--headless" in container["args"]
    names = {entry["name"] for entry in container["env"]}
    assert own | {"JOB_ID", "PROJECT", "CHANNEL_ID", "USER_ID"} <= names
    assert lacking not in names
    assert container["resources"]["limits"] == {"cpu": "1", "memory": "1Gi"}
    assert job["metadata"]["labels"].keys() == {"app", "job-id", "platform", "project"}
    assert job["spec"]["template"]["metadata"]["labels"].keys() == {"app", "job-id"}
