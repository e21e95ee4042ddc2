# SPDX-License-Identifier: GPL-3.0-or-later
"""The Job that the stand-in spawns, field by field, in the order of the app's contract."""

from __future__ import annotations

from dataclasses import replace

import pytest
from stand_in.app_version import app_version
from stand_in.dispatcher.job_manifest import JobRequest, JobSettings, job_manifest

SETTINGS = JobSettings("ns", "registry/agent:1", "Always", "my-secrets", "redis:6379,password=p", 300)
REQUEST = JobRequest(54, "my-project", "C1", "U1", "slack")


@pytest.fixture
def job() -> dict[str, object]:
    """A Job as the Dispatcher sends it."""
    return job_manifest("0123456789ab", REQUEST, SETTINGS)


@pytest.fixture
def pod(job: dict[str, object]) -> dict[str, object]:
    """Its pod template."""
    return job["spec"]["template"]


@pytest.fixture
def container(pod: dict[str, object]) -> dict[str, object]:
    """Its only container."""
    (container,) = pod["spec"]["containers"]
    return container


def test_name_and_namespace(job: dict[str, object]) -> None:
    assert (job["metadata"]["name"], job["metadata"]["namespace"]) == ("agentsmith-0123456789ab", "ns")


def test_labels(job: dict[str, object], pod: dict[str, object]) -> None:
    common = {"app": "agentsmith", "job-id": "0123456789ab"}
    assert job["metadata"]["labels"] == common | {"platform": "slack", "project": "my-project"}
    assert pod["metadata"]["labels"] == common


def test_life(job: dict[str, object], pod: dict[str, object]) -> None:
    assert job["spec"]["ttlSecondsAfterFinished"] == 300
    assert job["spec"]["backoffLimit"] == 0
    assert pod["spec"]["restartPolicy"] == "Never"


def test_container(container: dict[str, object]) -> None:
    assert container["name"] == "agentsmith"
    assert container["image"] == "registry/agent:1"
    assert container["imagePullPolicy"] == "Always"
    assert "command" not in container


def test_arguments(container: dict[str, object]) -> None:
    assert container["args"] == [
        *("--headless", "--job-id", "0123456789ab", "--redis-url", "redis:6379,password=p"),
        *("--platform", "slack", "--channel-id", "C1", "fix #54 in my-project"),
    ]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("ANTHROPIC_API_KEY", "anthropic-api-key"),
        ("AZURE_DEVOPS_TOKEN", "azure-devops-token"),
        ("GITHUB_TOKEN", "github-token"),
        ("OPENAI_API_KEY", "openai-api-key"),
        ("GEMINI_API_KEY", "gemini-api-key"),
        ("REDIS_URL", "redis-url"),
    ],
)
def test_variable_from_the_secret(container: dict[str, object], name: str, key: str) -> None:
    reference = {"secretKeyRef": {"name": "my-secrets", "key": key, "optional": True}}
    assert {"name": name, "valueFrom": reference} in container["env"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JOB_ID", "0123456789ab"),
        ("TICKET_ID", "54"),
        ("PROJECT", "my-project"),
        ("CHANNEL_ID", "C1"),
        ("USER_ID", "U1"),
        ("PLATFORM", "slack"),
    ],
)
def test_literal_variable(container: dict[str, object], name: str, value: str) -> None:
    assert {"name": name, "value": value} in container["env"]


def test_resources(container: dict[str, object]) -> None:
    assert container["resources"] == {
        "requests": {"cpu": "250m", "memory": "512Mi"},
        "limits": {"cpu": "1", "memory": "1Gi"},
    }


def test_nothing_else_is_set(job: dict[str, object], pod: dict[str, object], container: dict[str, object]) -> None:
    # Not even apiVersion and kind: the API server has them from the path.
    assert sorted(job) == ["metadata", "spec"]
    assert sorted(job["metadata"]) == ["labels", "name", "namespace"]
    assert sorted(job["spec"]) == ["backoffLimit", "template", "ttlSecondsAfterFinished"]
    assert sorted(pod) == ["metadata", "spec"]
    assert sorted(pod["metadata"]) == ["labels"]
    # No ServiceAccount, no security context, no volume: the agent has what its image and the namespace give it.
    assert sorted(pod["spec"]) == ["containers", "restartPolicy"]
    assert sorted(container) == ["args", "env", "image", "imagePullPolicy", "name", "resources"]
    assert len(container["env"]) == 12


def test_the_job_of_a_later_version_differs_in_three_places(job: dict[str, object]) -> None:
    settings = replace(SETTINGS, version=app_version({"STAND_IN_APP": "0.9.2"}))
    later = job_manifest("0123456789ab", REQUEST, settings)
    (container,), (before,) = (made["spec"]["template"]["spec"]["containers"] for made in (later, job))
    assert container["args"] == ["run", *before["args"]]
    names = [entry["name"] for entry in container["env"]]
    assert "TICKET_ID" not in names
    assert [name.removeprefix("AGENTSMITH_") for name in names] == [
        entry["name"] for entry in before["env"] if entry["name"] != "TICKET_ID"
    ]
    assert names[-1] == "AGENTSMITH_PLATFORM"
    # Nothing else.
    container.update(args=before["args"], env=before["env"])
    assert later == job
