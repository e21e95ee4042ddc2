# SPDX-License-Identifier: GPL-3.0-or-later
"""The Dispatcher's ServiceAccount may spawn Jobs in its namespace, and nothing beyond."""

from __future__ import annotations

import pytest
from conftest import KUBECONFIG, KUBECTL


@pytest.mark.parametrize(
    ("account", "question", "answer"),
    [
        ("agentsmith", "create jobs -n agentsmith", "yes"),
        ("agentsmith", "get jobs -n agentsmith", "no"),
        ("agentsmith", "delete jobs -n agentsmith", "no"),
        ("agentsmith", "list pods -n agentsmith", "no"),
        ("agentsmith", "get secrets -n agentsmith", "no"),
        ("agentsmith", "list secrets -n agentsmith", "no"),
        ("agentsmith", "create pods -n agentsmith", "no"),
        ("agentsmith", "create jobs -n default", "no"),
        ("agentsmith", "list pods --all-namespaces", "no"),
        ("default", "create jobs -n agentsmith", "no"),
    ],
)
def test_may(host, account, question, answer):
    who = f"system:serviceaccount:agentsmith:{account}"
    run = host.run(f"{KUBECTL} --kubeconfig {KUBECONFIG} auth can-i {question} --as {who}")
    assert run.stdout.strip() == answer, run.stderr


def test_spawned_jobs_get_no_token(get):
    assert get("serviceaccount/default")["automountServiceAccountToken"] is False
