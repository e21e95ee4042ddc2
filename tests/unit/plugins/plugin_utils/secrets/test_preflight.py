# SPDX-License-Identifier: GPL-3.0-or-later
"""The comparison before a deploy: which Secret is asked for, what is said, and that no value is in it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ApiError, ApplyError
from ansible_collections.agentsmith.platform.plugins.plugin_utils.secrets.preflight import compare_secret

REQUIRED = [{"key": "github-token", "reasons": ["projects.web.source.type: GitHub"]}]
SOUND = {
    "redis-url": "redis:6379",
    "slack-bot-token": "xoxb-MARKED",
    "slack-signing-secret": "0badc0de" * 4,
    "github-token": "MARKED",
}


class Cluster:
    """Answers with these objects, by path; an error among them is raised."""

    host = "https://cluster"

    def __init__(self, **secrets: Any) -> None:
        self.secrets = secrets
        self.asked: list[str] = []

    @contextmanager
    def connect(self) -> Iterator[Cluster]:
        yield self

    def find(self, path: str) -> dict[str, Any] | None:
        self.asked.append(path)
        found = self.secrets.get(path.removeprefix("/api/v1/namespaces/smith/secrets/"))
        if isinstance(found, Exception):
            raise found
        return found


def live(values: dict[str, str]) -> dict[str, Any]:
    return {"data": {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}}


def compare(cluster: Cluster, **question: Any) -> dict[str, Any]:
    return compare_secret(cluster.connect, namespace="smith", name="keys", required=REQUIRED, **question)


def refused(cluster: Cluster, **question: Any) -> str:
    with pytest.raises(ApplyError) as refusal:
        compare(cluster, **question)
    assert type(refusal.value) is ApplyError
    assert "MARKED" not in str(refusal.value)
    return str(refusal.value)


def test_keys_that_are_given_are_compared_without_a_cluster() -> None:
    cluster = Cluster()
    assert compare(cluster, keys=[*SOUND]) == {"unused": [], "warnings": []}
    message = refused(cluster, keys=["redis-url"])
    assert message.startswith("The Secret smith/keys does not fit the configuration. Correct the Vault file")
    assert "- it has no github-token: set vault_github_token. Needed by projects.web.source.type: GitHub." in message
    assert cluster.asked == []


def test_unused_keys_are_a_warning_that_can_be_left_out() -> None:
    keys = [*SOUND, "jira-token"]
    assert len(compare(Cluster(), keys=keys)["warnings"]) == 1
    assert compare(Cluster(), keys=keys, report_unused=False) == {"unused": ["jira-token"], "warnings": []}


def test_without_keys_the_live_secret_is_read_once() -> None:
    cluster = Cluster(keys=live(SOUND))
    assert compare(cluster) == {"unused": [], "warnings": []}
    assert cluster.asked == ["/api/v1/namespaces/smith/secrets/keys"]


def test_a_live_secret_that_does_not_fit() -> None:
    message = refused(Cluster(keys=live({**SOUND, "slack-bot-token": "xapp-MARKED"})))
    assert message.startswith("The Secret smith/keys does not fit the configuration. Correct it at its source")
    assert "slack-bot-token" in message


def test_a_live_secret_that_is_missing_or_may_not_be_read() -> None:
    message = refused(Cluster())
    assert "which secrets_existing_name names, does not exist on https://cluster" in message
    assert "redis-url" in message
    assert "github-token" in message
    assert "cannot be read: forbidden" in refused(Cluster(keys=ApiError(403, "Forbidden", "forbidden")))


def test_the_certificate_of_the_way_in() -> None:
    question = {"keys": [*SOUND], "tls_secret": "tls", "tls_host": "smith.example.com"}
    assert "dispatcher_tls_secret_name names, does not exist" in refused(Cluster(), **question)
    message = refused(Cluster(tls={"type": "Opaque", "data": {}}), **question)
    assert "does not fit smith.example.com. Correct it at its source" in message
    (warning,) = compare(Cluster(tls=ApiError(403, "Forbidden", "forbidden")), **question)["warnings"]
    assert "is not checked, because the Secret cannot be read: forbidden" in warning
