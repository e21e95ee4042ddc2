# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether controllers serve the release's Ingress, Gateway, routes and Certificates, as the status of those says."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..conditions.surroundings import Surroundings, issued_by
from ..conditions.verdict import Verdict
from ..conditions.wait import evidence, judge
from ..objects.identity import Identity
from ..objects.kinds import kind_of_body
from .outcome import FAILED, NOT_CHECKED, OK, WARNING, Outcome
from .probe import Asked, Probe

CERTIFICATE = "Certificate"


def routes(asked: Asked) -> list[Outcome]:
    """Judge all of them that the release states."""
    stated = [body for body in asked.target.intended_objects if kind_of_body(body).is_served]
    around = Surroundings(asked.target.connection, issued_by(stated))
    certificates = [body for body in stated if body["kind"] == CERTIFICATE]
    others = [body for body in stated if body["kind"] != CERTIFICATE]
    return [
        _judged("route", "the release has no Ingress, Gateway or route", others, around),
        _judged("certificate", "the release has no Certificate of cert-manager", certificates, around),
    ]


def _judged(check: str, none: str, stated: Sequence[Mapping[str, Any]], around: Surroundings) -> Outcome:
    if not stated:
        return Outcome(check, NOT_CHECKED, none)
    found = [(body, *_verdict(body, around)) for body in stated]
    bad = [verdict for _body, _live, verdict in found if not verdict.served]
    result = FAILED if any(verdict.fails for verdict in bad) else WARNING if bad else OK
    lines = [line for body, live, verdict in found for line in evidence(live or body, verdict, around)]
    return Outcome(check, result, "\n".join(lines), " ".join(dict.fromkeys(verdict.hint for verdict in bad)))


def _verdict(body: Mapping[str, Any], around: Surroundings) -> tuple[Mapping[str, Any] | None, Verdict]:
    """Return the live object with the verdict on it."""
    live = around.object(Identity.of(body))
    if live is None:
        return None, Verdict(False, "it does not exist", "Deploy the release.")
    if not live:
        return None, Verdict(False, "it cannot be read", "The account that runs verify needs that right.", fails=False)
    return live, judge(live, around)


PROBES = (Probe(("route", "certificate"), "public", routes),)
