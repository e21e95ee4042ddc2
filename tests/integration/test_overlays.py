# SPDX-License-Identifier: GPL-3.0-or-later
"""What the real kustomize makes of a base with overlays is what the flat layout has."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from production_copy import CHECKOUT, PASSWORD_SOURCE, copy_production

TARGETS = ("prod-eu", "prod-us")


def kustomize(directory: Path) -> str:
    command = [Path(os.environ["AGENTSMITH_KUBERNETES_BIN"], "kubectl"), "kustomize", directory]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.skipif("AGENTSMITH_KUBERNETES_BIN" not in os.environ, reason="AGENTSMITH_KUBERNETES_BIN is not set")
def test_kustomize_makes_the_same_of_both_layouts(tmp_path: Path) -> None:
    copy_production(tmp_path / "inventory")
    # Two namespaces, and with the admission policies objects whose names have it
    hosts = {target: {"agentsmith_namespace": f"ns-{target}", "agentsmith_job_policy": True} for target in TARGETS}
    (tmp_path / "inventory/more.yml").write_text(yaml.safe_dump({"all": {"hosts": hosts}}))
    options = ["-i", tmp_path / "inventory", "--vault-id", f"prod@{PASSWORD_SOURCE}"]
    layouts = {"flat": "{{ inventory_hostname }}", "overlays": ""}
    for layout, directory in layouts.items():
        subprocess.run(
            [Path(sys.executable).parent / "ansible-playbook", CHECKOUT / "playbooks/render.yml", *options]
            + ["-e", f"render_layout={layout}", "-e", f"render_dir={tmp_path}/{layout}/{directory}"],
            cwd=CHECKOUT,
            check=True,
            capture_output=True,
        )
    for target in TARGETS:
        made = kustomize(tmp_path / "overlays/overlays" / target)
        assert made == kustomize(tmp_path / "flat" / target)
        assert f"namespace: ns-{target}" in made
