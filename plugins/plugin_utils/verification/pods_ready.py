# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a Deployment runs what it states."""

from collections.abc import Mapping
from typing import Any

from ..pods.progress import progress_of
from .outcome import FAILED, NOT_CHECKED, Outcome, judged


def check_rollout(
    check: str,
    name: str,
    deployment: Mapping[str, Any] | None,
    intended: bool,
    diagnosis: str = "",
    remedy: str = "",
) -> Outcome:
    """Judge a live Deployment; None stands for one that is not there.

    :param intended: whether the release has it. One that nobody wants need not be there.
    :param diagnosis: why its pods do not run.
    :param remedy: which variables to change, if any help.
    """
    if deployment is None and not intended:
        return Outcome(check, NOT_CHECKED, f"this release has no Deployment {name}")
    if deployment is None:
        return Outcome(check, FAILED, f"Deployment {name} does not exist", "Run agentsmith.platform.deploy.")
    progress = progress_of(deployment)
    generation = deployment["metadata"].get("generation")
    replicas = (deployment.get("status") or {}).get("availableReplicas") or 0
    if progress.complete:
        return judged(check, True, f"generation {generation}, {replicas} available", "")
    evidence = "\n".join(filter(None, [f"generation {generation}: {progress.failure or progress.text}", diagnosis]))
    return Outcome(check, FAILED, evidence, remedy or "The evidence shows what keeps its pods from running.")
