# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the API server would admit the pod of a Job that the Dispatcher will spawn, asked with a dry run."""

from collections.abc import Callable

from ..objects.errors import ApiError
from .outcome import WARNING, Outcome, judged
from .pod_refusal import forbidden, is_by_quota, is_too_small, may_not_create


def check_admission(check: str, refusal: ApiError | None, jobs_run: Callable[[], bool]) -> Outcome:
    """Judge the answer to the Dispatcher's pod.

    :param jobs_run: tells whether Jobs run now, which may use up a quota.
    """
    if refusal is None:
        return judged(check, True, "the API server would admit the pod of a Job", "")
    if may_not_create(refusal):
        return forbidden(check)
    if is_by_quota(refusal):
        return _by_quota(check, refusal, jobs_run)
    hint = "Every Job would fail. Change the namespace so that it admits the pod."
    if "violates PodSecurity" in str(refusal):
        hint = (
            "Every Job would fail: Jobs have no securityContext, so `baseline` is the strictest level for them. The "
            "part job_policy can give them one (agentsmith_job_policy)."
        )
    return judged(check, False, str(refusal), hint)


def _by_quota(check: str, refusal: ApiError, jobs_run: Callable[[], bool]) -> Outcome:
    """Judge a refusal for a quota. One that is used up is what a quota is for, and no fault of the release."""
    if is_too_small(refusal):
        hint = "Every Job would wait for ever. It needs 250m CPU and 512Mi memory, with limits of 1 CPU and 1Gi."
        return judged(check, False, str(refusal), f"{hint} Raise the quota.")
    hint = (
        "The quota is used up at this moment: the next Job waits until others have ended. Raise it to run more Jobs "
        "at the same time."
        if jobs_run()
        else "The quota is used up, and no Job runs: what else runs in the namespace has taken it, the Dispatcher and "
        "Redis included. The next Job waits until some of that has ended, or for ever. Raise the quota."
    )
    return Outcome(check, WARNING, str(refusal), hint)
