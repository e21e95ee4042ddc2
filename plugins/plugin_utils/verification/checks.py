# SPDX-License-Identifier: GPL-3.0-or-later
"""All checks of an installation, made at the same time. What each part asks is in <part>_probes.py."""

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor

from ..api.pod_stream import StreamCut, StreamFailed
from ..objects.errors import ApiError, TimeIsUp
from . import (
    config_probes,
    dispatcher_probes,
    egress_probes,
    job_admission_probes,
    jobs_probes,
    namespace_probes,
    public_probes,
    rbac_probes,
    redis_probes,
    route_probes,
    secrets_probes,
)
from .outcome import FAILED, NOT_CHECKED, OK, Outcome
from .probe import Asked, Probe, not_asked

PROBES = (
    *dispatcher_probes.PROBES,
    *egress_probes.PROBES,
    *redis_probes.PROBES,
    *secrets_probes.PROBES,
    *config_probes.PROBES,
    *rbac_probes.PROBES,
    *namespace_probes.PROBES,
    *job_admission_probes.PROBES,
    *jobs_probes.PROBES,
    *public_probes.PROBES,
    *route_probes.PROBES,
)
CHECKS = tuple(check for probe in PROBES for check in probe.checks)
PARTS = tuple(dict.fromkeys(probe.part for probe in PROBES))


def verify(asked: Asked, only: Collection[str]) -> list[Outcome]:
    """Make the checks whose name or part is in *only*, all where it is empty.

    :raises ConnectionFailed: when the API server stays away.
    """
    chosen = [probe for probe in PROBES if not only or probe.part in only or set(probe.checks) & set(only)]
    # Most of them wait for a command in a pod, so none of them waits for another
    with ThreadPoolExecutor(len(PROBES)) as executor:
        found = list(executor.map(lambda probe: _ask(probe, asked), chosen))
    results = [outcome for outcomes in found for outcome in outcomes]
    wanted = [outcome for outcome in results if not only or outcome.check in only or _part(outcome.check) in only]
    return [_without_namespace(outcome) for outcome in wanted] if _has_no_namespace(asked) else wanted


def _has_no_namespace(asked: Asked) -> bool:
    """Tell whether the namespace does not exist. That of a Dispatcher does."""
    try:
        return asked.target.dispatcher is None and asked.target.namespace is None
    except ApiError:
        return False  # one of them may not be read


def _without_namespace(outcome: Outcome) -> Outcome:
    """Return what a check found out where there is nothing: nothing wrong, but nothing right either."""
    if outcome.result != OK:
        return outcome
    return Outcome(outcome.check, NOT_CHECKED, "the namespace does not exist")


def _ask(probe: Probe, asked: Asked) -> list[Outcome]:
    try:
        return probe.ask(asked)
    except (ApiError, StreamCut, TimeIsUp) as error:
        return not_asked(probe.checks, error)
    except StreamFailed as error:
        hint = "Look at that pod: kubectl describe pod, kubectl logs."
        return [Outcome(check, FAILED, str(error), hint) for check in probe.checks]


def _part(check: str) -> str:
    return next(probe.part for probe in PROBES if check in probe.checks)
