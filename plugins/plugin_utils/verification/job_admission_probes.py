# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether Jobs are admitted: the API server and the policies for Jobs are offered one, and a forged one."""

import time
from collections.abc import Callable
from typing import Any

from ..objects.errors import ApiError
from ..pods.spawned_jobs import is_running
from . import job_policy
from .job_admission import check_admission
from .outcome import FAILED, OK, Outcome
from .probe import Asked, Probe, not_checked, refusal_of
from .spawned_job import admitted, pod_of, spawned_job, with_image

NO_POLICIES = "this release has no policies for Jobs (agentsmith_job_policy)"
POLICY_TIMEOUT = 20.0  # seconds: an API server sees a new admission policy within a second or two
POLICY_PAUSE = 0.2  # seconds between two dry runs


def job_admission(asked: Asked) -> list[Outcome]:
    """Offer the API server the pod of a Job, with what the policies give it."""
    deployment = asked.target.dispatcher
    if deployment is None:
        return not_checked(("job_admission",), "there is no Dispatcher to spawn it")
    job = spawned_job(asked.target.names.namespace, deployment, asked.app)
    if not asked.target.intended_of("MutatingAdmissionPolicy"):
        return [_admission(asked, job)]
    if _completed(asked, "job_admission", job).result != OK:
        return not_checked(("job_admission",), "its Job is not completed: see job_policy_completes")
    return [_admission(asked, admitted(asked.target, job))]


def _admission(asked: Asked, job: dict[str, Any]) -> Outcome:
    """Offer the pod of a Job."""

    def jobs_run() -> bool:
        # One that waits for a pod has none of the quota
        return any(is_running(one) and one["status"].get("active") for one in asked.target.read_jobs())

    return check_admission("job_admission", refusal_of(asked, pod_of(job)), jobs_run)


def job_policy_installed(asked: Asked) -> list[Outcome]:
    """Look for the policies and their bindings."""
    bodies = [body for kind in job_policy.KINDS for body in asked.target.intended_of(kind)]
    if not bodies:
        return not_checked(("job_policy_installed",), NO_POLICIES)
    paths = {
        f"{body['kind']} {body['metadata']['name']}": "/".join(
            ("/apis", body["apiVersion"], job_policy.KINDS[body["kind"]], body["metadata"]["name"])
        )
        for body in bodies
    }
    missing = [name for name, path in paths.items() if asked.target.connection.find(path) is None]
    return [job_policy.check_installed("job_policy_installed", missing)]


def job_policy_completes(asked: Asked) -> list[Outcome]:
    """Offer the API server a Job of the Dispatcher, and look at what it makes of it."""
    job = _policed_job(asked)
    if isinstance(job, str):
        return not_checked(("job_policy_completes",), job)
    return [_completed(asked, "job_policy_completes", job)]


def job_policy_refuses(asked: Asked) -> list[Outcome]:
    """Offer it a forged one."""
    job = _policed_job(asked)
    if isinstance(job, str):
        return not_checked(("job_policy_refuses",), job)
    forged = with_image(job, job_policy.FORGED_IMAGE)

    def offer() -> Outcome:
        answer = _admitted(asked, forged)
        return job_policy.check_refused("job_policy_refuses", answer if isinstance(answer, ApiError) else None)

    return [_awaited(offer)]


def _policed_job(asked: Asked) -> dict[str, Any] | str:
    """Return the Job that the policies have to do with, or why there is none."""
    if not asked.target.intended_of("ValidatingAdmissionPolicy"):
        return NO_POLICIES
    if asked.target.dispatcher is None:
        return "there is no Dispatcher to spawn a Job"
    return spawned_job(asked.target.names.namespace, asked.target.dispatcher, asked.app)


def _completed(asked: Asked, check: str, job: dict[str, Any]) -> Outcome:
    config_map = asked.target.names.config_map
    return _awaited(lambda: job_policy.check_completed(check, config_map, _admitted(asked, job)))


def _admitted(asked: Asked, job: dict[str, Any]) -> dict[str, Any] | ApiError:
    try:
        return admitted(asked.target, job)
    except ApiError as error:
        return error


def _awaited(look: Callable[[], Outcome]) -> Outcome:
    """Look until nothing has failed, as long as a new policy takes to be seen."""
    deadline = time.monotonic() + POLICY_TIMEOUT
    while (outcome := look()).result == FAILED and time.monotonic() < deadline:
        time.sleep(POLICY_PAUSE)
    return outcome


PROBES = (
    Probe(("job_policy_installed",), "job_policy", job_policy_installed),
    Probe(("job_policy_completes",), "job_policy", job_policy_completes),
    Probe(("job_policy_refuses",), "job_policy", job_policy_refuses),
)
