# SPDX-License-Identifier: GPL-3.0-or-later
"""Production by `kubectl apply -k` on what render.yml writes: images by digest with a password, two Dispatchers."""

from __future__ import annotations

from gitops import NAMESPACE, applied
from test_prod import play  # noqa: F401  a fixture

SECRETS = ("agentsmith-secrets", "agentsmith-registries")
VARIABLES = ("--limit", "prod-us", "-e", f"agentsmith_namespace={NAMESPACE}")


def test_kubectl_brings_up_what_is_rendered(play, kubectl, get, tmp_path) -> None:  # noqa: F811
    rendered = play("render", *VARIABLES, "-e", f"render_dir={tmp_path}/release")
    assert rendered.returncode == 0, rendered.output
    # Made by hand: none of them is in the Kustomization
    assert {path.name for path in (tmp_path / "release/secrets").iterdir()} == {
        f"secret-{name}.yaml" for name in SECRETS
    }
    live = [get(f"secret/{name}", "agentsmith-us") for name in SECRETS]
    with applied(kubectl, tmp_path / "release", live, tmp_path):
        verified = play("verify", *VARIABLES, "-e", "verify_public_url=")
        assert verified.returncode == 0, verified.output
        assert verified.checks("failed") == set()
