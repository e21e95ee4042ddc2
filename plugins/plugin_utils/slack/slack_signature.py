# SPDX-License-Identifier: GPL-3.0-or-later
"""The signature of requests that Slack sends to an app: https://api.slack.com/authentication/verifying-requests-from-slack"""

import hashlib
import hmac

TIMESTAMP_HEADER = "X-Slack-Request-Timestamp"
SIGNATURE_HEADER = "X-Slack-Signature"


def signature_headers(secret: str, body: bytes, timestamp: int) -> dict[str, str]:
    """Return the two headers that sign *body*.

    :param timestamp: seconds since the epoch. An app refuses one that is more than 300 s away from its own clock.
    """
    digest = hmac.new(secret.encode(), f"v0:{timestamp}:".encode() + body, hashlib.sha256).hexdigest()
    return {TIMESTAMP_HEADER: str(timestamp), SIGNATURE_HEADER: f"v0={digest}"}
