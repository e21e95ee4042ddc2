# SPDX-License-Identifier: GPL-3.0-or-later
"""What render.yml writes is a whole release to kubectl, and verify and drift go on working with it."""

from __future__ import annotations

import json
import re

from gitops import NAMESPACE, applied

SECRET = "agentsmith-secrets"
VARIABLES = {
    "agentsmith_namespace": NAMESPACE,
    # Made by hand
    "secrets_existing_name": SECRET,
    # Both are the first release's
    "dispatcher_service_type": "ClusterIP",
    "verify_url": "",
}


def test_kubectl_brings_up_what_is_rendered(playbook, kubectl, get, tmp_path) -> None:
    variables = ("-e", json.dumps(VARIABLES))
    rendered = playbook("playbooks/render.yml", *variables, "-e", f"render_dir={tmp_path}/release")
    assert rendered.returncode == 0, rendered.output
    assert not (tmp_path / "release/secrets").exists()
    with applied(kubectl, tmp_path / "release", [get(f"secret/{SECRET}")], tmp_path):
        verified = playbook("playbooks/verify.yml", *variables)
        assert verified.returncode == 0, verified.output
        assert verified.checks("failed") == set()
        assert verified.checks("ok") >= {"challenge", "secret_keys", "health"}

        same = playbook("playbooks/drift.yml", *variables)
        assert same.returncode == 0, same.output
        kubectl(f"-n {NAMESPACE} scale deployment redis --replicas=0")
        drifted = playbook("playbooks/drift.yml", *variables)
        assert drifted.returncode == 2, drifted.output
        assert re.search(r"Deployment redis +spec\.replicas +1 +0 ", drifted.output), drifted.output
