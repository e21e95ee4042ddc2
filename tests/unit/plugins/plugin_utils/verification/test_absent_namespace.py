# SPDX-License-Identifier: GPL-3.0-or-later
"""In a namespace that does not exist nothing is wrong with Jobs or rights, but that is nothing to be called ok."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.connection import Response
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ApiError
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification import checks
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.probe import Asked
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.target import Names, Target
from fake_connection import FakeConnection

NAMESPACE = "/api/v1/namespaces/n"
CHECKS = ["dispatcher_rollout", "access_elsewhere", "access_secrets", "job_ttl"]


class Cluster(FakeConnection):
    """Answers like an API server, which says of an absent namespace that it has no Jobs and gives no rights."""

    def request(self, method: str, path: str, **_more: Any) -> Any:
        assert method == "POST" and path.endswith("subjectaccessreviews")
        return Response(201, {"status": {"allowed": False}})


def results(answers: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    jobs = {"/apis/batch/v1/namespaces/n/jobs": {"items": []}}
    target = Target(Cluster({**jobs, **answers}), Names("n", "secrets", "config", "agentsmith"), [])
    return {
        outcome.check: (outcome.result, outcome.evidence) for outcome in checks.verify(Asked(target, "", "", 0), CHECKS)
    }


def test_nothing_is_ok_in_a_namespace_that_does_not_exist() -> None:
    found = results({})
    assert found.pop("dispatcher_rollout")[0] == "failed"
    assert set(found.values()) == {("not checked", "the namespace does not exist")}


@pytest.mark.parametrize("namespace", [{"metadata": {"name": "n"}}, ApiError(403, "Forbidden", "not for you")])
def test_in_a_namespace_that_may_exist_the_checks_count(namespace: Any) -> None:
    found = results({NAMESPACE: namespace})
    assert found.pop("dispatcher_rollout")[0] == "failed"
    assert {result for result, _evidence in found.values()} == {"ok"}
