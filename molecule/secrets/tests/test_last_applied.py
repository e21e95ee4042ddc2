# SPDX-License-Identifier: GPL-3.0-or-later
"""A Secret that `kubectl apply` once made has a copy of its values in an annotation: it goes, and that is said."""

from __future__ import annotations

import base64
import json

ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"


def test_left_over_annotation_is_removed_and_reported(playbook, kubectl, get, inventory):
    token = inventory["vault_github_token"]
    encoded = base64.b64encode(token.encode()).decode()
    copy = json.dumps({"apiVersion": "v1", "kind": "Secret", "data": {"github-token": encoded}})
    kubectl(f"-n agentsmith annotate --overwrite secret agentsmith-secrets {ANNOTATION}=%s", copy)

    preview = playbook("playbooks/deploy.yml", "--check", "--diff", "-vvv")
    assert preview.returncode == 0, preview.output
    assert ANNOTATION in get("secret/agentsmith-secrets")["metadata"]["annotations"]

    run = playbook("playbooks/deploy.yml", "--diff", "-vvv")
    assert run.returncode == 0, run.output
    assert ANNOTATION not in get("secret/agentsmith-secrets")["metadata"].get("annotations", {})
    message = " ".join(run.output.split())
    assert "Secret agentsmith/agentsmith-secrets: client-side kubectl apply had left a copy of the object" in message
    for output in (preview.output, run.output):
        assert token not in output
        assert encoded not in output
