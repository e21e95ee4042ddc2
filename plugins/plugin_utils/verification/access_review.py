# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking the API server what the Dispatcher's ServiceAccount may do, as far as we may ask."""

from __future__ import annotations

from collections.abc import Sequence

from ..objects.errors import ApiError
from .access import Answers, Question
from .target import Target

_GROUP = "/apis/authorization.k8s.io/v1"


def review(target: Target, questions: Sequence[Question]) -> Answers:
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
    return Answers(answers, open=len(refusals))
