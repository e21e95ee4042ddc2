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

ABSENT = Verdict(False, "it does not exist", "Deploy the release.")


def routes(asked: Asked) -> list[Outcome]:
    """Judge all of them that the release states."""
    stated = [body for body in asked.target.intended_objects if kind_of_body(body).is_served]
    around = Surroundings(asked.target.connection, issued_by(stated))
    certificates = [body for body in stated if body["kind"] == "Certificate"]
    others = [body for body in stated if body["kind"] != "Certificate"]
    return [
        _judged("route", "the release has no Ingress, Gateway or route", others, around),
        _judged("certificate", "the release has no Certificate of cert-manager", certificates, around),
    ]


def _judged(check: str, none: str, stated: Sequence[Mapping[str, Any]], around: Surroundings) -> Outcome:
    if not stated:
        return Outcome(check, NOT_CHECKED, none)
    found = [(body, around.object(Identity.of(body))) for body in stated]
    unseen = [str(Identity.of(body)) for body, live in found if live == {}]
    if unseen:
        hint = "The account that runs verify needs that right."
        return Outcome(check, NOT_CHECKED, f"cannot be read: {', '.join(unseen)}", hint)
    verdicts = [judge(live, around) if live else ABSENT for _body, live in found]
    bad = [verdict for verdict in verdicts if not verdict.served]
    result = FAILED if any(verdict.fails for verdict in bad) else WARNING if bad else OK
    judged = zip(found, verdicts, strict=True)
    lines = [line for (body, live), verdict in judged for line in evidence(live or body, verdict, around)]
    return Outcome(check, result, "\n".join(lines), " ".join(dict.fromkeys(verdict.hint for verdict in bad)))


PROBES = (Probe(("route", "certificate"), "public", routes),)
