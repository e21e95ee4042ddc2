# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the API server refuses a pod that breaks Pod Security, and admits the pod that the Dispatcher will spawn.

Both are asked with a dry run: https://kubernetes.io/docs/concepts/security/pod-security-admission/
"""

from __future__ import annotations

from typing import Any

from ..objects.errors import ApiError
from .outcome import NOT_CHECKED, WARNING, Outcome, judged
from .quota_refusal import is_by_quota, is_too_small
from .spawned_job import RESOURCES

ENFORCE_LABEL = "pod-security.kubernetes.io/enforce"


def violating_pod(namespace: str) -> dict[str, Any]:
    """Return a pod that every level but `privileged` forbids, and that nothing but such a rule refuses."""
    container = {
        "name": "verify",
        "image": "verify",
        # What the pod of a Job has, so that no quota or limit range has the last word.
        "resources": RESOURCES,
    }
    spec = {"hostNetwork": True, "hostPID": True, "containers": [container]}
    metadata = {"name": "agentsmith-verify", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def check_refusal(check: str, refusal: ApiError | None, level: str | None) -> Outcome:
    """Judge the answer to the violating pod.

    :param refusal: the API server's error; None where it would take the pod.
    :param level: the namespace's label; None where it has none or cannot be read.
    """
    if refusal is None and level == "privileged":
        return Outcome(check, NOT_CHECKED, "the namespace enforces `privileged`, which forbids nothing")
    if refusal is None:
        hint = (
            f"Nothing enforces Pod Security: set the label {ENFORCE_LABEL} (the part namespace), or have an "
            "administrator set it."
        )
        return judged(check, False, "a pod on the node's own network would be admitted", hint)
    if may_not_create(refusal):
        return forbidden(check)
    by = f"Pod Security ({level or 'level unknown'})" if "violates PodSecurity" in str(refusal) else str(refusal)
    return judged(check, True, f"a pod on the node's own network is refused by {by}", "")


def check_admission(check: str, refusal: ApiError | None) -> Outcome:
    """Judge the answer to the Dispatcher's pod."""
    if refusal is None:
        return judged(check, True, "the API server would admit the pod of a Job", "")
    if may_not_create(refusal):
        return forbidden(check)
    if is_by_quota(refusal):
        return by_quota(check, refusal)
    hint = "Every Job would fail. Change the namespace so that it admits the pod."
    if "violates PodSecurity" in str(refusal):
        hint = (
            "Every Job would fail: Jobs have no securityContext, so `baseline` is the strictest level for them. The "
            "part job_policy can give them one (agentsmith_job_policy)."
        )
    return judged(check, False, str(refusal), hint)


def by_quota(check: str, refusal: ApiError) -> Outcome:
    """Judge a refusal for a quota. One that is used up is what a quota is for, and no fault of the release."""
    if is_too_small(refusal):
        hint = "Every Job would wait for ever. It needs 250m CPU and 512Mi memory, with limits of 1 CPU and 1Gi."
        return judged(check, False, str(refusal), f"{hint} Raise the quota.")
    hint = (
        "The quota is used up at this moment: the next Job waits until others have ended. Raise it to run more Jobs "
        "at the same time."
    )
    return Outcome(check, WARNING, str(refusal), hint)


def may_not_create(refusal: ApiError) -> bool:
    """Tell whether it is we who may not create pods, rather than the pod that may not be created."""
    return refusal.status == 403 and 'cannot create resource "pods"' in str(refusal)


def forbidden(check: str) -> Outcome:
    """Return that the dry run is not allowed."""
    return Outcome(check, NOT_CHECKED, "you may not create pods, not even in a dry run", "Needs `create` on `pods`.")
