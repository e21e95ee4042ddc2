# SPDX-License-Identifier: GPL-3.0-or-later
"""A message to a webhook at the end of a run. Its URL is a secret: whoever has it can post. So no text quotes it."""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit

from ansible.module_utils.urls import open_url

TIMEOUT = 5.0  # seconds for all: the name, the proxy, the connection, the answer


def _slack(lines: Sequence[str], _details: Mapping[str, Any]) -> dict[str, Any]:
    # What Slack would take for a mention or a link (https://docs.slack.dev/messaging/formatting-message-text)
    text = "\n".join(lines).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return {"text": text}


def _msteams(lines: Sequence[str], _details: Mapping[str, Any]) -> dict[str, Any]:
    # A workflow of Teams takes a card (https://learn.microsoft.com/power-automate/teams/overview). A run of text is
    # shown as it is; a block of text would take some of it for Markdown
    blocks = [{"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": line}]} for line in lines]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": blocks,
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _generic(lines: Sequence[str], details: Mapping[str, Any]) -> dict[str, Any]:
    return {"text": "\n".join(lines), **details}


BODIES: Mapping[str, Callable[[Sequence[str], Mapping[str, Any]], dict[str, Any]]] = {
    "slack": _slack,
    "msteams": _msteams,
    "generic": _generic,
}


def send(url: Any, kind: Any, lines: Sequence[str], details: Mapping[str, Any], timeout: float = TIMEOUT) -> str:
    """Post a message, and return why that failed; empty if it did not. It takes no longer than *timeout* seconds.

    :param details: what the generic form has beside the text.
    """
    if not isinstance(kind, str) or kind not in BODIES:
        return f"agentsmith_webhook_type is none of {', '.join(BODIES)}, so no message was sent."
    if not _is_address(url):
        return "agentsmith_webhook_url is not an http:// or https:// address, so no message was sent."
    body = json.dumps(BODIES[kind](lines, details)).encode()
    faults: list[str] = []
    # A name server, or an answer that comes byte by byte, takes longer than any timeout of a connection
    thread = threading.Thread(target=lambda: faults.append(_post(url, body, timeout)), daemon=True)
    thread.start()
    thread.join(timeout)
    fault = faults[0] if faults else f"no answer within {timeout:g} s"
    return f"The webhook (agentsmith_webhook_url) got no message: {fault}." if fault else ""


def _is_address(url: Any) -> bool:
    try:
        parts = urlsplit(url) if isinstance(url, str) else None
        return bool(parts and parts.scheme in ("http", "https") and parts.hostname)
    except ValueError:
        return False


def _post(url: str, body: bytes, timeout: float) -> str:
    """Return why the message was not taken, in words that quote nothing of the URL."""
    try:
        open_url(
            url,
            method="POST",
            data=body,
            headers={"Content-Type": "application/json"},
            timeout=timeout,
            # A redirect would hand the message, and what the URL has in it, to somebody else
            follow_redirects="none",
            use_netrc=False,
            http_agent="agentsmith.platform",
        ).close()
    except HTTPError as error:
        return f"it answered with HTTP status {error.code}"
    except TimeoutError:
        return f"no answer within {timeout:g} s"
    except Exception as error:  # noqa: BLE001  its own text may quote the URL, and nothing here is worth a failure
        return _cause(error)
    return ""


def _cause(error: Exception) -> str:
    """Return the reason of the operating system. Other texts may quote the URL, or what a server says."""
    seen: BaseException | None = error
    while seen:
        for candidate in (seen, getattr(seen, "reason", None)):
            if isinstance(candidate, TimeoutError):
                return "no answer in time"
            if isinstance(candidate, OSError) and candidate.strerror and candidate.errno:
                return candidate.strerror
        seen = seen.__cause__ or seen.__context__
    return f"the request failed ({type(error).__name__})"
