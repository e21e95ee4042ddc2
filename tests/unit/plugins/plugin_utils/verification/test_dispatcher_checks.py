# SPDX-License-Identifier: GPL-3.0-or-later
"""The answers of the Dispatcher, and of what may stand in its place."""

from __future__ import annotations

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.http_over_socket import Answer
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification import dispatcher

CHALLENGE = '{"challenge":"abc"}'
PAGE = "<html><head><title>\n Sign in · Example </title></head><body>MARKED-session</body></html>"
HTML = {"content-type": "text/html; charset=utf-8"}
JSON = {"content-type": "application/json"}
NO_SECRET = "Anybody can start Jobs"
THROWN_AWAY = "This build answers everything with an empty 200"
BUILDS = "79b52441 up to before 1d1d522f"
NO_ROUTE = "No route admits the path"
OTHER = "Something else answers instead of the Dispatcher"
FAILED_OVER_IT = "Read its log"


@pytest.mark.parametrize(
    ("status", "body", "result", "evidence"),
    [
        (200, '{"status":"ok","timestamp":"now"}', "ok", ""),
        (200, '{"status":"degraded"}', "failed", ", 21 characters of application/json"),
        (200, "<html>", "failed", ", 6 characters of application/json"),
        (200, "[]", "failed", ", 2 characters of application/json"),
        (503, '{"status":"ok"}', "failed", ", 15 characters of application/json"),
        (200, "", "failed", ", an empty body"),
        (200, "[" * 60_000, "failed", ", 60000 characters of application/json"),
    ],
)
def test_health(status: int, body: str, result: str, evidence: str) -> None:
    outcome = dispatcher.check_health("health", Answer(status, body, 0.01, JSON))
    assert (outcome.result, outcome.evidence) == (result, f"{status} in 0.01 s{evidence}")


@pytest.mark.parametrize(
    ("status", "body", "elapsed", "result", "hint"),
    [
        (200, CHALLENGE, 0.1, "ok", ""),
        (200, '{"challenge":"xyz"}', 0.1, "failed", "challenge back"),
        (200, CHALLENGE, 3.1, "failed", "within 3 s"),
        (401, "", 0.1, "failed", "The signing secret of the Dispatcher differs"),
        (401, "", 0.1, "failed", "clock differs by more than 5 min"),
        (400, "", 0.1, "failed", FAILED_OVER_IT),
    ],
)
def test_signed_challenge(status: int, body: str, elapsed: float, result: str, hint: str) -> None:
    outcome = dispatcher.check_challenge("challenge", "abc", Answer(status, body, elapsed))
    assert outcome.result == result
    assert hint in outcome.hint


@pytest.mark.parametrize(
    ("status", "body", "elapsed", "result", "hint"),
    [
        (401, "", 0.1, "ok", ""),
        (401, "", 3.1, "failed", "within 3 s"),
        (200, CHALLENGE, 0.1, "failed", NO_SECRET),
        # A Dispatcher without a secret is one, whatever challenge it repeats
        (200, '{"challenge":""}', 0.1, "failed", NO_SECRET),
        (400, "", 0.1, "failed", FAILED_OVER_IT),
    ],
)
def test_wrong_signature(status: int, body: str, elapsed: float, result: str, hint: str) -> None:
    outcome = dispatcher.check_wrong_signature("wrong_signature", Answer(status, body, elapsed))
    assert outcome.result == result
    assert hint in outcome.hint


@pytest.mark.parametrize(
    ("answer", "hint", "evidence"),
    [
        (Answer(200, "", 0.1), THROWN_AWAY, "200 in 0.10 s, an empty body"),
        (Answer(200, "\r\n", 0.1), BUILDS, "an empty body"),
        (Answer(500, "", 0.1), FAILED_OVER_IT, "500 in 0.10 s, an empty body"),
        (
            Answer(200, PAGE, 0.1, HTML),
            OTHER,
            f'{len(PAGE)} characters of text/html with the title "Sign in · Example"',
        ),
        (Answer(403, PAGE, 0.1, HTML), OTHER, "403 in 0.10 s"),
        (Answer(500, PAGE, 0.1, HTML), OTHER, "500 in 0.10 s"),
        (
            Answer(302, "", 0.1, {"location": "https://me:MARKED@sso.example.com/a?session=MARKED"}),
            OTHER,
            "sso.example.com",
        ),
        (Answer(307, PAGE, 0.1, {"location": "/login?MARKED"}), OTHER, "a redirect to the same host"),
        (Answer(200, '{"ok": true, "token": "MARKED"}', 0.1, JSON), OTHER, "31 characters of application/json"),
        (Answer(200, '["MARKED"]', 0.1), OTHER, "10 characters of no stated type"),
        (Answer(200, '{"challenge": 7}', 0.1, JSON), OTHER, "application/json"),
        (Answer(405, "", 0.1), OTHER, "405 in 0.10 s, an empty body"),
        (Answer(429, "", 0.1), OTHER, "429"),
        (Answer(404, "", 0.1), NO_ROUTE, "404 in 0.10 s, an empty body"),
        (Answer(502, PAGE.replace("Sign in", "MARKED " * 20), 0.1, HTML), NO_ROUTE, "characters of text/html"),
        (Answer(503, "upstream MARKED", 0.1), NO_ROUTE, "503"),
        (Answer(504, "", 0.1), NO_ROUTE, "504"),
        # Nobody promises that it is well formed, short or fit for a terminal
        (Answer(200, "[" * 60_000, 0.1), OTHER, "60000 characters of no stated type"),
        (Answer(200, '{"challenge": ' + "[" * 60_000, 0.1), OTHER, "60014 characters"),
        (Answer(302, "", 0.1, {"location": "http://[MARKED"}), OTHER, "a redirect to an invalid address"),
        (Answer(302, "", 0.1, {"location": f"https://me:MARKED@{'x' * 900}/MARKED"}), OTHER, "x" * 119 + "…"),
        (Answer(302, "", 0.1, {"location": "//a\x1b[31m\x07]"}), OTHER, "a redirect to"),
        (Answer(200, "x", 0.1, {"content-type": "text/\x1b[31m" + "y" * 900}), OTHER, "text/ [31myyy"),
        (Answer(200, "<title>a\x1b]0;b\x07</title>", 0.1, HTML), OTHER, 'with the title "a ]0;b"'),
    ],
)
def test_what_is_no_answer_of_a_working_app_fails_both(answer: Answer, hint: str, evidence: str) -> None:
    found = [
        dispatcher.check_challenge("challenge", "abc", answer),
        dispatcher.check_wrong_signature("wrong_signature", answer),
    ]
    for outcome in found:
        assert outcome.result == "failed"
        assert hint in outcome.hint
        assert evidence in outcome.evidence
        assert "MARKED" not in f"{outcome.evidence}{outcome.hint}"
        assert "pw@" not in outcome.evidence
        assert outcome.evidence.isprintable()
        assert len(outcome.evidence) < 300


@pytest.mark.parametrize(
    "answer", [Answer(401, PAGE, 0.1, HTML), Answer(401, "", 0.1, {"www-authenticate": 'Basic realm="staff"'})]
)
def test_a_proxy_that_asks_for_a_password_proves_nothing_of_the_dispatcher(answer: Answer) -> None:
    right = dispatcher.check_challenge("challenge", "abc", answer)
    assert right.result == "failed"
    assert OTHER in right.hint
    wrong = dispatcher.check_wrong_signature("wrong_signature", answer)
    assert wrong.result == "not checked"
    assert "not the Dispatcher's answer" in wrong.evidence
