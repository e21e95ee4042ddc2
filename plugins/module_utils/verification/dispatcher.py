# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Dispatcher answers: /health, and events with a right and with a wrong signature."""

from __future__ import annotations

import json

from ansible_collections.agentsmith.platform.plugins.module_utils.http_over_socket import Answer

from .outcome import Outcome, judged

SLACK_PATIENCE = 3.0
"""Seconds that Slack gives an app for its answer: https://api.slack.com/apis/events-api"""


def check_health(check: str, answer: Answer) -> Outcome:
    """`GET /health` is 200 with `"status": "ok"`."""
    good = answer.status == 200 and _field(answer.body, "status") == "ok"
    return judged(check, good, _seen(answer), "Read the Dispatcher's log: kubectl logs deploy/agentsmith-dispatcher")


def check_challenge(check: str, challenge: str, answer: Answer) -> Outcome:
    """A signed `url_verification` gets its challenge back in time."""
    good = answer.status == 200 and _field(answer.body, "challenge") == challenge and answer.elapsed < SLACK_PATIENCE
    hint = f"Slack wants the challenge back within {SLACK_PATIENCE:g} s."
    if answer.status == 401:
        hint = (
            "The Dispatcher has another signing secret than the Vault file (slack-signing-secret), or its node's clock "
            "differs by more than 5 min. It reads the secret at its start: deploy, or restart it."
        )
    return judged(check, good, _seen(answer), hint)


def check_wrong_signature(check: str, answer: Answer) -> Outcome:
    """The same with a wrong signature is refused in time."""
    good = answer.status == 401 and answer.elapsed < SLACK_PATIENCE
    hint = f"It has to be refused with 401 within {SLACK_PATIENCE:g} s."
    if answer.status == 200:
        hint = "Anybody can start Jobs: the Dispatcher has no signing secret. Set slack-signing-secret and restart it."
    return judged(check, good, _seen(answer), hint)


def _seen(answer: Answer) -> str:
    return f"{answer.status} in {answer.elapsed:.2f} s"


def _field(body: str, name: str) -> object:
    try:
        content = json.loads(body)
    except ValueError:
        return None
    return content.get(name) if isinstance(content, dict) else None
