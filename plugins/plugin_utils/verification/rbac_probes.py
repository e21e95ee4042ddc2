# SPDX-License-Identifier: GPL-3.0-or-later
"""The API server is asked what the Dispatcher's ServiceAccount may do, as far as we may ask."""

from collections.abc import Sequence

from ..objects.errors import ApiError
from . import access
from .outcome import Outcome
from .probe import Asked, Probe
from .target import Target

_GROUP = "/apis/authorization.k8s.io/v1"


def access_of_jobs(asked: Asked) -> list[Outcome]:
    """Ask what has to be allowed."""
    questions = access.questions_for_jobs(asked.target.names.namespace, asked.app.verbs)
    return [access.check_allowed("access_jobs", _review(asked.target, questions))]


def access_elsewhere(asked: Asked) -> list[Outcome]:
    """Ask what must not be allowed outside the namespace."""
    questions = access.questions_elsewhere(asked.target.names.namespace)
    return [access.check_refused("access_elsewhere", _review(asked.target, questions))]


def access_to_secrets(asked: Asked) -> list[Outcome]:
    """Ask what must not be allowed anywhere."""
    questions = access.questions_for_secrets(asked.target.names.namespace)
    return [access.check_refused("access_secrets", _review(asked.target, questions))]


def _review(target: Target, questions: Sequence[access.Question]) -> access.Answers:
    """Return the answers.

    What is about the namespace is asked in its local form, which a Role can allow; the rest takes a right of the whole
    cluster, and is left open without it.

    :raises ApiError: when none of the questions may be asked.
    """
    home, answers, refusals = target.names.namespace, [], []
    for question in questions:
        local = question.namespace == home
        body = question.review(home, target.names.service_account)
        if local:
            body["kind"] = "LocalSubjectAccessReview"
            body["metadata"] = {"namespace": home}
        path = f"{_GROUP}/namespaces/{home}/localsubjectaccessreviews" if local else f"{_GROUP}/subjectaccessreviews"
        try:
            answers.append((question, target.connection.request("POST", path, body=body).body["status"]))
        except ApiError as error:
            if error.status != 403:
                raise
            refusals.append(error)
    if not answers:
        raise refusals[0]
    return access.Answers(answers, open=len(refusals))


PROBES = (
    Probe(("access_jobs",), "rbac", access_of_jobs),
    Probe(("access_elsewhere",), "rbac", access_elsewhere),
    Probe(("access_secrets",), "rbac", access_to_secrets),
)
