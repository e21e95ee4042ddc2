# SPDX-License-Identifier: GPL-3.0-or-later
"""The Job on the cluster, dumped as YAML, against the table in the app's contract, "The Job it spawns", row by row."""

from __future__ import annotations

import base64
import json
import re

import pytest
import yaml

SECRET_KEYS = {
    "ANTHROPIC_API_KEY": "anthropic-api-key",
    "AZURE_DEVOPS_TOKEN": "azure-devops-token",
    "GITHUB_TOKEN": "github-token",
    "OPENAI_API_KEY": "openai-api-key",
    "GEMINI_API_KEY": "gemini-api-key",
    "REDIS_URL": "redis-url",
}
# What the API server adds to what is not stated
DEFAULTS = {
    "container": {"terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"},
    "pod": {
        "dnsPolicy": "ClusterFirst",
        "schedulerName": "default-scheduler",
        "securityContext": {},
        "terminationGracePeriodSeconds": 30,
    },
    "job": {
        "completionMode": "NonIndexed",
        "completions": 1,
        "manualSelector": False,
        "parallelism": 1,
        "podReplacementPolicy": "TerminatingOrFailed",
        "suspend": False,
    },
}
CONTROLLER_LABELS = re.compile(r"(batch\.kubernetes\.io/)?(controller-uid|job-name)")


@pytest.fixture
def channel(playbook, inventory, person, add_channel, kubectl, job_of, tmp_path):
    """A channel in which a ticket was fixed by a Dispatcher that has the app's time to live: without the switch."""
    variables = [entry for entry in inventory["dispatcher_extra_env"] if entry["name"] != "STAND_IN_JOB_TTL_SECONDS"]
    assert len(variables) == len(inventory["dispatcher_extra_env"]) - 1
    (tmp_path / "variables.json").write_text(json.dumps({"dispatcher_extra_env": variables}))
    deployed = playbook("playbooks/deploy.yml", "-e", f"@{tmp_path}/variables.json")
    assert deployed.returncode == 0, deployed.output
    channel = add_channel()
    person.say("fix #54 in my-project", channel)
    person.await_message("Done!", channel, timeout=60)
    yield channel
    kubectl("-n agentsmith delete job %s --ignore-not-found", job_of(channel)["metadata"]["name"])
    restored = playbook("playbooks/deploy.yml")
    assert restored.returncode == 0, restored.output


def test_the_job_has_the_fields_of_the_app_and_no_other(channel, person, job_of, kubectl, get):
    name = job_of(channel)["metadata"]["name"]
    job = yaml.safe_load(kubectl("-n agentsmith get job %s -o yaml", name))
    job_id = re.fullmatch("agentsmith-([0-9a-f]{12})", name)[1]
    redis_url = base64.b64decode(get("secret/agentsmith-secrets")["data"]["redis-url"]).decode()
    dispatcher = get("deployment/agentsmith-dispatcher")["spec"]["template"]["spec"]["containers"][0]["env"]
    user = person.messages(channel)[0]["user"]

    assert job["metadata"]["namespace"] == "agentsmith"
    labels = {"app": "agentsmith", "job-id": job_id}
    assert job["metadata"]["labels"] == labels | {"platform": "slack", "project": "my-project"}

    spec = job["spec"]
    template = spec.pop("template")
    selector = spec.pop("selector")
    assert list(selector["matchLabels"]) == ["batch.kubernetes.io/controller-uid"]
    assert spec == {"ttlSecondsAfterFinished": 300, "backoffLimit": 0, **DEFAULTS["job"]}

    own = {key: value for key, value in template["metadata"]["labels"].items() if not CONTROLLER_LABELS.fullmatch(key)}
    assert own == labels
    pod = template["spec"]
    (container,) = pod.pop("containers")
    assert pod == {"restartPolicy": "Never", **DEFAULTS["pod"]}

    environment = container.pop("env")
    assert container == {
        "name": "agentsmith",
        "image": next(entry["value"] for entry in dispatcher if entry["name"] == "AGENTSMITH_IMAGE"),
        "imagePullPolicy": "Never",
        "args": [
            *("--headless", "--job-id", job_id, "--redis-url", redis_url),
            *("--platform", "slack", "--channel-id", channel, "fix #54 in my-project"),
        ],
        "resources": {"requests": {"cpu": "250m", "memory": "512Mi"}, "limits": {"cpu": "1", "memory": "1Gi"}},
        **DEFAULTS["container"],
    }
    literal = {
        "JOB_ID": job_id,
        "TICKET_ID": "54",
        "PROJECT": "my-project",
        "CHANNEL_ID": channel,
        "USER_ID": user,
        "PLATFORM": "slack",
    }
    references = {
        name: {"secretKeyRef": {"name": "agentsmith-secrets", "key": key, "optional": True}}
        for name, key in SECRET_KEYS.items()
    }
    assert len(environment) == len(literal) + len(references)
    assert {entry["name"]: entry.get("valueFrom") or entry["value"] for entry in environment} == literal | references
