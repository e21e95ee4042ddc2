# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict over dry runs. What the API server really says is in tests/integration."""

from __future__ import annotations

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ApiError
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification import job_admission, pod_security

VIOLATION = ApiError(403, "Forbidden", 'pods "x" is forbidden: violates PodSecurity "baseline:latest": privileged')


def by_quota(requested: str, used: str, limited: str) -> ApiError:
    """Return the API server's words, of v1.32."""
    amounts = f"requested: {requested}, used: {used}, limited: {limited}"
    return ApiError(403, "Forbidden", f'pods "x" is forbidden: exceeded quota: compute, {amounts}')


USED_UP = by_quota("pods=1,requests.memory=512Mi", "pods=13,requests.memory=5760Mi", "pods=13,requests.memory=5760Mi")
JUST_FITS = by_quota("requests.cpu=250m", "requests.cpu=100m", "requests.cpu=0.25")
TOO_SMALL = by_quota("pods=1,requests.memory=512Mi", "pods=3,requests.memory=0", "pods=3,requests.memory=400Mi")
NO_RIGHT = ApiError(403, "Forbidden", 'pods is forbidden: User "me" cannot create resource "pods" in API group ""')


@pytest.mark.parametrize(
    ("refusal", "level", "result", "words"),
    [
        (VIOLATION, "baseline", "ok", "Pod Security (baseline)"),
        (VIOLATION, None, "ok", "level unknown"),
        (USED_UP, None, "ok", "exceeded quota"),
        (None, None, "failed", "would be admitted"),
        (None, "baseline", "failed", "would be admitted"),
        (None, "privileged", "not checked", "forbids nothing"),
        (NO_RIGHT, "baseline", "not checked", "may not create pods"),
        (ApiError(404, "NotFound", 'namespaces "n" not found'), None, "not checked", "the namespace does not exist"),
    ],
)
def test_refusal(refusal: ApiError | None, level: str | None, result: str, words: str) -> None:
    outcome = pod_security.check_refusal("pod_security", refusal, level)
    assert outcome.result == result
    assert words in outcome.evidence


@pytest.mark.parametrize(
    ("refusal", "result", "hint"),
    [
        (None, "ok", ""),
        (VIOLATION, "failed", "`baseline` is the strictest level"),
        (USED_UP, "warning", "used up at this moment"),
        (JUST_FITS, "warning", "used up at this moment"),
        (TOO_SMALL, "failed", "Every Job would wait for ever"),
        (ApiError(422, "Invalid", "image is required"), "failed", "Change the namespace so that it admits the pod"),
        (NO_RIGHT, "not checked", "Needs `create` on `pods`"),
    ],
)
def test_admission(refusal: ApiError | None, result: str, hint: str) -> None:
    outcome = job_admission.check_admission("job_admission", refusal, lambda: True)
    assert outcome.result == result
    assert hint in outcome.hint


def test_a_quota_that_no_job_uses_is_not_said_to_wait_for_jobs() -> None:
    outcome = job_admission.check_admission("job_admission", USED_UP, lambda: False)
    assert outcome.result == "warning"
    assert (
        "no Job runs: what else runs in the namespace has taken it, the Dispatcher and Redis included" in outcome.hint
    )
