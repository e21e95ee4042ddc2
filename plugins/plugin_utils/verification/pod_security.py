# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the API server refuses a pod that breaks Pod Security, asked with a dry run.

https://kubernetes.io/docs/concepts/security/pod-security-admission/
"""

from typing import Any

from ..objects.errors import ApiError
from .outcome import NOT_CHECKED, Outcome, judged
from .pod_refusal import forbidden, may_not_create
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
    if refusal.status == 404:
        return Outcome(check, NOT_CHECKED, "the namespace does not exist")
    by = f"Pod Security ({level or 'level unknown'})" if "violates PodSecurity" in str(refusal) else str(refusal)
    return judged(check, True, f"a pod on the node's own network is refused by {by}", "")
