# SPDX-License-Identifier: GPL-3.0-or-later
"""The API server is asked what the Dispatcher may do."""

from __future__ import annotations

from . import access
from .access_review import review
from .outcome import Outcome
from .probe import Asked, Probe


def access_of_jobs(asked: Asked) -> list[Outcome]:
    """Ask what has to be allowed."""
    questions = access.questions_for_jobs(asked.target.names.namespace, asked.app.verbs)
    return [access.check_allowed("access_jobs", review(asked.target, questions))]


def access_elsewhere(asked: Asked) -> list[Outcome]:
    """Ask what must not be allowed outside the namespace."""
    questions = access.questions_elsewhere(asked.target.names.namespace)
    return [access.check_refused("access_elsewhere", review(asked.target, questions))]


def access_to_secrets(asked: Asked) -> list[Outcome]:
    """Ask what must not be allowed anywhere."""
    questions = access.questions_for_secrets(asked.target.names.namespace)
    return [access.check_refused("access_secrets", review(asked.target, questions))]


PROBES = (
    Probe(("access_jobs",), "rbac", access_of_jobs),
    Probe(("access_elsewhere",), "rbac", access_elsewhere),
    Probe(("access_secrets",), "rbac", access_to_secrets),
)
