# SPDX-License-Identifier: GPL-3.0-or-later
"""The Dispatcher at the Kubernetes API: what it sends, as whom, and what people see of a refusal."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from awaiting import await_condition
from certificate_authority import issue
from fake_kubernetes import JOBS
from redis import Redis
from stand_in_platform import Platform

TOKEN_IS_KEPT = 60.0
"""Seconds."""


def test_it_sends_one_request_for_a_job_and_no_other(platform: Platform) -> None:
    platform.person.say("list tickets in short")
    platform.person.await_message("No open tickets found")
    for count in (1, 2):
        platform.person.say("fix #54 in short")
        platform.person.await_message("Done!", count=count)
        platform.await_free_channels()
    assert platform.kubernetes.requests == [("POST", JOBS)] * 2


def test_a_token_that_is_renewed_is_used(platform: Platform) -> None:
    platform.person.say("fix #54 in short")
    platform.person.await_message("Done!")
    platform.await_free_channels()
    platform.kubernetes.service_account.rotate_token()

    def accepted() -> bool:
        before = len(platform.kubernetes.jobs)
        answers = len(platform.person.texts())
        platform.person.say("fix #54 in short")
        # The message itself, "Starting" and then a refusal or the first step.
        await_condition(lambda: len(platform.person.texts()) >= answers + 3)
        return len(platform.kubernetes.jobs) > before

    # The app's client library keeps a token for up to a minute.
    await_condition(accepted, TOKEN_IS_KEPT + 30, pause=5)
    platform.person.await_message("Done!", count=2)


@pytest.mark.parametrize(
    ("status", "reason", "message"),
    [
        (401, "Unauthorized", "Unauthorized"),
        (403, "Forbidden", 'exceeded quota: jobs, requested: count/jobs.batch=1, used: 5, limited: 5 in "a"'),
        (422, "Invalid", "spec.template: Invalid value"),
        (429, "TooManyRequests", "too many requests, please try again later"),
        (500, "InternalError", "Internal error occurred: failed calling webhook"),
    ],
)
def test_a_refusal_is_shown_once_and_leaves_nothing(platform: Platform, status: int, reason: str, message: str) -> None:
    platform.kubernetes.refuse(status, reason, message)
    platform.person.say("fix #54 in short")
    shown = platform.person.await_message("^:x: ")["text"].replace("\\", "")
    assert message in shown
    assert f'"code": {status}' in shown
    with Redis(port=platform.redis_port) as redis:
        assert redis.keys("*") == []
    platform.kubernetes.refusal = None
    platform.person.say("fix #54 in short")
    platform.person.await_message("Done!")
    assert platform.kubernetes.requests == [("POST", JOBS)] * 2
    assert sum(":x: " in text for text in platform.person.texts()) == 1


def test_another_authority_than_the_mounted_one_is_not_trusted(platform: Platform) -> None:
    # Before its start: the app reads ca.crt then, and not again.
    platform.dispatcher.kill()
    platform.kubernetes.service_account.trust(issue("somebody-else", now=datetime.now(UTC)).pem)
    platform.start_dispatcher()
    platform.person.say("fix #54 in short")
    platform.person.await_message("^:x: ")
    assert platform.kubernetes.requests == []
