# SPDX-License-Identifier: GPL-3.0-or-later
"""Slack's request signature, version 0, as the Dispatcher checks it.

The scheme is Slack's: https://api.slack.com/authentication/verifying-requests-from-slack
"""

from __future__ import annotations

import hashlib
import hmac
import re

TIMESTAMP_HEADER = "X-Slack-Request-Timestamp"
SIGNATURE_HEADER = "X-Slack-Signature"
WINDOW = 300
"""Seconds that a timestamp may lie in the past or in the future, the bound included."""


def slack_signature(secret: str, timestamp: str, body: bytes) -> str:
    """Return `v0=` and the lowercase hex HMAC-SHA256 of `v0:{timestamp}:{body}`."""
    message = b"v0:" + timestamp.encode("utf-8", "surrogateescape") + b":" + body
    return "v0=" + hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def is_signed(secret: str, timestamp: str | None, signature: str | None, body: bytes, now: float) -> bool:
    """Tell whether the Dispatcher would accept the request. `now` is in seconds since the epoch.

    A blank secret switches the check off altogether: the app does so, and a deployment has to prevent it.
    """
    if not secret.strip():
        return True
    if not (timestamp or "").strip() or not (signature or "").strip():
        return False
    if not re.fullmatch(r"\s*[+-]?[0-9]{1,18}\s*", timestamp) or abs(int(now) - int(timestamp)) > WINDOW:
        return False
    expected = slack_signature(secret, timestamp, body)
    return hmac.compare_digest(expected.encode(), signature.encode("utf-8", "surrogateescape"))
