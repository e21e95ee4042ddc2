# SPDX-License-Identifier: GPL-3.0-or-later
"""A deploy that would cut the Dispatcher off from what it needs fails, goes back, and names the variable."""

from __future__ import annotations

import json

import pytest

NOBODY = [{"ipBlock": {"cidr": "192.0.2.1/32"}}]
CUT_OFF = {
    "egress_redis": {"dispatcher_network_policy_redis_peers": NOBODY},
    "egress_dns": {"dispatcher_network_policy_dns_peers": NOBODY},
    # The port of its Service, not the one that it listens on
    "egress_api_server": {"dispatcher_network_policy_api_server_port": 443},
}


@pytest.mark.parametrize("check", CUT_OFF)
def test_a_dispatcher_that_is_cut_off_fails_the_deploy(playbook, get, check):
    before = get("networkpolicy/agentsmith-dispatcher")["spec"]
    (variable,) = CUT_OFF[check]
    run = playbook("playbooks/deploy.yml", "-e", json.dumps(CUT_OFF[check]))
    assert run.returncode != 0, run.output
    assert check in run.checks("failed"), run.output
    assert variable in run.output
    assert get("networkpolicy/agentsmith-dispatcher")["spec"] == before
