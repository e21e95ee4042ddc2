# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys of the Secret against what a configuration needs, by the rules alone."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.agentsmith_config.check import examine
from ansible_collections.agentsmith.platform.plugins.plugin_utils.secrets.secret_keys import (
    existing_faults,
    missing_keys,
    reasons_of,
    unused_keys,
)

SIGNING_SECRET = "0badc0de" * 4
SLACK_AND_REDIS = {
    "slack-bot-token": "xoxb-SECRET",
    "slack-signing-secret": SIGNING_SECRET,
    "redis-url": "redis:6379",
}

CONFIG = """
projects:
  web:
    source: {type: GitLab, url: https://gitlab.com/example/web}
    tickets: {type: Jira, url: https://example.atlassian.net}
    agent: {type: OpenAI, model: m}
    pipeline: fix
  api:
    source: {type: GitHub, url: https://github.com/example/api}
    tickets: {type: GitHub, url: https://github.com/example/api}
    agent: {type: Claude, model: m}
    pipeline: fix
pipelines:
  fix: {commands: [CheckoutSourceCommand]}
"""


@pytest.fixture(scope="module")
def required() -> list[dict[str, Any]]:
    return [secret.as_dict() for secret in examine(CONFIG).required_secrets]


def encoded(values: dict[str, str]) -> dict[str, str]:
    return {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}


def test_every_missing_key_is_found_with_the_settings_that_need_it(required: list[dict[str, Any]]) -> None:
    missing = missing_keys(required, ["github-token", "redis-url"])
    assert {secret["key"]: reasons_of(secret) for secret in missing} == {
        "gitlab-token": "Needed by projects.web.source.type: GitLab.",
        "jira-email": "Needed by projects.web.tickets.type: Jira.",
        "jira-token": "Needed by projects.web.tickets.type: Jira.",
        "openai-api-key": "Needed by projects.web.agent.type: OpenAI.",
        "anthropic-api-key": "Needed by projects.api.agent.type: Claude.",
    }


def test_several_reasons_are_all_told(required: list[dict[str, Any]]) -> None:
    (secret,) = [secret for secret in required if secret["key"] == "github-token"]
    assert reasons_of(secret) == "Needed by projects.api.source.type: GitHub; projects.api.tickets.type: GitHub."


def test_a_providers_key_that_nothing_uses_is_found_and_no_other(required: list[dict[str, Any]]) -> None:
    present = ["azure-devops-token", "gemini-api-key", "github-token", "redis-url", "slack-bot-token", "my-own-key"]
    assert unused_keys(required, present) == ["gemini-api-key", "azure-devops-token"]
    assert unused_keys(required, []) == []


def test_an_existing_secret_with_everything_is_right(required: list[dict[str, Any]]) -> None:
    values = {secret["key"]: "SECRET" for secret in required}
    assert existing_faults(required, encoded({**SLACK_AND_REDIS, **values, "my-own-key": "two\nlines"})) == []


def test_an_existing_secret_without_anything(required: list[dict[str, Any]]) -> None:
    faults = existing_faults(required, {})
    for key in (*SLACK_AND_REDIS, "gitlab-token", "jira-email", "github-token", "anthropic-api-key"):
        assert [fault for fault in faults if fault.startswith(f"it has no {key}")], key
    assert len(faults) == 9


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (encoded({"github-token": ""}), "it has no github-token. Needed by projects.api.source.type: GitHub"),
        (encoded({"slack-signing-secret": ""}), "it has no slack-signing-secret, without which"),
        (encoded({"github-token": "SECRET\n"}), "the value of github-token ends with a line end"),
        (encoded({"redis-url": "redis://:SECRET@cache:6379"}), "the value of redis-url is a URL, which the app cannot"),
        (
            encoded({"redis-url": "rediss://smith:SECRET@cache:6380"}),
            "the value of redis-url is a URL, which the app cannot read and whose password it prints in Slack",
        ),
        (
            encoded({"redis-url": "smith:SECRET@cache:6379"}),
            "the value of redis-url has no end point host:port as its item 1; the app prints the text before an @",
        ),
        (encoded({"redis-url": "cache:6379,password:4711"}), "the value of redis-url has an option with a colon"),
        (encoded({"redis-url": "cache:6379,protocol=SECRET"}), "the value of redis-url has a value for protocol that"),
        (encoded({"slack-bot-token": "xapp-SECRET"}), "the value of slack-bot-token is the app-level token"),
        ({"github-token": base64.b64encode(b"\xff\xfeSECRET").decode()}, "the value of github-token is not UTF-8 text"),
        # An optional key that the configuration does not use is as wrong: it may use it tomorrow
        (encoded({"gemini-api-key": "SECRET SECRET"}), "the value of gemini-api-key has white space in it"),
    ],
)
def test_a_value_that_cannot_work(required: list[dict[str, Any]], data: dict[str, str], fault: str) -> None:
    complete = encoded({**SLACK_AND_REDIS, **{secret["key"]: "SECRET" for secret in required}})
    (found,) = existing_faults(required, {**complete, **data})
    assert found.startswith(fault)
    assert "SECRET" not in found
