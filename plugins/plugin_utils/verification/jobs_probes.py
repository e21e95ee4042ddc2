# SPDX-License-Identifier: GPL-3.0-or-later
"""The Jobs are looked at: whether finished ones go away when their time is over."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from ..text.counted import counted
from .outcome import Outcome, judged
from .probe import Asked, Probe

GRACE = timedelta(seconds=60)
"""For the controller to get to it, and for clocks that differ a little."""


def job_ttl(asked: Asked) -> list[Outcome]:
    """Look at the Jobs."""
    return [check_job_ttl("job_ttl", asked.target.read_jobs(), datetime.now(UTC))]


def check_job_ttl(check: str, jobs: Sequence[Mapping[str, Any]], now: datetime) -> Outcome:
    """No Job is older than its time to live, and each has one.

    https://kubernetes.io/docs/concepts/workloads/controllers/ttlafterfinished/
    """
    endless = [_name(job) for job in jobs if _ttl(job) is None]
    late = [_name(job) for job in jobs if _is_late(job, now)]
    faults = [f"{name} has no ttlSecondsAfterFinished" for name in endless]
    faults += [f"{name} should be gone" for name in late]
    finished = sum(1 for job in jobs if finished_at(job) is not None)
    hint = "kube-controller-manager removes finished Jobs: check that it runs and that no finalizer holds them."
    return judged(check, not faults, "; ".join(faults) or f"{counted(len(jobs), 'Job')}, {finished} finished", hint)


def finished_at(job: Mapping[str, Any]) -> datetime | None:
    """Return when a Job became Complete or Failed; None for one that runs."""
    for condition in (job.get("status") or {}).get("conditions") or []:
        if condition["type"] in ("Complete", "Failed") and condition["status"] == "True":
            return datetime.fromisoformat(condition["lastTransitionTime"])
    return None


def _is_late(job: Mapping[str, Any], now: datetime) -> bool:
    finished, ttl = finished_at(job), _ttl(job)
    return finished is not None and ttl is not None and finished + timedelta(seconds=ttl) + GRACE < now


def _ttl(job: Mapping[str, Any]) -> int | None:
    seconds: int | None = job["spec"].get("ttlSecondsAfterFinished")
    return seconds


def _name(job: Mapping[str, Any]) -> str:
    return str(job["metadata"]["name"])


PROBES = (Probe(("job_ttl",), "jobs", job_ttl),)
