# SPDX-License-Identifier: GPL-3.0-or-later
"""Slack's request signature as the Dispatcher checks it."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from stand_in.slack_signature import is_signed, slack_signature

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"  # the example in Slack's documentation, and so is the request below
TIMESTAMP = "1531420618"
BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&"
    b"channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&"
    b"response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F"
    b"96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
SIGNATURE = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
NOW = float(TIMESTAMP)


def sign(timestamp: str, body: bytes = BODY) -> str:
    return "v0=" + hmac.new(SECRET.encode(), b"v0:%s:%s" % (timestamp.encode(), body), hashlib.sha256).hexdigest()


def test_the_example_of_slack() -> None:
    assert slack_signature(SECRET, TIMESTAMP, BODY) == SIGNATURE
    assert is_signed(SECRET, TIMESTAMP, SIGNATURE, BODY, NOW)


@pytest.mark.parametrize("change", [b"", BODY + b"\n", BODY.replace(b"U2", b"U3")])
def test_another_body_is_refused(change: bytes) -> None:
    assert not is_signed(SECRET, TIMESTAMP, SIGNATURE, change, NOW)


@pytest.mark.parametrize(
    "signature",
    [
        None,
        "",
        "  ",
        "v0=",
        SIGNATURE.upper(),
        SIGNATURE.removeprefix("v0="),
        SIGNATURE.replace("v0", "v1"),
        SIGNATURE[:-1],
        SIGNATURE + "0",
        "v0=\udce9",
    ],
)
def test_another_signature_is_refused(signature: str | None) -> None:
    assert not is_signed(SECRET, TIMESTAMP, signature, BODY, NOW)


def test_another_secret_is_refused() -> None:
    assert not is_signed(SECRET + "x", TIMESTAMP, SIGNATURE, BODY, NOW)


@pytest.mark.parametrize(
    ("age", "accepted"),
    [(0, True), (299, True), (300, True), (300.9, True), (301, False), (-300, True), (-301, False), (10**6, False)],
)
def test_window_in_both_directions(age: float, accepted: bool) -> None:
    assert is_signed(SECRET, TIMESTAMP, SIGNATURE, BODY, NOW + age) is accepted


@pytest.mark.parametrize(
    "timestamp", ["", " ", "now", "1531420618.0", "0x5b47a0ca", "1_531_420_618", "١٥٣١٤٢٠٦١٨", "9" * 30]
)
def test_a_timestamp_that_is_no_number_is_refused(timestamp: str) -> None:
    assert not is_signed(SECRET, timestamp, sign(timestamp), BODY, NOW)


def test_a_missing_timestamp_is_refused() -> None:
    assert not is_signed(SECRET, None, SIGNATURE, BODY, NOW)


@pytest.mark.parametrize("secret", ["", " ", "\t\n"])
def test_a_blank_secret_switches_the_check_off(secret: str) -> None:
    assert is_signed(secret, None, None, BODY, NOW)
