# SPDX-License-Identifier: GPL-3.0-or-later
"""The conditions of the pods: an unknown user without a privilege, a read-only root, 64 MB of temporary files.

An image under test always runs so. A program does here.
"""

from __future__ import annotations

import re
from pathlib import Path

from build_under_test import USER, Program, agent_build, dispatcher_build, restricted
from stand_in_platform import Platform, running_platform

NO_CAPABILITIES = "0" * 16


def status_of(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return dict(line.split(":\t", 1) for line in lines)


def has_no_privilege(pid: int) -> bool:
    status = status_of(pid)
    capabilities = [status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")]
    identities = status["Uid"].split() + status["Gid"].split() + status["Groups"].split()
    return identities == [str(USER)] * 8 and capabilities == [NO_CAPABILITIES] * 5 and status["NoNewPrivs"] == "1"


def root_is_read_only(pid: int) -> bool:
    mounts = Path(f"/proc/{pid}/mounts").read_text(encoding="utf-8")
    (options,) = re.findall(r"^\S+ / \S+ (\S+)", mounts, re.MULTILINE)
    return "ro" in options.split(",")


def test_both_work(tmp_path: Path) -> None:
    agent, dispatcher = restricted(agent_build()), restricted(dispatcher_build())
    with running_platform(tmp_path, agent, dispatcher) as platform:
        if isinstance(dispatcher, Program):
            assert has_no_privilege(platform.dispatcher.pid)
            assert root_is_read_only(platform.dispatcher.pid)
        talk(platform)


def talk(platform: Platform) -> None:
    """Use everything that is mounted: the configuration, the service account and the authority."""
    platform.person.say("list tickets in short")
    platform.person.await_message("No open tickets found")
    platform.person.say("fix #54 in agent-smith-test")
    platform.person.await_message(r"\*Done!\*", timeout=60)
    assert platform.agents[0].wait() == 0
