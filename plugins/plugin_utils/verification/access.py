# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Dispatcher's ServiceAccount may do: create Jobs here, nothing elsewhere, and read no Secret.

Asked with a SubjectAccessReview: https://kubernetes.io/docs/reference/access-authn-authz/authorization/
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..text.counted import counted
from .outcome import Outcome, judged


@dataclass(frozen=True)
class Question:
    """A verb on a resource. An empty namespace stands for all of them."""

    verb: str
    group: str
    resource: str
    namespace: str

    def __str__(self) -> str:
        where = f"in {self.namespace}" if self.namespace else "in every namespace"
        return f"{self.verb} {self.resource} {where}"

    def review(self, home: str, service_account: str) -> dict[str, Any]:
        """Return the SubjectAccessReview for a ServiceAccount of the namespace `home`."""
        return {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {
                "user": f"system:serviceaccount:{home}:{service_account}",
                # Kubernetes puts every ServiceAccount into these, and a binding may name one of them.
                "groups": ["system:serviceaccounts", f"system:serviceaccounts:{home}", "system:authenticated"],
                "resourceAttributes": {
                    "verb": self.verb,
                    "group": self.group,
                    "resource": self.resource,
                    "namespace": self.namespace,
                },
            },
        }


@dataclass(frozen=True)
class Answers:
    """The `status` of each review. `open` counts the questions that we may not ask."""

    given: Sequence[tuple[Question, Mapping[str, Any]]]
    open: int = 0


def questions_for_jobs(home: str, verbs: Sequence[str]) -> list[Question]:
    """What has to be allowed."""
    return [Question(verb, "batch", "jobs", home) for verb in verbs]


def questions_elsewhere(home: str) -> list[Question]:
    """What must not be allowed outside the namespace."""
    elsewhere = ["", *(name for name in ("default", "kube-system") if name != home)]
    asked = [("create", "batch", "jobs"), ("create", "", "pods"), ("list", "", "pods"), ("get", "", "configmaps")]
    return [Question(*what, namespace) for namespace in elsewhere for what in asked]


def questions_for_secrets(home: str) -> list[Question]:
    """What must not be allowed anywhere."""
    return [Question(verb, "", "secrets", namespace) for namespace in (home, "") for verb in ("get", "list", "watch")]


def check_allowed(check: str, answers: Answers) -> Outcome:
    """Every question has to be answered with yes."""
    refused = [question for question, status in answers.given if not status.get("allowed")]
    lost = {
        "create": "every `fix` ends as Forbidden in Slack",
        "get": "the Dispatcher never frees the channel of an agent that died",
    }
    losses = " and ".join(lost[question.verb] for question in refused)
    hint = f"Without it {losses}: deploy the Role and the RoleBinding again (--tags rbac)."
    return judged(check, not refused, _seen(refused, "may not", "may", answers), hint)


def check_refused(check: str, answers: Answers) -> Outcome:
    """Every question has to be answered with no."""
    allowed = [(question, status) for question, status in answers.given if status.get("allowed")]
    # The authoriser names the binding that allows it.
    reasons = "; ".join(dict.fromkeys(status.get("reason") or "no reason given" for _question, status in allowed))
    evidence = _seen([question for question, _status in allowed], "may", "may not", answers)
    return judged(check, not allowed, evidence, f"Remove what allows it: {reasons}")


def _seen(bad: Sequence[Question], words: str, otherwise: str, answers: Answers) -> str:
    if bad:
        return f"{words} {', '.join(map(str, bad))}"
    asked = [str(question) for question, _status in answers.given]
    unasked = f"; {answers.open} more you may not ask (subjectaccessreviews)" if answers.open else ""
    seen = asked[0] if len(asked) == 1 else f"do any of {counted(len(asked), 'thing')} asked"
    return f"{otherwise} {seen}{unasked}"
