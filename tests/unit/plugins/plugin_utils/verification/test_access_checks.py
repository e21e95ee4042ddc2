# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict over SubjectAccessReviews. What the API server says to them is in tests/integration."""

from __future__ import annotations

from pathlib import Path

import yaml
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification import access
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.app_release import APPS

NO, YES = {"allowed": False}, {"allowed": True, "reason": 'RBAC: allowed by ClusterRoleBinding "everything"'}


def test_a_review_names_the_groups_of_a_service_account() -> None:
    spec = access.Question("create", "batch", "jobs", "here").review("here", "agentsmith")["spec"]
    assert spec["user"] == "system:serviceaccount:here:agentsmith"
    assert spec["groups"] == ["system:serviceaccounts", "system:serviceaccounts:here", "system:authenticated"]
    assert spec["resourceAttributes"] == {"verb": "create", "group": "batch", "resource": "jobs", "namespace": "here"}


def test_nothing_elsewhere_leaves_the_own_namespace_out() -> None:
    namespaces = {question.namespace for question in access.questions_elsewhere("default")}
    assert namespaces == {"", "kube-system"}
    assert {question.namespace for question in access.questions_elsewhere("here")} == {"", "default", "kube-system"}


def test_what_has_to_be_allowed() -> None:
    (question,) = access.questions_for_jobs("here", APPS["be4bffa1"].verbs)
    assert access.check_allowed("access_jobs", access.Answers([(question, YES)])).result == "ok"
    outcome = access.check_allowed("access_jobs", access.Answers([(question, NO)]))
    assert (outcome.result, outcome.evidence) == ("failed", "may not create jobs in here")
    assert "rbac" in outcome.hint


def test_every_release_needs_what_a_rollback_asks_for() -> None:
    playbook = yaml.safe_load((Path(__file__).parents[5] / "playbooks/rollback.yml").read_text())
    (asked,) = [
        task["vars"] for task in playbook[0]["tasks"] if "verify" in str(task.get("ansible.builtin.include_role"))
    ]
    # The inventory's release of the app is not the one that was restored
    assert "agentsmith_app" not in str(asked["verify_app"])
    assert all(set(APPS[asked["verify_app"]].verbs) <= set(app.verbs) for app in APPS.values())


def test_a_release_that_asks_after_its_jobs_has_to_be_allowed_that_too() -> None:
    create, get = access.questions_for_jobs("here", APPS["0.9.2"].verbs)
    answers = access.Answers([(create, YES), (get, NO)])
    outcome = access.check_allowed("access_jobs", answers)
    assert (outcome.result, outcome.evidence) == ("failed", "may not get jobs in here")
    assert "never frees the channel" in outcome.hint
    assert "Forbidden in Slack" not in outcome.hint


def test_what_must_not_be_allowed() -> None:
    questions = access.questions_for_secrets("here")
    assert (
        access.check_refused("access_secrets", access.Answers([(question, NO) for question in questions])).result
        == "ok"
    )
    answers = [(question, YES if question.verb == "get" else NO) for question in questions]
    outcome = access.check_refused("access_secrets", access.Answers(answers))
    assert outcome.result == "failed"
    assert outcome.evidence == "may get secrets in here, get secrets in every namespace"
    assert outcome.hint.count('ClusterRoleBinding "everything"') == 1


def test_what_may_not_be_asked_is_counted() -> None:
    questions = access.questions_for_secrets("team-a")
    answers = access.Answers([(question, NO) for question in questions[:3]], open=3)
    outcome = access.check_refused("access_secrets", answers)
    assert outcome.result == "ok"
    assert outcome.evidence == "may not do any of 3 things asked; 3 more you may not ask (subjectaccessreviews)"
