# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the Dispatcher answers from outside the cluster: through its NodePort, load balancer or Ingress."""

import time
from urllib.error import HTTPError

from ansible.module_utils.urls import ConnectionError as UrlConnectionError
from ansible.module_utils.urls import open_url

from ..api.http_over_socket import LARGEST_BODY, Answer
from .dispatcher import check_health
from .outcome import FAILED, NOT_CHECKED, OK, Outcome

REQUEST_TIMEOUT = 5.0  # seconds
PAUSE = 0.5  # seconds between two attempts


def check_reachable(check: str, url: str, timeout: float) -> Outcome:
    """Ask for `/health` at *url* until the answer is right or *timeout* (seconds) is over: routes take a moment."""
    if not url:
        return Outcome(check, NOT_CHECKED, "verify_url is empty: its address from outside is not known")
    deadline = time.monotonic() + timeout
    while True:
        outcome = _attempt(check, f"{url.rstrip('/')}/health")
        if outcome.result == OK or time.monotonic() > deadline:
            return outcome
        time.sleep(PAUSE)


def _attempt(check: str, url: str) -> Outcome:
    started = time.monotonic()
    try:
        with open_url(url, timeout=REQUEST_TIMEOUT, follow_redirects="none", use_netrc=False) as answer:
            status, body = answer.status, answer.read(LARGEST_BODY).decode("utf-8", "replace")
    except HTTPError as error:
        status, body = error.code, ""
    except (OSError, UrlConnectionError) as error:
        hint = "Check the Service (type, nodePort) or the Ingress, and that verify_url leads to it."
        return Outcome(check, FAILED, f"{url}: {getattr(error, 'reason', error)}", hint)
    outcome = check_health(check, Answer(status, body, time.monotonic() - started))
    return Outcome(check, outcome.result, f"{url}: {outcome.evidence}", outcome.hint)
