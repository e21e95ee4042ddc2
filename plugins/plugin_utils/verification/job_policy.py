# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the admission policies for Jobs are there, complete the Dispatcher's Job and refuse a forged one."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..objects.errors import ApiError
from ..pods.spawned_jobs import container_of_job
from .outcome import NOT_CHECKED, Outcome, judged
from .pod_refusal import is_by_quota, is_too_small

# And the resources that they are served as.
KINDS = {
    "MutatingAdmissionPolicy": "mutatingadmissionpolicies",
    "MutatingAdmissionPolicyBinding": "mutatingadmissionpolicybindings",
    "ValidatingAdmissionPolicy": "validatingadmissionpolicies",
    "ValidatingAdmissionPolicyBinding": "validatingadmissionpolicybindings",
}
CONFIG_FILE = "/app/config/agentsmith.yml"
# No image has this name, and no dry run pulls one.
FORGED_IMAGE = "localhost/agentsmith-verify-forged"
_DEPLOY = "Deploy again (the part job_policy)."


def check_installed(check: str, missing: Sequence[str]) -> Outcome:
    """All objects of the part are live."""
    evidence = f"missing: {', '.join(missing)}" if missing else "all objects of the part are live"
    return judged(check, not missing, evidence, _DEPLOY)


def check_completed(check: str, config_map: str, answer: Mapping[str, Any] | ApiError) -> Outcome:
    """The Job that the Dispatcher will spawn gets its configuration, its limits and no token.

    :param answer: the Job as the API server would take it, or its refusal.
    """
    if isinstance(answer, ApiError):
        if is_by_quota(answer) and not is_too_small(answer):
            hint = "The quota for Jobs is used up at this moment. Verify again when some Jobs have ended."
            return Outcome(check, NOT_CHECKED, str(answer), hint)
        hint = "Every Job would fail. The refusal says what is allowed: correct that, and deploy again."
        return _not_asked(check, answer) or judged(check, False, str(answer), hint)
    pod = answer["spec"]["template"]["spec"]
    container = container_of_job(answer)
    got = {
        f"the ConfigMap {config_map} at {CONFIG_FILE}": _mounts(pod, container, config_map),
        "a securityContext": (container.get("securityContext") or {}).get("allowPrivilegeEscalation") is False,
        "no token": pod.get("automountServiceAccountToken") is False,
        "a deadline": "activeDeadlineSeconds" in answer["spec"],
    }
    lacking = [thing for thing, there in got.items() if not there]
    evidence = f"the next Job would lack {', '.join(lacking)}" if lacking else f"the next Job gets {', '.join(got)}"
    return judged(check, not lacking, evidence, _DEPLOY)


def check_refused(check: str, refusal: ApiError | None) -> Outcome:
    """A Job with another image is refused by the policy.

    :param refusal: the API server's error; None where it would take the Job.
    """
    if refusal is None:
        return judged(check, False, f"a Job with the image {FORGED_IMAGE} would be admitted", _DEPLOY)
    by_policy = "ValidatingAdmissionPolicy" in str(refusal)
    hint = "Something else refused it first. Correct that, and verify again."
    return _not_asked(check, refusal) or judged(check, by_policy, str(refusal), hint)


def _mounts(pod: Mapping[str, Any], container: Mapping[str, Any], config_map: str) -> bool:
    volumes = {
        volume["name"] for volume in pod.get("volumes") or [] if volume.get("configMap", {}).get("name") == config_map
    }
    return any(
        mount["mountPath"] == CONFIG_FILE and mount["name"] in volumes for mount in container.get("volumeMounts") or []
    )


def _not_asked(check: str, error: ApiError) -> Outcome | None:
    """Return the outcome where it is a right that is missing, ours or the Dispatcher's; None for any other error."""
    if error.status != 403:
        return None
    if "cannot impersonate" in str(error):
        hint = "Needs `impersonate` on the Dispatcher's `serviceaccounts`."
        return Outcome(check, NOT_CHECKED, "you may not ask on behalf of the Dispatcher's ServiceAccount", hint)
    if 'cannot create resource "jobs"' in str(error):
        return Outcome(check, NOT_CHECKED, "the Dispatcher's ServiceAccount may not create Jobs: see access_jobs")
    return None
