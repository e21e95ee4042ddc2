# SPDX-License-Identifier: GPL-3.0-or-later
"""The values of the Secret: every usual paste fault is found and named, and no message quotes the value."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.agentsmith_config.schema import SECRET_KEYS
from ansible_collections.agentsmith.platform.plugins.plugin_utils.secrets.secret_values import (
    REQUIRED_KEYS,
    value_fault,
    vault_variable,
)
from hypothesis import given
from hypothesis import strategies as st

SIGNING_SECRET = "0badc0de" * 4

GOOD = [
    ("slack-bot-token", "xoxb-123-456-abcDEF"),
    ("slack-signing-secret", SIGNING_SECRET),
    ("redis-url", "redis:6379,abortConnect=false"),
    ("redis-url", "rediss://user:pass@cache:6380"),
    ("redis-url", "cache:6379,password=pässwörd"),
    ("github-token", "ghp_+/=:,;.!"),
    ("github-token", "0123456789"),
    ("jira-email", "smith@example.com"),
    *((key, value) for key in SECRET_KEYS for value in ("", None)),
]

# (key, value, what the message says)
BAD: list[tuple[str, Any, str]] = [
    ("slack-signing-secret", "", "is empty, so the app would check no signature and anybody could start Jobs"),
    ("slack-signing-secret", None, "is empty, so the app would check no signature"),
    ("slack-bot-token", "", "is empty. Allowed: the Bot User OAuth Token of the Slack app (xoxb-…)"),
    ("redis-url", "", "is empty. Allowed: host:port and options"),
    # Slack's kinds of tokens
    ("slack-bot-token", "xapp-1-SECRET", "is the app-level token (xapp-…), which cannot write messages"),
    ("slack-bot-token", "xoxp-1-SECRET", "is a user token (xoxp-…)"),
    ("slack-bot-token", "xoxe.xoxb-1-SECRET", "is a token of Slack's token rotation"),
    ("slack-bot-token", "XOXB-SECRET", "does not begin with xoxb-"),
    ("slack-bot-token", "xoxb-", "does not begin with xoxb-"),
    ("slack-bot-token", "SECRET", "does not begin with xoxb-"),
    # the signing secret
    ("slack-signing-secret", SIGNING_SECRET.upper(), "contains upper-case letters; Slack's secrets are lower-case"),
    ("slack-signing-secret", SIGNING_SECRET[1:], "does not have 32 characters"),
    ("slack-signing-secret", SIGNING_SECRET + "0", "does not have 32 characters"),
    ("slack-signing-secret", "g" + SIGNING_SECRET[1:], "contains characters other than hexadecimal digits"),
    ("slack-signing-secret", "xoxb-SECRET", "is a Slack token, not a signing secret"),
    ("slack-signing-secret", "x" * 32, "not the Client Secret on that page"),
    # what YAML makes of a value without quotes
    ("github-token", 271828182845, "is not a string: YAML reads digits, true and dates as other types"),
    ("github-token", 27.5, "is not a string"),
    ("github-token", True, "is not a string"),
    ("github-token", ["SECRET"], "is not a string"),
    ("github-token", {"SECRET": "SECRET"}, "is not a string"),
    ("slack-signing-secret", int("1" * 32), "is not a string"),
    # pasted with more than the value
    ("github-token", "SECRET\n", "ends with a line end; a YAML block (| or >), `echo` or a copied file adds line ends"),
    ("github-token", "SECRET\r\n", "ends with a line end"),
    ("github-token", "\nSECRET", "has several lines"),
    ("github-token", "SEC\nRET", "has several lines"),
    ("github-token", "SECRET\u2028", "ends with a line end"),
    ("github-token", " SECRET", "has white space at its beginning or end"),
    ("github-token", "SECRET\t", "has white space at its beginning or end"),
    ("github-token", "SECRET\xa0", "has white space at its beginning or end"),
    ("github-token", "   ", "has white space at its beginning or end"),
    ("github-token", "Bearer SECRET", "has white space in it"),
    ("github-token", '"SECRET"', "begins or ends with a quotation mark of its own"),
    ("github-token", "'SECRET'", "begins or ends with a quotation mark of its own"),
    ("github-token", "`SECRET`", "begins or ends with a quotation mark of its own"),
    ("github-token", "SECRET\x07", "contains a control or invisible character"),
    ("github-token", "SECRET\u200b", "contains a control or invisible character"),
    ("github-token", "SECRET…", "contains a character that no token has"),
    ("github-token", "“SECRET”", "contains a character that no token has"),
    ("slack-bot-token", " xoxb-SECRET", "has white space at its beginning or end"),
    ("slack-signing-secret", f"{SIGNING_SECRET}\n", "ends with a line end"),
    ("slack-signing-secret", f'"{SIGNING_SECRET}"', "begins or ends with a quotation mark"),
    ("redis-url", "redis:6379\n", "ends with a line end"),
    ("redis-url", '"redis:6379"', "begins or ends with a quotation mark"),
    ("redis-url", "redis://:SECRET@cache:6379/3", "is a URL with a database path"),
]


@pytest.mark.parametrize(("key", "value"), GOOD)
def test_nothing_is_wrong(key: str, value: Any) -> None:
    assert value_fault(key, value) == ""


@pytest.mark.parametrize(("key", "value", "message"), BAD)
def test_the_fault_is_named_and_the_value_is_not(key: str, value: Any, message: str) -> None:
    fault = value_fault(key, value)
    assert message in fault
    assert ". Allowed: " in fault
    for secret in ("SECRET", "271828", SIGNING_SECRET[:8]):
        assert secret not in fault


def test_a_url_in_a_secret_that_nobody_converts_is_wrong() -> None:
    assert "is a URL, which the app cannot read" in value_fault("redis-url", "redis://cache:6379", convertible=False)


@given(st.sampled_from([*REQUIRED_KEYS, *SECRET_KEYS]), st.text() | st.integers() | st.none() | st.lists(st.text()))
def test_any_value_has_an_answer(key: str, value: Any) -> None:
    fault = value_fault(key, value)
    assert fault == "" or ". Allowed: " in fault


def test_the_vault_variable_is_the_key_in_snake_case() -> None:
    assert vault_variable("slack-bot-token") == "vault_slack_bot_token"
