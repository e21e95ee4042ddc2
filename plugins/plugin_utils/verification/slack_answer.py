# SPDX-License-Identifier: GPL-3.0-or-later
"""Who answers an `url_verification` event, and how: the app, a build of it that throws its answers away, or another.

The app answers with JSON or with nothing: 200 with the challenge, 401, 400 and 500 with an empty body.
"""

import re
from enum import Enum
from urllib.parse import urlsplit

from ..api.http_over_socket import Answer
from ..text.counted import counted
from ..text.one_line import one_line

_TITLE = re.compile(r"<title[^>]*>([^<]*)</title", re.IGNORECASE)
LONGEST_TITLE = 60  # characters; a longer one is no title of an error page
LONGEST_NAME = 120  # characters of a host or of a type
_REDIRECTS = (301, 302, 303, 307, 308)
_GATEWAY_ERRORS = (502, 503, 504)


class Answerer(Enum):
    """What an answer tells about who gave it."""

    ACCEPTED = "a challenge came back"
    REFUSED = "the app refuses the signature"
    THROWN_AWAY = "an empty 200"
    BROKEN = "the app has an error"
    NO_ROUTE = "nothing answers behind the address"
    OTHER = "something else"


def answerer_of(answer: Answer) -> Answerer:
    """Tell who has answered."""
    if answer.status == 200 and challenge_in(answer) is not None:
        return Answerer.ACCEPTED
    if answer.status in (404, *_GATEWAY_ERRORS):
        return Answerer.NO_ROUTE
    # A proxy that asks for a password names the way to give it; the app has none.
    if answer.body.strip() or "www-authenticate" in answer.headers:
        return Answerer.OTHER
    empty = {200: Answerer.THROWN_AWAY, 401: Answerer.REFUSED, 400: Answerer.BROKEN, 500: Answerer.BROKEN}
    return empty.get(answer.status, Answerer.OTHER)


def challenge_in(answer: Answer) -> str | None:
    """Return the challenge that an answer repeats, None if it has none."""
    challenge = answer.fields.get("challenge")
    return challenge if isinstance(challenge, str) else None


def describe(answer: Answer) -> str:
    """Return what an answer looks like, for the evidence of a check. Of its body only a page's title is quoted."""
    seen = f"{answer.status} in {answer.elapsed:.2f} s"
    kind = one_line(answer.headers.get("content-type", "").partition(";")[0], LONGEST_NAME)
    if answer.status in _REDIRECTS:
        return f"{seen}, a redirect to {_host_of(answer.headers.get('location', ''))}"
    if not answer.body.strip():
        return f"{seen}, an empty body"
    title = _TITLE.search(answer.body)
    name = one_line(title[1]) if title else ""
    quoted = f' with the title "{name}"' if 0 < len(name) <= LONGEST_TITLE else ""
    return f"{seen}, {counted(len(answer.body), 'character')} of {kind or 'no stated type'}{quoted}"


def _host_of(location: str) -> str:
    """Return where a redirect leads. Its path and query may hold a session, and what is before an @ a password."""
    try:
        host = urlsplit(location).netloc.rpartition("@")[2]
    except ValueError:
        return "an invalid address"
    return one_line(host, LONGEST_NAME) or "the same host"
