# SPDX-License-Identifier: GPL-3.0-or-later
"""Which variables a message names, by what Kubernetes says. The messages are those of kubelets and API servers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.agentsmith.platform.plugins.plugin_utils.pods import remedy
from ansible_collections.agentsmith.platform.plugins.plugin_utils.pods.remedy import remedy_of

REPOSITORY = Path(__file__).parents[5]
# The parts whose pods the release knows: the label of the component, and the container
PARTS = {"dispatcher": "dispatcher", "redis": "redis", "jobs": "agentsmith", "extra": "web"}
IMAGE = "registry.example.com/denied/not-found:401"
DIAL = "dial tcp: lookup registry.example.com on 10.96.0.10:53: no such host"
PULL = f'failed to pull and unpack image "{IMAGE}": failed to resolve reference "{IMAGE}": '


def a_pod(part: str, *, last: dict[str, Any] | None = None, containers: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return a pod of a part."""
    labels = (
        {"app": "agentsmith", "job-id": "0123456789ab"} if part == "jobs" else {"app.kubernetes.io/component": part}
    )
    names = [PARTS.get(part, "c"), *containers]
    return {
        "metadata": {"name": "p", "labels": labels},
        "spec": {"containers": [{"name": name, "image": IMAGE} for name in names]},
        "status": {"containerStatuses": [{"name": names[0], "lastState": {"terminated": last or {}}}]},
    }


@pytest.mark.parametrize(
    ("part", "variables"),
    [
        ("dispatcher", ("dispatcher_image", "agentsmith_registry", "agentsmith_version")),
        ("redis", ("redis_image", "agentsmith_registry")),
        ("jobs", ("agentsmith_agent_image", "agentsmith_registry", "agentsmith_version")),
        ("extra", ("image in extra_objects",)),
    ],
)
@pytest.mark.parametrize("reason", ["ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"])
def test_an_image_names_the_variable_that_gives_it(part: str, variables: tuple[str, ...], reason: str) -> None:
    text = remedy_of(a_pod(part), reason, f'Back-off pulling image "{IMAGE}"', PARTS[part])
    assert all(name in text for name in variables)


@pytest.mark.parametrize(
    ("message", "said", "variable"),
    [
        (f"{PULL}unexpected status from HEAD request to https://r/v2/x: 403 Forbidden", "refuses", "pull_secrets"),
        ("failed to authorize: failed to fetch anonymous token: 401 Unauthorized", "refuses", "pull_secrets"),
        ("pull access denied, repository does not exist or may require authorization", "refuses", "pull_secrets"),
        ("no basic auth credentials", "refuses", "pull_secrets"),
        (f"failed to authorize: failed to fetch oauth token: {DIAL}", "does not reach", "image"),
        (f'{PULL}failed to do request: Head "https://r/v2/x": {DIAL}', "does not reach", "image"),
        (f"{PULL}x509: certificate signed by unknown authority", "does not trust", "image"),
        ("toomanyrequests: You have reached your pull rate limit", "limits", "pull_secrets"),
        ("429 Too Many Requests", "limits", "pull_secrets"),
        (f"{PULL}{IMAGE}: not found", "has no such image", "image"),
        ("manifest unknown", "has no such image", "image"),
        ('Failed to apply default image tag "a:b:c": invalid reference format', "no reference", "image"),
        ("no match for platform in manifest: not found", "no build", "node_selector"),
        (f'Container image "{IMAGE}" is not present with pull policy of Never', "must not pull", "pull_policy"),
        (
            "Unable to retrieve some image pull secrets (registry-credentials); attempting to pull may not succeed.\n"
            "401 Unauthorized",
            "does not have the Secrets registry-credentials",
            "pull_secrets",
        ),
        (f'Back-off pulling image "{IMAGE}"', "If the registry wants credentials", "pull_secrets"),
    ],
)
@pytest.mark.parametrize("part", PARTS)
def test_what_a_registry_says_decides_what_to_look_at(part: str, message: str, said: str, variable: str) -> None:
    text = remedy_of(a_pod(part), "ErrImagePull", message, PARTS[part])
    assert said in text and remedy.VARIABLES[part][variable] in text


@pytest.mark.parametrize(
    ("part", "reason", "message", "expected"),
    [
        (
            "dispatcher",
            "CreateContainerConfigError",
            "couldn't find key slack-bot-token in Secret n/agentsmith-secrets",
            "vault_slack_bot_token",
        ),
        ("jobs", "CreateContainerConfigError", 'secret "agentsmith-secrets" not found', "secrets_existing_name"),
        (
            "redis",
            "FailedMount",
            'MountVolume.SetUp failed for volume "acl" : secret "redis-acl" not found',
            "password",
        ),
        ("dispatcher", "FailedMount", 'configmap "corporate-ca" not found', "dispatcher_ca_config_map_name"),
        ("jobs", "FailedMount", 'configmap "corporate-ca" not found', "job_policy_ca_config_map"),
        ("redis", "FailedMount", 'configmap "x" not found', "Make the ConfigMap x"),
        (
            "redis",
            "CreateContainerConfigError",
            "container has runAsNonRoot and image will run as root (pod: x)",
            "redis_run_as_user",
        ),
        ("dispatcher", "RunContainerError", 'exec: "dotnet": executable file not found in $PATH', "dispatcher_image"),
        ("dispatcher", "Unschedulable", "0/3 nodes are available: 3 Insufficient memory.", "dispatcher_resources"),
        (
            "redis",
            "Unschedulable",
            "0/2 nodes are available: 1 node(s) had untolerated taint {x: y}, 1 node(s) didn't match Pod's node "
            "affinity/selector.",
            "redis_tolerations, redis_node_selector, redis_affinity",
        ),
        ("jobs", "Unschedulable", "1 node(s) had untolerated taint {agents: }", "job_policy_tolerations"),
        (
            "dispatcher",
            "Unschedulable",
            "0/1 nodes are available: 1 node(s) didn't match pod topology spread constraints.",
            "dispatcher_topology_spread_constraints",
        ),
        (
            "dispatcher",
            "FailedCreate",
            'pods "x" is forbidden: exceeded quota: agentsmith, requested: pods=1, used: pods=3, limited: pods=3',
            "quota_jobs",
        ),
        ("jobs", "quota", 'pods "x" is forbidden: exceeded quota: agentsmith, requested: pods=1', "quota_jobs"),
        ("jobs", "quota", 'pods "x" is forbidden: exceeded quota: team-a, requested: pods=1', "The quota team-a"),
        ("redis", "FailedCreate", "exceeded quota: team-a, requested: limits.memory=1Gi", "redis_resources"),
        ("redis", "FailedCreate", "failed quota: team-a: must specify limits.cpu for: redis", "redis_resources"),
        ("redis", "FailedCreate", "maximum memory usage per Container is 128Mi, but limit is 384Mi", "redis_resources"),
        ("jobs", "Pod Security", 'violates PodSecurity "restricted:latest"', "agentsmith_job_policy"),
        ("dispatcher", "FailedCreate", 'violates PodSecurity "restricted:latest"', "dispatcher_extra_volumes"),
        (
            "dispatcher",
            "FailedCreate",
            'error looking up service account n/agentsmith: serviceaccount "agentsmith" not found',
            "agentsmith_service_account_name",
        ),
        ("redis", "FailedCreate", "no PriorityClass with name high was found", "redis_priority_class_name"),
        ("jobs", "DeadlineExceeded", "Job was active longer than specified deadline", "job_policy_active_deadline"),
        ("extra", "Unschedulable", "3 Insufficient cpu.", "resources in extra_objects"),
        ("extra", "CreateContainerConfigError", 'secret "web" not found', "Make the Secret web"),
    ],
)
def test_what_keeps_a_pod_away_names_its_variables(part: str, reason: str, message: str, expected: str) -> None:
    assert expected in remedy_of(a_pod(part), reason, message, "")


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ({"reason": "OOMKilled", "exitCode": 137}, "redis_resources"),
        ({"reason": "Error", "exitCode": 127}, "redis_image"),
        ({"reason": "Error", "exitCode": 137}, "redis_liveness_probe"),
        ({"reason": "Error", "exitCode": 1}, "Its log says why"),
        ({}, "Its log says why"),
    ],
)
def test_a_crash_is_told_by_how_it_ended(last: dict[str, Any], expected: str) -> None:
    assert expected in remedy_of(a_pod("redis", last=last), "CrashLoopBackOff", "back-off", "redis")


@pytest.mark.parametrize("reason", ["ErrImagePull", "CrashLoopBackOff", "CreateContainerConfigError"])
def test_a_container_of_others_has_no_variable_of_ours(reason: str) -> None:
    text = remedy_of(a_pod("dispatcher", containers=("istio-proxy",)), reason, "not found", "istio-proxy")
    assert "istio-proxy is not of this release" in text and "dispatcher_" not in text


def test_a_workload_that_no_part_renders_has_no_variable() -> None:
    assert remedy_of(a_pod("unknown"), "ErrImagePull", "not found", "c") == ""
    assert remedy_of({"metadata": {}}, "ErrImagePull", "not found") == ""


def test_the_same_remedy_is_said_once() -> None:
    found = [("a", "Check x."), ("b", ""), ("c", "Check x."), ("d", "Check y."), ("e", "Check x."), ("f", "Check x.")]
    assert remedy.remedies_by_name(found) == [
        "What to do about a, c, e and 1 more: Check x.",
        "What to do about d: Check y.",
    ]


def test_every_variable_exists() -> None:
    """All that looks like a variable in the texts is one of a role, or a fact that the architecture describes."""
    specs = REPOSITORY.glob("roles/*/meta/argument_specs.yml")
    known = {
        name
        for path in specs
        for spec in yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"].values()
        for name in spec.get("options", {})
    }
    known |= set(re.findall(r"^\| `(agentsmith_\w+)`", (REPOSITORY / "docs/architecture.md").read_text("utf-8"), re.M))
    known |= set(re.findall(r"`(agentsmith_\w+)`", (REPOSITORY / "docs/architecture.md").read_text("utf-8")))
    known |= {"extra_objects", "vault_redis_password"}
    rules = [
        rule.text
        for name, rules in vars(remedy).items()
        if name.endswith("_RULES") and isinstance(rules, tuple)
        for rule in rules
    ]
    texts = [*rules, *(text for part in remedy.VARIABLES.values() for text in part.values())]
    named = {word for text in texts for word in re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", re.sub(r"\{\w+\}", "", text))}
    assert len(named) > 30
    assert named <= known, named - known
