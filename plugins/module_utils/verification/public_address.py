# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether Slack reaches the Dispatcher at its public address, as Slack asks there: over TLS, with a signed challenge.

`/health` is no way to ask: a route lets in what is below `/slack` only.
"""

from __future__ import annotations

import ssl
import time
import uuid
from collections.abc import Callable, Sequence
from urllib.error import HTTPError

from ansible.module_utils.urls import ConnectionError as UrlConnectionError
from ansible.module_utils.urls import open_url
from ansible_collections.agentsmith.platform.plugins.module_utils.http_over_socket import LARGEST_BODY, Answer
from ansible_collections.agentsmith.platform.plugins.module_utils.slack_payload import url_verification
from ansible_collections.agentsmith.platform.plugins.module_utils.slack_signature import signature_headers

from .dispatcher import check_challenge, check_wrong_signature
from .outcome import FAILED, NOT_CHECKED, OK, Outcome

REQUEST_TIMEOUT = 5.0  # seconds: longer than any answer that is in time
PAUSE = 0.5  # seconds between two attempts
EVENTS = "/slack/events"


def check_public(checks: Sequence[str], url: str, ca_file: str, signing_secret: str, timeout: float) -> list[Outcome]:
    """Send a right and a wrong signature to *url*; the right one until it is accepted or *timeout* (seconds) is over.

    :param ca_file: certificates in PEM to trust instead of the system's; empty for those.
    """
    if not url:
        return [
            Outcome(check, NOT_CHECKED, "verify_public_url is empty: Slack has no address to call") for check in checks
        ]
    right, wrong = checks
    challenge = uuid.uuid4().hex
    deadline = time.monotonic() + timeout
    while True:
        if signing_secret:
            outcome = _ask(
                right, url, ca_file, challenge, signing_secret, lambda answer: check_challenge(right, challenge, answer)
            )
        else:
            outcome = Outcome(right, NOT_CHECKED, "the signing secret is not known")
        if outcome.result != FAILED or time.monotonic() > deadline:
            break
        time.sleep(PAUSE)
    # Signed with what nobody else knows.
    refused = _ask(
        wrong, url, ca_file, challenge, uuid.uuid4().hex, lambda answer: check_wrong_signature(wrong, answer)
    )
    return [outcome, refused]


def _ask(
    check: str, url: str, ca_file: str, challenge: str, signing_secret: str, judge: Callable[[Answer], Outcome]
) -> Outcome:
    payload = url_verification(challenge)
    headers = signature_headers(signing_secret, payload.body, int(time.time()))
    address = url.rstrip("/") + EVENTS
    started = time.monotonic()
    try:
        with open_url(
            address,
            method="POST",
            data=payload.body,
            headers={"Content-Type": payload.content_type, **headers},
            timeout=REQUEST_TIMEOUT,
            ca_path=ca_file or None,
            follow_redirects="none",
            use_netrc=False,
        ) as answer:
            status, body = answer.status, answer.read(LARGEST_BODY).decode("utf-8", "replace")
    except HTTPError as error:
        status, body = error.code, ""
    except (OSError, UrlConnectionError) as error:
        return Outcome(check, FAILED, f"{address}: {getattr(error, 'reason', error)}", _hint(error))
    outcome = judge(Answer(status, body, time.monotonic() - started))
    hint = "No route lets the path in, or to no Service that answers." if status in (404, 502, 503) else outcome.hint
    return Outcome(check, outcome.result, f"{address}: {outcome.evidence}", "" if outcome.result == OK else hint)


def _hint(error: Exception) -> str:
    if isinstance(getattr(error, "reason", error), ssl.SSLError):
        return (
            "Slack trusts public authorities only: look at the certificate of the Ingress or Gateway (dispatcher_tls)."
        )
    return "Look at the DNS entry of the host, the Ingress or Gateway and what stands before it."
