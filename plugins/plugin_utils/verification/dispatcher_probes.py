# SPDX-License-Identifier: GPL-3.0-or-later
"""The Dispatcher is asked: its Deployment, its pods, and from here."""

import time
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ..api.http_over_socket import Answer, send_request
from ..api.pod_stream import StreamCut, StreamFailed, forwarded_port
from ..objects.errors import ApiError
from ..pods.names import CONTAINERS, DISPATCHER
from ..slack.slack_payload import url_verification
from ..slack.slack_signature import signature_headers
from . import dispatcher
from .outcome import Outcome, worst
from .probe import POD_TIMEOUT, Asked, Probe, known_signing_secret, not_asked, not_checked, rollout
from .reachability import check_reachable
from .target import dispatcher_port


def dispatcher_rollout(asked: Asked) -> list[Outcome]:
    """Ask for the Deployment of the Dispatcher."""
    return [rollout(asked, "dispatcher_rollout", DISPATCHER, asked.target.dispatcher, wanted=True)]


def dispatcher_answers(asked: Asked) -> list[Outcome]:
    """Ask every ready Dispatcher for its health, and with a right and a wrong signature."""
    checks = ("health", "challenge", "wrong_signature")
    pods = asked.target.ready_pods(asked.target.dispatcher)
    if not pods:
        return not_checked(checks, "no pod of the Dispatcher is ready")
    with ThreadPoolExecutor(len(pods)) as executor:  # a pod that cannot be asked is only given up after a while
        answers = list(executor.map(lambda pod: _answers_of(asked, checks, pod), pods))
    return [worst(found) for found in zip(*answers, strict=True)]


def _answers_of(asked: Asked, checks: Sequence[str], pod: Mapping[str, Any]) -> list[Outcome]:
    try:
        return _dispatcher_answers(asked, checks, pod)
    except (ApiError, StreamCut) as error:
        return not_asked(checks, error)  # another pod may have answered, and wrongly


def _dispatcher_answers(asked: Asked, checks: Sequence[str], pod: Mapping[str, Any]) -> list[Outcome]:
    health = dispatcher.check_health(checks[0], _send(asked, pod, "GET", "/health"))
    signing_secret = known_signing_secret(asked)
    challenge = uuid.uuid4().hex
    # Signed with what nobody else knows.
    wrong = dispatcher.check_wrong_signature(checks[2], _challenge(asked, pod, challenge, uuid.uuid4().hex))
    if not signing_secret:
        (right,) = not_checked(checks[1:2], "the signing secret is not known")
    else:
        right = dispatcher.check_challenge(checks[1], challenge, _challenge(asked, pod, challenge, signing_secret))
    return [health, right, wrong]


def _challenge(asked: Asked, pod: Mapping[str, Any], challenge: str, signing_secret: str) -> Answer:
    payload = url_verification(challenge)
    headers = signature_headers(signing_secret, payload.body, int(time.time()))
    headers["Content-Type"] = payload.content_type
    try:
        return _send(asked, pod, "POST", "/slack/events", payload.body, headers)
    except StreamCut as error:
        _send(asked, pod, "GET", "/health")
        # That came through, so the way is good, and the silence is the app's.
        raise StreamFailed(str(error)) from None


def _send(
    asked: Asked, pod: Mapping[str, Any], method: str, path: str, body: bytes = b"", headers: Any = None
) -> Answer:
    container, port = asked.target.container(pod, CONTAINERS[DISPATCHER]), dispatcher_port(pod)
    with forwarded_port(asked.target.connection, container, port, POD_TIMEOUT) as connected:
        return send_request(connected, method, path, body, headers)


def reachable(asked: Asked) -> list[Outcome]:
    """Ask for the Dispatcher's health from here."""
    return [check_reachable("reachable", asked.url, asked.timeout)]


PROBES = (
    Probe(("dispatcher_rollout",), "dispatcher", dispatcher_rollout),
    Probe(("health", "challenge", "wrong_signature"), "dispatcher", dispatcher_answers),
    Probe(("reachable",), "dispatcher", reachable),
)
