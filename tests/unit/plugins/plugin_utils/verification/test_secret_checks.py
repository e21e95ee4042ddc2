# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys of the Secret, and the tokens that the configuration needs."""

from __future__ import annotations

import base64
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification import secret, secrets_probes
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.app_release import APPS

VALUES = {"redis-url": "redis:6379", "slack-bot-token": "xoxb-MARKED", "slack-signing-secret": "MARKED"}
GITHUB = {"key": "github-token", "reasons": ["projects.web.tickets.type: GitHub"], "reaches_jobs": True}
GITLAB = {"key": "gitlab-token", "reasons": ["projects.web.source.type: GitLab"], "reaches_jobs": False}


def a_secret(**changes: str | None) -> dict[str, Any]:
    values = {**VALUES, **{name.replace("_", "-"): value for name, value in changes.items()}}
    encoded = {name: base64.b64encode(value.encode()).decode() for name, value in values.items() if value is not None}
    return {"kind": "Secret", "data": encoded}


@pytest.mark.parametrize(
    ("found", "intended", "result", "words"),
    [
        (a_secret(), [], "ok", "all of 3 keys"),
        (a_secret(github_token="x"), ["github-token"], "ok", "all of 4 keys"),
        (a_secret(slack_bot_token=None), [], "failed", "no slack-bot-token"),
        (a_secret(), ["github-token"], "failed", "no github-token"),
        (a_secret(slack_signing_secret=" "), [], "failed", "slack-signing-secret is empty"),
        (a_secret(redis_url="redis://:MARKED@redis:6379"), [], "failed", "redis-url is a URL"),
        (a_secret(redis_url="rediss://redis:6379,password=MARKED"), [], "failed", "redis-url is a URL"),
        (a_secret(redis_url="me:MARKED@redis:6379"), [], "failed", "redis-url has no end point"),
        (a_secret(redis_url="redis:6379,password=MARKED,MARKED"), [], "failed", "redis-url has text after"),
        (a_secret(redis_url="redis:6379,password=://MARKED"), [], "ok", "all of 3 keys"),
        (a_secret(redis_url=" redis:6379, abortConnect=false,\n"), [], "ok", "all of 3 keys"),
        (a_secret(redis_url="redis:6379, password = MARKED MARKED"), [], "ok", "all of 3 keys"),
        ({"kind": "Secret"}, [], "failed", "no redis-url; no slack-bot-token; no slack-signing-secret"),
        (None, [], "failed", "Secret agentsmith-secrets does not exist"),
    ],
)
def test_keys(found: dict[str, Any] | None, intended: list[str], result: str, words: str) -> None:
    outcome = secret.check_secret_keys("secret_keys", "agentsmith-secrets", found, intended)
    assert outcome.result == result
    assert words in outcome.evidence
    assert "MARKED" not in str(outcome)


@pytest.mark.parametrize(
    ("found", "required", "result", "words"),
    [
        (a_secret(github_token="x"), [GITHUB], "ok", "github-token"),
        (a_secret(), [], "ok", "needs none"),
        (a_secret(), [GITHUB], "failed", "no github-token, needed by projects.web.tickets.type: GitHub"),
        (a_secret(github_token=""), [GITHUB], "failed", "no github-token"),
        (a_secret(gitlab_token="x"), [GITLAB], "ok", "gitlab-token"),
        (a_secret(), None, "not checked", "no configuration"),
        (None, [GITHUB], "not checked", "no Secret"),
    ],
)
def test_provider_tokens(found: Any, required: Any, result: str, words: str) -> None:
    outcome = secret.check_provider_tokens("provider_tokens", found, required)
    assert outcome.result == result
    assert words in outcome.evidence


def test_a_token_that_never_reaches_a_job_is_told() -> None:
    assert "gitlab-token" in secret.check_provider_tokens("name", a_secret(gitlab_token="x"), [GITLAB]).hint


@pytest.mark.parametrize(("app", "needed"), [("be4bffa1", "openai-api-key"), ("0.9.2", "gemini-api-key")])
def test_the_release_decides_which_keys_are_needed(app: str, needed: str) -> None:
    """Only 0.9.2 lets a file name the variable of the key."""
    file = """
        projects:
          web:
            agent: {type: OpenAI, model: m, api_key_secret: GEMINI_API_KEY}
        """
    target = SimpleNamespace(
        secret=a_secret(),
        names=SimpleNamespace(config_map="agentsmith-config"),
        intended=lambda _kind, _name: {"data": {"agentsmith.yml": file}},
    )
    (outcome,) = secrets_probes.provider_tokens(SimpleNamespace(target=target, app=APPS[app]))
    assert outcome.evidence == f"no {needed}, needed by projects.web.agent.type: OpenAI"
