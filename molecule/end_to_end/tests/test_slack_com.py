# SPDX-License-Identifier: GPL-3.0-or-later
"""The Dispatcher calls https://slack.com/api/ as the app does, and the stand-in Slack answers it (dev_slack_com)."""

from __future__ import annotations

import json
import re

import pytest

SLACK_COM = ("-e", "dev_slack_com=true")
CONVERSED = {"e2e_delivery", "e2e_job", "e2e_progress", "e2e_completion", "e2e_configuration"}


@pytest.fixture
def slack_com(playbook, tmp_path):
    """A release for whose Dispatcher slack.com is the stand-in Slack. A report that cannot be written undoes none."""
    reports = ("-e", f"verify_file={tmp_path}/verify.json", "-e", f"verify_junit_file={tmp_path}/missing/verify.xml")
    deployed = playbook("playbooks/deploy.yml", *SLACK_COM, *reports)
    assert deployed.returncode == 0, deployed.output
    assert f"path cannot be written: No such file or directory: {tmp_path}/missing/verify.xml" in deployed.output
    (report,) = json.loads((tmp_path / "verify.json").read_text()).values()
    assert "challenge" in [check["check"] for check in report["checks"]]
    yield
    restored = playbook("playbooks/deploy.yml")
    assert restored.returncode == 0, restored.output


@pytest.mark.usefixtures("slack_com")
def test_verify_holds_a_conversation_through_slack_com(playbook, kubectl, get):
    # That the Job goes is asked elsewhere, and takes 20 s
    options = ("-e", "verify_end_to_end=true", "-e", "verify_end_to_end_cleanup_timeout=0")
    run = playbook("playbooks/verify.yml", *SLACK_COM, *options)
    assert run.returncode == 0, run.output
    assert run.checks("ok") >= CONVERSED
    assert run.checks("failed") == set()
    # By this address and no other, each call over TLS
    calls = set(
        re.findall(r"(\w+ https?://\S+/api/\S+): ok$", kubectl("-n agentsmith logs deploy/stand-in-slack"), re.M)
    )
    assert calls == {f"POST https://slack.com/api/chat.{method}" for method in ("postMessage", "update")}
    dispatcher = get("deployment/agentsmith-dispatcher")["spec"]["template"]["spec"]
    address = get("service/slack-com")["spec"]["clusterIP"]
    assert dispatcher["hostAliases"] == [{"ip": address, "hostnames": ["slack.com"]}]
