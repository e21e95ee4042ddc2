# SPDX-License-Identifier: GPL-3.0-or-later
"""When a deploy makes Redis call the Dispatcher while it waits: only if a check takes the call afterwards."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Self

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ApplyError
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.owner import Owner
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.planned_object import PlannedObject
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.deploy import DeployRun, Transaction
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.run import Settings
from ansible_collections.agentsmith.platform.plugins.plugin_utils.secrets.redaction import Redactor
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification import call_during_rollout
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.network_policy import LostCall

OWNER = Owner("n", "agentsmith")
POLICY, REDIS, DISPATCHER = ("NetworkPolicy", "redis"), ("Deployment", "redis"), ("Deployment", "agentsmith-dispatcher")
LOST = {"caller": "containerd://redis-1", "called": "containerd://dispatcher-1"}


class StandInCall:
    """Notes for which releases the call is made; it always vanishes."""

    made: list[Owner]

    def __init__(self, _connection: Any, owner: Owner) -> None:
        self.lost = LostCall(**LOST)
        self.made.append(owner)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        pass


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Owner]:
    found: list[Owner] = []
    monkeypatch.setattr(StandInCall, "made", found, raising=False)
    monkeypatch.setattr(call_during_rollout, "CallDuringRollout", StandInCall)
    return found


def planned(*changed: tuple[str, str], left_out: tuple[str, str] | None = None) -> list[PlannedObject]:
    return [
        PlannedObject(
            {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": "n"}},
            f"/{kind}/{name}",
            None,
            "updated" if (kind, name) in changed else "unchanged",
        )
        for kind, name in (POLICY, REDIS, DISPATCHER)
        if (kind, name) != left_out
    ]


class WaitingRun(DeployRun):
    """Waits for nothing, or fails."""

    fault: ApplyError | None = None

    def _wait_for_rollout(self, _cluster: Any) -> None:
        if self.fault:
            raise self.fault


def wait(
    objects: list[PlannedObject], complete: bool = True, fault: ApplyError | None = None, **settings: Any
) -> dict[str, Any]:
    """Wait for the rollout of a plan; return what the result says of the call."""
    run = WaitingRun(Settings(**settings), Redactor(), Transaction(OWNER, complete))
    run._planned, run.fault = objects, fault
    try:
        run._wait_locked(SimpleNamespace(connection=None))  # type: ignore[arg-type]
    finally:
        call: dict[str, Any] = run._lost_call
    return call


@pytest.mark.parametrize("changed", [REDIS, DISPATCHER], ids=str)
def test_a_pod_that_is_replaced(made: list[Owner], changed: tuple[str, str]) -> None:
    assert wait(planned(changed)) == LOST
    assert made == [OWNER]


@pytest.mark.parametrize("left_out", [POLICY, REDIS, DISPATCHER], ids=str)
def test_a_release_that_the_check_has_nothing_to_say_about(made: list[Owner], left_out: tuple[str, str]) -> None:
    assert wait(planned(REDIS, DISPATCHER, left_out=left_out)) == {}
    assert not made


def test_no_pod_is_replaced(made: list[Owner]) -> None:
    assert wait(planned(POLICY)) == {}
    assert not made


def test_a_part_of_a_release_is_not_verified(made: list[Owner]) -> None:
    assert wait(planned(REDIS), complete=False) == {}
    assert not made


def test_nobody_waits(made: list[Owner]) -> None:
    assert wait(planned(REDIS), wait=False) == {}
    assert not made


def test_a_rollout_that_fails(made: list[Owner]) -> None:
    with pytest.raises(ApplyError, match="broken"):
        wait(planned(REDIS), fault=ApplyError("broken"))
    assert made == [OWNER]
