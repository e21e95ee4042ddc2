# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Dispatcher answers: /health, and events with a right and with a wrong signature."""

from ..api.http_over_socket import Answer
from .outcome import NOT_CHECKED, Outcome, judged
from .slack_answer import Answerer, answerer_of, challenge_in, describe

SLACK_PATIENCE = 3.0
"""Seconds that Slack gives an app for its answer: https://api.slack.com/apis/events-api"""
# For whoever deploys another image than that of docker/dispatcher.
_THROWN_AWAY = (
    "This build answers everything with an empty 200. So Slack cannot verify the Request URL. A message with a wrong "
    "signature still starts nothing. Builds from the commit 79b52441 up to before 1d1d522f do so, among them the "
    "unpatched be4bffa1. docker/dispatcher in the collection's repository fixes it: "
    "docs/how-to/images.md, docs/reference/versions.md."
)
_LOG = "kubectl logs deploy/agentsmith-dispatcher -c dispatcher"
_BROKEN = f"The Dispatcher failed while it handled the event. Read its log: {_LOG}"
_NO_ROUTE = (
    "No route admits the path, or the Service behind it does not answer. The Dispatcher answers at /slack/events."
)
_OTHER = (
    "Something else answers instead of the Dispatcher: a proxy, a login page or another program. The app answers with "
    "JSON or with an empty body. Check what is in front of the Dispatcher, and the Service and its port."
)
_HINTS = {
    Answerer.THROWN_AWAY: _THROWN_AWAY,
    Answerer.BROKEN: _BROKEN,
    Answerer.NO_ROUTE: _NO_ROUTE,
    Answerer.OTHER: _OTHER,
}


def check_health(check: str, answer: Answer) -> Outcome:
    """`GET /health` is 200 with `"status": "ok"`."""
    good = answer.status == 200 and answer.fields.get("status") == "ok"
    return judged(check, good, _seen(answer, good), f"Read the Dispatcher's log: {_LOG}")


def check_challenge(check: str, challenge: str, answer: Answer) -> Outcome:
    """A signed `url_verification` gets its challenge back in time."""
    answerer = answerer_of(answer)
    good = answerer is Answerer.ACCEPTED and challenge_in(answer) == challenge and answer.elapsed < SLACK_PATIENCE
    hint = _HINTS.get(answerer, f"Slack wants the challenge back within {SLACK_PATIENCE:g} s.")
    if answerer is Answerer.REFUSED:
        hint = (
            "The signing secret of the Dispatcher differs from the one in the Vault file (slack-signing-secret), or "
            "its node's clock differs by more than 5 min. It reads the secret when it starts: deploy, or restart it."
        )
    return judged(check, good, _seen(answer, good), hint)


def check_wrong_signature(check: str, answer: Answer) -> Outcome:
    """The same with a wrong signature is refused in time."""
    answerer = answerer_of(answer)
    if answer.status == 401 and answerer is Answerer.OTHER:
        return Outcome(check, NOT_CHECKED, f"{describe(answer)}: not the Dispatcher's answer", _OTHER)
    good = answerer is Answerer.REFUSED and answer.elapsed < SLACK_PATIENCE
    hint = _HINTS.get(answerer, f"The app must refuse it with 401 within {SLACK_PATIENCE:g} s.")
    if answerer is Answerer.ACCEPTED:
        hint = "Anybody can start Jobs: the Dispatcher has no signing secret. Set slack-signing-secret and restart it."
    return judged(check, good, _seen(answer, good), hint)


def _seen(answer: Answer, good: bool) -> str:
    return f"{answer.status} in {answer.elapsed:.2f} s" if good else describe(answer)
