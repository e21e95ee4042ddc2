# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether Slack reaches the Dispatcher at its public address, as Slack asks there: over TLS, with a signed challenge.

`/health` is no way to ask: a route lets in what is below `/slack` only.
"""

import ssl
import time
import uuid
import zlib
from collections.abc import Callable, Mapping, Sequence
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError

from ansible.module_utils.urls import ConnectionError as UrlConnectionError
from ansible.module_utils.urls import open_url

from ..api.http_over_socket import LARGEST_BODY, Answer
from ..slack.slack_payload import url_verification
from ..slack.slack_signature import signature_headers
from ..text.one_line import one_line
from .dispatcher import check_challenge, check_wrong_signature
from .outcome import FAILED, NOT_CHECKED, Outcome
from .probe import Asked, Probe, known_signing_secret
from .slack_answer import Answerer, answerer_of

REQUEST_TIMEOUT = 5.0  # seconds: longer than any answer that is in time
PAUSE = 0.5  # seconds between two attempts
EVENTS = "/slack/events"
_LET_IN = "dispatcher_network_policy_from lets in the pods that its requests come from"
LONGEST_REASON = 200  # characters: a line of a protocol that is not HTTP is quoted


def public(asked: Asked) -> list[Outcome]:
    """Ask as Slack does, where Slack does."""
    checks = ("public_challenge", "public_signature")
    return check_public(checks, asked.public_url, asked.public_ca_file, known_signing_secret(asked), asked.timeout)


def check_public(checks: Sequence[str], url: str, ca_file: str, signing_secret: str, timeout: float) -> list[Outcome]:
    """Send a right and a wrong signature to *url*.

    The right one is sent again as long as the Dispatcher is not there, until *timeout* (seconds) is over: DNS and a
    certificate take their time. What the Dispatcher itself answers is final.

    :param ca_file: certificates in PEM to trust instead of the system's; empty for those.
    """
    if not url:
        return [
            Outcome(check, NOT_CHECKED, "verify_public_url is empty: Slack has no address to call") for check in checks
        ]
    right, wrong = checks
    challenge = uuid.uuid4().hex
    address = url.rstrip("/") + EVENTS
    outcome = Outcome(right, NOT_CHECKED, "the signing secret is not known")
    if signing_secret:
        deadline = time.monotonic() + timeout
        answer = _ask(address, ca_file, challenge, signing_secret)
        while not _is_of_dispatcher(answer) and time.monotonic() <= deadline:
            time.sleep(PAUSE)
            answer = _ask(address, ca_file, challenge, signing_secret)
        outcome = _judge(right, address, answer, lambda answer: check_challenge(right, challenge, answer))
    # Signed with what nobody else knows.
    answer = _ask(address, ca_file, challenge, uuid.uuid4().hex)
    return [outcome, _judge(wrong, address, answer, lambda answer: check_wrong_signature(wrong, answer))]


def _ask(address: str, ca_file: str, challenge: str, signing_secret: str) -> Answer | Exception:
    """Return the answer, or the error of a connection that brings none."""
    payload = url_verification(challenge)
    headers = signature_headers(signing_secret, payload.body, int(time.time()))
    started = time.monotonic()
    try:
        with _opened(address, payload.body, {"Content-Type": payload.content_type, **headers}, ca_file) as answer:
            body = answer.read(LARGEST_BODY).decode("utf-8", "replace")
            got = {name.lower(): value for name, value in answer.headers.items()}
            return Answer(answer.status, body, time.monotonic() - started, got)
    # The last three: a body that is not compressed as it says, and an address that is none
    except (OSError, HTTPException, UrlConnectionError, EOFError, zlib.error, ValueError) as error:
        return error


def _opened(address: str, body: bytes, headers: Mapping[str, str], ca_file: str) -> Any:
    """Return the response, whatever its status is."""
    try:
        return open_url(
            address,
            method="POST",
            data=body,
            headers=headers,
            timeout=REQUEST_TIMEOUT,
            ca_path=ca_file or None,
            follow_redirects="none",
            use_netrc=False,
        )
    except HTTPError as error:
        return error


def _is_of_dispatcher(answer: Answer | Exception) -> bool:
    of_app = (Answerer.ACCEPTED, Answerer.REFUSED, Answerer.THROWN_AWAY, Answerer.BROKEN)
    return isinstance(answer, Answer) and answerer_of(answer) in of_app


def _judge(check: str, address: str, answer: Answer | Exception, judge: Callable[[Answer], Outcome]) -> Outcome:
    if not isinstance(answer, Answer):
        return Outcome(check, FAILED, f"{address}: {_reason_of(answer)}", _hint(answer))
    outcome = judge(answer)
    hint = outcome.hint
    if answerer_of(answer) is Answerer.THROWN_AWAY:
        hint += " If the check `challenge` is ok, something in front of the Dispatcher gives this answer instead."
    if answerer_of(answer) is Answerer.NO_ROUTE:
        hint += f" If the check `challenge` is ok, check that {_LET_IN}."
    return Outcome(check, outcome.result, f"{address}: {outcome.evidence}", hint)


def _reason_of(error: Exception) -> str:
    return one_line(str(getattr(error, "reason", error)), LONGEST_REASON)


def _hint(error: Exception) -> str:
    if isinstance(getattr(error, "reason", error), ssl.SSLError):
        return "Slack trusts public authorities only: check the certificate of the Ingress or Gateway (dispatcher_tls)."
    return f"Check the DNS entry of the host, the Ingress or Gateway, what is in front of it, and that {_LET_IN}."


PROBES = (Probe(("public_challenge", "public_signature"), "public", public),)
