# SPDX-License-Identifier: GPL-3.0-or-later
"""The Dispatcher as its users meet it: through the NodePort, with the inventory's config and secrets."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import time
import urllib.error
import urllib.request

import pytest
import yaml

URL = "http://localhost:30081"


def test_health_through_the_node_port():
    with urllib.request.urlopen(f"{URL}/health", timeout=5) as answer:
        assert answer.status == 200
        assert json.load(answer)["status"] == "ok"


def test_another_port_of_the_container(playbook, pod_of):
    try:
        run = playbook("playbooks/deploy.yml", "-v", "-e", "dispatcher_container_port=8081")
        assert run.returncode == 0, run.output
        # Redis called the new container before its pod was ready, which took the deploy no time
        assert re.search(r"called\W+containerd://", run.output), run.output
        assert run.checks("ok") >= {"health", "challenge", "wrong_signature", "reachable"}
        assert pod_of("agentsmith-dispatcher")["spec"]["containers"][0]["ports"][0]["containerPort"] == 8081
        test_health_through_the_node_port()
    finally:
        restored = playbook("playbooks/deploy.yml")
    assert restored.returncode == 0, restored.output


@pytest.mark.parametrize(("right", "status"), [(True, 200), (False, 401)])
def test_slack_challenge_needs_the_secret_from_vault(inventory, right, status):
    body = json.dumps({"type": "url_verification", "challenge": "a-challenge"}).encode()
    timestamp = str(int(time.time()))
    secret = inventory["vault_slack_signing_secret"] if right else "0" * 32
    signature = "v0=" + hmac.new(secret.encode(), f"v0:{timestamp}:".encode() + body, hashlib.sha256).hexdigest()
    request = urllib.request.Request(
        f"{URL}/slack/events",
        data=body,
        headers={
            "Content-Type": "application/json",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signature,
        },
    )
    try:
        answer = urllib.request.urlopen(request, timeout=5)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        assert answer.status == status
        if right:
            assert json.load(answer)["challenge"] == "a-challenge"


def test_mounted_config_is_the_inventory_s(kubectl, inventory):
    mounted = kubectl("-n agentsmith exec deploy/agentsmith-dispatcher -- cat /app/config/agentsmith.yml")
    assert yaml.safe_load(mounted) == inventory["config_agentsmith"]


def test_jobs_are_never_pulled_either(get):
    container = get("deployment/agentsmith-dispatcher")["spec"]["template"]["spec"]["containers"][0]
    environment = {entry["name"]: entry.get("value") for entry in container["env"]}
    assert container["imagePullPolicy"] == "Never"
    assert environment["IMAGE_PULL_POLICY"] == "Never"
    assert environment["AGENTSMITH_IMAGE"].startswith("localhost/")


def test_secret_holds_the_inventory_s_values_under_the_app_s_keys(get, inventory):
    data = {key: base64.b64decode(value).decode() for key, value in get("secret/agentsmith-secrets")["data"].items()}
    for key, value in data.items():
        if key != "redis-url":
            assert value == inventory["vault_" + key.replace("-", "_")], key
    assert data["redis-url"] == "redis:6379,abortConnect=false"
    assert len(data) == 11
